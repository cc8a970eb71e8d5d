import type { MessageId } from '../../lib/wire/ids.ts'

/**
 * Relays over every link except those that the message came over. Copies that arrive while the message is still
 * being verified count as well: their senders have it.
 *
 * A state machine without I/O: it is told what happens and says where a message goes.
 */
export class Flood<L> {
  readonly #heard = new Map<MessageId, Set<L>>()

  /** A copy of a message that is not judged yet came over this link. */
  heard(id: MessageId, link: L): void {
    const links = this.#heard.get(id)
    if (links === undefined) this.#heard.set(id, new Set([link]))
    else links.add(link)
  }

  /** The message is good: where it goes next. */
  accept(id: MessageId, links: Iterable<L>): L[] {
    const heard = this.#heard.get(id)
    this.#heard.delete(id)
    return [...links].filter((link) => heard?.has(link) !== true)
  }

  /**
   * The copy that came over this link is refused. Copies of other links are judged alone: were they forgotten
   * with a broken one, the genuine message would be sent back to whoever brought it.
   */
  refuse(id: MessageId, link: L): void {
    const links = this.#heard.get(id)
    if (links?.delete(link) === true && links.size === 0) this.#heard.delete(id)
  }
}
