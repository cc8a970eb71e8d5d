import type { Address } from '../../lib/wire/address.ts'
import { FLOOD_LINKS } from '../../lib/limits/tree-limits.ts'
import { FloodRelay } from './flood-relay.ts'
import { type Contender, type Figures, Measurement } from './measure.ts'
import { MeshRelay } from './mesh-relay.ts'
import { SimNet } from './sim-net.ts'
import type { SimNode } from './sim-node.ts'
import { TreeRelay } from './tree-relay.ts'

/** What is simulated. */
export interface LifeOptions {
  readonly nodes: number
  readonly seed: number
  /** Names of the relays that are compared: `ours`, `flood`, `mesh`. */
  readonly relays: readonly string[]
  /** Parts of the nodes that crash at once, one case after the other. */
  readonly crashes: readonly number[]
  /** Messages of our relay in one measurement; the others, which send more copies, have as many as `others`. */
  readonly messages: number
  readonly others: number
  /** Bytes of live objects, after a garbage collection. */
  readonly heap: () => number
  /** Told from time to time what is going on. */
  readonly progress: (phase: string, nodes: number, seconds: number) => void
}

/** What one relay did in one phase. */
export interface Row extends Figures {
  readonly nodes: number
  readonly relay: string
  readonly phase: string
}

/** What nodes hold, and what keeping the network together costs. */
export interface Holdings {
  readonly links: number
  readonly maxLinks: number
  /** Nodes in the view of a node. */
  readonly view: number
  /** Bytes of memory a node. */
  readonly heap: number
  /** Bytes of membership frames that a node sends in a second. */
  readonly membershipBytes: number
  /** For each relay: bytes of memory and entries a node. */
  readonly relays: Record<string, { heap: number; entries: number; maxEntries: number }>
}

/** Nodes that newcomers are told of, and how many of them each is told. */
const POOL = 16
const TOLD = 3
/** While the network grows, in ms; and until its links have settled. */
const GROWTH = 120_000
const SETTLING = 60_000
/** Until the last message of a measurement counts as lost, in ms. */
const TAIL = 10_000
/** Messages that are sent before a relay is measured. */
const WARM_UP = 30
/** Part of the nodes that go, and come anew, in a minute. */
const CHURN = 0.1
/** From a crash until the network counts as repaired, in ms: a machine that is gone is noticed after 45 s. */
const REPAIR = 90_000

/** The life of one network: it grows, sends, loses frames, changes, and loses nodes. */
export class Life {
  readonly rows: Row[] = []
  readonly net: SimNet
  holdings: Holdings | undefined
  readonly #options: LifeOptions
  readonly #contenders: Contender[] = []
  #phase = ''

  constructor(options: LifeOptions) {
    this.#options = options
    this.net = new SimNet(options.seed, Math.ceil(options.nodes * 2))
  }

  /** All of it. */
  async live(): Promise<void> {
    await this.grow()
    await this.attach()
    await this.steady()
    await this.lossy()
    await this.churn()
    for (const part of this.#options.crashes) {
      await this.refill()
      await this.crash(part)
    }
  }

