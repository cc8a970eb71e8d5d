import type { Clock } from '../ground/clock.ts'
import type { SecureNodeError } from '../errors.ts'
import { DIAL_PATIENCE, MAX_CANDIDATES, REST_TIME } from '../limits/network-limits.ts'
import { RecentMap } from '../ground/recent-map.ts'
import { type Address, formatAddress, groupOf, reachOf } from '../wire/address.ts'
import type { DialBackOff } from '../book/back-off.ts'
import type { BootstrapList } from './bootstrap-list.ts'

/** What choosing needs of the peer book. */
export interface CandidateBook {
  /** A node to dial, by lot; undefined if none is wanted. */
  pick(
    now: number,
    isWanted: (peer: { readonly id: string }, address: Address) => boolean,
  ): ({ readonly id: string } & Address) | undefined
  /** A dial of a node has failed. */
  failed(id: string, now: number): void
  /** Somebody else is where a node should be. */
  forget(id: string): void
}

/** What choosing needs of its node. */
export interface CandidatesPort {
  readonly self: string
  readonly clock: Clock
  readonly random: () => number
  readonly book: CandidateBook
  readonly backOff: DialBackOff
  readonly bootstrap: BootstrapList
  /** Whether there is a link to this node. */
  isLinked(id: string): boolean
  /** The hosts of the outbound links. */
  outboundHosts(): Iterable<string>
}

/** Somebody to dial. */
export interface Candidate {
  /** Who must be found there; undefined for a bootstrap address, where anybody may be. */
  readonly id: string | undefined
  readonly address: Address
}

/** A dial under way. */
interface Dial {
  readonly address: Address
  /** When it began, in ms since the epoch. */
  readonly since: number
}

/** Whom to dial next: found on the local network, known from the book, or named as bootstrap. */
export class Candidates {
  readonly #port: CandidatesPort
  readonly #maxPerGroup: number
  /** Dials under way, by what is dialled. */
  readonly #dialling = new Map<string, Dial>()
  /** Nodes that were let go because there were enough links, and until when. */
  readonly #resting = new RecentMap<string, number>(MAX_CANDIDATES)
  /**
   * Nodes found on the local network: an address and an ID, without a record. By both: a neighbour who repeats the
   * calls of others from his own address must not displace theirs.
   */
  readonly #found = new Map<string, Candidate>()

  /** @param maxPerGroup Outbound links to public addresses of one group. */
  constructor(port: CandidatesPort, maxPerGroup: number) {
    this.#port = port
    this.#maxPerGroup = maxPerGroup
  }

  /** Dials under way. */
  get dialling(): number {
    return this.#dialling.size
  }

