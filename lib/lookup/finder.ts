import { judgeRecordTime, type PeerRecord, type RecordDraft } from '../book/peer-record.ts'
import { aborted, invalidArgument, tooManyLookups } from '../errors.ts'
import {
  ALL_FINDS_BURST,
  ALL_FINDS_RATE,
  BUCKET_SIZE,
  MAX_FOUND_RECORDS,
  MAX_LOOKUPS,
  RECORD_SHARED,
} from '../limits/network-limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import { canonicalIp, type Reach, reachOf } from '../wire/address.ts'
import { Kind } from '../wire/frame.ts'
import { isHex32, type NodeId } from '../wire/ids.ts'
import type { Asking } from './asking.ts'
import type { Contact } from './bucket.ts'
import { decodeFind, decodeFound, encodeFound, splitDocuments } from './find-frame.ts'
import { FindLinks } from './find-links.ts'
import type { FinderLink, FinderPort, FinderStats, LookupOptions, LookupResult } from './finder-port.ts'
import type { Candidate } from './lookup.ts'
import { compareDistance, type Place, placeOf } from './place.ts'
import { RoutingTable } from './routing-table.ts'
import { type Goal, Search } from './search.ts'
import { TableKeeper } from './table-keeper.ts'
import { type ToldRecord, VerifiedRecords } from './verified-records.ts'

export type { FinderLink, FinderPort, FinderStats, LookupOptions, LookupResult } from './finder-port.ts'

/**
 * Finds the signed record of any node by its ID: each node knows those near its own place and some everywhere else,
 * and whoever is asked for a place tells the nearest nodes that it knows. A few questions lead to any of them.
 *
 * Nodes are told to others only if this one has met them at one of their addresses: nobody makes us spread what he
 * has invented, nor lead others to a victim's door.
 */
export class Finder<L extends FinderLink> {
  readonly #port: FinderPort<L>
  readonly #own: Place
  readonly #records: VerifiedRecords
  readonly #table: RoutingTable
  readonly #links: FindLinks<L>
  readonly #keeper: TableKeeper<L>
  readonly #finds: TokenBucket
  /** Searches of the application, by what they are for. */
  readonly #searches = new Map<string, Search<L>>()
  readonly #refreshes = new Set<Search<L>>()
  readonly #counts = { lookups: 0, found: 0, refreshes: 0, answered: 0, refused: 0 }

  constructor(port: FinderPort<L>) {
    const { self, engine, random, clock } = port
    this.#port = port
    this.#own = placeOf(self.id)
    this.#records = port.records ?? new VerifiedRecords({ net: self.net, engine })
    this.#table = new RoutingTable(this.#own, random)
    this.#links = new FindLinks(port)
    this.#finds = new TokenBucket(ALL_FINDS_RATE, ALL_FINDS_BURST, clock.now())
    const search = (place: Place): Promise<number> => this.#refresh(place)
    this.#keeper = new TableKeeper({ port, own: this.#own, table: this.#table, search })
  }

  /** Begins with the upkeep of the table. */
  start(): void {
    this.#keeper.start()
  }

