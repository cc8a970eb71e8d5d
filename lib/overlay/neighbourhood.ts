import type { Timer } from '../ground/clock.ts'
import { aborted, connectionClosed, type SecureNodeError } from '../errors.ts'
import {
  BRIEF_LINK,
  ENOUGH_FACTOR,
  ENOUGH_INTERVAL,
  EXPLORE_INTERVAL,
  FAIR_ROTATION,
  MAX_DIALS,
  TEND_INTERVAL,
  TEND_SOON,
} from '../limits/network-limits.ts'
import { type Address, formatAddress } from '../wire/address.ts'
import { type Candidate, Candidates } from './candidates.ts'
import { MadeLinks } from './made-links.ts'
import type { DialTerms, NeighbourhoodPort } from './neighbourhood-port.ts'
import type { OverlayLink } from './overlay-link.ts'

/** How many links are looked for. */
export interface NeighbourhoodOptions {
  /** Links in all. */
  readonly target: number
  /** Outbound links to public addresses of one group. */
  readonly maxPerGroup: number
}

/**
 * Keeps enough links: dials nodes while there are too few, half of them at least of its own choice, so that
 * strangers who connect cannot be all that a node has; lets go of links that peers have no need of; and makes a new
 * link now and then out of curiosity. It acts in its own time, with jitter: a thousand nodes that lose the same
 * peer do not all move at once.
 */
export class Neighbourhood<L extends OverlayLink> {
  readonly #port: NeighbourhoodPort<L>
  readonly #options: NeighbourhoodOptions
  readonly #candidates: Candidates
  readonly #made = new MadeLinks<L>()
  #settled: (() => void)[] = []
  #timer: Timer | undefined
  #due = Infinity
  #exploreAt = Infinity
  #enoughAt = -Infinity
  #isActive = false

