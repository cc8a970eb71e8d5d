import { GRAFT_CALM, GRAFT_SPREAD, GRAFT_WAIT, GRAFT_WAIT_MAX } from '../limits/tree-limits.ts'

/** The wait is so many times as long as what was asked for usually takes. */
const FACTOR = 3
/** Its multiples, without what is before the point, lie far apart. */
const GOLDEN_RATIO = 0.618_033_988_749_895

/**
 * How long a message that was announced may take to come by itself. Under load everything is late; nodes that asked
 * for what is on its way would make more load. So the wait follows how long it takes until what was asked for is here.
 * Not how often it then had come by itself: where a branch broke off, all behind it ask at the same time, and the
 * first one's copy gets to the others before their own.
 */
export class Patience {
  /** How long an answer takes, in ms. */
  #answer = 0
  #changedAt = -Infinity
  #factor = 1

  /**
   * The next wait is another one, so that of the nodes that lack the same message one is the first to ask: the others
   * get it from there. Not drawn for each message: they would no longer be due in the order of their arrival.
   *
   * @param salt a number that is not the same at all nodes
   */
  vary(salt: number): void {
    this.#factor = 1 + GRAFT_SPREAD * ((salt * GOLDEN_RATIO) % 1)
  }

  /** The wait from now on, in ms. */
  wait(now: number): number {
    return Math.min(GRAFT_WAIT_MAX, this.#base(now) * this.#factor)
  }

  /** Between two requests for the same message, in ms. */
  retry(now: number): number {
    return this.#base(now) / 2
  }

  /** What was asked for has come after so long, in ms. */
  answered(passed: number, now: number): void {
    const change = Math.min(GRAFT_WAIT_MAX, Math.max(0, passed)) - this.#answer
    // Quickly down: one peer that takes its time must not slow down what others would mend.
    this.#answer += change > 0 ? change / 8 : change / 2
    this.#changedAt = now
  }

  #base(now: number): number {
    // A clock that was set back makes it shrink early, which is harmless.
    if (this.#answer > 0 && Math.abs(now - this.#changedAt) >= GRAFT_CALM) this.answered(0, now)
    return Math.min(GRAFT_WAIT_MAX, Math.max(GRAFT_WAIT, this.#answer * FACTOR))
  }
}
