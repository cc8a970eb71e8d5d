/**
 * The links that a node has made of its own accord, oldest first. Those that the application has asked for are its
 * own affair, and never among them.
 */
export class MadeLinks<L extends object> {
  readonly #made = new Set<L>()
  /** Of these, the ones whose peers have enough others. */
  readonly #spare = new Set<L>()
  /** Of these, the ones whose peers were told that this node has enough others. */
  readonly #told = new WeakSet<L>()
  readonly #claimed = new WeakSet<L>()

  /** Those whose peers have enough others. */
  get spare(): ReadonlySet<L> {
    return this.#spare
  }

  has(link: L): boolean {
    return this.#made.has(link)
  }

  /** A link was made; nothing happens if the application has asked for it meanwhile. */
  add(link: L): void {
    if (!this.#claimed.has(link)) this.#made.add(link)
  }

  /** The application has asked for this link, whoever made it. */
  claim(link: L): void {
    this.#claimed.add(link)
    this.delete(link)
  }

  isClaimed(link: L): boolean {
    return this.#claimed.has(link)
  }

  /** Its peer has enough others. */
  setSpare(link: L): void {
    if (this.#made.has(link)) this.#spare.add(link)
  }

  /** It has ended. Returns whether it was among them. */
  delete(link: L): boolean {
    this.#spare.delete(link)
    return this.#made.delete(link)
  }

  /** The oldest one that both ends want. */
  oldest(except: L): L | undefined {
    return this.#find((link) => link !== except)
  }

  /** The oldest one whose peer was not told yet that this node has enough; now it is. */
  takeUntold(except: L): L | undefined {
    const link = this.#find((candidate) => candidate !== except && !this.#told.has(candidate))
    if (link !== undefined) this.#told.add(link)
    return link
  }

  #find(isWanted: (link: L) => boolean): L | undefined {
    for (const link of this.#made) if (!this.#spare.has(link) && isWanted(link)) return link
    return undefined
  }
}
