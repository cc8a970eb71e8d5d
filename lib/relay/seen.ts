import type { MessageId } from '../wire/ids.ts'
import { type IdGroup, IdTable } from './id-table.ts'

/** How many IDs are remembered, and for how long. */
export interface SeenOptions {
  /** IDs that are remembered at most. */
  readonly capacity: number
  /** How old a message may be on arrival, in ms. */
  readonly windowPast: number
}

/** IDs of messages whose time falls into the same slice, and who brought how many of them. */
interface Slice {
  readonly ids: IdGroup
  readonly byLink: Map<string, number>
}

/** A window has this many slices: what is forgotten is forgotten a slice at a time. */
const SLICES = 16

/**
 * The message-ID cache: which messages this node has had. An ID is kept until its message would be refused as
 * stale anyway, and never given up before; so no flood can push an ID out and replay its message. When the cache
 * is full, new messages are refused instead.
 *
 * All IDs are in one table: every message that arrives is looked for, and nearly all are new, so that a search slice by
 * slice would always go through all of them.
 */
export class SeenCache {
  readonly #options: SeenOptions
  readonly #width: number
  /** By number of the slice. Only times within the window get here, so strangers choose among few numbers. */
  readonly #slices = new Map<number, Slice>()
  readonly #shares = new Map<string, number>()
  readonly #ids = new IdTable()
  #horizon = -Infinity

  constructor(options: SeenOptions) {
    this.#options = options
    this.#width = Math.max(1, Math.ceil(options.windowPast / SLICES))
  }

  /** IDs remembered. */
  get size(): number {
    return this.#ids.size
  }

  /**
   * The oldest time that a message may have, in ms since the epoch. It never goes back, also when the clock
   * does: an ID that was forgotten must stay too old.
   */
  horizon(now: number): number {
    const horizon = now - this.#options.windowPast
    if (horizon > this.#horizon) {
      const isInNextSlice = this.#sliceOf(horizon) !== this.#sliceOf(this.#horizon)
      this.#horizon = horizon
      if (isInNextSlice) this.#forget()
    }
    return this.#horizon
  }

  /** Whether this node has had the message of this ID. */
  has(id: MessageId): boolean {
    return this.#ids.has(id)
  }

  /**
   * Whether there is room for one more message of this link. From half full on, a link may hold no more than
   * twice its even share: a flood over one link must not shut out the others.
   */
  hasRoomFor(link: string, links: number): boolean {
    const { capacity } = this.#options
    if (this.size >= capacity) return false
    return this.size < capacity / 2 || (this.#shares.get(link) ?? 0) < (2 * capacity) / Math.max(1, links)
  }

  /** Remembers a message. The caller has asked {@link hasRoomFor} and {@link horizon}. */
  add(id: MessageId, time: number, link: string): void {
    const number = this.#sliceOf(time)
    let slice = this.#slices.get(number)
    if (slice === undefined) this.#slices.set(number, (slice = { ids: this.#ids.group(), byLink: new Map() }))
    if (!this.#ids.add(id, slice.ids)) return
    slice.byLink.set(link, (slice.byLink.get(link) ?? 0) + 1)
    this.#shares.set(link, (this.#shares.get(link) ?? 0) + 1)
  }

  #sliceOf(time: number): number {
    return Math.floor(time / this.#width)
  }

  /** Forgets the slices whose last message is behind the horizon. */
  #forget(): void {
    for (const [number, slice] of this.#slices) {
      if ((number + 1) * this.#width > this.#horizon) continue
      this.#slices.delete(number)
      this.#ids.forget(slice.ids)
      for (const [link, count] of slice.byLink) this.#reduceShare(link, count)
    }
  }

  #reduceShare(link: string, count: number): void {
    const share = (this.#shares.get(link) ?? 0) - count
    if (share > 0) this.#shares.set(link, share)
    else this.#shares.delete(link)
  }
}
