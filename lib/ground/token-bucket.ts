/**
 * Allows so many events a second, and as many at once as the bucket holds. Refilled when asked, so it needs no
 * timer.
 */
export class TokenBucket {
  readonly #perSecond: number
  readonly #capacity: number
  #tokens: number
  #filledAt: number

  /** @param now The time at which the bucket is full, in ms. */
  constructor(perSecond: number, capacity: number, now: number) {
    this.#perSecond = perSecond
    this.#capacity = capacity
    this.#tokens = capacity
    this.#filledAt = now
  }

  /** Takes one token, or says that there is none. */
  take(now: number): boolean {
    this.#refill(now)
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** Takes any number of tokens; what is not there is owed, and refilled first. */
  spend(now: number, count: number): void {
    this.#refill(now)
    this.#tokens -= count
  }

  /** Milliseconds until there is a token: 0 when there is one. */
  wait(now: number): number {
    this.#refill(now)
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) * 1_000) / this.#perSecond)
  }

  isFull(now: number): boolean {
    this.#refill(now)
    return this.#tokens >= this.#capacity
  }

  #refill(now: number): void {
    // A clock that was set back must not empty the bucket, nor fill it twice.
    const passed = Math.max(0, now - this.#filledAt)
    this.#tokens = Math.min(this.#capacity, this.#tokens + (passed * this.#perSecond) / 1_000)
    this.#filledAt = now
  }
}
