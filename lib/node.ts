import { bytesToHex, randomBytes } from '@noble/hashes/utils.js'
import { type ConnectOptions, Connector, type ConnectorPort } from './connector.ts'
import { formatAddress } from './dialer.ts'
import * as errors from './errors.ts'
import {
  type AnyNodeEvents,
  type ConnectionEvents,
  EventSource,
  type NodeCallback,
  type NodeEvents,
} from './events.ts'
import { type ConnectionInit, NodeConnection } from './node-connection.ts'
import { checkNames, type NodeOptions, nodeSettings, type NodeSettings } from './options.ts'
import { TcpTransport } from './transport/tcp.ts'
import type { CloseCode, CloseReason } from './wire/close-code.ts'
import type { Frame } from './wire/frame.ts'
import { isPlainId, type Mode } from './wire/hello.ts'
import { type Compression, decodePayload, encodePayload } from './wire/payload.ts'

export interface SendOptions {
  /** Connections that it is not sent over. */
  readonly exclude?: Iterable<NodeConnection> | undefined
  /** Make it smaller on its way. @default sent as it is */
  readonly compression?: Compression | undefined
}

export interface Sent {
  /** To how many peers it was handed. None is not an error. */
  readonly peers: number
}

export interface NodeStats {
  readonly inbound: number
  readonly outbound: number
  /** Inbound connections whose handshake is under way. */
  readonly pending: number
  /** Messages that this node sent, each counted once whatever the number of peers. */
  readonly sent: number
  /** Messages that were delivered to this node. */
  readonly received: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/**
 * A peer in a network: it listens, connects, keeps its connections, and exchanges text, JSON and bytes with the
 * nodes that it is connected to. Extend it and override the methods named like the events, or pass one callback,
 * or listen to the events. Nothing is signed or encrypted here: that is what `SecureNode` is for.
 */
export class Node<E extends AnyNodeEvents<E> = NodeEvents> extends EventSource<E> {
  /** The node's ID: a claim here, a public key in a `SecureNode`. */
  readonly id: string
  /** The host that it listens at. */
  readonly host: string
  /** Whether to print to stderr what happens. */
  debug: boolean
  readonly #settings: NodeSettings
  readonly #connector: Connector
  #port: number
  #sent = 0
  #received = 0
  #isRunning = false
  #changing: Promise<void> | undefined

  /**
   * @param host Address to listen at: `127.0.0.1` for this machine alone, `0.0.0.0` or `::` for the network.
   * @param port Port to listen at; 0 for any free one, filled in by {@link start}.
   * @param options Options, or the callback in their place.
   * @param callback Called for every event.
   * @throws SecureNodeError `invalid-argument`, `invalid-option`
   */
  constructor(
    host: string,
    port: number,
    options: NodeOptions | NodeCallback<Node> = {},
    callback?: NodeCallback<Node>,
  ) {
    super((typeof options === 'function' ? options : callback) as NodeCallback<never, E> | undefined)
    checkAddress(host, port, 0)
    this.#settings = nodeSettings(typeof options === 'function' ? {} : options)
    const { id = bytesToHex(randomBytes(32)), debug, transport = new TcpTransport() } = this.#settings
    this.id = id
    this.host = host
    this.#port = port
    this.debug = debug
    this.#connector = new Connector(this.#connectorPort(), this.#settings, transport)
  }

  /** The port that it listens at. */
  get port(): number {
    return this.#port
  }

  /** Whether it was started and not stopped. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Connections that peers opened. */
  get nodesInbound(): ReadonlySet<NodeConnection> {
    return this.#nodes('inbound')
  }

  /** Connections that this node opened. */
  get nodesOutbound(): ReadonlySet<NodeConnection> {
    return this.#nodes('outbound')
  }

