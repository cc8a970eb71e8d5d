import { MIN_MESSAGE_COST, START_CREDIT, STREAM_WINDOW } from '../limits/dht-limits.ts'

/** What a message of so many bytes costs. */
export function costOf(byteLength: number): number {
  return Math.max(byteLength, MIN_MESSAGE_COST)
}

/**
 * How much one end may send that the other has not taken. The packets below know no such thing: they deliver whatever
 * comes, and who reads slowly would keep it all.
 */
export class Credit {
  /** What this end may still send. */
  #granted = START_CREDIT
  /** What the other end may send: all of it, not only the rest. */
  #allowed = START_CREDIT
  /** What it has sent that was not taken. */
  #held = 0

  /** What a message may cost now. */
  get left(): number {
    return this.#granted
  }

  spend(byteLength: number): void {
    this.#granted -= costOf(byteLength)
  }

  /** The other end grants more. `false` if that is more than any end does. */
  add(amount: number): boolean {
    this.#granted += amount
    return amount > 0 && this.#granted <= STREAM_WINDOW
  }

  /** A message of the other end arrived. `false` if it was not to send it. */
  hold(byteLength: number): boolean {
    this.#held += costOf(byteLength)
    this.#allowed -= costOf(byteLength)
    return this.#allowed >= 0
  }

  /** It was taken. */
  release(byteLength: number): void {
    this.#held -= costOf(byteLength)
  }

  /** What is to be granted to the other end now; 0 while it is not worth a message. */
  due(): number {
    const missing = STREAM_WINDOW - this.#held - this.#allowed
    if (missing < STREAM_WINDOW / 2) return 0
    this.#allowed += missing
    return missing
  }
}
