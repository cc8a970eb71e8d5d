import { TreeLink } from './tree-link.ts'

/** The links of a node, as the tree sees them: each is eager or lazy. */
export class TreeLinks<L extends object> {
  readonly #links = new Map<L, TreeLink<L>>()
  readonly #byNumber = new Map<number, TreeLink<L>>()
  #lastNumber = 0
  #eager = 0

  get size(): number {
    return this.#links.size
  }

  /** How many of them are eager. */
  get eager(): number {
    return this.#eager
  }

  get(link: L): TreeLink<L> | undefined {
    return this.#links.get(link)
  }

  /** Whether a link is up and eager. */
  isEagerNumber(number: number): boolean {
    return this.#byNumber.get(number)?.isEager === true
  }

  /** A link is up. It is eager. */
  add(link: L, now: number): void {
    if (this.#links.has(link)) return
    const one = new TreeLink(link, ++this.#lastNumber, now)
    this.#links.set(link, one)
    this.#byNumber.set(one.number, one)
    this.#eager++
  }

  /** A link has ended. Returns it, if it was up. */
  delete(link: L): TreeLink<L> | undefined {
    const one = this.#links.get(link)
    if (one === undefined) return undefined
    one.isUp = false
    this.#links.delete(link)
    this.#byNumber.delete(one.number)
    if (one.isEager) this.#eager--
    return one
  }

  /** Both ends send over it from now on. Returns whether it was lazy. */
  makeEager(one: TreeLink<L>, now: number): boolean {
    one.isRefused = false
    if (one.expectedSince === Infinity) one.expectedSince = now
    return this.#send(one)
  }

  /** Neither end sends over it from now on. */
  makeLazy(one: TreeLink<L>, now: number): void {
    if (one.isEager) this.#eager--
    one.isEager = false
    one.expectedSince = Infinity
    one.lazySince = now
  }

  /**
   * With no eager link left, the best of the others becomes eager: messages need a way out. Only at this end, which is
   * nobody else's affair, so not over a link whose peer has refused it.
   */
  reconnect(): void {
    let best: TreeLink<L> | undefined
    for (const one of this.#links.values()) {
      if (!one.isRefused && (best === undefined || isBetter(one, best))) best = one
    }
    if (best !== undefined) this.#send(best)
  }

  #send(one: TreeLink<L>): boolean {
    if (one.isEager) return false
    one.isEager = true
    this.#eager++
    return true
  }
}

function isBetter<L>(one: TreeLink<L>, other: TreeLink<L>): boolean {
  const difference = one.promises.disorder - other.promises.disorder
  return difference === 0 ? one.lastAnnouncement > other.lastAnnouncement : difference < 0
}
