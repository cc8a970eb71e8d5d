import type { ConnectOptions } from './connector.ts'
import { invalidArgument } from './errors.ts'
import type { NodeCallback } from './events.ts'
import type { Identity } from './identity/identity.ts'
import { MAX_ADDRESSEES } from './limits.ts'
import { checkNames } from './names.ts'
import type { NodeConnection } from './node-connection.ts'
import { checkConnectOptions, type SecureNodeOptions, type SecureNodeSettings } from './options.ts'
import { UdpDatagrams } from './lan/datagrams.ts'
import type { Joined, JoinOptions } from './overlay/joining.ts'
import type { DiscoverOptions, NetworkSearch } from './discovery/network-search.ts'
import { Overlay } from './overlay/overlay.ts'
import type { OverlayOptions, OverlayPort } from './overlay/overlay-port.ts'
import type { ReadonlyPeerBook } from './book/known-peer.ts'
import { type SecureNodeEvents, type SecureSendOptions, type SentMessage, SignedNode } from './signed-node.ts'
import { type Address, toAddress } from './wire/address.ts'
import type { CloseReason } from './wire/close-code.ts'
import type { Frame } from './wire/frame.ts'

/** Options of `sendToPeerBook`. */
export interface PeerBookSendOptions extends Pick<SecureSendOptions, 'type' | 're' | 'exp'> {
  /** IDs of nodes that are not addressed. */
  readonly exclude?: Iterable<string> | undefined
}

/**
 * A node in a network in which every message is a signed JSON document: verified before it is shown or passed
 * on, relayed through every node, delivered exactly once. Its ID *is* its Ed25519 public key. Links are
 * encrypted, and each end proves its ID.
 */
export class SecureNode extends SignedNode {
  readonly #overlay: Overlay<NodeConnection>

  /**
   * @param host Address to listen at: `127.0.0.1` for this machine alone, `0.0.0.0` or `::` for the network.
   * @param port Port to listen at; 0 for any free one, filled in by `start()`.
   * @param keyFile Path of a key file (`npx secure-node keygen`), or an identity. Without one, the node has a new
   *   identity that lives as long as the process.
   * @param options Options, or the callback in their place.
   * @param callback Called for every event.
   * @throws SecureNodeError `invalid-argument`, `invalid-option`, and those of `Identity.load`
   */
  constructor(
    host: string,
    port: number,
    keyFile?: string | URL | Identity,
    options: SecureNodeOptions | NodeCallback<SecureNode, SecureNodeEvents> = {},
    callback?: NodeCallback<SecureNode, SecureNodeEvents>,
  ) {
    if (typeof options === 'function') super(host, port, keyFile, {}, options)
    else super(host, port, keyFile, options, callback)
    this.#overlay = new Overlay(this.#overlayPort(), overlayOptions(this.settings))
  }

  #overlayPort(): OverlayPort<NodeConnection> {
    const { clock, net, banTime } = this.settings
    return {
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
    this.#overlay.claim(connection)
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
    const checked = list.map((item) => toAddress(item) ?? refuseAddress(item))
    this.assertRunning('join()')
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
    await this.#overlay.leave()
    await Promise.all([...this.allNodes].map((connection) => this.disconnectWithNode(connection)))
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
  async sendToPeerBook(data: unknown, options: PeerBookSendOptions = {}): Promise<readonly SentMessage[]> {
    this.assertRunning('sending')
    const { exclude = [], ...rest } = options
    const ids = new Set([...this.peers, ...this.peerBook].map(({ id }) => id))
    for (const id of exclude) ids.delete(id)
    const lists = inLists([...ids], MAX_ADDRESSEES)
    return Promise.all(lists.map((to) => this.sendToNodes(data, { ...rest, to })))
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
  }

  protected override async stopping(): Promise<void> {
    await super.stopping()
    await this.#overlay.stop()
  }

  protected override peerUp(connection: NodeConnection): void {
    this.#overlay.onUp(connection)
  }

  protected override peerDown(connection: NodeConnection): void {
    this.#overlay.onDown(connection)
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
    // A connection that was retired still brings messages, and nothing else that counts.
    if (!connection.isUp || !this.#overlay.receive(connection, frame)) super.receive(connection, frame)
  }
}

/** What of the settings is about forming the network, with addresses in one form. */
function overlayOptions(settings: SecureNodeSettings): OverlayOptions {
  const { bootstrap, advertise, targetConnections, maxConnections } = settings
  return {
    ...settings,
    // More would be looked for without end.
    targetConnections: Math.min(targetConnections, maxConnections),
    bootstrap: bootstrap.map((item) => toAddress(item)!),
    advertise: advertise !== false && advertise.map((item) => toAddress(item)!),
  }
}

function refuseAddress(item: unknown): never {
  throw invalidArgument('an address', '"host:port", "[IPv6]:port" or { host, port }', item)
}

function inLists<T>(items: readonly T[], limit: number): T[][] {
  const lists: T[][] = []
  for (let at = 0; at < items.length; at += limit) lists.push(items.slice(at, at + limit))
  return lists
}
