import type { Clock, Timer } from '../ground/clock.ts'
import { ID_SETTLE_TIME } from '../limits/python-limits.ts'

/** A line on which nothing comes: after a while it says that what came before is complete. */
export class Silence {
  readonly #clock: Clock
  readonly #onComplete: () => void
  #timer: Timer | undefined

  constructor(clock: Clock, onComplete: () => void) {
    this.#clock = clock
    this.#onComplete = onComplete
  }

  /** It begins, or begins anew. */
  begin(): void {
    this.end()
    const timer = this.#clock.setTimer(() => {
      // What came while this process itself stood still is read first.
      setImmediate(() => {
        if (this.#timer === timer) this.#onComplete()
      })
    }, ID_SETTLE_TIME)
    this.#timer = timer
  }

  /** Something came, or nothing is waited for any more. */
  end(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
