import type { Clock, Timer } from '../clock.ts'

interface ManualTimer {
  readonly callback: () => void
  /** When it is due, in ms since the epoch. */
  readonly at: number
  /** Settles the order of timers that are due at the same time. */
  readonly order: number
  isCancelled: boolean
}

/** Turns of the event loop after each timer of {@link ManualClock.advanceAsync}. */
const SETTLE_TURNS = 3

/**
 * A clock that stands still until a test moves it: an hour of timeouts takes no time at all.
 *
 * ```ts
 * const clock = new ManualClock()
 * const node = new SecureNode('127.0.0.1', 0, undefined, { clock })
 * await clock.advanceAsync(20_000) // the node's pings go out
 * ```
 */
export class ManualClock implements Clock {
  #now: number
  #timers: ManualTimer[] = []
  #order = 0

  /**
   * @param now where it starts, in ms since the epoch
   * @default the first moment of 2026 (UTC): a real date, and the same in every run
   */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  /** Timers that have neither fired nor been cancelled: a test of a clean end expects 0. */
  get pendingTimers(): number {
    return this.#timers.reduce((count, timer) => count + (timer.isCancelled ? 0 : 1), 0)
  }

  now(): number {
    return this.#now
  }

  /**
   * Calls `callback` once, when the clock has been moved by `ms`. As on the clock of Node.js, 1 ms is the
   * shortest wait: a timer that sets itself again at once would otherwise never let `advance` come to its end.
   */
  setTimer(callback: () => void, ms: number): Timer {
    // Written so that NaN becomes 1 as well.
    const wait = ms > 1 ? ms : 1
    const timer: ManualTimer = { callback, at: this.#now + wait, order: this.#order++, isCancelled: false }
    this.#push(timer)
    return { cancel: () => (timer.isCancelled = true) }
  }

  /**
   * Moves the clock forward. Timers that become due fire in the order of their times, and of their setting
   * where those are equal; each sees its own time as `now()`. What an error of one leaves behind fires with the
   * next call.
   *
   * @param ms 0 or more
   */
  advance(ms: number): void {
    const end = this.#now + ms
    while (this.#fireNext(end));
    this.#now = Math.max(this.#now, end)
  }

  /**
   * Moves the clock forward as {@link advance} does, and lets promises, immediates and sockets run before the
   * first timer, after each, and at the end. Work that takes longer, such as that of the thread pool, is not
   * waited for.
   */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms
    do await settle()
    while (this.#fireNext(end))
    this.#now = Math.max(this.#now, end)
    await settle()
  }

  /** Fires the first timer that is due by `end`; `false` if there is none. */
  #fireNext(end: number): boolean {
    for (let timer = this.#timers[0]; timer !== undefined && timer.at <= end; timer = this.#timers[0]) {
      this.#shift()
      if (timer.isCancelled) continue
      this.#now = Math.max(this.#now, timer.at)
      // Its own `cancel` is harmless from now on, and it counts as pending no longer.
      timer.isCancelled = true
      timer.callback()
      return true
    }
    return false
  }

  /** The timers are a binary heap: a simulation of thousands of nodes has tens of thousands of them. */
  #push(timer: ManualTimer): void {
    const heap = this.#timers
    let index = heap.push(timer) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (isBefore(heap[parent]!, timer)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = timer
  }

  #shift(): void {
    const heap = this.#timers
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child]!)) child++
      if (isBefore(last, heap[child]!)) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}

function isBefore(left: ManualTimer, right: ManualTimer): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order)
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
}
