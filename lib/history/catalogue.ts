import { HISTORY_ID_BYTES, HISTORY_SLACK } from '../limits/direct-limits.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import type { Journal } from './journal.ts'
import { chooseLosers } from './room.ts'
import type { Entry, StoredHistory } from './store.ts'
import { Timeline } from './timeline.ts'

/** How much is kept, and for how long. */
export interface CatalogueOptions {
  /** Age of a message up to which it is kept, in ms. */
  readonly maxAge: number
  /** Bytes of messages and IDs. */
  readonly maxBytes: number
  /** How old a message may be that arrives as usual, in ms: the IDs of younger ones are kept whatever they cost. */
  readonly windowPast: number
}

/**
 * All that the history knows: an entry for each ID, in memory; the bytes are in the store. An ID outlives the bytes
 * of its message, and goes when its time is before the floor. What is before the floor is never accepted again, and
 * the floor never goes back: so no message comes twice.
 */
export class Catalogue {
  /** What is compared with others: all entries but those whose `exp` has passed. */
  readonly timeline = new Timeline()
  /** Entries whose `exp` has passed: nobody is told of them, but they are not accepted again either. */
  readonly #ended = new Timeline()
  readonly #journal: Journal
  readonly #options: CatalogueOptions
  readonly #entries = new Map<MessageId, Entry>()
  readonly #byAuthor = new Map<NodeId, number>()
  /** Entries with an `exp` that has not passed. */
  #ending = new Set<Entry>()
  #parcelBytes = 0
  #messages = 0
  #floor = 0
  /** What everything counted when there was too much of it and nothing could go. */
  #stuckAt = 0

  constructor(journal: Journal, options: CatalogueOptions) {
    this.#journal = journal
    this.#options = options
  }

  /** IDs that are known. */
  get ids(): number {
    return this.#entries.size
  }

  /** Messages whose bytes are kept. */
  get messages(): number {
    return this.#messages
  }

  /** What everything counts together. */
  get bytes(): number {
    return this.#parcelBytes + this.#entries.size * HISTORY_ID_BYTES
  }

  get(id: MessageId): Entry | undefined {
    return this.#entries.get(id)
  }

  has(id: MessageId): boolean {
    return this.#entries.has(id)
  }

  /** The oldest time that is accepted, in ms since the epoch. It never goes back, also when the clock does. */
  floor(now: number): number {
    this.#floor = Math.max(this.#floor, Math.floor(now) - this.#options.maxAge)
    return this.#floor
  }

  /** Takes over what a store held. */
  load({ entries, floor }: StoredHistory): void {
    this.#floor = Math.max(this.#floor, floor)
    for (const entry of entries) if (!this.#entries.has(entry.id)) this.#enter(entry)
  }

  /** Messages that are to be delivered and were not, the oldest first. */
  pending(): readonly Entry[] {
    return [...this.timeline.all()].filter(({ isPending }) => isPending)
  }

  /** Takes a message, unless it is known or too old; {@link Journal.commit} has it written. */
  add(entry: Entry, parcel: Uint8Array, now: number): boolean {
    if (this.#entries.has(entry.id) || entry.time < this.floor(now)) return false
    this.#enter(entry)
    this.#journal.put({ entry, parcel })
    this.#makeRoom(now)
    return true
  }

  /** A message was delivered: it need not be again, and its bytes may go. */
  settle(entry: Entry): void {
    if (!entry.isPending) return
    entry.isPending = false
    this.#journal.put({ entry })
  }

  /** Gives up what is too old, and the bytes of what has ended. */
  sweep(now: number): void {
    this.#end([...this.#ending].filter(({ exp }) => exp! <= now))
    this.#dropBefore(this.floor(now))
    this.#stuckAt = 0
    this.#makeRoom(now)
  }

  #enter(entry: Entry): void {
    this.#entries.set(entry.id, entry)
    this.timeline.add(entry)
    if (entry.exp !== undefined) this.#ending.add(entry)
    this.#count(entry, entry.size)
  }

  #end(entries: readonly Entry[]): void {
    this.timeline.remove(entries)
    for (const entry of entries) {
      this.#ending.delete(entry)
      this.#ended.add(entry)
      entry.isPending = false
      this.#giveUp(entry)
    }
  }

  #giveUp(entry: Entry): void {
    this.#count(entry, -entry.size)
    entry.size = 0
    this.#journal.put({ entry, parcel: null })
  }

  #count({ from }: Entry, size: number): void {
    if (size === 0) return
    this.#parcelBytes += size
    this.#messages += Math.sign(size)
    const held = (this.#byAuthor.get(from) ?? 0) + size
    if (held > 0) this.#byAuthor.set(from, held)
    else this.#byAuthor.delete(from)
  }

  #makeRoom(now: number): void {
    const { maxBytes } = this.#options
    const slack = maxBytes / HISTORY_SLACK
    // Every trial goes through all entries: not with each message of a flood that is too young to be forgotten.
    if (this.bytes <= this.#stuckAt) return
    // IDs get no more than half of it: or nothing but the IDs of a flood of small messages would be left.
    if (this.#entries.size * HISTORY_ID_BYTES > maxBytes / 2) this.#dropOldest(now)
    if (this.bytes > maxBytes) {
      const goal = this.bytes - maxBytes + slack
      for (const entry of chooseLosers(this.timeline.all(), this.#byAuthor, goal)) this.#giveUp(entry)
    }
    const isStuck = this.bytes > maxBytes || this.#entries.size * HISTORY_ID_BYTES > maxBytes / 2
    this.#stuckAt = isStuck ? this.bytes + slack : 0
  }

  /** Forgets the oldest IDs, and with them accepts nothing that is as old any more. */
  #dropOldest(now: number): void {
    const { maxBytes, windowPast } = this.#options
    // What can still arrive as usual must stay known. The relay bounds how many those are.
    const limit = Math.floor(now) - windowPast
    const kept = Math.floor((maxBytes / 2 - maxBytes / HISTORY_SLACK) / HISTORY_ID_BYTES)
    const times = [...this.timeline.all(), ...this.#ended.all()].map(({ time }) => time)
    times.sort((left, right) => left - right)
    const floor = Math.min(limit, (times[times.length - kept - 1] ?? 0) + 1)
    if (floor <= this.#floor) return
    this.#floor = floor
    this.#dropBefore(floor)
  }

  #dropBefore(time: number): void {
    const dropped = [...this.timeline.takeBefore(time), ...this.#ended.takeBefore(time)]
    if (dropped.length === 0) return
    for (const entry of dropped) {
      this.#entries.delete(entry.id)
      this.#ending.delete(entry)
      this.#count(entry, -entry.size)
      this.#journal.put({ entry, isDropped: true })
    }
    // Together with what was forgotten, or a clock that is set back would let it in again after a restart.
    this.#journal.raise(time)
  }
}
