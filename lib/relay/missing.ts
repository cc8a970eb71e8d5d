import {
  GRAFT_STEP,
  GRAFT_WAIT_MAX,
  MAX_ANNOUNCERS,
  MAX_ASKS,
  MAX_MISSING,
  MAX_MISSING_PER_LINK,
  MISSING_LIFETIME,
  PARK_TIME,
} from '../limits/tree-limits.ts'
import type { MessageId } from '../wire/ids.ts'
import type { TreeLink } from './tree-link.ts'

/** A message that was announced and has not come. */
export interface Absent<L> {
  readonly id: MessageId
  /** When it was announced first. */
  readonly since: number
  /** When something is to be done about it, in ms since the epoch. */
  due: number
  /** In the order of their announcements. */
  readonly announcers: TreeLink<L>[]
  /** How often each announcer was asked. */
  readonly asks: number[]
  /** Who was asked last. */
  last: TreeLink<L> | undefined
}

/** Levels of disorder that are told apart when it is chosen whom to ask: small differences say nothing. */
const LEVELS = 4

/** Messages that were announced and have not come, and whom to ask for them, and when. */
export class Missing<L> {
  /** Never asked for, in the order of their announcements. */
  readonly #fresh = new Map<MessageId, Absent<L>>()
  /** Asked for, in the order in which they are due again. */
  readonly #asked = new Map<MessageId, Absent<L>>()
  /** Nobody could be asked for these, in the order in which they are due again. */
  readonly #parked = new Map<MessageId, Absent<L>>()
  /** When the first of them is due, or earlier. */
  #due = Infinity

  get size(): number {
    return this.#fresh.size + this.#asked.size + this.#parked.size
  }

  /** When something is to be done, in ms since the epoch: never too late, now and then too early. */
  get due(): number {
    return this.size === 0 ? Infinity : this.#due
  }

  /**
   * A link announced a message that is not here. Returns whether it was taken down.
   * @param links how many links there are: each has an even share of the room, whatever the others do
   */
  add(id: MessageId, by: TreeLink<L>, links: number, now: number, wait: number): boolean {
    const absent = this.#get(id)
    if (absent?.announcers.includes(by) === true) return true
    if (by.missing >= Math.min(MAX_MISSING_PER_LINK, MAX_MISSING / links)) return false
    if (absent !== undefined) return addAnnouncer(absent, by)
    const due = wait > 0 ? roundUp(now + wait) : now
    this.#fresh.set(id, { id, since: now, due, announcers: [by], asks: [0], last: undefined })
    by.missing++
    this.#due = Math.min(this.#due, due)
    return true
  }

  /** The message has come, or is of no use: what was known about it, if it was missing. */
  take(id: MessageId): Absent<L> | undefined {
    if (this.size === 0) return undefined
    const absent = this.#get(id)
    if (absent === undefined) return undefined
    this.#fresh.delete(id)
    this.#asked.delete(id)
    this.#parked.delete(id)
    this.release(absent)
    return absent
  }

  /** Whether it is worth looking for what is due. */
  isDue(now: number): boolean {
    // Also when the clock was set back: a message must not wait for hours.
    return this.size > 0 && (this.#due <= now || this.#due > now + GRAFT_WAIT_MAX + GRAFT_STEP)
  }

  /** What is due, taken out: each is to be put off or released. */
  takeDue(now: number): Absent<L>[] {
    const taken: Absent<L>[] = []
    this.#due = Math.min(
      takeFrom(this.#fresh, now, taken),
      takeFrom(this.#asked, now, taken),
      takeFrom(this.#parked, now, taken),
    )
    return taken
  }

  /** To be looked at again. */
  putOff(absent: Absent<L>, due: number): void {
    this.#putOff(absent, due, this.#asked)
  }

  /** Nobody can be asked for it now. Not looked at soon: liars may have invented thousands. */
  park(absent: Absent<L>, now: number): void {
    this.#putOff(absent, now + PARK_TIME, this.#parked)
  }

  /** Nothing more is done about it. */
  release({ announcers }: Absent<L>): void {
    for (const announcer of announcers) announcer.missing--
  }

  #get(id: MessageId): Absent<L> | undefined {
    return this.#fresh.get(id) ?? this.#asked.get(id) ?? this.#parked.get(id)
  }

  #putOff(absent: Absent<L>, due: number, absents: Map<MessageId, Absent<L>>): void {
    absent.due = roundUp(due)
    absents.set(absent.id, absent)
    this.#due = Math.min(this.#due, absent.due)
  }

  /** Nobody sends anything by itself any more: there is nothing to wait for. */
  hurry(now: number): void {
    if (this.#fresh.size === 0) return
    for (const absent of this.#fresh.values()) absent.due = now
    this.#due = now
  }
}

/** Whom to ask; `later` while nobody can be, but somebody will; undefined when there is nobody left. */
export function chooseAnnouncer<L>(absent: Absent<L>, now: number): number | 'later' | undefined {
  if (now - absent.since > MISSING_LIFETIME) return undefined
  let best: number | 'later' | undefined
  let least = Infinity
  for (let index = 0; index < absent.announcers.length; index++) {
    const { isUp, isEager, promises } = absent.announcers[index]!
    const asks = absent.asks[index]!
    if (!isUp || asks >= MAX_ASKS || promises.isIgnored(now)) continue
    if (promises.isFull) best ??= 'later'
    else {
      // Of two that are as good, one that was made eager a moment ago, for another message, needs no further graft.
      const rank = asks * (LEVELS + 1) + Math.floor(promises.disorder * LEVELS) - (isEager ? 0.5 : 0)
      if (rank < least) {
        least = rank
        best = index
      }
    }
  }
  return best
}

/** Messages are looked at together: invented ones must not make for work every millisecond. */
function roundUp(time: number): number {
  return Math.ceil(time / GRAFT_STEP) * GRAFT_STEP
}

function addAnnouncer<L>({ announcers, asks }: Absent<L>, by: TreeLink<L>): boolean {
  if (announcers.length < MAX_ANNOUNCERS) {
    announcers.push(by)
    asks.push(0)
    by.missing++
    return true
  }
  // Liars who are quick must not keep out everybody else.
  let worst = 0
  for (let index = 1; index < announcers.length; index++) {
    if (announcers[index]!.promises.disorder > announcers[worst]!.promises.disorder) worst = index
  }
  if (announcers[worst]!.promises.disorder <= by.promises.disorder) return false
  announcers[worst]!.missing--
  announcers[worst] = by
  asks[worst] = 0
  by.missing++
  return true
}

/** Moves what is due out of a map. Returns when the first of the rest is due. */
function takeFrom<L>(absents: Map<MessageId, Absent<L>>, now: number, taken: Absent<L>[]): number {
  for (const absent of absents.values()) {
    const isDue = absent.due <= now || absent.due > now + GRAFT_WAIT_MAX + GRAFT_STEP
    if (!isDue) return absent.due
    absents.delete(absent.id)
    taken.push(absent)
  }
  return Infinity
}
