import { FIRST_RETRY, LAST_RETRY } from './page-limits.ts'

/** How long to wait before trying again: each time twice as long, and never the same for all pages at once. */
export class BackOff {
  readonly #random: () => number
  #failures = 0

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** The next wait, in ms. */
  next(): number {
    const wait = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** this.#failures)
    if (wait < LAST_RETRY) this.#failures++
    return wait * (0.75 + 0.25 * this.#random())
  }

  /** It worked. */
  reset(): void {
    this.#failures = 0
  }
}
