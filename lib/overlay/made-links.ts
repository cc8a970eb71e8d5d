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

  /** The oldest one that both ends want; of those that are not needed, if there are any. */
  oldest(except: L, isNeeded: (link: L) => boolean = never): L | undefined {
    return this.#find((link) => link !== except && !isNeeded(link)) ?? this.#find((link) => link !== except)
  }

  /** The oldest one that is not needed and whose peer was not told yet that this node has enough; now it is. */
  takeUntold(except: L, isNeeded: (link: L) => boolean = never): L | undefined {
    const link = this.#find((one) => one !== except && !this.#told.has(one) && !isNeeded(one))
    if (link !== undefined) this.#told.add(link)
    return link
  }

  #find(isWanted: (link: L) => boolean): L | undefined {
    for (const link of this.#made) if (!this.#spare.has(link) && isWanted(link)) return link
    return undefined
  }
}

const never = (): boolean => false
