import { TokenBucket } from '../ground/token-bucket.ts'
import {
  HAVE_RATE,
  MAX_SUPPLIED_IDS,
  MAX_SUPPLIES,
  SHY_AFTER,
  WANT_BURST,
  WANT_RATE,
} from '../limits/tree-limits.ts'
import { RecentMap } from '../ground/recent-map.ts'
import type { MessageId } from '../wire/ids.ts'
import type { Carried } from './carried.ts'
import { Promises } from './promises.ts'

/** A link, as the tree sees it. */
export class TreeLink<L> {
  readonly link: L
  /** Stands for the link where nothing may hold on to it. From 1 on. */
  readonly number: number
  readonly promises = new Promises()
  isUp = true
  /** Messages go over it at once; otherwise they are announced. */
  isEager = true
  /** The peer wants announcements only. */
  isRefused = false
  /** Since when the peer should send messages over it, in ms since the epoch; Infinity while it should not. */
  expectedSince: number
  /** When it became lazy, or its peer was told so once more. */
  lazySince = -Infinity
  /** Which of all announcements was its last. */
  lastAnnouncement = 0
  /** Missing messages that it has announced. */
  missing = 0
  /** To be announced. */
  queue: Carried[] = []
  /** To be asked for, while requests are put together. */
  asking: MessageId[] = []
  readonly #haves: TokenBucket
  readonly #wants: TokenBucket
  #supplied: RecentMap<MessageId, number> | undefined = undefined

  constructor(link: L, number: number, now: number) {
    this.link = link
    this.number = number
    this.expectedSince = now
    this.#haves = new TokenBucket(HAVE_RATE, HAVE_RATE, now)
    this.#wants = new TokenBucket(WANT_RATE, WANT_BURST, now)
  }

  /** Whether so many more announced IDs are read. */
  mayAnnounce(count: number, now: number): boolean {
    if (this.#haves.wait(now) > 0) return false
    this.#haves.spend(now, count)
    return true
  }

  /** Whether the peer, which wants a message, is to be sent it. */
  maySupply(id: MessageId, now: number): boolean {
    const times = this.#supplied?.get(id) ?? 0
    if (times >= MAX_SUPPLIES || !this.#wants.take(now)) return false
    this.#supplied ??= new RecentMap(MAX_SUPPLIED_IDS)
    this.#supplied.set(id, times + 1)
    return true
  }

  /** Whether the peer announces though it has been told, long enough ago, to send. */
  isShy(now: number): boolean {
    return now - this.expectedSince > SHY_AFTER
  }
}
