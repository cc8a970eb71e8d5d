import type { Clock } from '../ground/clock.ts'
import { invalidArgument } from '../errors.ts'
import type { NodeConnection } from '../node-connection.ts'
import { SecureNode } from '../secure-node.ts'
import { MemoryNetwork } from '../transport/memory.ts'
import { formatAddress } from '../wire/address.ts'
import { CountingEngine } from './counting-engine.ts'
import { Distances } from './distances.ts'
import { EventLog, formatTime } from './event-log.ts'
import { type NodeClass, Place, type SimulatedNode, type SimulatedNodeOptions } from './place.ts'
import { publicHost } from './public-hosts.ts'
import { Traffic } from './traffic.ts'
import { VirtualTime } from './virtual-time.ts'
import {
  checkVirtualOptions,
  type CrashOptions,
  type PatienceOptions,
  type VirtualNetworkOptions,
  type VirtualNetworkStats,
} from './virtual-options.ts'

/** How long `until`, `run` and `settle` wait where nothing else is said, in ms. */
const PATIENCE = 60_000
/** Events that the text of a failure shows. */
const SHOWN_EVENTS = 12

/**
 * A network of real nodes in one process: without sockets, in a time of its own that passes only while somebody waits
 * for it, and with chance that begins at a seed, so that every run can be repeated.
 *
 * ```ts
 * const network = new VirtualNetwork({ seed: 7 })
 * const [alice, bob] = await network.addNodes(2)
 * await network.connect(alice, bob)
 * await alice.sendToNodes('hello')
 * await network.settle()
 * await network.stop()
 * ```
 */
export class VirtualNetwork<N extends SimulatedNode = SecureNode> {
  /** The seed: what a failing test should print. */
  readonly seed: number
  readonly #options: VirtualNetworkOptions<N>
  readonly #time: VirtualTime
  readonly #start: number
  readonly #loss: number
  readonly #engine: CountingEngine
  readonly #distances: Distances
  readonly #memory: MemoryNetwork
  readonly #traffic = new Traffic()
  readonly #log: EventLog
  readonly #places: Place<N>[] = []
  readonly #placeOf = new WeakMap<object, Place<N>>()
  readonly #placeById = new Map<string, Place<N>>()