  async grow(): Promise<void> {
    const { nodes, heap } = this.#options
    const before = heap()
    this.#phase = 'growing'
    const first = Math.min(POOL, nodes)
    for (let index = 0; index < first; index++) this.net.add(this.#pool(first))
    await this.#join(nodes - first, GROWTH)
    this.#phase = 'settling'
    await this.pass(SETTLING)
    this.net.traffic.reset()
    await this.pass(SETTLING)
    const { membershipBytes } = this.net.traffic
    const counts = this.net.nodes.map(({ links }) => links.size)
    this.holdings = {
      links: mean(counts),
      maxLinks: counts.reduce((most, count) => Math.max(most, count), 0),
      view: mean(this.net.nodes.map(({ view }) => view.size)),
      heap: (heap() - before) / nodes,
      membershipBytes: (membershipBytes / nodes / SETTLING) * 1_000,
      relays: {},
    }
  }

  /** Gives all nodes the relays, one after the other, so that the memory of each can be told. */
  async attach(): Promise<void> {
    const { relays, heap, messages, others } = this.#options
    for (const name of relays) {
      const relay = this.#contenders.length
      const before = heap()
      this.net.attach((node) => makeRelay(name, node, relay))
      const contender = { name, relay, messages: name === 'ours' ? messages : others }
      this.#contenders.push(contender)
      this.#phase = `warming up ${name}`
      await this.#measure([{ ...contender, messages: name === 'ours' ? WARM_UP : 4 }])
      const entries = this.net.nodes.map((node) => node.relays[relay]!.entries)
      this.holdings!.relays[name] = {
        heap: (heap() - before) / this.#options.nodes,
        entries: mean(entries),
        maxEntries: entries.reduce((most, count) => Math.max(most, count), 0),
      }
    }
  }

  async steady(): Promise<void> {
    this.#phase = 'steady'
    this.#note(await this.#measure(this.#contenders))
  }

  async lossy(): Promise<void> {
    this.#phase = '1 % of frames lost'
    this.net.loss = 0.01
    this.#note(await this.#measure(this.#contenders))
    this.net.loss = 0
  }

  /** Nodes go and come while messages are sent, for a minute. */
  async churn(): Promise<void> {
    const { nodes } = this.#options
    this.#phase = '10 % churn a minute'
    const rounds = 240
    let owed = 0
    const step = (): void => {
      for (owed += (nodes * CHURN) / rounds; owed >= 1; owed--) {
        this.net.crash(this.#anybody())
        this.net.add(this.#pool(this.net.nodes.length))
      }
    }
    // Half of the minute before the first message, so that there are nodes that nobody misses yet.
    for (let round = 0; round < rounds / 2; round++) {
      step()
      await this.pass(250)
    }
    this.#note(await this.#measure(this.#contenders, step))
  }

  /** Nodes crash, all at once. */
  async crash(part: number): Promise<void> {
    const percent = Math.round(part * 100)
    const count = Math.round(this.net.alive.length * part)
    for (let left = count; left > 0; left--) this.net.crash(this.#anybody())
    this.#phase = `${percent} % crashed just now`
    const since = this.net.now
    const during = new Measurement(this.net, this.#contenders)
    await during.send(this.#step)
    await this.pass(Math.max(0, since + REPAIR - this.net.now))
    this.#note(during.end())
    this.#phase = `${percent} % crashed, repaired`
    this.#note(await this.#measure(this.#contenders))
  }

  /** As many nodes as before, and time to settle. */
  async refill(): Promise<void> {
    this.#phase = 'filling up'
    await this.#join(this.#options.nodes - this.net.alive.length, SETTLING / 2)
    await this.pass(SETTLING / 2)
    await this.#measure(this.#contenders.map((one) => ({ ...one, messages: one.name === 'ours' ? 10 : 0 })))
  }

  async pass(ms: number): Promise<void> {
    await this.net.pass(ms, this.#step)
  }

  async #measure(contenders: readonly Contender[], between?: () => void): Promise<Record<string, Figures>> {
    const measurement = new Measurement(this.net, contenders)
    await measurement.send(this.#step, between)
    await this.pass(TAIL)
    return measurement.end()
  }

  #note(figures: Record<string, Figures>): void {
    for (const [relay, one] of Object.entries(figures))
      this.rows.push({ nodes: this.#options.nodes, relay, phase: this.#phase, ...one })
  }

  /** Nodes that come one by one. */
  async #join(count: number, ms: number): Promise<void> {
    const steps = ms / 50
    for (let step = 0, joined = 0; step < steps; step++) {
      for (; joined < (count * (step + 1)) / steps; joined++) this.net.add(this.#pool(this.net.nodes.length))
      await this.pass(50)
    }
  }

  /** Bootstrap addresses for a newcomer: some of the oldest nodes that are there. */
  #pool(known: number): Address[] {
    const { nodes, chance } = this.net
    if (nodes.length < POOL) return Array.from({ length: TOLD }, () => addressOf(chance.below(known)))
    const pool: SimNode[] = []
    for (const node of nodes) if (node.isAlive && pool.push(node) === POOL) break
    return Array.from({ length: TOLD }, () => pool[chance.below(pool.length)]!.address)
  }

  #anybody(): SimNode {
    const { nodes, chance } = this.net
    for (;;) {
      const node = nodes[chance.below(nodes.length)]!
      if (node.isAlive) return node
    }
  }

  readonly #step = (): void => {
    this.#options.progress(this.#phase, this.net.nodes.length, this.net.now / 1_000)
  }
}

function makeRelay(name: string, node: SimNode, relay: number): TreeRelay | FloodRelay | MeshRelay {
  if (name === 'ours') return new TreeRelay(node, relay, FLOOD_LINKS)
  return name === 'flood' ? new FloodRelay(node, relay) : new MeshRelay(node, relay)
}

function addressOf(index: number): Address {
  return { host: `h${index}`, port: 7_000 }
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / Math.max(1, numbers.length)
}
