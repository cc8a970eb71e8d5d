/** Who cannot reach whom in a network in memory: single pairs of hosts, and groups of them. */
export class MemoryCuts {
  readonly #pairs = new Set<string>()
  /**
   * By host, the number of its group. Not a list of pairs: two halves of 1,000 hosts would make 250,000, and each
   * connection would have to be looked for among them.
   */
  #groups = new Map<string, number>()

  cut(hostA: string, hostB: string): void {
    this.#pairs.add(pairOf(hostA, hostB))
  }

  heal(hostA: string, hostB: string): void {
    this.#pairs.delete(pairOf(hostA, hostB))
  }

  /** Only hosts of the same group reach each other from now on. Those that are in none make up one more. */
  partition(groups: Iterable<Iterable<string>>): void {
    this.#groups = new Map()
    let number = 0
    for (const group of groups) {
      number++
      for (const host of group) this.#groups.set(host, number)
    }
  }

  /** Everybody reaches everybody again. */
  healAll(): void {
    this.#pairs.clear()
    this.#groups.clear()
  }

  isCut(hostA: string, hostB: string): boolean {
    if (this.#groups.size > 0 && this.#groups.get(hostA) !== this.#groups.get(hostB)) return true
    return this.#pairs.size > 0 && this.#pairs.has(pairOf(hostA, hostB))
  }
}

function pairOf(hostA: string, hostB: string): string {
  return hostA < hostB ? `${hostA} ${hostB}` : `${hostB} ${hostA}`
}
