import type { PeerRecord } from '../book/peer-record.ts'
import type { Clock } from '../ground/clock.ts'
import type { Engine } from '../identity/engine.ts'
import type { Address } from '../wire/address.ts'
import type { NodeId } from '../wire/ids.ts'
import type { VerifiedRecords } from './verified-records.ts'

/** A link, as far as lookups go. */
export interface FinderLink {
  /** The peer at its other end, proven. */
  readonly id: string
  /** Its peer's IP address: what the peer may tell depends on where it is. */
  readonly remoteHost: string
  readonly isUp: boolean
}

/** What lookups need of their node. */
export interface FinderPort<L extends FinderLink> {
  readonly self: { readonly id: NodeId; readonly net: string }
  readonly clock: Clock
  /** Where chance comes from: numbers from 0 to below 1. */
  readonly random: () => number
  /** What verifies signatures. @default the fastest of this platform */
  readonly engine?: Engine | undefined
  /** Records that were verified in this process; nodes of one simulation share them. @default its own */
  readonly records?: VerifiedRecords | undefined
  /** This node's own record; undefined for one that cannot be reached, and is in nobody's table. */
  own(): PeerRecord | undefined
  /** Links that are up, temporary ones included. */
  links(): Iterable<L>
  /** What the peer book knows of a node. */
  known(id: string): { readonly record: PeerRecord; readonly addresses: readonly Address[] } | undefined
  /** A link to a node: the one that is up, or a temporary one to one of these addresses. */
  reach(id: NodeId, addresses: readonly Address[], signal?: AbortSignal): Promise<L>
  write(link: L, kind: number, payload: Uint8Array): void
  /** The link did what no correct node does. */
  expel(link: L, code: 'bad-lookup' | 'unsolicited'): void
}

/** Options of a lookup. */
export interface LookupOptions {
  /** How long it may take, in ms; what was not found until then is not found. @default 15_000 */
  readonly timeout?: number | undefined
  /** Ends it with the error `aborted`. @default none */
  readonly signal?: AbortSignal | undefined
  /** Takes only a record that is newer than this, in ms since the epoch: for one whose addresses are dead. */
  readonly newerThan?: number | undefined
}

/** What came of a lookup. */
export interface LookupResult {
  /** The node's own record, verified; undefined if it was not found. */
  readonly record: PeerRecord | undefined
  /** Where to dial it: those of its record that may be told by whoever has told it. */
  readonly addresses: readonly Address[]
  /** Nodes that were asked one after another, each told by the one before. None if it was known here. */
  readonly hops: number
  /** Nodes that were asked in all. */
  readonly asked: number
  /** Where no address is known: the transport over which a link to it exists or was opened by its ID. */
  readonly via?: string | undefined
}

/** What a node has done for lookups, its own and those of others. */
export interface FinderStats {
  /** Nodes in the routing table; those of them that were met. */
  readonly contacts: number
  readonly seen: number
  /** Lookups that were begun here, and those of them that have found a node. */
  readonly lookups: number
  readonly found: number
  /** Searches for the upkeep of the table. */
  readonly refreshes: number
  /** Questions that were sent, and that were answered to others. */
  readonly asked: number
  readonly answered: number
  /** Questions that were left unanswered, since there were too many. */
  readonly refused: number
}