  /** Whether a dial may still come out soon: those that nobody answers are not worth waiting for. */
  get isDialling(): boolean {
    const now = this.#port.clock.now()
    for (const { since } of this.#dialling.values()) if (now - since < DIAL_PATIENCE) return true
    return false
  }

  /** A node of the local network. */
  found(id: string, address: Address): void {
    if (id === this.#port.self || this.#port.isLinked(id)) return
    if (this.#found.size >= MAX_CANDIDATES) this.#found.delete(this.#found.keys().next().value!)
    this.#found.set(`${id} ${formatAddress(address.host, address.port)}`, { id, address })
  }

  /** The dial of a candidate begins. */
  begin(candidate: Candidate): void {
    this.#dialling.set(keyOf(candidate), { address: candidate.address, since: this.#port.clock.now() })
  }

  /** The dial of a candidate has ended. */
  end(candidate: Candidate): void {
    this.#dialling.delete(keyOf(candidate))
  }

  /** Somebody was found at an address. */
  succeeded(address: Address, id: string): void {
    this.#port.backOff.succeeded(address, this.#port.clock.now())
    this.#port.bootstrap.succeeded(address, id)
  }

  /** A dial has failed. */
  failed({ id, address }: Candidate, error: Partial<SecureNodeError>): void {
    const { clock, book, bootstrap } = this.#port
    const { code, found } = error
    // Ended here: that says nothing about the address.
    if (code === 'aborted' || code === 'not-started' || code === 'too-many-connections') return
    if (code === 'self-connection') bootstrap.remove(address)
    this.pause(address, found)
    // A node that refuses is alive, and so is one that hangs up.
    const isAlive = code === 'refused-by-peer' || code === 'connection-closed'
    if (id === undefined || isAlive) return
    // Its record names an address where somebody else is.
    if (code === 'identity-mismatch') book.forget(id)
    else book.failed(id, clock.now())
  }

  /** An address is not dialled again for a while; except for the node that was found there. */
  pause(address: Address, found?: string): void {
    const now = this.#port.clock.now()
    this.#port.bootstrap.failed(address, now)
    this.#port.backOff.failed(address, now, found)
  }

  /** A node is left in peace for a while: there were enough links without it. */
  rest(id: string): void {
    this.#resting.set(id, this.#port.clock.now() + REST_TIME)
  }

  /** Somebody to dial, if there is anybody. Those who rest come last: better than to be alone. */
  next(): Candidate | undefined {
    // By turns: one host of the local network that has many names must not be all that this node is linked with.
    const isLanFirst = this.#port.random() < 0.5
    const near = isLanFirst
      ? (this.#fromLan() ?? this.#fromBook(false))
      : (this.#fromBook(false) ?? this.#fromLan())
    return near ?? this.bootstrap() ?? this.#fromBook(true)
  }

  /** Somebody else than the neighbours, for curiosity. */
  stranger(): Candidate | undefined {
    return this.#fromBook(false)
  }

  /** A bootstrap address where nobody is linked yet. */
  bootstrap(): Candidate | undefined {
    const { bootstrap, clock } = this.#port
    const address = bootstrap.next(clock.now(), (id) => this.#port.isLinked(id))
    return address === undefined || this.#isDialled(address) ? undefined : { id: undefined, address }
  }

  #fromLan(): Candidate | undefined {
    for (const [key, candidate] of this.#found) {
      this.#found.delete(key)
      if (this.#isWanted(candidate.id!, candidate.address, false)) return candidate
    }
    return undefined
  }

  #fromBook(mayRest: boolean): Candidate | undefined {
    const groups = this.#groups()
    const picked = this.#port.book.pick(this.#port.clock.now(), ({ id }, address) => {
      if (!this.#isWanted(id, address, mayRest)) return false
      return (groups.get(groupOf(address.host)) ?? 0) < this.#maxPerGroup
    })
    return picked && { id: picked.id, address: { host: picked.host, port: picked.port } }
  }

  #isWanted(id: string, address: Address, mayRest: boolean): boolean {
    const now = this.#port.clock.now()
    return (
      !this.#dialling.has(id) &&
      // Liars can name one address under many IDs, which must not be dialled all at once.
      !this.#isDialled(address) &&
      !this.#port.isLinked(id) &&
      (mayRest || (this.#resting.get(id) ?? -Infinity) <= now) &&
      this.#port.backOff.isReady(address, now, id)
    )
  }

  #isDialled({ host, port }: Address): boolean {
    for (const { address } of this.#dialling.values())
      if (address.host === host && address.port === port) return true
    return false
  }

  /** Outbound links and dials by group of public addresses. */
  #groups(): ReadonlyMap<string, number> {
    const groups = new Map<string, number>()
    for (const host of this.#port.outboundHosts()) count(groups, host)
    for (const { address } of this.#dialling.values()) count(groups, address.host)
    return groups
  }
}

function count(groups: Map<string, number>, host: string): void {
  if (reachOf(host) !== 'public') return
  const group = groupOf(host)
  groups.set(group, (groups.get(group) ?? 0) + 1)
}

function keyOf({ id, address }: Candidate): string {
  return id ?? formatAddress(address.host, address.port)
}
