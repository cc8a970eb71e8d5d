import type { Draft } from '../message/draft.ts'

/** What becomes of a message that is good: made here, for this node, or for others alone. */
export type Accepted = 'sent' | 'delivered' | 'relayed'

/** Hears of a message that is good: the link that brought it, undefined for the node's own, and where it goes at once. */
export type RelayTap<L> = (draft: Draft, via: L | undefined, verdict: Accepted, to: readonly L[]) => void

/** What a link is in the tree, at both of its ends. */
export interface LinkTree {
  /** Whether this node sends messages over it at once, or only announces them. */
  readonly tree: 'eager' | 'lazy'
  /** What this node expects the peer to do. */
  readonly peerTree: 'eager' | 'lazy'
}
