import { judgeRecordTime } from '../book/peer-record.ts'
import { BUCKET_SIZE, MAX_CONTACTS } from '../limits/network-limits.ts'
import type { Address } from '../wire/address.ts'
import { Bucket, type Contact, type ContactEntry } from './bucket.ts'
import { commonPrefix, compareDistance, PLACE_BITS, type Place } from './place.ts'
import type { VerifiedRecord } from './verified-records.ts'

/**
 * Whom a node knows, by their distance: a bucket for each number of bits that a place has in common with its own. Of
 * the far half of the network it knows 20 nodes, of the nearer quarter 20, and so on: about 20 · log2(n / 20) in all,
 * and of its own surroundings everybody.
 */
export class RoutingTable {
  readonly #own: Place
  readonly #random: () => number
  readonly #buckets: Bucket[] = []
  readonly #byId = new Map<string, ContactEntry>()

  constructor(own: Place, random: () => number) {
    this.#own = own
    this.#random = random
  }

  /** Nodes in the table, those in reserve included; at most 1,024. */
  get size(): number {
    return this.#byId.size
  }

  /** Nodes that were met. */
  get seen(): number {
    let count = 0
    for (const { isSeen } of this.#byId.values()) if (isSeen) count++
    return count
  }

  get(id: string): Contact | undefined {
    return this.#byId.get(id)
  }

  [Symbol.iterator](): Iterator<Contact> {
    return this.#byId.values()
  }

  /** The bucket of a place, by its number: the bits that it has in common with the own place. */
  bucketOf(place: Place): number {
    return Math.min(commonPrefix(this.#own, place), PLACE_BITS - 1)
  }

  /** Buckets that matter: behind them there are fewer than 20 nodes, all in this node's own surroundings. */
  get depth(): number {
    let behind = 0
    for (let at = this.#buckets.length - 1; at > 0; at--) {
      behind += this.#buckets[at]?.contacts.length ?? 0
      if (behind >= BUCKET_SIZE) return at
    }
    return 0
  }

  /** A node was met at one of its addresses. */
  meet(verified: VerifiedRecord, addresses: readonly Address[]): void {
    const known = this.#byId.get(verified.record.id)
    if (known !== undefined) update(known, verified, addresses)
    const contact = known ?? contactOf(verified, addresses)
    if (known === undefined && this.size >= MAX_CONTACTS) return
    this.#byId.set(contact.id, contact)
    contact.failures = 0
    const bucket = this.#bucket(contact.place)
    if (!bucket.contacts.includes(contact)) this.#forget(bucket.meet(contact))
  }

  /** A node was heard of. What is older than what is known changes nothing. */
  hear(verified: VerifiedRecord, addresses: readonly Address[]): void {
    const known = this.#byId.get(verified.record.id)
    if (known !== undefined) return update(known, verified, addresses)
    const bucket = this.#bucket(verified.place)
    if (bucket.isFull || this.size >= MAX_CONTACTS) return
    const contact = contactOf(verified, addresses)
    this.#byId.set(contact.id, contact)
    this.#forget(bucket.hear(contact, this.#random))
  }

  /** A node has not answered. */
  fail(id: string): void {
    const contact = this.#byId.get(id)
    if (contact !== undefined && this.#bucket(contact.place).fail(contact)) this.#byId.delete(id)
  }

  /** A node has left. */
  remove(id: string): void {
    const contact = this.#byId.get(id)
    if (contact === undefined) return
    this.#bucket(contact.place).remove(contact)
    this.#byId.delete(id)
  }

  /** Takes out nodes whose record is older than 7 days. */
  removeStale(now: number): void {
    for (const { id, record } of [...this.#byId.values()]) {
      if (judgeRecordTime(record, now) === 'stale') this.remove(id)
    }
  }

  /** The nodes that are nearest to a place, the nearest one first. */
  closest(
    place: Place,
    count: number = BUCKET_SIZE,
    isWanted: (contact: Contact) => boolean = () => true,
  ): Contact[] {
    const found: Contact[] = []
    for (const buckets of this.#outward(this.bucketOf(place))) {
      const some: Contact[] = []
      for (const { contacts, spares } of buckets) some.push(...contacts, ...spares)
      some.sort((one, other) => compareDistance(place, one.place, other.place))
      for (const contact of some) {
        if (found.length >= count) return found
        if (isWanted(contact)) found.push(contact)
      }
    }
    return found
  }

  /**
   * The buckets by their distance from a place in the one of this number. That one is nearest; the deeper ones differ
   * from the place in the bit that it differs from our own in, and are at one distance to it; each of the others is
   * farther away than the one before.
   */
  *#outward(number: number): Generator<readonly Bucket[], void> {
    const at = (index: number): readonly Bucket[] => this.#buckets.slice(index, index + 1)
    yield at(number)
    yield this.#buckets.slice(number + 1)
    for (let index = Math.min(number, this.#buckets.length) - 1; index >= 0; index--) yield at(index)
  }

  #bucket(place: Place): Bucket {
    const number = this.bucketOf(place)
    while (this.#buckets.length <= number) this.#buckets.push(new Bucket())
    return this.#buckets[number]!
  }

  #forget(contact: ContactEntry | undefined): void {
    if (contact !== undefined) this.#byId.delete(contact.id)
  }
}

function contactOf(verified: VerifiedRecord, addresses: readonly Address[]): ContactEntry {
  const { record, place, group } = verified
  return { id: record.id, place, record, verified, addresses, group, isSeen: false, failures: 0 }
}

/** A newer record counts; the same one does where its source may tell more of its addresses. */
function update(contact: ContactEntry, verified: VerifiedRecord, addresses: readonly Address[]): void {
  const { record, group } = verified
  const isSame = record.document === contact.record.document
  if (isSame ? addresses.length <= contact.addresses.length : record.time <= contact.record.time) return
  Object.assign(contact, { record, verified, addresses, group })
}
