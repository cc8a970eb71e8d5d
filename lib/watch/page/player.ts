import type { Chronicle } from './chronicle.ts'
import type { Happening } from './happening.ts'

/** What plays: what comes in now, a moment that stands still, or the past at some speed. */
export type Mode = 'live' | 'paused' | 'replay'

/** The speeds of a replay: slow motion for what happened within a second. */
export const SPEEDS: readonly number[] = [0.1, 0.5, 1, 2, 5, 20]

/** Where one looks in time. The chronicle goes on growing meanwhile. */
export class Player {
  readonly #chronicle: Chronicle
  #mode: Mode = 'live'
  #moment = 0
  #speed = 1

  constructor(chronicle: Chronicle) {
    this.#chronicle = chronicle
  }

  get mode(): Mode {
    return this.#mode
  }

  /** The moment that is shown, in ms since the epoch. */
  get moment(): number {
    return this.#mode === 'live' ? this.#chronicle.end : this.#moment
  }

  get speed(): number {
    return this.#speed
  }

  set speed(speed: number) {
    this.#speed = Math.min(SPEEDS.at(-1)!, Math.max(SPEEDS[0]!, speed))
  }

  /**
   * Time goes on. What has happened since, to be shown moving.
   *
   * @param elapsed Since the last call, in ms.
   */
  advance(elapsed: number): Happening[] {
    const before = Math.max(this.#moment, this.#chronicle.start - 1)
    if (this.#mode === 'live') this.#moment = this.#chronicle.end
    if (this.#mode === 'replay') {
      this.#moment = Math.min(this.#chronicle.end, before + elapsed * this.#speed)
    }
    if (this.#moment <= before) return []
    const happened = this.#chronicle.between(before, this.#moment)
    // A replay that has caught up with the present is the present.
    if (this.#mode === 'replay' && this.#moment >= this.#chronicle.end) this.#mode = 'live'
    return happened
  }

  /** Stands still at a moment; what is not kept any more cannot be gone to. */
  seek(moment: number): void {
    this.#mode = 'paused'
    this.#moment = Math.min(this.#chronicle.end, Math.max(this.#chronicle.start, moment))
  }

  /** Stands still at the next happening, or the one before. */
  step(direction: 1 | -1): void {
    this.seek(this.#chronicle.neighbour(this.moment, direction))
  }

  pause(): void {
    this.seek(this.moment)
  }

  /** Goes on from the moment that is shown; from the end, that is live. */
  play(): void {
    if (this.#mode === 'live') return
    this.#mode = this.#moment >= this.#chronicle.end ? 'live' : 'replay'
  }

  /** From the beginning. */
  replay(): void {
    this.#mode = 'replay'
    this.#moment = this.#chronicle.start - 1
  }

  live(): void {
    this.#mode = 'live'
    this.#moment = this.#chronicle.end
  }
}
