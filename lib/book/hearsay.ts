import { Bag } from './bag.ts'

/**
 * The nodes that were only heard of, in buckets: one for each address group that the sources are in. A bucket is
 * drawn first, and a node from it then, so that one group of strangers gets no more attention however many nodes
 * it invents; and where a place is needed, the largest bucket gives it.
 */
export class Hearsay {
  readonly #buckets = new Map<string, Bag<string>>()
  /** The names of the buckets, to draw from. */
  readonly #groups = new Bag<string>()
  #size = 0

  /** Nodes in all buckets. */
  get size(): number {
    return this.#size
  }

  add(id: string, group: string): void {
    let bucket = this.#buckets.get(group)
    if (bucket === undefined) this.#buckets.set(group, (bucket = new Bag()))
    this.#groups.add(group)
    this.#size -= bucket.size
    bucket.add(id)
    this.#size += bucket.size
  }

  delete(id: string, group: string): void {
    const bucket = this.#buckets.get(group)
    if (bucket === undefined) return
    this.#size -= bucket.size
    bucket.delete(id)
    this.#size += bucket.size
    if (bucket.size > 0) return
    this.#buckets.delete(group)
    this.#groups.delete(group)
  }

  /** A node by lot: each bucket is as likely as any other. */
  draw(random: () => number): string | undefined {
    const group = this.#groups.draw(random)
    return group === undefined ? undefined : this.#buckets.get(group)!.draw(random)
  }

  /** All nodes, bucket by bucket, from random ones on. Do not change anything meanwhile. */
  *round(random: () => number): Generator<string, undefined, undefined> {
    for (const group of this.#groups.round(random)) yield* this.#buckets.get(group)!.round(random)
    return undefined
  }

  /** One of the largest bucket, by lot; of several that are equally large, of `group` or else of any. */
  drawLargest(group: string, random: () => number): string | undefined {
    let largest = this.#buckets.get(group)
    let count = 1
    for (const bucket of this.#buckets.values()) {
      if (largest === undefined || bucket.size > largest.size) {
        largest = bucket
        count = 1
      } else if (bucket.size === largest.size && largest !== this.#buckets.get(group)) {
        // Each of them with the same chance: otherwise it would always be the one that is known longest.
        if (random() * ++count < 1) largest = bucket
      }
    }
    return largest?.draw(random)
  }
}
