import {
  connectFailed,
  connectTimeout,
  refusedByPeer,
  selfConnection,
  tooManyConnections,
} from '../../lib/errors.ts'
import { MAX_CONNECTIONS, PING_TIMEOUT } from '../../lib/limits/limits.ts'
import { Random } from '../../lib/testing/random.ts'
import type { Address } from '../../lib/wire/address.ts'
import type { CloseReason } from '../../lib/wire/close-code.ts'
import { EventWheel, type Happening } from './event-wheel.ts'
import { MessageLog } from './message-log.ts'
import type { Relaying, SimFrame } from './relaying.ts'
import { SimLink } from './sim-link.ts'
import { SimNode } from './sim-node.ts'
import { Traffic } from './traffic.ts'

/** Makes a node's part of a relay. */
export type RelayMaker = (node: SimNode) => Relaying

/** Shortest and longest way of a frame, in ms: nodes are spread evenly over a square. */
const NEAR = 5
const FAR = 150
/** Each frame takes up to so much longer, as a part of its way. */
const JITTER = 0.2
/** Ways of a handshake until the link is up at both ends: TCP, TLS 1.3, hello and welcome. */
const HANDSHAKE_WAYS = 6
/** How long a dial waits for a machine that is gone, in ms. */
const DIAL_TIMEOUT = 10_000
/** A machine that is gone is noticed so much sooner than {@link PING_TIMEOUT}, in ms, at most: pings come in turns. */
const PING_SPREAD = 20_000
/** Parts of a second in which the beats of nodes are spread. */
const BEATS = 20

const ERRORS = {
  self: selfConnection('itself'),
  full: tooManyConnections(MAX_CONNECTIONS),
  refused: refusedByPeer('a node', 'too-many-connections', ''),
  closed: connectFailed('a node', new Error('nobody listens')),
  silent: connectTimeout('a node', DIAL_TIMEOUT),
} as const

/** The network between nodes, in virtual time: how long frames take, who can be reached, what gets lost. */
export class SimNet {
  readonly wheel = new EventWheel()
  readonly chance: Random
  readonly random: () => number
  readonly nodes: SimNode[] = []
  /** What every node relays by. */
  readonly makers: RelayMaker[] = []
  readonly traffic: Traffic
  readonly messages: MessageLog
  /** Part of the frames of relays that is lost. TCP loses none: this is what is taken out on purpose. */
  loss = 0
  /** Dials that have come out at this instant: promises have to run before time goes on. */
  #settled = 0

  /** @param capacity Nodes that there will ever be. */
  constructor(seed: number, capacity: number) {
    this.chance = new Random(seed)
    this.traffic = new Traffic(capacity)
    this.messages = new MessageLog(capacity)
    this.random = () => this.chance.next()
  }

  get now(): number {
    return this.wheel.now()
  }

  get alive(): SimNode[] {
    return this.nodes.filter(({ isAlive }) => isAlive)
  }

  /** One more node, which knows some bootstrap addresses. */
  add(bootstrap: readonly Address[]): SimNode {
    const node = new SimNode(this, this.nodes.length, bootstrap)
    this.nodes.push(node)
    return node
  }

  /** All nodes, those to come as well, relay by one more rule. */
  attach(make: RelayMaker): void {
    this.makers.push(make)
    this.traffic.addRelay()
    for (const node of this.nodes) if (node.isAlive) node.attach(make(node))
  }