  /** @throws SecureNodeError `invalid-option`, `unknown-option` */
  constructor(options: VirtualNetworkOptions<N> = {}) {
    const settings = checkVirtualOptions(options)
    const { seed, loss, signatures, start, keepEvents, latency, jitter } = settings
    this.seed = seed
    this.#options = options
    this.#time = new VirtualTime(start)
    this.#start = start
    this.#loss = loss
    this.#engine = new CountingEngine(signatures)
    this.#distances = new Distances(seed, latency, jitter)
    this.#memory = new MemoryNetwork({
      seed,
      loss,
      clock: this.#time.clock,
      soon: (task) => this.#time.soon(task),
      route: (from, to) => this.#distances.route(from, to),
      onSend: (bytes) => this.#traffic.onSend(bytes),
    })
    this.#log = new EventLog(this.clock, keepEvents, (id) => this.#placeById.get(id)?.number)
  }

  /** The time of the network. It is moved by `advance`, `until`, `run` and `settle` alone. */
  get clock(): Clock {
    return this.#time.clock
  }

  /** Time since the network was made, in ms. */
  get elapsed(): number {
    return this.clock.now() - this.#start
  }

  /** What signs and verifies; it counts, and signs for nodes that a test makes itself. */
  get engine(): CountingEngine {
    return this.#engine
  }

  /** The nodes, without those that have crashed, in the order in which their places were made. */
  get nodes(): N[] {
    return this.#places.filter(({ isCrashed }) => !isCrashed).map(({ node }) => node)
  }

  get stats(): VirtualNetworkStats {
    const { bytesSent: bytes, chunksSent: chunks } = this.#memory
    const { signed, verified } = this.#engine
    return { bytes, chunks, frames: this.#traffic.frames, signed, verified }
  }

  /** What happened at the nodes, a line for each event; the last ones only, as the option `keepEvents` says. */
  events(): string[] {
    return this.#log.lines()
  }

  /** Makes a node, which nobody has started yet. */
  createNode<M extends N = N>(options: SimulatedNodeOptions = {}, nodeClass?: NodeClass<M>): M {
    const number = this.#places.length
    const merged = { ...this.#options.node, ...options }
    const host = merged.host ?? publicHost(number)
    const Class = nodeClass ?? this.#options.nodeClass ?? (SecureNode as unknown as NodeClass<N>)
    const place = new Place<N>(number, host, merged, Class, {
      seed: this.seed,
      clock: this.clock,
      engine: this.#engine,
      transport: (at, isHidden) => this.#memory.transport(at, isHidden),
    })
    this.#places.push(place)
    this.#register(place)
    return place.node as M
  }

  /** Makes a node and starts it. */
  async addNode<M extends N = N>(options?: SimulatedNodeOptions, nodeClass?: NodeClass<M>): Promise<M> {
    const node = this.createNode(options, nodeClass)
    await node.start()
    return node
  }

  /** Makes nodes and starts them, all at the same time. Options are for all of them, or made for each. */
  async addNodes<M extends N = N>(
    count: number,
    options: SimulatedNodeOptions | ((index: number) => SimulatedNodeOptions) = {},
    nodeClass?: NodeClass<M>,
  ): Promise<M[]> {
    const optionsOf = typeof options === 'function' ? options : (): SimulatedNodeOptions => options
    const nodes = Array.from({ length: count }, (_, at) => this.createNode(optionsOf(at), nodeClass))
    for (const node of nodes) await node.start()
    return nodes
  }

  #register(place: Place<N>): void {
    this.#placeOf.set(place.node, place)
    this.#placeById.set(place.node.id, place)
    this.#log.listen(place.node, place.number)
  }

  /** Where others reach a node, or the one whose place has this number: `host:port`, for `join` and `bootstrap`. */
  address(node: SimulatedNode | number): string {
    const { host, port } = this.#place(node)
    return formatAddress(host, port)
  }

  /** The number of a node's place: 0 for the first one. It stays the same when the node is restarted. */
  numberOf(node: SimulatedNode): number {
    return this.#place(node).number
  }

  /** Connects two nodes; time passes until both ends are up. */
  async connect(from: SimulatedNode, to: SimulatedNode): Promise<NodeConnection> {
    const { host, port } = this.#place(to)
    return this.run(this.#place(from).node.connectWithNode(host, port))
  }

  /**
   * Ends a node without a goodbye. What is left of it is of no use, and no longer in {@link nodes}.
   *
   * By default its process is killed: the platform ends its connections, and refuses new ones. With `power`, its
   * machine is off: nobody is told, and dials to it wait.
   */
  crash(node: SimulatedNode | number, { power = false }: CrashOptions = {}): void {
    const place = this.#place(node)
    if (!place.isCrashed) place.crash(power ? 'power' : 'process')
  }

  /** Starts a new node with the identity, address and options of another, which is crashed first if it still runs. */
  async restart(node: SimulatedNode | number): Promise<N> {
    const place = this.#place(node)
    this.crash(place.number)
    const next = place.renew()
    this.#register(place)
    await next.start()
    return next
  }

  /**
   * Only nodes of the same group reach each other from now on; those in none make up one more group, those that come
   * later included. Nobody is told: connections between groups go silent. It takes the place of the partition before.
   */
  partition(...groups: readonly Iterable<SimulatedNode>[]): void {
    this.#memory.partition(groups.map((group) => Array.from(group, (node) => this.#place(node).host)))
  }

  /** Undoes `partition` and every `cutLink`. Packets that waited arrive, where both ends have been patient. */
  heal(): void {
    this.#memory.healAll()
  }

  /** Packets between the machines of two nodes vanish from now on, and nobody is told. */
  cutLink(nodeA: SimulatedNode, nodeB: SimulatedNode): void {
    this.#memory.cut(this.#place(nodeA).host, this.#place(nodeB).host)
  }

  /** Undoes {@link cutLink}. */
  healLink(nodeA: SimulatedNode, nodeB: SimulatedNode): void {
    this.#memory.heal(this.#place(nodeA).host, this.#place(nodeB).host)
  }

  /** That share of all connections, from 0 to 1, breaks at both ends. Returns how many did. */
  dropLinks(share: number): number {
    if (!(share >= 0 && share <= 1)) throw invalidArgument('share', 'a number from 0 to 1', share)
    return this.#memory.resetShare(share)
  }

  /** Packets from and to the machine of a node take so many times as long, and so many ms more. `1` undoes it. */
  slow(node: SimulatedNode, factor: number, extra = 0): void {
    if (!(factor >= 1 && extra >= 0)) throw invalidArgument('factor', 'at least 1', factor)
    this.#distances.slow(this.#place(node).host, factor, extra)
  }

  /** How often somebody has dialled an address `host:port`, whether anybody was there or not. */
  dialsTo(address: string): number {
    return this.#memory.dialsTo(address)
  }

  /** Lets time pass, in ms. */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Infinity)) throw invalidArgument('ms', 'milliseconds', ms)
    await this.#time.wait(() => false, this.clock.now() + ms)
  }

  /**
   * Lets time pass until a condition holds; it is asked whenever anything has happened.
   *
   * @param options `timeout` in ms. @default 60_000
   * @throws Error with a text that shows the state of the network, when it does not hold in time
   */
  async until(condition: () => boolean, { timeout = PATIENCE }: PatienceOptions = {}): Promise<void> {
    if (await this.#time.wait(condition, this.clock.now() + timeout)) return
    throw this.#failure(`not so after ${timeout} ms: ${brief(condition)}`)
  }

  /**
   * Lets time pass until a promise settles, and returns what it resolves with.
   *
   * @param options `timeout` in ms. @default 60_000
   * @throws Error when it does not settle in time; what the promise rejects with
   */
  async run<T>(promise: Promise<T>, { timeout = PATIENCE }: PatienceOptions = {}): Promise<T> {
    let isSettled = false
    const settle = (): void => void (isSettled = true)
    promise.then(settle, settle)
    if (await this.#time.wait(() => isSettled, this.clock.now() + timeout)) return promise
    throw this.#failure(`a promise did not settle within ${timeout} ms`)
  }

  /**
   * Lets time pass until the network is quiet: no message, no discovery and no handshake was sent for longer than a
   * packet could have been on its way there and back. Pings and the exchange of peer records never end, and do not
   * count; nor does what nodes are about to do later.
   *
   * @param options `timeout` in ms. @default 60_000
   * @throws Error when it is not quiet in time
   */
  async settle({ timeout = PATIENCE }: PatienceOptions = {}): Promise<void> {
    const deadline = this.clock.now() + timeout
    for (;;) {
      const { work } = this.#traffic
      const quietAt = this.clock.now() + this.#distances.longestSilence(this.#loss)
      const isBusy = await this.#time.wait(() => this.#traffic.work !== work, Math.min(quietAt, deadline))
      if (!isBusy && this.clock.now() >= quietAt) return
      if (this.clock.now() >= deadline) throw this.#failure(`not quiet after ${timeout} ms`)
    }
  }

  /** Stops all nodes. Nothing is left that would keep the process alive. */
  async stop(): Promise<void> {
    this.heal()
    await this.run(Promise.all(this.nodes.map((node) => node.stop())))
  }

  /** `await using network = …` stops it at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** The state of the network in a few lines: for failures. */
  toString(): string {
    const nodes = this.nodes
    const links = nodes.reduce((sum, { allNodes }) => sum + allNodes.size, 0)
    const alone = nodes.filter(({ allNodes }) => allNodes.size === 0).length
    const crashed = this.#places.length - nodes.length
    const head = `virtual network of seed ${this.seed} at ${formatTime(this.elapsed)}`
    const state = `${nodes.length} nodes, ${crashed} crashed, ${links / 2} connections, ${alone} nodes without any`
    return [`${head}: ${state}`, ...this.#log.lines(SHOWN_EVENTS)].join('\n  ')
  }

  #failure(what: string): Error {
    return new Error(`${what}\n${this.toString()}`)
  }

  #place(node: SimulatedNode | number): Place<N> {
    const place = typeof node === 'number' ? this.#places[node] : this.#placeOf.get(node)
    if (place === undefined) throw invalidArgument('node', 'a node of this network, or its number', node)
    return place
  }
}

/** The source of a condition, as far as it helps to recognise it. */
function brief(condition: () => boolean): string {
  const text = String(condition).replace(/\s+/g, ' ')
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
