/**
 * Nodes and the links between them, and how many hops each node is from where it begins. What is told may be
 * hostile: the work is bounded by what is told, in whatever order it comes.
 */
export class LinkGraph {
  /** Neighbours of a node. A link that both ends tell stands there twice: to sort that out costs more than it saves. */
  readonly #neighbours = new Map<string, string[]>()
  readonly #distances: Map<string, number>
  /** One string for each ID: parsing makes a new one wherever it is named. */
  readonly #ids = new Map<string, string>()

  /** @param root Where distances are counted from. */
  constructor(root: string) {
    this.#distances = new Map([[root, 0]])
    this.#of(root)
  }

  /** Nodes that were named. */
  get size(): number {
    return this.#neighbours.size
  }

  /** The IDs of all nodes that were named, in the order of their first naming. */
  get ids(): Iterable<string> {
    return this.#neighbours.keys()
  }

  /** The one string of an ID. */
  id(id: string): string {
    this.#of(id)
    return this.#ids.get(id)!
  }

  /** There is a link. */
  connect(a: string, b: string): void {
    this.#of(a).push(this.id(b))
    this.#of(b).push(this.id(a))
  }

  /** Different neighbours of a node. */
  degree(id: string): number {
    return new Set(this.#neighbours.get(id)).size
  }

  /** Hops to a node, as far as {@link reach} has come; undefined if no way to it is known. */
  distance(id: string): number | undefined {
    return this.#distances.get(id)
  }

  /**
   * Counts on from a node whose links have been told, to all that had no distance. A distance once given stays, even
   * if a shorter way is told later: made good each time, a hostile order of answers would cost the square of their
   * number. Asked once, of the root, when all links are told, it gives the smallest distances.
   */
  reach(id: string): void {
    if (!this.#distances.has(id)) {
      const known = this.#of(id).flatMap((other) => this.#distances.get(other) ?? [])
      if (known.length === 0) return
      this.#distances.set(id, known.reduce((least, distance) => Math.min(least, distance)) + 1)
    }
    const queue = [id]
    // The queue grows while it is walked: breadth-first.
    for (const node of queue) {
      const next = this.#distances.get(node)! + 1
      for (const other of this.#of(node)) {
        if (this.#distances.has(other)) continue
        this.#distances.set(other, next)
        queue.push(other)
      }
    }
  }

  #of(id: string): string[] {
    let neighbours = this.#neighbours.get(id)
    if (neighbours === undefined) {
      this.#ids.set(id, id)
      this.#neighbours.set(id, (neighbours = []))
    }
    return neighbours
  }
}
