/** A set with random access: drawing a member costs the same however many there are. */
export class Bag<T> {
  readonly #members: T[] = []
  readonly #places = new Map<T, number>()

  get size(): number {
    return this.#members.length
  }

  has(member: T): boolean {
    return this.#places.has(member)
  }

  add(member: T): void {
    if (this.#places.has(member)) return
    this.#places.set(member, this.#members.length)
    this.#members.push(member)
  }

  delete(member: T): void {
    const place = this.#places.get(member)
    if (place === undefined) return
    this.#places.delete(member)
    // The last one moves into the gap, so nothing else has to.
    const last = this.#members.pop()!
    if (place === this.#members.length) return
    this.#members[place] = last
    this.#places.set(last, place)
  }

  /** One member by lot; undefined when there is none. */
  draw(random: () => number): T | undefined {
    return this.#members[Math.floor(random() * this.#members.length)]
  }

  /** All members, from a random one on and round. Do not change the bag meanwhile. */
  *round(random: () => number): Generator<T, undefined, undefined> {
    const count = this.#members.length
    const first = Math.floor(random() * count)
    for (let step = 0; step < count; step++) yield this.#members[(first + step) % count]!
    return undefined
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#members[Symbol.iterator]()
  }
}
