import type { MessageId } from '../wire/ids.ts'

/**
 * Over which links copies of messages came that are not judged yet. Their senders have them.
 *
 * Nearly every message has one copy, and this runs for every message: so the first link stands in a map of its own,
 * and nothing is allocated for it.
 */
export class Heard<L> {
  readonly #first = new Map<MessageId, L>()
  readonly #others = new Map<MessageId, Set<L>>()

  /** Messages that are not judged yet. */
  get size(): number {
    return this.#first.size
  }

  has(id: MessageId): boolean {
    return this.#first.has(id)
  }

  add(id: MessageId, link: L): void {
    const first = this.#first.get(id)
    if (first === undefined) this.#first.set(id, link)
    else if (first !== link) {
      const others = this.#others.get(id)
      if (others === undefined) this.#others.set(id, new Set([link]))
      else others.add(link)
    }
  }

  /**
   * The copy of this link was refused. Copies of other links are judged alone: were they forgotten with a broken one,
   * the genuine message would be sent back to whoever brought it.
   */
  remove(id: MessageId, link: L): void {
    const others = this.#others.get(id)
    if (this.#first.get(id) === link) {
      const [next] = others ?? []
      if (next === undefined) this.#first.delete(id)
      else {
        this.#first.set(id, next)
        others!.delete(next)
      }
    } else others?.delete(link)
    if (others?.size === 0) this.#others.delete(id)
  }

  /** The message was accepted: calls back with every link that a copy came over, and forgets them. */
  take(id: MessageId, onLink: (link: L) => void): void {
    const first = this.#first.get(id)
    if (first === undefined) return
    this.#first.delete(id)
    onLink(first)
    if (this.#others.size === 0) return
    for (const link of this.#others.get(id) ?? []) onLink(link)
    this.#others.delete(id)
  }
}
