import type { Clock } from './ground/clock.ts'
import { aborted, unreachable } from './errors.ts'
import { PUNCH_HEAD_START } from './limits/dht-limits.ts'
import { MAX_UNREACHED, REACH_DIAL_TIMEOUT, REACH_PAUSE, REACH_TIMEOUT } from './limits/direct-limits.ts'
import { RecentMap } from './ground/recent-map.ts'
import { type Address, formatAddress } from './wire/address.ts'
import type { NodeId } from './wire/ids.ts'

/**
 * How a message gets to one node: over a link that was there, over one to an address that was known or was looked up,
 * over one that a further transport has opened by its ID, or through the nodes between.
 */
export type Way = 'link' | 'address' | 'lookup' | 'id' | 'relay'

/** How a node is to be reached. */
export interface ReachOptions {
  /**
   * Whether a link that is opened for it ends when it is not used for 30 s, or stays as one to a peer.
   *
   * @default 'temporary'
   */
  readonly connection?: 'temporary' | 'lasting' | undefined
  /** `true` sends it through the network unless there is a link already: nothing is dialled. @default false */
  readonly relay?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** A link, as far as reaching a node goes. */
export interface ReachLink {
  readonly id: string
  readonly isUp: boolean
  stay(): void
}

/** What reaching nodes needs of its node. `L` are links. */
export interface ReachPort<L> {
  readonly clock: Clock
  /** The link to a node that is up, temporary or not. */
  linkTo(id: string): L | undefined
  /** Where a node is, as far as this one has been told. */
  addressesOf(id: string): readonly Address[]
  lookup(id: NodeId, signal: AbortSignal): Promise<readonly Address[]>
  dial(address: Address, terms: { expect: string; timeout: number; signal: AbortSignal }): Promise<L>
  /** Opens a link by ID alone, where there is a further transport that can. */
  dialById?: ((id: NodeId, terms: { timeout: number; signal: AbortSignal }) => Promise<L>) | undefined
  /** Whether there is a peer who would relay. */
  hasPeers(): boolean
}

/** A way to a node: with a link, or without one through relays. */
export interface Reached<L> {
  readonly way: Way
  readonly link: L | undefined
}

/** Finds a way to a node by its ID: the shortest first, and one through the network if there is no other. */
export class Reach<L extends ReachLink> {
  readonly #port: ReachPort<L>
  /** Searches under way: who asks for the same node meanwhile waits for the same answer. */
  readonly #searches = new Map<string, Promise<Reached<L>>>()
  /** When nodes that could not be reached directly may be tried again, in ms since the epoch. */
  readonly #pauses = new RecentMap<string, number>(MAX_UNREACHED)

  constructor(port: ReachPort<L>) {
    this.#port = port
  }

