import type { CloseCode } from '../wire/close-code.ts'
import type { MessageId } from '../wire/ids.ts'

/** What relaying by tree needs of its node: `L` are links. */
export interface TreePort<L> {
  /** Whether a message has been received and verified. Never forgotten as long as it could be taken again. */
  isKnown(id: MessageId): boolean
  /** Writes a `have` frame: we have these. At most {@link MAX_LISTED_IDS} of them. */
  announce(link: L, ids: readonly MessageId[]): void
  /** Writes a `want` frame: send these, and be eager again. At most {@link MAX_LISTED_IDS} of them. */
  request(link: L, ids: readonly MessageId[]): void
  /** Writes a `prune` frame: be lazy. */
  prune(link: L): void
  /** The peer wants these: the payloads that are still held go to it, as far as its queue has room for them. */
  supply(link: L, ids: readonly MessageId[]): void
  /** The peer behaves as no correct node does; the link ends. */
  expel(link: L, code: CloseCode): void
}

/** How a node takes part in the tree. */
export interface TreeOptions {
  /** Links up to which nothing is pruned: small networks simply flood. */
  readonly floodLinks: number
}

/** What the tree looks like from here, and what went on in it. */
export interface TreeStats {
  /** Links over which messages go at once. */
  readonly eager: number
  /** Links over which messages are only announced. */
  readonly lazy: number
  /** Times that a lazy link was made eager because a message was missing. */
  readonly grafts: number
  /** Times that a peer was told to be lazy. */
  readonly prunes: number
  /** IDs announced. */
  readonly announced: number
  /** IDs asked for, each request counted. */
  readonly requested: number
  /** IDs that peers asked for and were to be sent. */
  readonly supplied: number
  /** IDs that were announced and have not come yet. */
  readonly missing: number
  /** IDs that did not come from any of their announcers. */
  readonly abandoned: number
  /** Announced and wanted IDs that went beyond what one link may have of them. */
  readonly ignored: number
}
