import type { ConnectOptions } from './connections/connector-port.ts'
import { ENCOUNTER_TIMEOUT } from './limits/dht-limits.ts'
import { MAX_ADDRESSEES } from './limits/limits.ts'
import { checkNames } from './ground/names.ts'
import type { NodeConnection } from './node-connection.ts'
import { Finder, type FinderPort, type LookupOptions, type LookupResult } from './lookup/finder.ts'
import { checkConnectOptions, checkedAddress, checkNodeId } from './options/options.ts'
import { overlayOptions } from './options/overlay-options.ts'
import { Reach, type Reached, type ReachOptions, type ReachPort } from './reach.ts'
import { UdpDatagrams } from './lan/datagrams.ts'
import type { Joined, JoinOptions } from './overlay/joining.ts'
import type { DiscoverOptions, NetworkSearch } from './discovery/network-search.ts'
import { Encounters } from './overlay/encounters.ts'
import { Overlay } from './overlay/overlay.ts'
import type { OverlayPort } from './overlay/overlay-port.ts'
import type { ReadonlyPeerBook } from './book/known-peer.ts'
import type { SecureNodeEvents } from './secure-events.ts'
import type { OfType, SecureSendOptions, SentMessage } from './sending.ts'
import { SignedNode } from './signed-node.ts'
import type { IdTransport } from './transport/transport.ts'
import type { NoTypes, PayloadOf, TypeMap, TypeName } from './typing/type-map.ts'
import type { Address } from './wire/address.ts'
import type { CloseReason } from './wire/close-code.ts'
import { encodeFrame, type Frame } from './wire/frame.ts'
import type { NodeId } from './wire/ids.ts'

/** Options of `sendToPeerBook`. */
export interface PeerBookSendOptions extends Pick<SecureSendOptions, 'type' | 're' | 'exp'> {
  /** IDs of nodes that are not addressed. */
  readonly exclude?: Iterable<string> | undefined
}

/**
 * A signing node that forms a network with others: it finds them, tells them where it is, keeps enough links, and
 * finds a way to each of them by its ID.
 */
export abstract class OverlayNode<T extends TypeMap = NoTypes> extends SignedNode<T> {
  readonly #overlay: Overlay<NodeConnection>
  readonly #finder: Finder<NodeConnection>
  readonly #reach: Reach<NodeConnection>
  readonly #encounters: Encounters<NodeConnection>
  readonly #transports: readonly IdTransport[]