  /** Lets time pass, in ms. `onStep` is called from time to time, in real time. */
  async pass(ms: number, onStep?: () => void): Promise<void> {
    const end = this.wheel.now() + ms
    let beat = performance.now()
    while (this.wheel.now() < end) {
      const now = this.wheel.step()
      if (now % (1_000 / BEATS) === 0) this.#beat(now / (1_000 / BEATS))
      if (this.#settled > 0) {
        this.#settled = 0
        await promises()
      }
      if ((now & 15) === 0 && performance.now() - beat > 200) {
        beat = performance.now()
        onStep?.()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
  }

  #beat(turn: number): void {
    for (let at = turn % BEATS; at < this.nodes.length; at += BEATS) {
      const node = this.nodes[at]!
      if (node.isAlive) for (const relay of node.relays) relay.beat?.()
    }
  }

  // Links

  freePlaces(node: SimNode): number {
    return MAX_CONNECTIONS - node.links.size
  }

  dial(from: SimNode, { host }: Address): Promise<SimLink> {
    const to = this.nodes[Number(host.slice(1))]!
    if (to === from) return Promise.reject(ERRORS.self)
    const way = this.#way(from, to)
    return new Promise((resolve, reject) => {
      const wait = to.isAlive ? HANDSHAKE_WAYS * way : to.isSilent ? DIAL_TIMEOUT : 2 * way
      this.wheel.setTimer(() => {
        this.#settled++
        const link = this.#connect(from, to)
        if (link instanceof SimLink) resolve(link)
        else reject(link)
      }, wait)
    })
  }

  #connect(from: SimNode, to: SimNode): SimLink | Error {
    if (!to.isAlive || !from.isAlive) return to.isSilent ? ERRORS.silent : ERRORS.closed
    for (const link of from.links) if (link.peer === to) return link
    if (this.freePlaces(from) <= 0) return ERRORS.full
    if (this.freePlaces(to) <= 0) return ERRORS.refused
    const link = new SimLink(from, to, 'outbound', this.now)
    link.back = new SimLink(to, from, 'inbound', this.now)
    link.back.back = link
    // One of them may hear of the end of the link before, whose other end has gone already.
    to.onUp(link.back)
    from.onUp(link)
    return link
  }

  /** Ends a link; the peer hears of it behind all that was sent to it before. */
  close(link: SimLink, reason: CloseReason): void {
    if (!link.isUp) return
    link.owner.onDown(link, reason)
    const { code, text } = reason
    this.#arrive(link, new Ending(link.back, { code, text, by: 'peer' }), undefined)
  }

  /** A node is gone without a word: its process alone, or its machine, which takes a while to notice. */
  crash(node: SimNode): void {
    node.isAlive = false
    node.isSilent = this.random() < 0.5
    node.neighbourhood.deactivate()
    const reason: CloseReason = { code: node.isSilent ? 'timeout' : 'lost', text: '', by: 'network' }
    for (const link of node.links) {
      link.isUp = false
      const ending = new Ending(link.back, reason)
      if (!node.isSilent) this.#arrive(link, ending, undefined)
      else this.wheel.plan(PING_TIMEOUT - this.random() * PING_SPREAD, ending, undefined)
    }
    node.links.clear()
    node.relays.length = 0
  }

  // Frames

  /** A frame of the membership with so many records. */
  tell(link: SimLink, records: number, action: (end: SimLink) => void): void {
    this.traffic.onMembership(records)
    this.#arrive(link, new Telling(link.back, action), undefined)
  }

  /** Both ends of a new link tell who they are. */
  onIntroduction(): void {
    this.traffic.onMembership(1)
  }

  /** A frame of a relay to one link. */
  send(link: SimLink, frame: SimFrame): void {
    this.traffic.onSent(link.owner, frame)
    if (this.loss > 0 && this.random() < this.loss) return
    this.#arrive(link, link.back, frame)
  }

  onArrival(node: SimNode, frame: SimFrame): void {
    this.traffic.onArrival(node, frame)
  }

  #arrive(link: SimLink, what: Happening, data: unknown): void {
    const way = this.#way(link.owner, link.peer)
    // In order: TCP lets no frame overtake another.
    link.arrival = Math.max(link.arrival, Math.ceil(this.now + way * (1 + JITTER * this.random())))
    this.wheel.plan(link.arrival - this.now, what, data)
  }

  #way(from: SimNode, to: SimNode): number {
    return NEAR + (FAR - NEAR) * Math.sqrt(((from.x - to.x) ** 2 + (from.y - to.y) ** 2) / 2)
  }
}

/** The end of a link arrives. */
class Ending implements Happening {
  readonly #link: SimLink
  readonly #reason: CloseReason

  constructor(link: SimLink, reason: CloseReason) {
    this.#link = link
    this.#reason = reason
  }

  happen(): void {
    const { owner, isUp } = this.#link
    if (isUp && owner.isAlive) owner.onDown(this.#link, this.#reason)
  }
}

/** A frame of the membership arrives. */
class Telling implements Happening {
  readonly #link: SimLink
  readonly #action: (link: SimLink) => void

  constructor(link: SimLink, action: (link: SimLink) => void) {
    this.#link = link
    this.#action = action
  }

  happen(): void {
    const { owner, isUp } = this.#link
    if (isUp && owner.isAlive) this.#action(this.#link)
  }
}

/** Resolves when no promise has anything left to do: Node runs its ticks after all of them. */
function promises(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve))
}