  /** All connections that are up. */
  get allNodes(): ReadonlySet<NodeConnection> {
    return new Set(this.#connector.peers.up)
  }

  #nodes(direction: NodeConnection['direction']): ReadonlySet<NodeConnection> {
    return new Set([...this.#connector.peers.up].filter((connection) => connection.direction === direction))
  }

  /** What the node has done since it was made. */
  stats(): NodeStats {
    const { pending, traffic } = this.#connector
    const [inbound, outbound] = [this.nodesInbound.size, this.nodesOutbound.size]
    return { inbound, outbound, pending, sent: this.#sent, received: this.#received, ...traffic }
  }

  /** Prints the connections to stdout. */
  printConnections(): void {
    const lines = [...this.allNodes].map(
      ({ direction, id, host, port }) => `  ${direction.padEnd(8)} ${id} ${formatAddress(host, port)}\n`,
    )
    process.stdout.write(`${this.id} has ${lines.length} connections\n${lines.join('')}`)
  }

  /** Prints a line to stderr when {@link debug} is on; override it to send the lines elsewhere. */
  debugPrint(text: string): void {
    if (this.debug) process.stderr.write(`${this.id.slice(0, 8)} ${text}\n`)
  }

  /**
   * Starts to listen. Afterwards {@link port} is the real one.
   *
   * @throws SecureNodeError `listen-failed`, `already-started`
   */
  async start(): Promise<void> {
    await this.#changing?.catch(() => {})
    if (this.#isRunning) throw errors.alreadyStarted()
    await this.#change(this.#start())
  }

  async #start(): Promise<void> {
    try {
      this.#port = await this.#connector.start(this.host, this.#port)
    } catch (cause) {
      throw errors.listenFailed(this.host, this.#port, cause)
    }
    this.#isRunning = true
    this.debugPrint(`listening at ${formatAddress(this.host, this.#port)}`)
  }

  /**
   * Says goodbye to every peer, ends all connections and frees the port. Takes at most the option `stopTimeout`,
   * leaves nothing behind that would keep the process alive, and does nothing when the node is stopped already.
   */
  async stop(): Promise<void> {
    await this.#changing?.catch(() => {})
    if (this.#isRunning) await this.#change(this.#stop())
  }

  async #stop(): Promise<void> {
    this.#report('nodeRequestToStop')
    this.#isRunning = false
    await this.#connector.stop()
    this.debugPrint('stopped')
  }

  /** One start or stop at a time; the next one waits. */
  async #change(work: Promise<void>): Promise<void> {
    this.#changing = work
    try {
      await work
    } finally {
      this.#changing = undefined
    }
  }

  /** `await using node = …` stops the node at the end of the block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /**
   * Connects with a node, and resolves when both ends can exchange messages. A node that it is connected with
   * already gives that connection.
   *
   * @throws SecureNodeError `connect-failed`, `connect-timeout`, `handshake-failed`, `refused-by-peer`,
   *   `identity-mismatch`, `self-connection`, `too-many-connections`, `reconnect-stopped`, `aborted`,
   *   `not-started`, `invalid-argument`
   */
  async connectWithNode(host: string, port: number, options: ConnectOptions = {}): Promise<NodeConnection> {
    checkAddress(host, port, 1)
    checkNames(options, ['reconnect', 'expect', 'signal', 'timeout'])
    const { expect, timeout } = options
    if (expect !== undefined && !isPlainId(expect))
      throw errors.invalidArgument('expect', 'a node ID', expect)
    if (timeout !== undefined && !(timeout > 0))
      throw errors.invalidArgument('timeout', 'milliseconds above 0', timeout)
    this.assertRunning('connectWithNode()')
    return this.#connector.connect({ host, port }, options)
  }

  /** Says goodbye to a peer and does not connect with it again. Resolves when the connection is gone. */
  async disconnectWithNode(connection: NodeConnection): Promise<void> {
    if (!(connection instanceof NodeConnection))
      throw errors.invalidArgument('connection', 'a NodeConnection', connection)
    if (connection.isUp && connection.direction === 'outbound')
      this.#report('nodeDisconnectWithOutboundNode', connection)
    await this.#connector.disconnect(connection)
  }

  /**
   * Sends text, JSON or bytes to every peer. The promise also paces the sender: it waits while more than half of
   * the peers have too much to read.
   *
   * @throws SecureNodeError `invalid-payload`, `message-too-large`, `invalid-argument`, `not-started`
   */
  async sendToNodes(data: unknown, options: SendOptions = {}): Promise<Sent> {
    const frame = this.#encode(data, options)
    const excluded = new Set(options.exclude)
    const connections = [...this.peers].filter((connection) => !excluded.has(connection))
    this.write(connections, frame)
    this.countSent()
    await this.room()
    return { peers: connections.length }
  }

  /**
   * Sends text, JSON or bytes to one peer, and waits while that one has too much to read.
   *
   * @throws as {@link sendToNodes}, and SecureNodeError `connection-closed`
   */
  async sendToNode(
    connection: NodeConnection,
    data: unknown,
    options: Pick<SendOptions, 'compression'> = {},
  ): Promise<Sent> {
    const frame = this.#encode(data, options)
    this.assertUp(connection)
    this.write([connection], frame)
    this.countSent()
    await connection.room()
    return { peers: 1 }
  }

  #encode(data: unknown, options: SendOptions): Uint8Array {
    checkNames(options, ['exclude', 'compression'])
    this.assertRunning('sending')
    return encodePayload(data, options.compression, this.#settings.maxFrameBytes)
  }

  /**
   * The connection object for a new peer: override it to use a class of your own.
   *
   * @example createNewConnection(init: ConnectionInit) { return new MyConnection(init) }
   */
  createNewConnection(init: ConnectionInit): NodeConnection {
    return new NodeConnection(init)
  }

  /** Whether messages are signed documents or plain data. */
  protected get mode(): Mode {
    return 'plain'
  }

  /** Proves this node's ID in a handshake; only asked for in `signed` mode. */
  protected signHandshake(_bytes: Uint8Array): Promise<Uint8Array> {
    return Promise.reject(errors.invalidArgument('mode', '"signed" to sign a handshake', this.mode))
  }

  /** Peers have read what was queued for them. */
  protected peersDrained(): void {}

  /** A frame that carries a message arrived. The one way to `nodeMessage`: who overrides it decides what is shown. */
  protected receive(connection: NodeConnection, frame: Frame): void {
    const result = decodePayload(frame, this.#settings.maxFrameBytes)
    if (!result.ok) connection.close('bad-payload', `kind ${frame.kind} holds something else`)
    else this.deliver(...([connection, result.data] as unknown as E['nodeMessage']))
  }

  /** Hands a message to the application. */
  protected deliver(...args: E['nodeMessage']): void {
    this.#received++
    this.notify('nodeMessage', ...args)
  }

  /** @throws SecureNodeError `not-started` */
  protected assertRunning(what: string): void {
    if (!this.#isRunning) throw errors.notStarted(what)
  }

  /** @throws SecureNodeError `connection-closed` */
  protected assertUp(connection: NodeConnection): void {
    if (!connection.isUp) throw errors.connectionClosed(connection.closeReason?.code ?? 'it is not up yet')
  }

  /** The connections that are up, for loops that cannot afford a copy. */
  protected get peers(): ReadonlySet<NodeConnection> {
    return this.#connector.peers.up
  }

  /** Whether more than half of the peers have too much to read. */
  protected get isCongested(): boolean {
    return this.#connector.peers.isCongested
  }

  /** Queues a frame for some peers. */
  protected write(connections: readonly NodeConnection[], frame: Uint8Array): void {
    for (const connection of connections) this.#connector.peers.write(connection, frame)
  }

  /** Resolves when senders may go on: see {@link sendToNodes}. */
  protected room(): Promise<void> {
    return this.#connector.peers.room()
  }

  /** A message of this node's own is on its way. */
  protected countSent(): void {
    this.#sent++
  }

  /** Ends a connection because of what it brought, and keeps its peer out for `ms`. */
  protected expel(connection: NodeConnection, code: CloseCode, ms: number): void {
    this.#connector.expel(connection, code, ms)
  }

  #connectorPort(): ConnectorPort {
    return {
      self: { id: this.id, net: this.#settings.net, mode: this.mode },
      createNewConnection: (init) => this.createNewConnection(init),
      sign: (bytes) => this.signHandshake(bytes),
      onUp: (connection) => this.#onUp(connection),
      onDown: (connection, reason) => this.#onDown(connection, reason),
      onFrame: (connection, frame) => this.receive(connection, frame),
      onDrain: () => this.peersDrained(),
      onDialError: (error, address) => {
        this.debugPrint(error.message)
        this.#report('outboundNodeConnectionError', error, address)
      },
      onInboundError: (error, address) => {
        this.debugPrint(error.message)
        this.#report('inboundNodeConnectionError', error, address)
      },
      shouldReconnect: ({ host, port }, trials, error) =>
        this.#report('nodeReconnectionError', host, port, trials, error),
    }
  }

  #onUp(connection: NodeConnection): void {
    const { id, direction, host, port } = connection
    this.debugPrint(`${direction} connection with ${id} at ${formatAddress(host, port)}`)
    this.#report(direction === 'outbound' ? 'outboundNodeConnected' : 'inboundNodeConnected', connection)
  }

  #onDown(connection: NodeConnection, reason: CloseReason): void {
    const { id, direction } = connection
    this.debugPrint(`${direction} connection with ${id} ended: ${reason.code} ${reason.text}`)
    this.#report(
      direction === 'outbound' ? 'outboundNodeDisconnected' : 'inboundNodeDisconnected',
      connection,
      reason,
    )
  }

  /** Reports an event of the base: the same in every subclass, which the type parameter cannot express. */
  #report<K extends keyof ConnectionEvents>(event: K, ...args: ConnectionEvents[K]): boolean {
    return this.notify(event, ...(args as E[K]))
  }
}

function checkAddress(host: string, port: number, lowest: 0 | 1): void {
  if (typeof host !== 'string' || host === '')
    throw errors.invalidArgument('host', 'an address or a host name', host)
  const isPort = Number.isInteger(port) && port >= lowest && port < 65_536
  if (!isPort) throw errors.invalidArgument('port', `an integer from ${lowest} to 65535`, port)
}