  constructor(...args: ConstructorParameters<typeof SignedNode<T>>) {
    super(...args)
    const { identity } = this
    const { net, random, transports } = this.settings
    this.#transports = transports.map((make) => make({ identity, net, random }))
    this.#reach = new Reach(this.#reachPort())
    this.#finder = new Finder(this.#finderPort())
    this.#overlay = new Overlay(this.#overlayPort(), overlayOptions(this.settings))
    this.#encounters = new Encounters({
      ...this.settings,
      missing: () => (this.#isLooking ? this.settings.targetConnections - this.peers.size : 0),
      isLinked: (id) => this.linkTo(id)?.isTemporary === false,
      dial: (id) => this.connectById(id, { timeout: ENCOUNTER_TIMEOUT }),
      adopt: (link) => this.#overlay.claim(link, false),
    })
  }

  get #isLooking(): boolean {
    return this.isRunning && !this.#overlay.hasLeft
  }

  protected override transports(): readonly IdTransport[] {
    return this.#transports
  }

  protected override found(id: NodeId): void {
    this.#encounters.found(id)
  }

  #reachPort(): ReachPort<NodeConnection> {
    return {
      clock: this.settings.clock,
      linkTo: (id) => this.linkTo(id),
      addressesOf: (id) => this.peerBook.get(id)?.addresses ?? [],
      // At the addresses of the book nobody has answered: a newer record is needed.
      lookup: async (id, signal) =>
        (await this.#finder.lookup(id, { signal, newerThan: this.peerBook.get(id)?.time })).addresses,
      dial: (address, terms) => this.#overlay.visits.dial(address, terms),
      hasPeers: () => this.peers.size > 0,
      dialById:
        this.#transports.length === 0
          ? undefined
          : (id, terms) => this.connectById(id, { ...terms, temporary: true }),
    }
  }

  #finderPort(): FinderPort<NodeConnection> {
    const { clock, random, engine, net, banTime } = this.settings
    return {
      self: { id: this.id, net },
      clock,
      random,
      engine,
      own: () => this.#overlay.ownRecord,
      links: () => this.links,
      known: (id) => this.peerBook.get(id),
      reach: (id, addresses, signal = new AbortController().signal) => this.#reach.at(id, addresses, signal),
      write: (link, kind, payload) => link.sendFrame(encodeFrame(kind, payload)),
      expel: (link, code) => this.expel(link, code, banTime),
    }
  }

  #overlayPort(): OverlayPort<NodeConnection> {
    const { clock, net, banTime } = this.settings
    return {
      learned: (record, source) => this.#finder.learn(record, source),
      self: { id: this.id, net },
      clock,
      sign: (bytes) => this.identity.sign(bytes),
      datagrams: () => new UdpDatagrams(),
      listening: () => this.listening,
      hosts: () => this.machineHosts,
      links: () => this.peers,
      freePlaces: () => this.settings.maxConnections - this.peers.size,
      dial: ({ host, port }, terms) => super.connectWithNode(host, port, terms),
      write: (link, frame) => this.write([link], frame),
      retire: (link, code) => link.retire(code),
      isNeeded: (link) => this.isBranch(link),
      expel: (link, code) => this.expel(link, code, banTime),
      onClockOff: (offset, peers) => this.notify('clockWarning', offset, peers),
      report: (text) => this.debugPrint(text),
    }
  }

  /** See `Node`. A connection that was asked for here is not ended because there are others enough. */
  override async connectWithNode(
    host: string,
    port: number,
    options?: ConnectOptions,
  ): Promise<NodeConnection> {
    const connection = await super.connectWithNode(host, port, options)
    if (options?.temporary !== true) this.#overlay.claim(connection)
    return connection
  }

  /**
   * Joins a network at one of some addresses: `'host:port'`, `'[IPv6]:port'` or `{ host, port }`. Resolves when a
   * node has answered and the neighbourhood is known: enough links are up, or all that there are. From then on the
   * node keeps enough links by itself. Addresses of its own are left out. Without addresses, it looks for links
   * among those that it knows.
   *
   * @throws SecureNodeError `join-failed` with the reason of every address, `aborted`, `invalid-argument`,
   *   `not-started`
   */
  async join(
    addresses: readonly (string | Address)[] | string | Address = [],
    options: JoinOptions = {},
  ): Promise<Joined> {
    checkNames(options, ['timeout', 'signal'])
    checkConnectOptions(options)
    const list: readonly unknown[] = Array.isArray(addresses) ? addresses : [addresses]
    const checked = list.map(checkedAddress)
    this.assertRunning('join()')
    this.#finder.start()
    return this.#overlay.join(checked, options)
  }

  /**
   * Leaves the network: takes this node's record back, says goodbye to every peer, and lets nobody in until the next
   * {@link join} or `start()`. The node goes on running; `connectWithNode` works.
   *
   * @throws SecureNodeError `not-started`
   */
  async leave(): Promise<void> {
    this.assertRunning('leave()')
    this.#finder.stop()
    await this.#overlay.leave()
    await Promise.all([...this.links].map((connection) => this.#takeLeave(connection)))
  }

  /** Temporary connections end without an event, as they began. */
  async #takeLeave(connection: NodeConnection): Promise<void> {
    if (!connection.isTemporary) return this.disconnectWithNode(connection)
    connection.close('goodbye')
    await connection.closed
  }

  /**
   * Asks the whole network who is there. Await the result for the map, or iterate over it for each node as its
   * answer comes. It ends when everybody who was named has answered, or with the timeout.
   *
   * @throws SecureNodeError `invalid-argument`, `not-started`; the result rejects with `aborted`
   */
  discover(options: DiscoverOptions = {}): NetworkSearch {
    this.assertRunning('discover()')
    return this.#overlay.discover(options)
  }

  /** The nodes that this one knows of, where they are, and when they were met. */
  get peerBook(): ReadonlyPeerBook {
    return this.#overlay.book
  }

  /**
   * Sends a payload to every node of the peer book and every peer: signed messages with up to 64 addressees each,
   * which the whole network relays.
   *
   * @throws as {@link sendToNodes}
   */
  async sendToPeerBook<K extends TypeName<T> = 'message'>(
    data: PayloadOf<T, K>,
    options: PeerBookSendOptions & OfType<K> = {},
  ): Promise<readonly SentMessage[]> {
    this.assertRunning('sending')
    const { exclude = [], ...rest } = options
    const ids = new Set([...this.peers, ...this.peerBook].map(({ id }) => id))
    for (const id of exclude) ids.delete(id)
    const lists = inLists([...ids], MAX_ADDRESSEES)
    return Promise.all(lists.map((to) => this.sendToNodes(data, { ...rest, to })))
  }

  /**
   * Finds where a node is by its ID: its signed peer record, from whoever is near it in the network's table (a
   * Kademlia). It takes about as many steps as the number of nodes has binary digits, divided by two or more.
   *
   * @throws SecureNodeError `invalid-argument`, `overload`, `aborted`, `not-started`
   */
  async lookup(nodeId: string, options: Omit<LookupOptions, 'newerThan'> = {}): Promise<LookupResult> {
    checkNames(options, ['timeout', 'signal'])
    checkConnectOptions(options)
    checkNodeId(nodeId)
    this.assertRunning('lookup()')
    const result = await this.#finder.lookup(nodeId, options)
    if (result.addresses.length > 0 || this.#transports.length === 0) return result
    // Nobody knows where it is; but it may be reached all the same.
    const link = this.linkTo(nodeId) ?? (await this.#reach.byId(nodeId, options.signal))
    return { ...result, via: link?.via }
  }

  /** A way to a node by its ID. @throws SecureNodeError `unreachable` */
  protected reach(nodeId: NodeId, options: ReachOptions): Promise<Reached<NodeConnection>> {
    return this.#reach.to(nodeId, options)
  }

  /**
   * Nodes in the network, this one included: as many as the last {@link discover} found. Before the first one it is
   * an estimate from below: those of the peer book, and this one.
   */
  get networkSize(): number {
    return this.#overlay.networkSize
  }

  /** How far the clocks of the peers are ahead of this machine's, in ms: the median; undefined without peers. */
  get clockOffset(): number | undefined {
    return this.#overlay.clockOffset
  }

  /** See {@link SecureNodeEvents}. */
  clockWarning(..._args: SecureNodeEvents['clockWarning']): unknown {
    return
  }

  protected override async starting(): Promise<void> {
    await this.#overlay.open()
    await super.starting()
  }

  protected override started(): void {
    this.#overlay.start()
    if (this.#overlay.isLooking) this.#finder.start()
  }

  protected override async stopping(): Promise<void> {
    this.#finder.stop()
    await super.stopping()
    await this.#overlay.stop()
  }

  protected override peerUp(connection: NodeConnection): void {
    super.peerUp(connection)
    this.#overlay.onUp(connection)
    this.#finder.onUp(connection)
  }

  protected override peerDown(connection: NodeConnection): void {
    super.peerDown(connection)
    this.#overlay.onDown(connection)
    this.#finder.onDown(connection)
    this.#encounters.tend()
  }

  protected override visitorUp(connection: NodeConnection): void {
    this.#overlay.onVisit(connection)
    this.#finder.onUp(connection)
  }

  protected override visitorDown(connection: NodeConnection): void {
    this.#overlay.onVisitOver(connection)
    this.#finder.onDown(connection)
  }

  protected override judgePeer({ direction }: NodeConnection): CloseReason | undefined {
    const isKeptOut = this.#overlay.hasLeft && direction === 'inbound'
    return isKeptOut ? { code: 'goodbye', text: 'it has left the network', by: 'us' } : undefined
  }

  /** Strangers who connect must not take the places of the links that this node chooses. */
  protected override reservedConnections(): number {
    return this.#overlay.missingOutbound
  }

  protected override receive(connection: NodeConnection, frame: Frame): void {
    const { kind, payload } = frame
    // A connection that was retired still brings messages, and nothing else that counts.
    if (connection.isUp) {
      if (this.#overlay.receive(connection, frame)) return
      if (this.#finder.receive(connection, kind, payload)) return
    }
    super.receive(connection, frame)
  }
}

function inLists<T>(items: readonly T[], limit: number): T[][] {
  const lists: T[][] = []
  for (let at = 0; at < items.length; at += limit) lists.push(items.slice(at, at + limit))
  return lists
}
