import type { MessageId, NodeId } from '../wire/ids.ts'

/** A message that the history knows. Its bytes are in the store. */
export interface Entry {
  readonly id: MessageId
  /** Its time as signed, in ms since the epoch. */
  readonly time: number
  readonly from: NodeId
  /** When it ends, in ms since the epoch, if it says so. */
  readonly exp: number | undefined
  readonly hasAttachment: boolean
  /** Length of its bytes; 0 once they were given up and the ID alone is left. */
  size: number
  /** Whether it is to be delivered, and nobody has said that it was. */
  isPending: boolean
}

/** What is to become of one entry. */
export interface Change {
  readonly entry: Entry
  /** The entry goes, with its bytes and its ID. Otherwise it is written as it is at the time of writing. */
  readonly isDropped?: boolean
  /** Its bytes; `null`: they go; undefined: they stay as they are. */
  readonly parcel?: Uint8Array | null | undefined
}

/** Changes that are made all together or not at all. */
export interface Batch {
  readonly changes: readonly Change[]
  /** The oldest time that is accepted from now on, in ms since the epoch. */
  readonly floor?: number | undefined
}

/** What a store held when it was opened. */
export interface StoredHistory {
  readonly entries: readonly Entry[]
  readonly floor: number
}

/** Whose history it is: one store belongs to one node in one network. */
export interface Owner {
  readonly id: NodeId
  readonly net: string
}

/** Where a history is kept. One write is under way at a time. */
export interface HistoryStore {
  /** @throws SecureNodeError `history-unavailable`, `history-unreadable`, `history-unwritable` */
  open(owner: Owner): Promise<StoredHistory>
  /** Writes a batch. Returns nothing if that is done at once. After a failure it may be called again. */
  write(batch: Batch): Promise<void> | undefined
  /** The bytes of an entry, if they are there. */
  read(entry: Entry): Promise<Uint8Array | undefined>
  close(): Promise<void>
}
