import type { MessageId } from '../wire/ids.ts'
import type { Batch, Entry, HistoryStore, StoredHistory } from './store.ts'

/** A history that ends with the process: the store where no folder is given. */
export class MemoryStore implements HistoryStore {
  readonly #parcels = new Map<MessageId, Uint8Array>()

  async open(): Promise<StoredHistory> {
    return { entries: [], floor: 0 }
  }

  write({ changes }: Batch): undefined {
    for (const { entry, isDropped, parcel } of changes) {
      if (isDropped === true || parcel === null) this.#parcels.delete(entry.id)
      else if (parcel !== undefined) this.#parcels.set(entry.id, parcel)
    }
  }

  async read({ id }: Entry): Promise<Uint8Array | undefined> {
    return this.#parcels.get(id)
  }

  /** What is in it stays: a node may be started again. */
  async close(): Promise<void> {}
}
