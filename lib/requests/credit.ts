import { MAX_STREAM_AHEAD } from '../limits/direct-limits.ts'

/** How many parts of an answer may be sent. */
export class Credit {
  /** Parts that may be sent in all. */
  #upTo: number
  /** Parts that have been given a number. */
  #count = 0

  /** @param want What the ask allows at first. */
  constructor(want: number) {
    this.#upTo = Math.min(want, MAX_STREAM_AHEAD)
  }

  /** Parts so far, those that wait for their turn included. */
  get count(): number {
    return this.#count
  }

  /** The number of a new part. */
  number(): number {
    return this.#count++
  }

  /** Whether a part may be sent now. */
  covers(at: number): boolean {
    return at < this.#upTo
  }

  /**
   * The asker allows `upTo` parts in all. Words may overtake each other, so it never gets less. No more than so many
   * ahead are believed: an asker that is gone would otherwise be sent an endless answer.
   */
  allow(upTo: number): void {
    const sent = Math.min(this.#count, this.#upTo)
    this.#upTo = Math.max(this.#upTo, Math.min(upTo, sent + MAX_STREAM_AHEAD))
  }
}
