import type { Clock, Timer } from '../ground/clock.ts'

/** Turns of the event loop after each instant of {@link ManualClock.advanceAsync}. */
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
  /**
   * Timers by the time at which they are due. In a simulation of thousands of nodes most timers share their
   * instant with others: to set one is a look-up then, and only its instants have to be sorted.
   */
  readonly #instants = new Map<number, Instant>()
  readonly #order = new InstantHeap()
  readonly #count = { pending: 0 }

  /**
   * @param now where it starts, in ms since the epoch
   * @default the first moment of 2026 (UTC): a real date, and the same in every run
   */
  constructor(now: number = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  /** Timers that have neither fired nor been cancelled: a test of a clean end expects 0. */
  get pendingTimers(): number {
    return this.#count.pending
  }

  /** When the next timer is due, in ms since the epoch; undefined when there is none. */
  get nextTimer(): number | undefined {
    return this.#next()?.at
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
    const at = this.#now + (ms > 1 ? ms : 1)
    let instant = this.#instants.get(at)
    if (instant === undefined) {
      instant = new Instant(at)
      this.#instants.set(at, instant)
      this.#order.push(instant)
    }
    const timer = new ManualTimer(callback, instant, this.#count)
    instant.timers.push(timer)
    return timer
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
    while (this.#fireInstant(end));
    this.#now = Math.max(this.#now, end)
  }

  /**
   * Moves the clock forward as {@link advance} does, and lets promises, immediates and sockets run before the
   * first timer, after all that are due at one time, and at the end. Work that takes longer, such as that of the
   * thread pool, is not waited for.
   */
  async advanceAsync(ms: number): Promise<void> {
    const end = this.#now + ms
    do await settle()
    while (this.#fireInstant(end))
    this.#now = Math.max(this.#now, end)
    await settle()
  }

  /** Fires all timers of the first time at which one is due, if it is not after `end`; `false` if there is none. */
  #fireInstant(end: number): boolean {
    const instant = this.#next()
    if (instant === undefined || instant.at > end) return false
    this.#now = Math.max(this.#now, instant.at)
    // Counted on in the instant itself: a timer that throws, or that moves the clock, leaves the rest to others.
    while (instant.fired < instant.timers.length) instant.timers[instant.fired++]!.fire()
    return true
  }

  /** The first instant at which anything is left to fire. Those whose timers were all cancelled are forgotten. */
  #next(): Instant | undefined {
    for (let first = this.#order.first; first !== undefined; first = this.#order.first) {
      if (first.pending > 0) return first
      this.#order.shift()
      this.#instants.delete(first.at)
    }
    return undefined
  }
}

/** All timers that are due at one time, in the order of their setting. */
class Instant {
  /** In ms since the epoch. */
  readonly at: number
  readonly timers: ManualTimer[] = []
  /** How many of them have had their turn. */
  fired = 0
  /** How many of them have neither fired nor been cancelled. */
  pending = 0

  constructor(at: number) {
    this.at = at
  }
}

class ManualTimer implements Timer {
  readonly #instant: Instant
  readonly #count: { pending: number }
  /** Let go as soon as it cannot be called any more: it may hold a whole node. */
  #callback: (() => void) | undefined

  constructor(callback: () => void, instant: Instant, count: { pending: number }) {
    this.#callback = callback
    this.#instant = instant
    this.#count = count
    instant.pending++
    count.pending++
  }

  fire(): void {
    const callback = this.#callback
    // Its own `cancel` is harmless from now on, and it counts as pending no longer.
    this.cancel()
    callback?.()
  }

  cancel(): void {
    if (this.#callback === undefined) return
    this.#callback = undefined
    this.#instant.pending--
    this.#count.pending--
  }
}

/** A binary heap of instants, the earliest first. No two of them have the same time. */
class InstantHeap {
  readonly #heap: Instant[] = []

  get first(): Instant | undefined {
    return this.#heap[0]
  }

  push(instant: Instant): void {
    const heap = this.#heap
    let index = heap.push(instant) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (heap[parent]!.at < instant.at) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = instant
  }

  shift(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let index = 0
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      const right = heap[child + 1]
      if (right !== undefined && right.at < heap[child]!.at) child++
      if (last.at < heap[child]!.at) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn++) await new Promise((resolve) => setImmediate(resolve))
}
