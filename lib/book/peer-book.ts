import {
  MAX_BOOK_ENTRIES,
  MAX_FAILURES_TRIED,
  MAX_FAILURES_UNTRIED,
  MAX_FAREWELLS,
  MAX_PER_SOURCE,
  MAX_PICK_LOOKS,
  MAX_TRIED,
  RECORD_SHARED,
  TRIED_KEPT,
} from '../limits/network-limits.ts'
import { RecentMap } from '../ground/recent-map.ts'
import { type Address, groupOf, type Reach, reachOf } from '../wire/address.ts'
import type { NodeId } from '../wire/ids.ts'
import { Bag } from './bag.ts'
import { Hearsay } from './hearsay.ts'
import {
  frozen,
  isShareable,
  type KnownPeer,
  newlyKnown,
  type ReadonlyPeerBook,
  renewed,
  type SavedPeer,
  type Source,
  usableAddresses,
  workingFirst,
} from './known-peer.ts'
import { alternately, lots, type Pool } from './lots.ts'
import { judgeRecordTime, type PeerRecord, type RecordDraft, type RecordTimeFault } from './peer-record.ts'

/** What became of a record; it is `full` when its source has told of 64 nodes already. */
export type AddOutcome = 'added' | 'renewed' | 'older' | 'no-address' | 'full' | 'self' | RecordTimeFault

/** What a peer book needs to know. */
export interface PeerBookOptions {
  /** The node whose book it is: it is not in it. */
  readonly self: string
  /** Where chance comes from: numbers from 0 to below 1. */
  readonly random: () => number
}

/**
 * The nodes that a node knows of, at most 4,096, and what came of dialling them. Everything in it was told by
 * strangers, and signed by whom it is about. It is kept so that no stranger decides what it consists of: each source
 * gets 64 entries, no group of sources keeps more than others when places are short, and half of the book belongs
 * to nodes that were reached.
 */
export class PeerBook implements ReadonlyPeerBook {
  readonly #self: string
  readonly #random: () => number
  readonly #peers = new Map<string, KnownPeer>()
  readonly #tried = new Bag<string>()
  readonly #untried = new Hearsay()
  /** Entries of each source, other than its own. */
  readonly #told = new Map<string, number>()
  /**
   * When those who have left did so: an older record must not bring them back. An attacker can push out others'
   * farewells with his own; all that he gains is that addresses come back where nobody is.
   */
  readonly #farewells = new RecentMap<string, number>(MAX_FAREWELLS)
  /** Nodes with a link, known or not, and the address that was dialled for it. As many as there are connections. */
  readonly #linked = new Map<string, Address | undefined>()

  constructor({ self, random }: PeerBookOptions) {
    this.#self = self
    this.#random = random
  }

  get size(): number {
    return this.#peers.size
  }

  get(id: string): KnownPeer | undefined {
    return this.#peers.get(id)
  }

  has(id: string): boolean {
    return this.#peers.has(id)
  }

  [Symbol.iterator](): Iterator<KnownPeer> {
    return this.#peers.values()
  }

  /** The book for those who may only look at it. It is always up to date. */
  view(): ReadonlyPeerBook {
    const peers = this.#peers
    return Object.freeze({
      get size() {
        return peers.size
      },
      get: (id: string) => peers.get(id),
      has: (id: string) => peers.has(id),
      [Symbol.iterator]: () => peers.values(),
    })
  }

  // What others tell

