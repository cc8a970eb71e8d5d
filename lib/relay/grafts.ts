import { MAX_LISTED_IDS, PROMISE_TIMEOUT } from '../limits/tree-limits.ts'
import type { MessageId } from '../wire/ids.ts'
import type { Carried } from './carried.ts'
import { type Absent, chooseAnnouncer, Missing } from './missing.ts'
import { Patience } from './patience.ts'
import type { TreeLink } from './tree-link.ts'
import type { TreePort } from './tree-port.ts'

/** What grafting needs of the tree. */
export interface GraftPort<L> extends Pick<TreePort<L>, 'isKnown' | 'request' | 'expel'> {
  /** Whether a copy is being verified. */
  isHeard(id: MessageId): boolean
  /** The link is eager from now on. Returns whether it was lazy. */
  graft(one: TreeLink<L>, now: number): boolean
}

/** Mends the tree: asks for messages that were announced and do not come, and judges links by what they deliver. */
export class Grafts<L> {
  readonly #port: GraftPort<L>
  readonly #missing = new Missing<L>()
  readonly #patience = new Patience()
  /** Links that owe messages. */
  readonly #owing = new Set<TreeLink<L>>()
  /** When the first promise is to be judged, or earlier. */
  #judgeAt = Infinity
  readonly #counts = { grafts: 0, requested: 0, abandoned: 0, ignored: 0 }

  constructor(port: GraftPort<L>) {
    this.#port = port
  }

  get counts(): Readonly<Record<'grafts' | 'requested' | 'abandoned' | 'ignored' | 'missing', number>> {
    return { ...this.#counts, missing: this.#missing.size }
  }

  /** When {@link tick} is to be called next, in ms since the epoch. */
  get due(): number {
    return Math.min(this.#missing.due, this.#judgeAt)
  }

  /** A frame of announcements is about to be taken down. Returns how long their messages may take to come, in ms. */
  wait(salt: number, now: number): number {
    if (this.#missing.size === 0) this.#patience.vary(salt)
    return this.#patience.wait(now)
  }

  /** A link announced a message that is not here. `links`: how many there are. */
  announced(id: MessageId, by: TreeLink<L>, links: number, now: number, wait: number): void {
    // It should have sent it: asked, it may do so, but a peer that is always asked first would slow us down for good.
    if (by.isShy(now)) by.promises.disappoint()
    if (!this.#missing.add(id, by, links, now, wait)) this.#counts.ignored++
  }

  /** Announcements or requests went beyond what one link may have of them. */
  ignore(count: number): void {
    this.#counts.ignored += count
  }

  /** The message was accepted: its announcers have it. */
  accepted(carried: Carried): void {
    const absent = this.#missing.take(carried.id)
    if (absent === undefined) return
    for (const { number } of absent.announcers) carried.addHolder(number)
  }

  /** A copy of a message came over a link. Returns whether it was asked for. */
  delivered(id: MessageId, by: TreeLink<L>, now: number): boolean {
    const askedAt = by.promises.deliver(id)
    if (askedAt === undefined) return false
    this.#patience.answered(now - askedAt, now)
    return true
  }

  /** The message is of no use. */
  forget(id: MessageId): void {
    this.#missing.take(id)
  }

  /** Nobody sends anything by itself any more: there is nothing to wait for. */
  hurry(now: number): void {
    this.#missing.hurry(now)
  }

  /** The link has ended. */
  drop(one: TreeLink<L>): void {
    this.#owing.delete(one)
  }

  tick(now: number): void {
    if (this.#missing.isDue(now)) this.#request(now)
    if (now >= this.#judgeAt || this.#judgeAt > now + PROMISE_TIMEOUT) this.#judge(now)
  }

  /** Asks for what has been missing for too long: one frame a link, as far as it has room. */
  #request(now: number): void {
    const asked = new Set<TreeLink<L>>()
    for (const absent of this.#missing.takeDue(now)) {
      const one = this.#ask(absent, now)
      if (one !== undefined) asked.add(one)
    }
    for (const one of asked) {
      const ids = one.asking
      one.asking = []
      if (!one.isUp) continue
      if (this.#port.graft(one, now)) this.#counts.grafts++
      this.#counts.requested += ids.length
      for (let at = 0; at < ids.length; at += MAX_LISTED_IDS) {
        this.#port.request(one.link, ids.slice(at, at + MAX_LISTED_IDS))
      }
    }
  }

  /** Decides what becomes of a message that is due. Returns whom to ask for it. */
  #ask(absent: Absent<L>, now: number): TreeLink<L> | undefined {
    const { id, announcers, asks, last } = absent
    // It may have come in another way: from the history of a peer.
    if (this.#port.isKnown(id)) {
      this.#missing.release(absent)
      return undefined
    }
    if (this.#port.isHeard(id)) {
      this.#missing.putOff(absent, now + this.#patience.retry(now))
      return undefined
    }
    last?.promises.disappoint()
    absent.last = undefined
    const index = chooseAnnouncer(absent, now)
    if (index === undefined) {
      this.#missing.release(absent)
      this.#counts.abandoned++
      return undefined
    }
    if (index === 'later') {
      this.#missing.park(absent, now)
      return undefined
    }
    this.#missing.putOff(absent, now + this.#patience.retry(now))
    const one = announcers[index]!
    asks[index]!++
    absent.last = one
    one.asking.push(id)
    one.promises.ask(id, now)
    this.#owing.add(one)
    this.#judgeAt = Math.min(this.#judgeAt, one.promises.due)
    return one
  }

  /** Judges the links that owe messages. */
  #judge(now: number): void {
    this.#judgeAt = Infinity
    for (const one of [...this.#owing]) {
      const { promises } = one
      promises.judge(now)
      if (promises.owed === 0) this.#owing.delete(one)
      else this.#judgeAt = Math.min(this.#judgeAt, promises.due)
      if (promises.isHopeless) this.#port.expel(one.link, 'bad-relay')
    }
  }
}
