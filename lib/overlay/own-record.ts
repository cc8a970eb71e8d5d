import type { Clock } from '../ground/clock.ts'
import { MAX_RECORD_ADDRESSES, RECORD_RENEWAL } from '../limits/network-limits.ts'
import type { Sign } from '../message/statement.ts'
import { type Address, canonicalIp, formatAddress, groupOf, isWildcard, reachOf } from '../wire/address.ts'
import type { NodeId } from '../wire/ids.ts'
import { makeRecord, type PeerRecord } from '../book/peer-record.ts'

/** What a node's own record needs of it. */
export interface OwnRecordPort {
  readonly self: { readonly id: NodeId; readonly net: string }
  readonly clock: Clock
  readonly sign: Sign
  /** Where the node listens; undefined while it does not. */
  listening(): Address | undefined
  /** The addresses of this machine. */
  hosts(): readonly string[]
}

/** What one peer has told: where it sees us, and from where it looks. */
interface Sighting {
  readonly host: string
  readonly group: string
}

/** Groups of peers that must agree on an address which this machine does not know as its own. */
const MIN_GROUPS = 2

/**
 * The record by which a node tells others where it can be reached. A node that listens at a wildcard learns its
 * addresses from those who see it: at once where the machine has that address itself, and otherwise when peers of
 * different address groups agree, or a single stranger could make it advertise somebody else's.
 */
export class OwnRecord {
  readonly #port: OwnRecordPort
  readonly #advertised: readonly Address[] | false
  /** By the links that are up: words of the past would outlive a move to another network. */
  readonly #sightings = new Map<object, Sighting>()
  #current: PeerRecord | undefined
  #lastTime = -Infinity
  #isMaking = false

  /** @param advertised The addresses to tell; none to find them out, `false` to tell none at all. */
  constructor(port: OwnRecordPort, advertised: readonly Address[] | false) {
    this.#port = port
    this.#advertised = advertised && inOneSpelling(advertised)
  }

  /** The newest record; undefined while there is nothing to tell. */
  get current(): PeerRecord | undefined {
    return this.#current
  }

  /**
   * A peer says where it sees this node. The port that it sees is that of a connection, so only the host counts.
   *
   * @param link Over which it said so: its word counts as long as the link is up.
   */
  sighted(link: object, peerHost: string, seen: Address): void {
    const host = canonicalIp(seen.host)
    if (host === undefined || reachOf(host) === undefined) return
    this.#sightings.set(link, { host, group: groupOf(peerHost) })
  }

  /** The link is down. */
  unsighted(link: object): void {
    this.#sightings.delete(link)
  }

  /**
   * Makes a new record if the addresses have changed or the old one has aged. Resolves with whether it did, to one
   * caller alone: whoever comes while a record is being made is told `false`.
   */
  async refresh(): Promise<boolean> {
    if (this.#isMaking) return false
    this.#isMaking = true
    try {
      let isNew = false
      // Others may have seen this node somewhere else while the record was signed.
      while (this.#isDue() && (await this.#renew())) isNew = true
      return isNew && this.#current !== undefined
    } finally {
      this.#isMaking = false
    }
  }

  #isDue(): boolean {
    const addresses = this.addresses()
    const { time = -Infinity, addresses: old = [] } = this.#current ?? {}
    // In whatever order: which one most peers see changes all the time, and says nothing new.
    const isSame =
      old.length === addresses.length && old.every((one) => addresses.some((other) => isEqual(one, other)))
    return !isSame || (addresses.length > 0 && this.#port.clock.now() - time >= RECORD_RENEWAL)
  }

  /** `false` if the node has said farewell meanwhile. */
  async #renew(): Promise<boolean> {
    const addresses = this.addresses()
    if (addresses.length === 0) {
      this.#current = undefined
      return true
    }
    const record = await this.#make(addresses)
    if (record.time !== this.#lastTime) return false
    this.#current = record
    return true
  }

  /** The record that takes the others back: this node is nowhere any more. */
  farewell(): Promise<PeerRecord> {
    this.#current = undefined
    return this.#make([])
  }

  #make(addresses: readonly Address[]): Promise<PeerRecord> {
    const { self, clock, sign } = this.#port
    // The newest one counts: two of the same time, or a clock that was set back, would leave the old one standing.
    const time = (this.#lastTime = Math.max(Math.floor(clock.now()), this.#lastTime + 1))
    return makeRecord({ ...self, time, addresses }, sign)
  }

  /** Where this node can be reached, as far as it knows. */
  addresses(): readonly Address[] {
    const listening = this.#port.listening()
    if (this.#advertised === false || listening === undefined) return []
    if (this.#advertised.length > 0) return this.#advertised
    const { host, port } = listening
    if (isWildcard(host)) {
      const hosts = this.#sightedHosts(host)
      // Where nobody sees it, nothing speaks against what it knew.
      return hosts.length > 0 ? hosts.map((sighted) => ({ host: sighted, port })) : this.#lastAddresses
    }
    const ip = canonicalIp(host)
    return ip !== undefined && reachOf(ip) !== undefined ? [{ host: ip, port }] : []
  }

  get #lastAddresses(): readonly Address[] {
    return this.#current?.addresses ?? []
  }

  /** The hosts that are believed, those that most peers see first. */
  #sightedHosts(wildcard: string): string[] {
    const own = new Set(this.#port.hosts().map((host) => canonicalIp(host)))
    // What was believed needs less to be kept, or each link that ends could change the record.
    for (const { host } of this.#lastAddresses) own.add(host)
    const groups = new Map<string, Set<string>>()
    for (const { host, group } of this.#sightings.values()) {
      if (wildcard === '0.0.0.0' && host.includes(':')) continue
      groups.set(host, (groups.get(host) ?? new Set()).add(group))
    }
    return [...groups]
      .filter(([host, { size }]) => own.has(host) || size >= MIN_GROUPS)
      .sort(([hostA, { size: sizeA }], [hostB, { size: sizeB }]) => sizeB - sizeA || (hostA < hostB ? -1 : 1))
      .slice(0, MAX_RECORD_ADDRESSES)
      .map(([host]) => host)
  }
}

function isEqual(one: Address, other: Address): boolean {
  return one.host === other.host && one.port === other.port
}

/** As records have them: no address twice, and each in its one spelling, or it would seem to change all the time. */
function inOneSpelling(addresses: readonly Address[]): readonly Address[] {
  const canonical = addresses.map(({ host, port }) => ({ host: canonicalIp(host) ?? host, port }))
  const byText = new Map(canonical.map((address) => [formatAddress(address.host, address.port), address]))
  return [...byText.values()].slice(0, MAX_RECORD_ADDRESSES)
}
