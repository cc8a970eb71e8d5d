/**
 * A map that forgets what has not been used for long, and stays within a limit.
 *
 * Two generations instead of a list in order of use: a hit in the young one changes nothing, which is what nearly
 * every call is. When the young one is full it becomes the old one, and the old one is forgotten. So at least the
 * last half of the limit is always there.
 */
export class RecentMap<Key, Value> {
  readonly #half: number
  #young = new Map<Key, Value>()
  #old = new Map<Key, Value>()

  /** @param limit Entries held at most, at least 2. */
  constructor(limit: number) {
    this.#half = Math.max(1, Math.floor(limit / 2))
  }

  /** Entries held; never more than the limit. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** The value of a key, if it is still held; it counts as used. */
  get(key: Key): Value | undefined {
    const value = this.#young.get(key)
    if (value !== undefined) return value
    const found = this.#old.get(key)
    if (found !== undefined) this.set(key, found)
    return found
  }

  /** All values, those that were used most recently last. */
  *values(): Iterable<Value> {
    yield* this.#old.values()
    yield* this.#young.values()
  }

  set(key: Key, value: Value): void {
    this.#old.delete(key)
    if (this.#young.size >= this.#half && !this.#young.has(key)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }

  delete(key: Key): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