  /** Ends it; lookups under way fail with the error `aborted`. */
  stop(): void {
    this.#keeper.stop()
    for (const search of [...this.#searches.values(), ...this.#refreshes]) search.abort()
  }

  stats(): FinderStats {
    const { size: contacts, seen } = this.#table
    return { contacts, seen, asked: this.#links.asked, ...this.#counts }
  }

  /** The nodes that this one knows nearest to a place, the nearest one first. @default 20 of them */
  contacts(place: Place, count: number = BUCKET_SIZE): readonly Contact[] {
    return this.#table.closest(place, count)
  }

  /**
   * Takes in a record that was verified: one that a node has told of itself, or that the peer book holds.
   *
   * @param source The peer that has told it.
   */
  learn(record: PeerRecord, source: { readonly id: string; readonly host: string }): void {
    const { self, clock } = this.#port
    if (record.id === self.id || record.net !== self.net) return
    if (judgeRecordTime(record, clock.now()) !== undefined) return
    const verified = this.#records.remember(record)
    // What is older than a farewell is as good as one.
    if (verified.record.addresses.length === 0) return this.#table.remove(record.id)
    const told = { verified, addresses: verified.usable[reachOf(source.host) ?? 'public'] }
    if (told.addresses.length === 0) return
    if (source.id === record.id) this.#meet(told, source.host)
    else this.#table.hear(told.verified, told.addresses)
  }

  /** A link is up. */
  onUp(link: L): void {
    this.#learnPeer(link)
    this.#keeper.onUp()
  }

  /** A link has ended. */
  onDown(link: L): void {
    this.#links.onDown(link)
  }

  /** A frame arrived. Returns `false` if it is none of lookups. */
  receive(link: L, kind: number, payload: Uint8Array): boolean {
    if (kind !== Kind.find && kind !== Kind.found) return false
    if (this.#links.isExpelled(link)) return true
    if (kind === Kind.find) this.#onFind(link, payload)
    else this.#onFound(link, payload)
    return true
  }

  /**
   * Finds the record of a node. Callers that look for the same one share a search.
   *
   * @throws SecureNodeError `invalid-argument` for what is no node ID, `aborted`, `overload` if 64 are under way
   */
  async lookup(id: NodeId, options: LookupOptions = {}): Promise<LookupResult> {
    if (!isHex32(id)) throw invalidArgument('the node ID', '64 lower-case hexadecimal digits', id)
    if (options.signal?.aborted === true) throw aborted('the lookup', options.signal.reason)
    const { newerThan = -Infinity } = options
    this.#counts.lookups++
    const known = this.#recall(id, newerThan)
    const result = known ?? (await this.#searchFor({ id, place: placeOf(id), newerThan }).wait(options))
    if (result.record !== undefined) this.#counts.found++
    return result
  }

  /** What is known here. A contact that did not answer lately may have moved. */
  #recall(id: NodeId, newerThan: number): LookupResult | undefined {
    const own = id === this.#port.self.id ? this.#port.own() : undefined
    const contact = this.#table.get(id)
    const known = [
      own && { record: own, addresses: own.addresses },
      contact?.failures === 0 ? contact : undefined,
      this.#port.known(id),
    ].find((one) => one !== undefined && one.record.time > newerThan && one.addresses.length > 0)
    return known && { record: known.record, addresses: known.addresses, hops: 0, asked: 0 }
  }

  #searchFor(goal: Goal): Search<L> {
    const key = `${goal.id} ${goal.newerThan}`
    const running = this.#searches.get(key)
    if (running !== undefined) return running
    if (this.#searches.size >= MAX_LOOKUPS) throw tooManyLookups(MAX_LOOKUPS)
    const search = this.#newSearch(goal)
    this.#searches.set(key, search)
    search.onEnd = () => this.#searches.delete(key)
    this.#begin(search, goal.place)
    return search
  }

  async #refresh(place: Place): Promise<number> {
    this.#counts.refreshes++
    const search = this.#newSearch({ place })
    this.#refreshes.add(search)
    search.onEnd = () => this.#refreshes.delete(search)
    this.#begin(search, place)
    // Nobody else waits for it; it fails only when the node stops.
    await search.wait().catch(() => {})
    return search.answered
  }

  #newSearch(goal: Goal): Search<L> {
    return new Search(goal, {
      port: this.#port,
      links: this.#links,
      learn: (link, told) => this.#onAnswer(link, told),
      onFailure: (id) => this.#table.fail(id),
    })
  }

  /** Not at once: whoever has asked for it must be waiting when it ends. */
  #begin(search: Search<L>, place: Place): void {
    this.#keeper.touch(place)
    queueMicrotask(() => search.begin([...this.#table.closest(place), ...this.#neighbours()]))
  }

  /** The peers of all links: also those that have no record, or whose record has not come yet. */
  *#neighbours(): Generator<Candidate, void> {
    for (const link of this.#port.links()) {
      if (link.isUp) yield { id: link.id, place: this.#links.placeOf(link), addresses: [], group: undefined }
    }
  }

  #onFind(link: L, payload: Uint8Array): void {
    const find = decodeFind(payload)
    if (find === undefined) return this.#links.expel(link, 'bad-lookup')
    // Nobody is blamed: so many may have come at once over a slow network.
    if (!this.#links.mayAsk(link) || !this.#finds.take(this.#port.clock.now())) {
      this.#counts.refused++
      return
    }
    this.#learnPeer(link)
    this.#counts.answered++
    this.#port.write(link, Kind.found, encodeFound(find.number, this.#tell(find.place, link)))
  }

  /** The nearest nodes that an asker can be told, this one among them. */
  #tell(place: Place, asker: L): readonly string[] {
    const reach = reachOf(asker.remoteHost)
    const isTold = (contact: Contact): boolean =>
      contact.id !== asker.id && this.#isTellable(contact, place, reach)
    const found = this.#table.closest(place, MAX_FOUND_RECORDS, isTold)
    const documents = found.map(({ record }) => record.document)
    const own = this.#port.own()
    if (own === undefined) return documents
    const rank = found.findIndex((contact) => compareDistance(place, this.#own, contact.place) < 0)
    documents.splice(rank < 0 ? found.length : rank, 0, own.document)
    return documents.slice(0, MAX_FOUND_RECORDS)
  }

  /**
   * Who was met and has answered since; and, whatever is known of him, the one who stands at this very place: whoever
   * asks for it is looking for him. With the rule of `isShareable`: nobody is told an address that he would take, and
   * that this node has refused.
   */
  #isTellable(contact: Contact, place: Place, asker: Reach | undefined): boolean {
    const { verified, addresses, isSeen, failures } = contact
    if (!(isSeen && failures === 0) && compareDistance(place, contact.place, place) !== 0) return false
    if (verified.record.time < this.#port.clock.now() - RECORD_SHARED) return false
    return verified.usable[asker ?? 'public'].length <= addresses.length
  }

  #onFound(link: L, payload: Uint8Array): void {
    const found = decodeFound(payload)
    if (found === undefined) return this.#links.expel(link, 'bad-lookup')
    const asking = this.#links.take(link, found.number)
    if (asking === 'late') return
    if (asking === 'unsolicited') return this.#links.expel(link, 'unsolicited')
    asking.arrive()
    void this.#read(link, asking, splitDocuments(found.list))
  }

  async #read(link: L, asking: Asking<L>, documents: readonly string[] | undefined): Promise<void> {
    const reach = reachOf(link.remoteHost)
    const told = documents && (await this.#records.read(documents, reach, (record) => this.#isWanted(record)))
    if (told === undefined) {
      this.#links.expel(link, 'bad-lookup')
      asking.fail(true)
    } else if (this.#links.isExpelled(link)) asking.fail(true)
    else asking.answer(link, told)
  }

  /** What comes at the wrong time is nobody's fault: clocks differ. */
  #isWanted(record: PeerRecord | RecordDraft): boolean {
    return record.id !== this.#port.self.id && judgeRecordTime(record, this.#port.clock.now()) === undefined
  }

  /** Somebody has answered: he is there, and so may be those he tells of. */
  #onAnswer(link: L, told: readonly ToldRecord[]): void {
    this.#learnPeer(link)
    for (const one of told) {
      if (one.verified.record.id === link.id) this.#meet(one, link.remoteHost)
      else this.#table.hear(one.verified, one.addresses)
    }
  }

  /** The peer of a link that is up is met, if its record is known. */
  #learnPeer({ id, remoteHost: host }: L): void {
    const contact = this.#table.get(id)
    if (contact?.isSeen === true && contact.failures === 0) return
    const record = contact?.record ?? this.#port.known(id)?.record
    if (record !== undefined) this.learn(record, { id, host })
  }

  /**
   * A node has told of itself. It counts as met only where it is seen at an address of its record: otherwise anybody
   * could sign the address of a victim, and have it told to all who ask.
   */
  #meet({ verified, addresses }: ToldRecord, seenAt: string): void {
    const host = canonicalIp(seenAt) ?? seenAt
    const isThere = verified.record.addresses.some((address) => address.host === host)
    if (isThere) this.#table.meet(verified, addresses)
    else this.#table.hear(verified, addresses)
  }
}