  /**
   * Finds a way, within 10 s; after that, and for a minute after a failure, it is the one through relays.
   *
   * @throws SecureNodeError `unreachable` where there is neither a way nor a peer, `aborted`
   */
  async to(
    id: NodeId,
    { connection = 'temporary', relay = false, signal }: ReachOptions = {},
  ): Promise<Reached<L>> {
    const isLasting = connection === 'lasting'
    const link = this.#port.linkTo(id)
    if (link !== undefined) return reached('link', link, isLasting)
    assertWanted(signal)
    const isPaused = (this.#pauses.get(id) ?? 0) > this.#port.clock.now()
    const found = relay || isPaused ? undefined : await this.#search(id)
    assertWanted(signal)
    // Two ways may have come to an end at once, and one link was closed for the other.
    const best = found?.link?.isUp === true ? found.link : found?.link && this.#port.linkTo(id)
    if (best !== undefined) return reached(found!.way, best, isLasting)
    if (!this.#port.hasPeers()) throw unreachable(id)
    return { way: 'relay', link: undefined }
  }

  /** The link to a node, or one to an address of it, dialled. Rejects with the error of the last dial. */
  async at(id: NodeId, addresses: readonly Address[], signal: AbortSignal): Promise<L> {
    let failure: unknown = unreachable(id)
    // First of all: there may be a link to a node whose addresses nobody knows.
    let link = this.#port.linkTo(id)
    for (const address of addresses) {
      if (link !== undefined || signal.aborted) break
      try {
        link = await this.#port.dial(address, { expect: id, timeout: REACH_DIAL_TIMEOUT, signal })
      } catch (error) {
        failure = error
        link = this.#port.linkTo(id)
      }
    }
    if (link === undefined) throw failure
    return link
  }

  #search(id: NodeId): Promise<Reached<L>> {
    let search = this.#searches.get(id)
    if (search === undefined) {
      search = this.#find(id).finally(() => this.#searches.delete(id))
      this.#searches.set(id, search)
    }
    return search
  }

  async #find(id: NodeId): Promise<Reached<L>> {
    const { clock } = this.#port
    const over = new AbortController()
    const timer = clock.setTimer(() => over.abort(), REACH_TIMEOUT)
    try {
      const addresses = this.#findAddress(id, over.signal)
      const found = await firstOf(addresses, this.#punch(id, addresses, over.signal))
      if (found !== undefined) return found
    } finally {
      timer.cancel()
      over.abort()
    }
    this.#pauses.set(id, clock.now() + REACH_PAUSE)
    return { way: 'relay', link: undefined }
  }

  /** A link over a further transport, within 10 s; undefined where there is none. */
  async byId(id: NodeId, signal: AbortSignal = new AbortController().signal): Promise<L | undefined> {
    return (await this.#punch(id, Promise.resolve(undefined), signal))?.link
  }

  /** By ID, beside the way over addresses and a little later: most nodes are where they were. */
  async #punch(
    id: NodeId,
    addresses: Promise<Reached<L> | undefined>,
    signal: AbortSignal,
  ): Promise<Reached<L> | undefined> {
    const { clock, dialById } = this.#port
    if (dialById === undefined) return undefined
    const isFound = await new Promise<boolean>((resolve) => {
      const timer = clock.setTimer(() => resolve(false), PUNCH_HEAD_START)
      void addresses.then((found) => {
        timer.cancel()
        resolve(found !== undefined)
      })
    })
    if (isFound || signal.aborted) return undefined
    try {
      return { way: 'id', link: await dialById(id, { timeout: REACH_TIMEOUT, signal }) }
    } catch {
      return undefined
    }
  }

  async #findAddress(id: NodeId, signal: AbortSignal): Promise<Reached<L> | undefined> {
    const known = this.#port.addressesOf(id)
    const direct = await this.#dial(id, known, signal)
    if (direct !== undefined) return { way: 'address', link: direct }
    const tried = new Set(known.map(textOf))
    const found = signal.aborted ? [] : await this.#port.lookup(id, signal)
    const untried = found.filter((address) => !tried.has(textOf(address)))
    const link = await this.#dial(id, untried, signal)
    return link && { way: 'lookup', link }
  }

  async #dial(id: NodeId, addresses: readonly Address[], signal: AbortSignal): Promise<L | undefined> {
    try {
      return await this.at(id, addresses, signal)
    } catch {
      // There are other ways.
      return this.#port.linkTo(id)
    }
  }
}

function reached<L extends ReachLink>(way: Way, link: L, isLasting: boolean): Reached<L> {
  if (isLasting) link.stay()
  return { way, link }
}

/** The first of two ways that leads somewhere; undefined if neither does. */
function firstOf<R>(one: Promise<R | undefined>, other: Promise<R | undefined>): Promise<R | undefined> {
  return new Promise((resolve, reject) => {
    for (const way of [one, other]) way.then((found) => found !== undefined && resolve(found), reject)
    void Promise.all([one, other]).then(() => resolve(undefined), reject)
  })
}

function textOf({ host, port }: Address): string {
  return formatAddress(host, port)
}

/** Others may wait for the same search, so it goes on; but what was to be sent is not wanted any more. */
function assertWanted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw aborted('the search for a way', signal.reason)
}
