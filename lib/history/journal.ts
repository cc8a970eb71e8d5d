import type { Clock, Timer } from '../ground/clock.ts'
import { Deferred } from '../ground/deferred.ts'
import { errorText } from '../ground/texts.ts'
import { HISTORY_RETRY, HISTORY_RETRY_MAX } from '../limits/direct-limits.ts'
import type { MessageId } from '../wire/ids.ts'
import type { Change, Entry, HistoryStore, Owner, StoredHistory } from './store.ts'

/** What the journal needs of its node. */
export interface JournalPort {
  readonly clock: Clock
  report(text: string): void
}

/**
 * Carries changes to the store. Whatever comes while a write is under way goes out together with the next one, so a
 * slow disk makes batches larger and not the queue longer. What cannot be written is kept in memory and tried again:
 * a disk that is full must not end a node.
 */
export class Journal {
  readonly #port: JournalPort
  readonly #store: HistoryStore
  /** What waits, one change for each entry: no more than there are entries. */
  #queued = new Map<MessageId, Change>()
  #floor: number | undefined
  /** Who waits for what waits. */
  #waiting: Deferred<void> | undefined
  /** What is being written. */
  #writing = new Map<MessageId, Change>()
  #write: Promise<void> | undefined
  #retry: Timer | undefined
  #failures = 0
  /** What comes after the end waits for the next opening: a store that is closed must not be touched. */
  #isClosed = true

  constructor(port: JournalPort, store: HistoryStore) {
    this.#port = port
    this.#store = store
  }

  /** Entries whose last change is not written. */
  get unwritten(): number {
    return this.#queued.size + this.#writing.size
  }

  /** @throws as the store */
  open(owner: Owner): Promise<StoredHistory> {
    this.#failures = 0
    this.#isClosed = false
    return this.#store.open(owner)
  }

  /** Notes a change; {@link commit} has it written. */
  put(change: Change): void {
    this.#queued.set(change.entry.id, merge(this.#queued.get(change.entry.id), change))
  }

  /** Notes the oldest time that is accepted; written together with what makes it necessary. */
  raise(floor: number): void {
    this.#floor = Math.max(this.#floor ?? 0, floor)
  }

  /**
   * Has everything written that was noted. The promise resolves when that is so, or when it has failed and is in
   * memory alone; there is none when that is decided at once.
   */
  commit(): Promise<void> | undefined {
    // After a failure nobody waits for the disk: it may stay full for days.
    if (this.#failures > 0) return undefined
    if (this.#write !== undefined) {
      if (this.#queued.size > 0 || this.#floor !== undefined) this.#waiting ??= new Deferred()
      return this.#waiting?.promise ?? this.#write
    }
    return this.#begin()
  }

  /** The bytes of an entry; undefined if they cannot be had. */
  async read(entry: Entry): Promise<Uint8Array | undefined> {
    for (const changes of [this.#queued, this.#writing]) {
      const change = changes.get(entry.id)
      if (change?.parcel !== undefined) return change.parcel ?? undefined
    }
    try {
      return await this.#store.read(entry)
    } catch (cause) {
      this.#port.report(`the history could not be read: ${errorText(cause)}`)
      return undefined
    }
  }

  /** Writes what is left, and ends. */
  async close(): Promise<void> {
    this.#retry?.cancel()
    await this.#settled()
    this.#retry?.cancel()
    // One more trial, also after failures: there may be room by now.
    await this.#begin()
    this.#isClosed = true
    await this.#settled()
    this.#retry?.cancel()
    if (this.#queued.size > 0) this.#port.report(`${this.#queued.size} entries of the history are lost`)
    try {
      await this.#store.close()
    } catch (cause) {
      this.#port.report(`the history could not be closed: ${errorText(cause)}`)
    }
  }

  /** Resolves when no write is under way. */
  async #settled(): Promise<void> {
    while (this.#write !== undefined) await this.#write
  }

  #begin(): Promise<void> | undefined {
    if (this.#isClosed) return undefined
    const [changes, floor, waiting] = [this.#queued, this.#floor, this.#waiting]
    if (changes.size === 0 && floor === undefined) return undefined
    this.#queued = new Map()
    this.#floor = this.#waiting = undefined
    this.#writing = changes
    const write = this.#store.write({ changes: [...changes.values()], floor })
    if (write === undefined) {
      this.#writing = new Map()
      return undefined
    }
    const done = write
      .then(
        () => this.#onWritten(),
        (cause: unknown) => this.#onFailure(changes, floor, cause),
      )
      .then(() => waiting?.resolve())
    this.#write = done
    return done
  }

  #onWritten(): void {
    this.#writing = new Map()
    this.#write = undefined
    if (this.#failures > 0) this.#port.report('the history is written again')
    this.#failures = 0
    void this.#begin()
  }

  #onFailure(changes: Map<MessageId, Change>, floor: number | undefined, cause: unknown): void {
    for (const [id, change] of this.#queued) changes.set(id, merge(changes.get(id), change))
    this.#queued = changes
    if (floor !== undefined) this.raise(floor)
    this.#writing = new Map()
    this.#write = undefined
    // Those who came meanwhile are not kept waiting either.
    this.#waiting?.resolve()
    this.#waiting = undefined
    if (this.#failures === 0) {
      this.#port.report(`the history is kept in memory for now and tried again: ${errorText(cause)}`)
    }
    const pause = Math.min(HISTORY_RETRY_MAX, HISTORY_RETRY * 2 ** Math.min(this.#failures, 16))
    this.#failures++
    this.#retry = this.#port.clock.setTimer(() => void this.#begin(), pause)
  }
}

/** The later change of an entry, with the bytes of the earlier one where the later says nothing of them. */
function merge(earlier: Change | undefined, later: Change): Change {
  return later.parcel === undefined && earlier?.parcel !== undefined
    ? { ...later, parcel: earlier.parcel }
    : later
}