  constructor(port: NeighbourhoodPort<L>, options: NeighbourhoodOptions) {
    this.#port = port
    this.#options = options
    this.#candidates = new Candidates(
      {
        ...port,
        isLinked: (id) => this.#isLinked(id),
        outboundHosts: () => this.#outbound().map(({ remoteHost }) => remoteHost),
      },
      options.maxPerGroup,
    )
  }

  /** Outbound links that are still to be made: places for them must be free. */
  get missingOutbound(): number {
    return this.#isActive ? Math.max(0, this.#half - this.#outbound().length) : 0
  }

  /** Begins to look for links. */
  activate(): void {
    if (this.#isActive) return
    this.#isActive = true
    this.#planExploration()
    for (const link of this.#port.links()) this.#port.ask(link)
    this.wake(0)
  }

  /** Ends it: no dial and no closing until {@link activate}. Links stay as they are. */
  deactivate(): void {
    this.#isActive = false
    this.#timer?.cancel()
    this.#due = Infinity
    this.#tellSettled()
  }

  /** A node of the local network. */
  found(id: string, address: Address): void {
    this.#candidates.found(id, address)
    this.wake(this.#jitter(TEND_SOON))
  }

  onUp(link: L): void {
    if (this.#isActive) this.#port.ask(link)
    this.wake(this.#jitter(TEND_SOON))
  }

  onDown(link: L): void {
    const isMade = this.#made.delete(link)
    const { code, by } = link.closeReason ?? {}
    const isBrief = this.#port.clock.now() - link.connectedAt < BRIEF_LINK
    if (code === 'enough') this.#candidates.rest(link.id)
    // Dialled again at once, a peer that ends every link as soon as it is up would keep this node busy.
    else if (isMade && isBrief && by !== 'us' && code !== 'duplicate') this.#candidates.pause(link)
    this.wake(this.#jitter(TEND_SOON))
  }

  /** The application has asked for this link: it is not to be let go. */
  claim(link: L): void {
    this.#made.claim(link)
  }

  /**
   * The peer of a link has enough others. If it was made here, it goes as soon as there are enough without it; if the
   * peer has made it, it goes now or not at all. Nothing happens to links that the application has asked for.
   */
  onEnough(link: L): void {
    if (this.#made.has(link)) {
      this.#made.setSpare(link)
      this.wake(this.#jitter(TEND_SOON))
    } else if (
      link.direction === 'inbound' &&
      !this.#made.isClaimed(link) &&
      this.#kept > this.#options.target
    ) {
      this.#port.retire(link, 'enough')
    }
  }

  /**
   * Dials an address; the link is one that may be let go again. Rejects as `connectWithNode` does, and with `aborted`
   * when the node looks for links no more.
   */
  async connect(candidate: Candidate, terms: DialTerms = {}): Promise<L> {
    const { id, address } = candidate
    if (!this.#isActive) throw aborted(`connecting to ${formatAddress(address.host, address.port)}`)
    const before = new Set(this.#port.links())
    this.#candidates.begin(candidate)
    try {
      const link = await this.#port.dial(address, { ...terms, expect: id })
      if (!link.isUp) throw connectionClosed(link.closeReason?.code ?? 'it ended at once')
      this.#candidates.succeeded(address, link.id)
      // A dial may come out at a link that was there before, and that somebody else has asked for.
      if (!before.has(link) && link.direction === 'outbound') this.adopt(link)
      return link
    } catch (error) {
      this.#candidates.failed(candidate, error as Partial<SecureNodeError>)
      throw error
    } finally {
      this.#candidates.end(candidate)
      this.wake(this.#jitter(TEND_SOON) / 4)
    }
  }

  /** A link that was made for want of links: it may be let go again. */
  adopt(link: L): void {
    if (this.#isActive) this.#made.add(link)
    // It has left, or stops, and nobody would end this one.
    else if (!this.#made.isClaimed(link)) this.#port.retire(link, 'goodbye')
  }

  /** Looks after the links within `ms`. */
  wake(ms: number): void {
    if (!this.#port.isAwake()) return
    const due = this.#port.clock.now() + ms
    if (due >= this.#due) return
    this.#timer?.cancel()
    this.#due = due
    this.#timer = this.#port.clock.setTimer(() => this.#tend(), ms)
  }

  /** Resolves when there are enough links, or nobody else is known who could be dialled. */
  async settled(): Promise<void> {
    if (!this.#isActive) return
    await new Promise<void>((resolve) => {
      this.#settled.push(resolve)
      this.wake(0)
    })
  }

  #tend(): void {
    this.#due = Infinity
    const now = this.#port.clock.now()
    this.#relieve(now)
    if (this.#isActive) {
      this.#fill()
      this.#letGo()
      if (now >= this.#exploreAt && this.#candidates.dialling < MAX_DIALS) this.#explore()
    }
    const isBusy = this.#missing() > 0 && (this.#candidates.isDialling || this.#port.isAsking())
    if (!isBusy) this.#tellSettled()
    // A node that nobody has asked to look for links wakes for events alone, while it has not too many of them.
    if (!this.#isActive && this.#excess() <= 0) return
    // Who is alone has nobody who could tell of others, and tries again sooner.
    const isAlone = this.#isActive && this.#port.links().size === 0
    this.wake(this.#jitter(isBusy || isAlone ? TEND_SOON : TEND_INTERVAL))
  }

  /** Dials as many as are missing. */
  #fill(): void {
    const missing = Math.min(this.#missing(), this.#port.freePlaces(), MAX_DIALS)
    while (this.#candidates.dialling < missing) {
      const candidate = this.#candidates.next()
      if (candidate === undefined) {
        for (const link of this.#port.links()) this.#port.ask(link)
        return
      }
      // What fails is remembered, and told by an event.
      this.connect(candidate).catch(() => {})
    }
  }

  /** Links that are looked for: below 0 when there are more than enough. */
  #missing(): number {
    return Math.max(this.#options.target - this.#kept, this.#half - this.#outbound().length)
  }

  /** Links that both ends want. */
  get #kept(): number {
    return this.#port.links().size - this.#made.spare.size
  }

  /** Links above what a node puts up with in silence. */
  #excess(): number {
    return this.#port.links().size - ENOUGH_FACTOR * this.#options.target
  }

  get #half(): number {
    return Math.ceil(this.#options.target / 2)
  }

  /** Outbound links that are to stay. */
  #outbound(): readonly L[] {
    const { spare } = this.#made
    return [...this.#port.links()].filter((link) => link.direction === 'outbound' && !spare.has(link))
  }

  #isLinked(id: string): boolean {
    for (const link of this.#port.links()) if (link.id === id) return true
    return false
  }

  /** Ends links whose peers have enough others, as soon as this node has enough without them. */
  #letGo(): void {
    for (const link of this.#made.spare) {
      if (this.#missing() > 0) return
      this.#port.retire(link, 'enough')
    }
  }

  /** Tells inbound peers, chosen by lot, that there are more links than this node needs. */
  #relieve(now: number): void {
    const excess = this.#excess()
    if (excess <= 0 || now < this.#enoughAt) return
    this.#enoughAt = now + ENOUGH_INTERVAL
    // By lot, so that nobody can arrange to be the one who stays.
    const inbound = [...this.#port.links()].filter(({ direction }) => direction === 'inbound')
    for (let count = 0; count < excess && inbound.length > 0; count++) {
      const at = Math.floor(this.#port.random() * inbound.length)
      this.#port.sayEnough(inbound[at]!)
      inbound[at] = inbound.at(-1)!
      inbound.pop()
    }
  }

  /**
   * One more link, to somebody at random; if there are enough, the oldest one may go for it. Without this, the halves
   * of a network that was divided would have no reason to look for each other.
   */
  #explore(): void {
    this.#planExploration()
    const links = [...this.#port.links()]
    const asked = links[Math.floor(this.#port.random() * links.length)]
    if (asked !== undefined) this.#port.ask(asked)
    // Seldom at a bootstrap address, for all nodes share it: it may lead to a part of the network that nobody here knows.
    const isBootstrapTurn = this.#port.random() < 1 / 32
    const candidate =
      (isBootstrapTurn ? this.#candidates.bootstrap() : undefined) ?? this.#candidates.stranger()
    if (candidate === undefined) return
    this.connect(candidate).then(
      (link) => this.#rotate(link),
      () => {},
    )
  }

  #planExploration(): void {
    this.#exploreAt = this.#port.clock.now() + this.#jitter((EXPLORE_INTERVAL * 4) / 3)
  }

  #rotate(newest: L): void {
    // Below 0, there are more links than needed without one of them, and more than half of them outbound.
    if (this.#missing() >= 0 || !this.#made.has(newest)) return
    // The peer decides, for it may have no other link. But some never go, and then the links must not become more
    // and more.
    // The branches of the tree are the oldest links: were they to go first, the tree would be cut all the time. Now and
    // then they do, by lot: nobody stays our neighbour for ever because he is quick.
    const isFair = this.#port.random() < 1 / FAIR_ROTATION
    const isNeeded = (link: L): boolean => !isFair && this.#port.isNeeded(link)
    const oldest = this.#made.oldest(newest, isNeeded)
    const untold = this.#made.takeUntold(newest, isNeeded)
    if (oldest !== undefined && this.#excess() > 0) this.#port.retire(oldest, 'enough')
    else if (untold !== undefined) this.#port.sayEnough(untold)
  }

  #tellSettled(): void {
    const waiting = this.#settled
    this.#settled = []
    for (const resolve of waiting) resolve()
  }

  /** Between a half and the whole. */
  #jitter(ms: number): number {
    return ms * (0.5 + this.#port.random() / 2)
  }
}
