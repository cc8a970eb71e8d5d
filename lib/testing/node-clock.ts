import type { Clock, Timer } from '../ground/clock.ts'

/** The clock of one machine in a simulation: it may be wrong, and its timers end with the machine. */
export class NodeClock implements Clock {
  readonly #clock: Clock
  readonly #offset: number
  #isStopped = false

  /**
   * @param clock the time that all machines share
   * @param offset how far this machine's clock is ahead of it, in whole ms
   */
  constructor(clock: Clock, offset: number) {
    this.#clock = clock
    this.#offset = offset
  }

  now(): number {
    return this.#clock.now() + this.#offset
  }

  /** Waits are whole milliseconds, as those of Node.js are: what happens at one time is done together. */
  setTimer(callback: () => void, ms: number): Timer {
    const fire = (): void => {
      if (!this.#isStopped) callback()
    }
    return this.#clock.setTimer(fire, Math.round(ms))
  }

  /** None of its timers fires any more. */
  stop(): void {
    this.#isStopped = true
  }
}
