import type { PeerRecord } from '../book/peer-record.ts'
import {
  BUCKET_SIZE,
  BUCKET_SPARES,
  MAX_BUCKET_GROUP,
  MAX_CONTACT_FAILURES,
} from '../limits/network-limits.ts'
import type { Address } from '../wire/address.ts'
import type { NodeId } from '../wire/ids.ts'
import type { Place } from './place.ts'
import type { VerifiedRecord } from './verified-records.ts'

/** A node of the routing table. */
export interface Contact {
  readonly id: NodeId
  readonly place: Place
  /** Its newest record. */
  readonly record: PeerRecord
  /** The same, with what was computed from it. */
  readonly verified: VerifiedRecord
  /** Where to dial it: those of its record that its source may tell. */
  readonly addresses: readonly Address[]
  /** The group of its first public address. */
  readonly group: string | undefined
  /** Whether it was met at one of its addresses; otherwise it was only heard of. */
  readonly isSeen: boolean
  /** Questions without an answer since it was met last. */
  readonly failures: number
}

/** A contact, to those who keep it. */
export type ContactEntry = { -readonly [Key in keyof Contact]: Contact[Key] }

/**
 * The nodes at about one distance: 20 that were met, and 8 more in reserve. Who has been there for long and still
 * answers stays, since it will most likely go on doing so; and nobody can push others out by coming in great numbers.
 */
export class Bucket {
  /** Nodes that were met, those that are there longest first. */
  readonly contacts: ContactEntry[] = []
  /** In a full bucket those that were met and wait; in one with room those that were only heard of, as well. */
  readonly spares: ContactEntry[] = []

  get isFull(): boolean {
    return this.contacts.length >= BUCKET_SIZE
  }

  /** A node was met that has no place among the contacts yet. Returns the one that leaves for it, maybe itself. */
  meet(contact: ContactEntry): ContactEntry | undefined {
    contact.isSeen = true
    remove(this.spares, contact)
    if (!this.isFull) {
      this.contacts.push(contact)
      return undefined
    }
    const crowded = this.#crowdedFor(contact.group)
    if (crowded !== undefined) {
      this.contacts[this.contacts.indexOf(crowded)] = contact
      return crowded
    }
    if (this.spares.length < BUCKET_SPARES) {
      this.spares.push(contact)
      return undefined
    }
    const unseen = this.spares.findIndex(({ isSeen }) => !isSeen)
    return unseen < 0 ? contact : this.spares.splice(unseen, 1, contact)[0]
  }

  /** A node was heard of. Returns the one that leaves for it, maybe itself. */
  hear(contact: ContactEntry, random: () => number): ContactEntry | undefined {
    if (this.isFull) return contact
    if (this.spares.length < BUCKET_SPARES) {
      this.spares.push(contact)
      return undefined
    }
    // By lot, so that neither the first stranger with inventions decides who is here, nor the last one.
    const at = Math.floor(random() * BUCKET_SPARES * BUCKET_SPARES)
    const given = this.spares[at]
    if (given === undefined || given.isSeen) return contact
    this.spares[at] = contact
    return given
  }

  /** A node did not answer. Returns whether it leaves; who was only heard of does so at once. */
  fail(contact: ContactEntry): boolean {
    contact.failures++
    const isReplaced = this.spares.some(({ isSeen }) => isSeen)
    const isContact = this.contacts.includes(contact)
    // Without a replacement it may be our own network that is down.
    if (isContact && !isReplaced && contact.failures < MAX_CONTACT_FAILURES) return false
    this.remove(contact)
    return true
  }

  /** Takes a node out; one that was met and waits takes its place. */
  remove(contact: ContactEntry): void {
    remove(this.spares, contact)
    if (!remove(this.contacts, contact)) return
    const next = this.spares.find(({ isSeen }) => isSeen)
    if (next === undefined) return
    remove(this.spares, next)
    this.contacts.push(next)
  }

  /**
   * The newest contact of the group that has most of them, if these are too many, and the newcomer's are not. Whoever
   * owns a network of addresses must not own the bucket, except where nobody else is there.
   */
  #crowdedFor(group: string | undefined): ContactEntry | undefined {
    const members = new Map<string, number>()
    for (const { group: own } of this.contacts)
      if (own !== undefined) members.set(own, (members.get(own) ?? 0) + 1)
    if (group !== undefined && (members.get(group) ?? 0) >= MAX_BUCKET_GROUP) return undefined
    const [largest, count] = [...members].reduce((a, b) => (b[1] > a[1] ? b : a), ['', 0])
    return count > MAX_BUCKET_GROUP
      ? this.contacts.findLast((contact) => contact.group === largest)
      : undefined
  }
}

function remove(list: ContactEntry[], contact: ContactEntry): boolean {
  const at = list.indexOf(contact)
  if (at >= 0) list.splice(at, 1)
  return at >= 0
}
