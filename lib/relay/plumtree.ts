import { RecentMap } from '../ground/recent-map.ts'
import { MAX_CARRIED, MAX_DISMISSED, PRUNE_INTERVAL } from '../limits/tree-limits.ts'
import type { MessageId } from '../wire/ids.ts'
import { Announcements } from './announcements.ts'
import { Carried, NOBODY, OWN } from './carried.ts'
import { Grafts } from './grafts.ts'
import { Heard } from './heard.ts'
import { Touchstone } from './touchstone.ts'
import type { TreeLink } from './tree-link.ts'
import { TreeLinks } from './tree-links.ts'
import type { LinkTree } from './relay-tap.ts'
import type { TreeOptions, TreePort, TreeStats } from './tree-port.ts'

/**
 * Relays along a tree that the messages make themselves. They go at once over eager links; over lazy ones their IDs
 * follow. A second copy makes the link that brought it lazy at both ends; a message that was announced and does not
 * come is asked for, which makes the link eager at both ends. So nearly every node gets one copy of each message, and
 * the tree mends itself. (Leitão, Pereira, Rodrigues: Epidemic Broadcast Trees, SRDS 2007.)
 *
 * A state machine without I/O and timers: it is told what happens and what time it is, in ms since the epoch, and
 * says when it is due.
 */
export class Plumtree<L extends object> {
  readonly #port: TreePort<L>
  readonly #options: TreeOptions
  readonly #links = new TreeLinks<L>()
  readonly #heard = new Heard<L>()
  readonly #carried = new RecentMap<MessageId, Carried>(MAX_CARRIED)
  /** Messages that are of no use here: too old, for example. */
  readonly #dismissed = new RecentMap<MessageId, true>(MAX_DISMISSED)
  readonly #announcements: Announcements<L>
  readonly #grafts: Grafts<L>
  readonly #touchstone = new Touchstone()
  /** The time of the last event that told it. */
  #now = 0
  /** Frames of announcements that came. */
  #frames = 0
  #prunes = 0
  #supplied = 0