  /** What {@link add} would say: whether it is worth the while to verify a draft's signature. */
  judge(record: PeerRecord | RecordDraft, source: Source, now: number): AddOutcome {
    if (record.id === this.#self) return 'self'
    const fault = judgeRecordTime(record, now)
    if (fault !== undefined) return fault
    const known = this.#peers.get(record.id)
    const isSame = record.document === known?.record.document
    if (!isSame && record.time <= (known?.time ?? this.#farewells.get(record.id) ?? -1)) return 'older'
    const isFarewell = record.addresses.length === 0
    // One that nobody knew can leave without a word, or strangers could have us remember any number of them.
    if (isFarewell) return known === undefined ? 'no-address' : 'renewed'
    const { length } = usableAddresses(record, reachOf(source.host))
    if (length === 0) return 'no-address'
    if (known === undefined) return this.#hasPlace(record.id, source) ? 'added' : 'full'
    const isOwnAtLast = source.id === record.id && known.source.id !== record.id
    return !isSame || isOwnAtLast || length > known.addresses.length ? 'renewed' : 'older'
  }

  /**
   * Takes in a record. The newest one of a node counts, with those of its addresses that the source may tell: see
   * {@link usableAddresses}. One without addresses is a farewell, and takes the node out.
   *
   * @param source The peer at the other end of the link that brought it.
   */
  add(record: PeerRecord, source: Source, now: number): AddOutcome {
    const outcome = this.judge(record, source, now)
    if (outcome === 'added') this.#insert(newlyKnown(record, source), now)
    else if (outcome === 'renewed') {
      const known = this.#peers.get(record.id)!
      this.forget(record.id)
      if (record.addresses.length === 0) this.#farewells.set(record.id, record.time)
      else this.#put(renewed(known, record, source))
    }
    return outcome
  }

  /** Takes in what was saved, and says whether it could be used. */
  restore({ record, source, lastConnected, isTried }: SavedPeer, now: number): boolean {
    if (this.add(record, source, now) !== 'added') return false
    // A clock that was ahead then must not put it above all that comes.
    const connected = lastConnected === undefined ? undefined : Math.min(lastConnected, now)
    this.#change(record.id, { lastConnected: connected })
    if (isTried) this.#makeTried(record.id)
    return true
  }

  // What this node finds out

  /**
   * There is a link to a node.
   *
   * @param address What was dialled; undefined for a link that the other side has opened. That proves no address,
   *   and a stranger can do it with a thousand identities: the node does not count as tried then.
   */
  connected(id: string, address: Address | undefined, now: number): void {
    this.#linked.set(id, address ?? this.#linked.get(id))
    const known = this.#peers.get(id)
    if (known === undefined) return
    const addresses = workingFirst(known.addresses, address)
    this.#change(id, { addresses, lastConnected: now, failures: 0 })
    if (address !== undefined) this.#makeTried(id)
  }

  /** The link to a node has ended. */
  disconnected(id: string, now: number): void {
    if (this.#linked.delete(id)) this.#change(id, { lastConnected: now })
  }

  /**
   * A dial of a node has failed. After 4 failures it is forgotten; if it was reached before, after 12 and a day
   * without a link.
   */
  failed(id: string, now: number): void {
    const known = this.#peers.get(id)
    if (known === undefined) return
    const failures = known.failures + 1
    const isHopeless = known.isTried
      ? failures >= MAX_FAILURES_TRIED && now - (known.lastConnected ?? 0) > TRIED_KEPT
      : failures >= MAX_FAILURES_UNTRIED
    if (isHopeless && !this.#linked.has(id)) this.forget(id)
    else this.#change(id, { failures })
  }

  /** Forgets a node, such as one whose address was found to be somebody else's. It may be told of again. */
  forget(id: string): void {
    const known = this.#peers.get(id)
    if (known === undefined) return
    this.#peers.delete(id)
    this.#tried.delete(id)
    this.#untried.delete(id, groupOf(known.source.host))
    this.#count(known, -1)
  }

  /** Forgets nodes whose record is older than 7 days. */
  forgetStale(now: number): void {
    for (const peer of this.#peers.values()) {
      if (judgeRecordTime(peer, now) === 'stale' && !this.#linked.has(peer.id)) this.forget(peer.id)
    }
  }

  // What it is for

  /**
   * Records to tell somebody who asks, by lot: of nodes whose record is younger than a day.
   *
   * @param isWanted Which nodes it may be. @default all
   * @param asker How far the asker's address reaches: see {@link isShareable}. @default the most careful answer
   */
  sample(
    count: number,
    now: number,
    isWanted: (peer: KnownPeer) => boolean = () => true,
    asker: Reach | undefined = 'loopback',
  ): PeerRecord[] {
    const found = new Map<string, PeerRecord>()
    const [first, second] = this.#pools()
    for (const id of alternately(lots(first, this.#random), lots(second, this.#random))) {
      if (found.size >= count) break
      const peer = this.#peers.get(id)!
      if (found.has(id) || peer.time < now - RECORD_SHARED) continue
      if (isWanted(peer) && isShareable(peer, asker)) found.set(id, peer.record)
    }
    return [...found.values()]
  }

  /**
   * A node to dial, by lot: one that was reached before or one that was not, each with a chance of one half. In a
   * large book where hardly any is wanted none may be found; the next call looks elsewhere.
   *
   * @param isWanted Which address of which node it may be. It must not change the book.
   */
  pick(
    now: number,
    isWanted: (peer: KnownPeer, address: Address) => boolean,
  ): { readonly id: NodeId; readonly host: string; readonly port: number } | undefined {
    for (const pool of this.#pools()) {
      let looks = 0
      for (const id of lots(pool, this.#random)) {
        if (++looks > MAX_PICK_LOOKS) break
        const peer = this.#peers.get(id)!
        if (judgeRecordTime(peer, now) === 'stale') continue
        const address = this.#inOrder(peer).find((candidate) => isWanted(peer, candidate))
        if (address !== undefined) return { id: peer.id, ...address }
      }
    }
    return undefined
  }

  #pools(): readonly [Pool, Pool] {
    return this.#random() < 0.5 ? [this.#tried, this.#untried] : [this.#untried, this.#tried]
  }

  /** Where a node was reached before, that address comes first; otherwise any. */
  #inOrder({ addresses, isTried }: KnownPeer): readonly Address[] {
    if (isTried || addresses.length === 1) return addresses
    const first = Math.floor(this.#random() * addresses.length)
    return [...addresses.slice(first), ...addresses.slice(0, first)]
  }

  // Places

  /** Whether a source may tell of one more node. What a node tells of itself is on nobody's account. */
  #hasPlace(id: string, source: Source): boolean {
    return source.id === id || (this.#told.get(source.id) ?? 0) < MAX_PER_SOURCE
  }

  #count({ id, source }: KnownPeer, change: 1 | -1): void {
    if (source.id === id) return
    const count = (this.#told.get(source.id) ?? 0) + change
    if (count > 0) this.#told.set(source.id, count)
    else this.#told.delete(source.id)
  }

  #insert(peer: KnownPeer, now: number): void {
    if (this.#peers.size >= MAX_BOOK_ENTRIES) {
      // There is one: no more than half of the book is tried.
      this.forget(this.#untried.drawLargest(groupOf(peer.source.host), this.#random)!)
    }
    this.#put(peer)
    // The link may have been there before the record.
    if (this.#linked.has(peer.id)) this.connected(peer.id, this.#linked.get(peer.id), now)
  }

  #put(peer: KnownPeer): void {
    this.#peers.set(peer.id, peer)
    this.#count(peer, 1)
    if (peer.isTried) this.#tried.add(peer.id)
    else this.#untried.add(peer.id, groupOf(peer.source.host))
  }

  #change(id: string, change: Partial<KnownPeer>): void {
    const known = this.#peers.get(id)
    if (known !== undefined) this.#peers.set(id, frozen({ ...known, ...change }))
  }

  #makeTried(id: string): void {
    if (this.#tried.has(id)) return
    this.#setTried(id, true)
    if (this.#tried.size > MAX_TRIED) this.#setTried(this.#oldestTried(), false)
  }

  #setTried(id: string, isTried: boolean): void {
    const known = this.#peers.get(id)!
    this.forget(id)
    this.#put(frozen({ ...known, isTried }))
  }

  /** Among those without a link, the one whose link ended first. */
  #oldestTried(): string {
    let oldest: string | undefined
    let earliest = Infinity
    for (const id of this.#tried) {
      const time = this.#linked.has(id) ? Infinity : (this.#peers.get(id)!.lastConnected ?? 0)
      if (oldest !== undefined && time >= earliest) continue
      oldest = id
      earliest = time
    }
    return oldest!
  }
}
