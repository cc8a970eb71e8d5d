import type { Clock } from '../ground/clock.ts'
import type { CloseCode } from '../wire/close-code.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import type { HistoryStore } from './store.ts'

/** A link, as far as the history goes. */
export interface HistoryLink {
  /** The peer at its other end. */
  readonly id: string
  readonly isUp: boolean
  /** Whether much waits to be sent over it. */
  readonly isCongested: boolean
  /** Whether the peer said in its hello that it keeps a history. */
  readonly hasHistory: boolean
  /** Resolves when no longer much waits to be sent over it. */
  room(): Promise<void>
}

/** What the history needs of its node. */
export interface HistoryPort<L extends HistoryLink> {
  readonly clock: Clock
  /** Where chance comes from: numbers from 0 to below 1. */
  readonly random: () => number
  /** How old a message may be that arrives as usual, in ms. */
  readonly windowPast: number
  /** Links that are up. */
  links(): Iterable<L>
  write(link: L, frame: Uint8Array): void
  /** The link did what no correct node does. */
  expel(link: L, code: CloseCode): void
  /** A message that was asked for has come: frame kind `late` or `lateParcel`. Nobody has verified it yet. */
  accept(link: L, kind: number, payload: Uint8Array): void
  /** Tells a person that the disk does not do what it should. */
  report(text: string): void
}

/** How much is kept, for how long, where, and whose it is. */
export interface HistoryOptions {
  /** Age of a message up to which it is kept, in ms. */
  readonly maxAge: number
  /** Bytes of messages and their IDs, 256 for each ID. */
  readonly maxBytes: number
  /** Folder of a store on disk; it belongs to one node in one network. @default none: in memory */
  readonly folder?: string | undefined
  readonly self: NodeId
  readonly net: string
  /** Where it is kept. @default on disk if there is a folder, else in memory */
  readonly store?: HistoryStore | undefined
}

/** A message to be kept. */
export interface NewEntry {
  readonly id: MessageId
  /** Its time as signed, in ms since the epoch. */
  readonly time: number
  readonly from: NodeId
  /** When it ends, in ms since the epoch, if it says so. */
  readonly exp?: number | undefined
  /** The payload of its frame. It is kept as it is, not copied: a view keeps what it looks at alive. */
  readonly parcel: Uint8Array
  readonly hasAttachment: boolean
}

/** A message that was to be delivered when the process ended: perhaps it was. */
export type PendingParcel = Pick<NewEntry, 'parcel' | 'hasAttachment'>

/** What a history holds, and what it has done. */
export interface HistoryStats {
  /** Messages that are kept. */
  readonly messages: number
  /** Bytes that they and the IDs count. */
  readonly bytes: number
  /** IDs that are known. */
  readonly ids: number
  /** Oldest time that is accepted, in ms since the epoch. */
  readonly floor: number
  /** Changes that are not on disk yet. */
  readonly unwritten: number
  /** Comparisons that this node has begun. */
  readonly comparisons: number
  /** Messages that were received because this node had asked for them. */
  readonly fetched: number
  /** Messages that were sent because others had asked for them. */
  readonly served: number
  /** Messages that nobody had asked for, and that were ignored. */
  readonly unsolicited: number
}