  constructor(port: TreePort<L>, options: TreeOptions) {
    this.#port = port
    this.#options = options
    this.#announcements = new Announcements(port)
    this.#grafts = new Grafts({
      isKnown: (id) => port.isKnown(id),
      isHeard: (id) => this.#heard.has(id),
      request: (link, ids) => port.request(link, ids),
      expel: (link, code) => port.expel(link, code),
      graft: (one, now) => this.#links.makeEager(one, now),
    })
  }

  get stats(): TreeStats {
    const { size, eager } = this.#links
    const { count: announced } = this.#announcements
    const counts = { prunes: this.#prunes, announced, supplied: this.#supplied }
    return { eager, lazy: size - eager, ...counts, ...this.#grafts.counts }
  }

  /** When {@link tick} is to be called next, in ms since the epoch; Infinity for not at all. */
  get due(): number {
    return Math.min(this.#announcements.due, this.#grafts.due)
  }

  /** Whether there are links over which messages are only announced. */
  get hasLazyLinks(): boolean {
    return this.#links.size > this.#links.eager
  }

  isEager(link: L): boolean {
    return this.#links.get(link)?.isEager === true
  }

  /** What a link is in the tree; undefined where it has no part in it. */
  stateOf(link: L): LinkTree | undefined {
    const one = this.#links.get(link)
    if (one === undefined) return undefined
    const isExpected = one.expectedSince < Infinity
    return { tree: one.isEager ? 'eager' : 'lazy', peerTree: isExpected ? 'eager' : 'lazy' }
  }

  /** A link is up. It is eager: whether it is needed is shown by the messages. */
  up(link: L, now: number): void {
    this.#now = now
    this.#links.add(link, now)
  }

  /** A link has ended. */
  down(link: L): void {
    const one = this.#links.delete(link)
    if (one === undefined) return
    this.#announcements.drop(one)
    this.#grafts.drop(one)
    if (this.#links.eager > 0) return
    this.#links.reconnect()
    this.#grafts.hurry(this.#now)
  }

  /** A copy of a message that is not judged yet came over this link. */
  heard(id: MessageId, link: L): void {
    this.#heard.add(id, link)
  }

  /** The copy that came over this link is refused. Others may be good: the message is still looked for. */
  refuse(id: MessageId, link: L): void {
    this.#heard.remove(id, link)
  }

  /** A copy came over this link, and is of no use here, whoever brings it: it is not asked for any more. */
  dismiss(id: MessageId, link: L): void {
    this.#heard.remove(id, link)
    this.#links.get(link)?.promises.deliver(id)
    this.#grafts.forget(id)
    this.#dismissed.set(id, true)
  }

  /** A further copy of a message that was accepted. If it came first over another eager link, this one is needless. */
  duplicate(id: MessageId, link: L, now: number): void {
    this.#now = now
    const one = this.#links.get(link)
    if (one === undefined) return
    // Asked for, and yet it came by itself: that link was made eager for nothing.
    const isAsked = this.#grafts.delivered(id, one, now)
    const carried = this.#carried.get(id)
    if (carried === undefined) return
    const isNeedless = (isAsked || this.#touchstone.is(id)) && this.#isNeedless(one, carried.bringer, now)
    carried.addHolder(one.number)
    if (!isNeedless) return
    this.#links.makeLazy(one, now)
    this.#prunes++
    this.#port.prune(link)
  }

  /** The message is good: the eager links that it goes to. Over lazy ones it is announced soon. */
  accept(id: MessageId, links: Iterable<L>, via: L | undefined, now: number): L[] {
    this.#now = now
    const bringer = via === undefined ? undefined : this.#links.get(via)
    const carried = new Carried(id, via === undefined ? OWN : (bringer?.number ?? NOBODY))
    // Where nothing is pruned or announced, nobody asks who brought it.
    if (this.#links.size > this.#options.floodLinks || this.hasLazyLinks) {
      this.#carried.set(id, carried)
      this.#touchstone.add(id, now)
    }
    const strangers = this.#noteHolders(carried)
    this.#grafts.accepted(carried)
    if (bringer !== undefined) this.#noteBringer(bringer, id, now)
    const eager: L[] = []
    for (const link of links) {
      const one = this.#links.get(link)
      if (one === undefined) {
        // A link without a part in the tree, to an addressee.
        if (link !== via && strangers?.includes(link) !== true) eager.push(link)
      } else if (!carried.isHeldBy(one.number)) {
        if (one.isEager) eager.push(link)
        else this.#announcements.add(one, carried, now)
      }
    }
    return eager
  }

  /** The peer has these. */
  onHave(link: L, ids: readonly MessageId[], now: number): void {
    this.#now = now
    const one = this.#links.get(link)
    if (one === undefined) return
    if (!one.mayAnnounce(ids.length, now) || one.promises.isIgnored(now)) {
      this.#grafts.ignore(ids.length)
      return
    }
    one.lastAnnouncement = ++this.#frames
    const wait = this.#grafts.wait(this.#frames, now)
    // With no eager link there is nothing to wait for.
    const patience = this.#links.eager > 0 ? wait : 0
    for (const id of ids) {
      const carried = this.#carried.get(id)
      if (carried !== undefined) carried.addHolder(one.number)
      else if (this.#dismissed.get(id) !== true && !this.#port.isKnown(id)) {
        this.#grafts.announced(id, one, this.#links.size, now, patience)
      }
    }
  }

  /** The peer wants these, and from now on everything. */
  onWant(link: L, ids: readonly MessageId[], now: number): void {
    this.#now = now
    const one = this.#links.get(link)
    if (one === undefined) return
    this.#links.makeEager(one, now)
    const known: MessageId[] = []
    for (const id of ids) {
      if (!this.#port.isKnown(id)) continue
      if (one.maySupply(id, now)) {
        this.#carried.get(id)?.addHolder(one.number)
        known.push(id)
      } else this.#grafts.ignore(1)
    }
    this.#supplied += known.length
    if (known.length > 0) this.#port.supply(link, known)
  }

  /** The peer wants announcements only: always granted, since it could as well not read what comes. */
  onPrune(link: L): void {
    const one = this.#links.get(link)
    if (one === undefined) return
    one.isRefused = true
    this.#links.makeLazy(one, this.#now)
    if (this.#links.eager === 0) this.#grafts.hurry(this.#now)
  }

  /** Does what is due. */
  tick(now: number): void {
    this.#now = now
    this.#announcements.tick(now)
    this.#grafts.tick(now)
  }

  /** Links that a copy came over have the message. Returns those that have no part in the tree. */
  #noteHolders(carried: Carried): L[] | undefined {
    let strangers: L[] | undefined
    this.#heard.take(carried.id, (link) => {
      const one = this.#links.get(link)
      if (one !== undefined) carried.addHolder(one.number)
      else (strangers ??= []).push(link)
    })
    return strangers
  }

  /** What brings a message first is a branch of the tree, unless it was on its way when the branch was cut. */
  #noteBringer(bringer: TreeLink<L>, id: MessageId, now: number): void {
    this.#grafts.delivered(id, bringer, now)
    if (bringer.isEager || bringer.isRefused) return
    if (hasPassed(bringer.lazySince, PRUNE_INTERVAL, now)) this.#links.makeEager(bringer, now)
  }

  /** Whether a link that brought a further copy is to be pruned. */
  #isNeedless(one: TreeLink<L>, bringer: number, now: number): boolean {
    if (this.#links.size <= this.#options.floodLinks) return false
    // What was on its way is no reason; but a peer that goes on sending has not understood.
    if (!hasPassed(one.lazySince, PRUNE_INTERVAL, now)) return false
    if (bringer === OWN) return this.#links.eager > (one.isEager ? 1 : 0)
    return bringer !== one.number && this.#links.isEagerNumber(bringer)
  }
}

/** Whether so much time has passed; also when the clock was set back, or nothing would be done for hours. */
function hasPassed(since: number, interval: number, now: number): boolean {
  return now - since >= interval || now < since
}
