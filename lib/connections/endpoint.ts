import { Connector } from './connector.ts'
import type { ConnectOptions, ConnectorPort } from './connector-port.ts'
import { EndpointHooks, type EndpointStats } from './endpoint-hooks.ts'
import * as errors from '../errors.ts'
import type { AnyNodeEvents, ConnectionEvents, NodeCallback } from '../events.ts'
import { NodeConnection } from '../node-connection.ts'
import {
  checkAddress,
  checkConnectOptions,
  type NodeOptions,
  nodeSettings,
  type NodeSettings,
} from '../options/options.ts'
import { TcpTransport } from '../transport/tcp.ts'
import { type Address, formatAddress } from '../wire/address.ts'
import type { CloseCode, CloseReason } from '../wire/close-code.ts'
import { toHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'

/**
 * What `Node` and `SecureNode` have in common: it listens, connects, keeps its connections, tells what happens to
 * them, and stops. What the messages are is up to the class that extends it.
 */
export abstract class Endpoint<E extends AnyNodeEvents<E>> extends EndpointHooks<E> {
  readonly id: string
  /** The host that it listens at. */
  readonly host: string
  /** Largest frame, in bytes. */
  protected readonly maxFrameBytes: number
  readonly #settings: NodeSettings
  readonly #connector: Connector
  #port: number
  #isRunning = false
  #lastChange = Promise.resolve()

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
    options: NodeOptions | NodeCallback<never, E> = {},
    callback?: NodeCallback<never, E>,
  ) {
    checkAddress(host, port, 0)
    const settings = nodeSettings(typeof options === 'function' ? {} : options)
    super(typeof options === 'function' ? options : callback, settings.logger)
    this.#settings = settings
    const {
      id = toHex(globalThis.crypto.getRandomValues(new Uint8Array(32))),
      debug,
      maxFrameBytes,
      transport = new TcpTransport(),
    } = this.#settings
    this.id = id
    this.host = host
    this.#port = port
    this.debug = debug
    this.maxFrameBytes = maxFrameBytes
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

  /** All connections that are up; those that are {@link NodeConnection.isTemporary temporary} do not count. */
  get allNodes(): ReadonlySet<NodeConnection> {
    return new Set(this.#connector.peers.lasting)
  }

  #nodes(direction: NodeConnection['direction']): ReadonlySet<NodeConnection> {
    return new Set([...this.allNodes].filter((connection) => connection.direction === direction))
  }

  /** What the node has done since it was made. */
  stats(): EndpointStats {
    const { pending, traffic } = this.#connector
    return { inbound: this.nodesInbound.size, outbound: this.nodesOutbound.size, pending, ...traffic }
  }

  /** Prints the connections to stdout. */
  printConnections(): void {
    const lines = [...this.allNodes].map(
      ({ direction, id, host, port }) => `  ${direction.padEnd(8)} ${id} ${formatAddress(host, port)}\n`,
    )
    const noun = lines.length === 1 ? 'connection' : 'connections'
    process.stdout.write(`${this.id} has ${lines.length} ${noun}\n${lines.join('')}`)
  }

  /**
   * Starts to listen. Afterwards {@link port} is the real one.
   *
   * @throws SecureNodeError `listen-failed`, `already-started`
   */
  async start(): Promise<void> {
    await this.#inTurn(() => this.#start())
  }

  async #start(): Promise<void> {
    if (this.#isRunning) throw errors.alreadyStarted()
    await this.starting()
    try {
      this.#port = await this.#connector.start(this.host, this.#port)
    } catch (cause) {
      await this.stopping()
      await this.stopped()
      if (cause instanceof errors.SecureNodeError) throw cause
      throw errors.listenFailed(this.host, this.#port, cause)
    }
    this.#isRunning = true
    this.started()
    const place = { host: this.host, port: this.#port }
    this.log('info', { event: 'started', ...place }, `listening at ${formatAddress(this.host, this.#port)}`)
  }

  /**
   * Says goodbye to every peer, ends all connections and frees the port. Takes at most the option `stopTimeout`,
   * leaves nothing behind that would keep the process alive, and does nothing when the node is stopped already.
   */
  async stop(): Promise<void> {
    await this.#inTurn(() => this.#stop())
  }

  async #stop(): Promise<void> {
    if (!this.#isRunning) return
    await this.stopping()
    this.#report('nodeRequestToStop')
    this.#isRunning = false
    await this.#connector.stop()
    await this.stopped()
    this.log('info', { event: 'stopped' }, 'stopped')
  }

  /** One start or stop at a time, in the order in which they were asked for, also when that was in one turn. */
  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#lastChange.then(change)
    this.#lastChange = done.catch(() => {})
    return done
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
    checkConnectOptions(options)
    this.assertRunning('connectWithNode()')
    return this.#connector.connect({ host, port }, options)
  }

  /**
   * Measures the round-trip time to a peer, in ms; `connection.latency` has those of the pings that go out anyway.
   *
   * @throws SecureNodeError `connection-closed`, `overload`, `invalid-argument`
   */
  async ping(connection: NodeConnection): Promise<number> {
    checkConnection(connection)
    return connection.ping()
  }

  /** Says goodbye to a peer and does not connect with it again. Resolves when the connection is gone. */
  async disconnectWithNode(connection: NodeConnection): Promise<void> {
    checkConnection(connection)
    if (connection.isUp && connection.direction === 'outbound')
      this.#report('nodeDisconnectWithOutboundNode', connection)
    await this.#connector.disconnect(connection)
  }

  /** Connects with a node by its ID, where a further transport can. Rejects like {@link connectWithNode}. */
  protected connectById(id: NodeId, options: ConnectOptions): Promise<NodeConnection> {
    return this.#connector.connectById(id, options)
  }

  /** Where this node listens; undefined while it does not. */
  protected get listening(): Address | undefined {
    return this.#connector.listening
  }

  /** The addresses that this machine knows as its own. */
  protected get machineHosts(): readonly string[] {
    return this.#connector.hosts
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
    return this.#connector.peers.lasting
  }

  /** The connections that are up, temporary ones included. */
  protected get links(): ReadonlySet<NodeConnection> {
    return this.#connector.peers.up
  }

  /** The connection to a node that is up, temporary or not. */
  protected linkTo(id: string): NodeConnection | undefined {
    return this.#connector.peers.byId(id)
  }

  /** Whether what comes over a connection should be read more slowly, because it piles up before the others. */
  protected isBackloggedBeside(connection: NodeConnection): boolean {
    return this.#connector.peers.isBackloggedBeside(connection)
  }

  /** Queues a frame for some peers. */
  protected write(connections: readonly NodeConnection[], frame: Uint8Array): void {
    for (const connection of connections) this.#connector.peers.write(connection, frame)
  }

  /** Resolves when senders may go on: more than half of the peers have room. */
  protected room(): Promise<void> {
    return this.#connector.peers.room()
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
      verify: (signature, bytes, id) => this.verifyHandshake(signature, bytes, id),
      judge: (connection) => this.judgePeer(connection),
      capabilities: () => this.capabilities,
      transports: () => this.transports(),
      onFound: (id) => this.found(id),
      reserved: () => this.reservedConnections(),
      onUp: (connection) => (connection.isTemporary ? this.visitorUp(connection) : this.#onUp(connection)),
      onStay: (connection) => {
        this.visitorDown(connection)
        this.#onUp(connection)
      },
      onDown: (connection, reason) =>
        connection.isTemporary ? this.visitorDown(connection) : this.#onDown(connection, reason),
      onFrame: (connection, frame) => this.receive(connection, frame),
      onDrain: () => this.peersDrained(),
      onDialError: (error, address) => {
        this.log('warn', { event: 'connect-failed', code: error.code, ...address }, error.message)
        this.#report('outboundNodeConnectionError', error, address)
      },
      onInboundError: (error, address) => {
        this.log('debug', { event: 'inbound-failed', ...address }, error.message)
        this.#report('inboundNodeConnectionError', error, address)
      },
      shouldReconnect: ({ host, port }, trials, error) =>
        this.#report('nodeReconnectionError', host, port, trials, error),
    }
  }

  #onUp(connection: NodeConnection): void {
    this.peerUp(connection)
    this.logUp(connection)
    this.#report(
      connection.direction === 'outbound' ? 'outboundNodeConnected' : 'inboundNodeConnected',
      connection,
    )
  }

  #onDown(connection: NodeConnection, reason: CloseReason): void {
    this.peerDown(connection)
    this.logDown(connection, reason)
    const event = connection.direction === 'outbound' ? 'outboundNodeDisconnected' : 'inboundNodeDisconnected'
    this.#report(event, connection, reason)
  }

  /** Reports an event of the base: the same in every subclass, which the type parameter cannot express. */
  #report<K extends keyof ConnectionEvents>(event: K, ...args: ConnectionEvents[K]): boolean {
    return this.notify(event, ...(args as E[K]))
  }
}

function checkConnection(connection: unknown): void {
  if (!(connection instanceof NodeConnection))
    throw errors.invalidArgument('connection', 'a NodeConnection', connection)
}
