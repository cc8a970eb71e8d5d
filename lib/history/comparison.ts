import { HISTORY_LIST, HISTORY_SPLIT } from '../limits/direct-limits.ts'
import type { MessageId } from '../wire/ids.ts'
import { type Item, itemBytes, ITEMS_BYTES } from './exchange-frame.ts'
import { BEGINNING, type Bound, isBefore, laterOf, type Range } from './range.ts'
import { ID_BYTES } from './record.ts'
import type { Entry } from './store.ts'
import { boundBetween, type Timeline } from './timeline.ts'

/** What an end of a comparison knows of its own side. */
export interface Holdings {
  readonly timeline: Timeline
  /** Before it nothing is compared. */
  readonly floor: Bound
  readonly knows: (id: MessageId) => boolean
}

/** What comes of one frame of a comparison. */
export interface Answer {
  /** What goes back. */
  readonly items: readonly Item[]
  /** What the other end holds and this one does not. */
  readonly lacking: readonly MessageId[]
  /** Whether everything that differed was told. Otherwise the last item is a fingerprint of the rest. */
  readonly isWhole: boolean
}

/** Items below this number of messages are listed where a range is split: as long as two fingerprints. */
const SHORT = 8

/** Whether a frame with these items is to be answered. */
export function wantsAnswer(items: readonly Item[]): boolean {
  return items.some(({ kind }) => kind === 'print' || kind === 'list')
}

/** What a comparison begins with: what this end holds of a range. */
export function openingItems(timeline: Timeline, range: Range): readonly Item[] {
  const reply = new Reply(timeline)
  reply.tell(range)
  return reply.items
}

/**
 * Range-based set reconciliation (Meyer 2023): ranges whose fingerprints agree are done with, others are split, small
 * ones are listed. An end keeps nothing in mind between two frames.
 *
 * A node may know IDs whose bytes it has given up. They are in its fingerprints and lists, and it does not ask for
 * them again; it offers only what it can send.
 */
export function answerItems(items: readonly Item[], { timeline, floor, knows }: Holdings): Answer {
  const reply = new Reply(timeline)
  const lacking: MessageId[] = []
  const last = items.at(-1)?.end ?? BEGINNING
  let start = BEGINNING
  for (const item of items) {
    const range = { start: laterOf(start, floor), end: item.end }
    const isCut = isBefore(start, floor)
    start = item.end
    if (item.kind === 'skip' || !isBefore(range.start, range.end)) continue
    if (reply.isFull) {
      reply.tellRest({ start: range.start, end: last })
      return { items: reply.items, lacking, isWhole: false }
    }
    if (item.kind === 'print') reply.compare(range, item.print)
    // What lies before our floor would be refused here: it must not be asked for, and IDs do not tell their time.
    else if (isCut && item.kind === 'list') reply.tell(range)
    else {
      lacking.push(...item.ids.filter((id) => !knows(id)))
      const rest = item.kind === 'list' ? reply.offer(range, new Set(item.ids)) : undefined
      if (rest === undefined) continue
      reply.tellRest({ start: rest, end: last })
      return { items: reply.items, lacking, isWhole: false }
    }
  }
  return { items: reply.items, lacking, isWhole: true }
}

/** The items of a frame, as they come together. */
class Reply {
  readonly items: Item[] = []
  readonly #timeline: Timeline
  #bytes = 0
  #end = BEGINNING

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  /** Whether there is no room for what may come of one more range. */
  get isFull(): boolean {
    return this.#bytes + HISTORY_SPLIT * itemBytes(SHORT) + itemBytes(HISTORY_LIST) > ITEMS_BYTES
  }

  /** Nothing, if a range has this fingerprint; else what is to be known of it. */
  compare(range: Range, print: string): void {
    if (this.#timeline.fingerprint(range) === print) return
    if (this.#timeline.count(range) <= HISTORY_LIST) return this.tell(range)
    let { start } = range
    for (const [previous, next] of this.#timeline.split(range, HISTORY_SPLIT)) {
      const end = boundBetween(previous, next)
      this.tell({ start, end }, SHORT)
      start = end
    }
    this.tell({ start, end: range.end }, SHORT)
  }

  /** A list of what is in a range, or its fingerprint if that is too much. */
  tell(range: Range, limit = HISTORY_LIST): void {
    const { end } = range
    if (this.#timeline.count(range) > limit) return this.tellRest(range)
    this.#add(range, { kind: 'list', end, ids: this.#timeline.list(range).map(({ id }) => id) })
  }

  tellRest(range: Range): void {
    this.#add(range, { kind: 'print', end: range.end, print: this.#timeline.fingerprint(range) })
  }

  /** Offers what a list did not have; returns where it had to stop. */
  offer(range: Range, listed: ReadonlySet<string>): Bound | undefined {
    const offered: Entry[] = []
    const limit = Math.floor((ITEMS_BYTES - this.#bytes - 2 * itemBytes(0)) / ID_BYTES)
    let previous: Entry | undefined
    for (const entry of this.#timeline.list(range)) {
      if (offered.length >= limit) {
        const end = boundBetween(previous!, entry)
        this.#offer({ start: range.start, end }, offered)
        return end
      }
      if (!listed.has(entry.id) && entry.size > 0) offered.push(entry)
      previous = entry
    }
    this.#offer(range, offered)
    return undefined
  }

  #offer(range: Range, offered: readonly Entry[]): void {
    if (offered.length === 0) return
    this.#add(range, { kind: 'offer', end: range.end, ids: offered.map(({ id }) => id) })
  }

  #add({ start }: Range, item: Item): void {
    if (isBefore(this.#end, start)) {
      this.items.push({ kind: 'skip', end: start })
      this.#bytes += itemBytes(0)
    }
    this.items.push(item)
    this.#bytes += itemBytes('ids' in item ? item.ids.length : 0)
    this.#end = item.end
  }
}
