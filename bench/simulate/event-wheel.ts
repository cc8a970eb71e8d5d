import type { Clock, Timer } from '../../lib/ground/clock.ts'

/** What happens at a time. */
export interface Happening {
  /** `data` is what it was planned with. */
  happen(data: unknown): void
}

/** Slots of the wheel, one for each ms; a power of two. Most timers and all frames are due within it. */
const SLOTS = 2 ** 14

/**
 * Virtual time in whole ms. A timing wheel: to plan and to take out costs the same however much is planned, and what
 * is due at one time happens in the order in which it was planned.
 *
 * Source: Varghese and Lauck, "Hashed and hierarchical timing wheels", SOSP 1987.
 */
export class EventWheel implements Clock {
  #now = 0
  #count = 0
  readonly #slots: unknown[][] = Array.from({ length: SLOTS }, () => [])
  /** What is due later than one turn of the wheel, by the turn. */
  readonly #later = new Map<number, unknown[]>()

  /** Events so far. */
  get count(): number {
    return this.#count
  }

  now(): number {
    return this.#now
  }

  /** Plans something in `ms`; 1 at least, for an instant must come to its end. */
  plan(ms: number, what: Happening, data: unknown): void {
    const at = this.#now + (ms > 1 ? Math.ceil(ms) : 1)
    if (at - this.#now < SLOTS) this.#slots[at & (SLOTS - 1)]!.push(what, data)
    else {
      const turn = Math.floor(at / SLOTS)
      const later = this.#later.get(turn)
      if (later === undefined) this.#later.set(turn, [at, what, data])
      else later.push(at, what, data)
    }
  }

  setTimer(callback: () => void, ms: number): Timer {
    const timer = new WheelTimer(callback)
    this.plan(ms, timer, undefined)
    return timer
  }

  /** Everything that is due in the next ms. Returns the time after it. */
  step(): number {
    this.#now++
    if ((this.#now & (SLOTS - 1)) === 0) this.#turn()
    const slot = this.#slots[this.#now & (SLOTS - 1)]!
    for (let at = 0; at < slot.length; at += 2) (slot[at] as Happening).happen(slot[at + 1])
    this.#count += slot.length / 2
    slot.length = 0
    return this.#now
  }

  #turn(): void {
    const turn = this.#now / SLOTS
    const due = this.#later.get(turn)
    this.#later.delete(turn)
    if (due === undefined) return
    for (let at = 0; at < due.length; at += 3)
      this.#slots[(due[at] as number) & (SLOTS - 1)]!.push(due[at + 1], due[at + 2])
  }
}

class WheelTimer implements Timer, Happening {
  #callback: (() => void) | undefined

  constructor(callback: () => void) {
    this.#callback = callback
  }

  happen(): void {
    const callback = this.#callback
    this.#callback = undefined
    callback?.()
  }

  cancel(): void {
    // Let go at once: it holds a whole node.
    this.#callback = undefined
  }
}
