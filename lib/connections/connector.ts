import { Arbiter } from './arbiter.ts'
import type { Timer } from '../ground/clock.ts'
import type { ConnectOptions, ConnectorPort } from './connector-port.ts'
import { dial, type DialPort, formatReason } from './dialer.ts'
import * as errors from '../errors.ts'
import { errorText } from '../ground/texts.ts'
import { TICK } from '../limits/limits.ts'
import type { ConnectionInit, ConnectionOwner, NodeConnection } from '../node-connection.ts'
import type { NodeSettings } from '../options/options.ts'
import { PeerSet } from './peer-set.ts'
import { Admission } from '../services/admission.ts'
import { KeptLinks } from '../services/kept-links.ts'
import { IdTransports } from './id-transports.ts'
import type { Channel, ListenHandlers, Listener, Transport } from '../transport/transport.ts'
import { type Address, formatAddress } from '../wire/address.ts'
import type { CloseReason } from '../wire/close-code.ts'
import { encodeHello, TEMPORARY } from '../wire/hello.ts'
import type { NodeId } from '../wire/ids.ts'

/** How a connection is dialled. */
interface Route {
  readonly transport: Pick<Transport, 'name' | 'dial'>
  readonly address: Address
  /** The node that is dialled by its ID. */
  readonly id?: NodeId
}

/** Opens, accepts, keeps and ends the connections of a node. */
export class Connector {
  readonly peers = new PeerSet()
  readonly #port: ConnectorPort
  readonly #settings: NodeSettings
  readonly #transport: Transport
  readonly #further = new IdTransports()
  readonly #admission: Admission
  readonly #arbiter: Arbiter
  readonly #kept: KeptLinks<NodeConnection>
  /** Inbound connections whose handshake is not over. */
  readonly #unsettled = new Set<NodeConnection>()
  readonly #owner: ConnectionOwner
  readonly #ended = { bytesIn: 0, bytesOut: 0 }
  #stopping = new AbortController()
  #listener: Listener | undefined
  #listen: Address | undefined
  #tick: Timer | undefined

  constructor(port: ConnectorPort, settings: NodeSettings, transport: Transport) {
    this.#port = port
    this.#settings = settings
    this.#transport = transport
    this.#admission = new Admission(settings)
    const { clock, random, reconnectMin: min, reconnectMax: max } = settings
    this.#kept = new KeptLinks({ clock, backOff: { min, max, random }, byId: (id) => this.peers.byId(id) })
    this.#arbiter = new Arbiter({
      self: port.self.id,
      clock,
      peers: this.peers,
      maxConnections: settings.maxConnections,
      reserved: () => port.reserved(),
      isBanned: (id) => this.#admission.isBanned(id, clock.now()),
      judge: (connection) => port.judge(connection),
    })
    this.#owner = this.#makeOwner()
  }

  /** Inbound connections whose handshake is under way. */
  get pending(): number {
    return this.#admission.pending
  }

  /** Where it listens; undefined while it does not. */
  get listening(): Address | undefined {
    return this.#stopping.signal.aborted ? undefined : this.#listen
  }

  /** The addresses that this machine knows as its own. */
  get hosts(): readonly string[] {
    return this.#transport.hosts?.() ?? []
  }

  /** Bytes over all connections, ended ones included. */
  get traffic(): { readonly bytesIn: number; readonly bytesOut: number } {
    const traffic = { ...this.#ended }
    for (const { stats } of this.peers.all) addTraffic(traffic, stats)
    return traffic
  }

  /** Listens; resolves with the real port. Rejects with the platform's error. */
  async start(host: string, port: number): Promise<number> {
    const { clock, handshakeTimeout, maxFrameBytes } = this.#settings
    this.#stopping = new AbortController()
    const options = { clock, handshakeTimeout, maxFrameBytes }
    const handlers = this.#listenHandlers(this.#transport.name, false)
    if (this.#transport.dialsOnly !== true) {
      this.#listener = await this.#transport.listen(host, port, handlers, options)
      this.#listen = { host: this.#listener.host, port: this.#listener.port }
    }
    const onFound = (id: NodeId): void => this.#port.onFound(id)
    const handlersOf = (name: string) => ({ ...this.#listenHandlers(name, true), onFound })
    await this.#further.start(this.#port.transports(), handlersOf, options).catch(async (error: unknown) => {
      await this.#listener?.close()
      throw error
    })
    this.#scheduleTick()
    return this.#listen?.port ?? port
  }

  /** Says goodbye, ends everything and frees the port, within the option `stopTimeout`. */
  async stop(): Promise<void> {
    this.#stopping.abort(errors.aborted('the node was stopped; what it was doing'))
    this.#kept.stop()
    this.#tick?.cancel()
    const connections = [...this.peers.all]
    for (const connection of connections) connection.close('goodbye')
    const farewells = connections.map(({ closed }) => closed)
    await Promise.all([this.#listener?.close(), ...farewells])
    // Not before: their sockets are those of its links.
    await this.#further.close()
  }

  /** Connects, and resolves when both ends can exchange messages. */
  connect(address: Address, options: ConnectOptions): Promise<NodeConnection> {
    const { signal, reconnect = false } = options
    const signals = signal === undefined ? [] : [signal]
    const route: Route = { transport: this.#transport, address }
    if (!reconnect) return this.#dial(route, options, signals)
    return this.#kept.keep({
      address: formatAddress(address.host, address.port),
      signal,
      dial: (ended) => this.#dial(route, options, [...signals, ended]),
      shouldReconnect: (trials, error) => this.#port.shouldReconnect(address, trials, error),
    })
  }

  /** Connects with a node by its ID. Rejects with `unreachable` where nothing can. */
  async connectById(id: NodeId, options: ConnectOptions): Promise<NodeConnection> {
    const signals = options.signal === undefined ? [] : [options.signal]
    // The error event of a dial tells an address: here it is the ID, and no port.
    const address = { host: id, port: 0 }
    return this.#further.firstOf(id, (transport) =>
      this.#dial({ transport, address, id }, { ...options, expect: id }, signals),
    )
  }

  /** Ends a connection, and does not dial it again. Resolves when its socket is gone. */
  async disconnect(connection: NodeConnection): Promise<void> {
    this.#kept.release(connection)
    connection.close('goodbye')
    await connection.closed
  }

  /** Ends a connection because of what it brought, and keeps its peer out for `ms`. */
  expel(connection: NodeConnection, code: CloseReason['code'], ms: number): void {
    const { id } = connection
    if (id !== '') this.#admission.ban(id, this.#settings.clock.now() + ms)
    connection.close(code)
    // A second one on its way was admitted before the ban, and would be asked no more.
    if (id !== '') for (const other of [...this.peers.all]) if (other.id === id) other.close('banned')
  }

  async #dial(
    { transport, address, id }: Route,
    options: ConnectOptions,
    signals: readonly AbortSignal[],
  ): Promise<NodeConnection> {
    const { clock, handshakeTimeout, maxConnections, maxFrameBytes } = this.#settings
    const { timeout = handshakeTimeout, expect: expectedId, temporary = false } = options
    const { host, port } = address
    const dialPort: DialPort = {
      clock,
      handshakeTimeout,
      maxFrameBytes,
      transport,
      open: (channel) =>
        this.#open({
          owner: this.#owner,
          channel,
          direction: 'outbound',
          host: id === undefined ? host : channel.remoteHost,
          port: id === undefined ? port : channel.remotePort,
          via: transport.name,
          isById: id !== undefined,
          expectedId,
          temporary,
        }),
      whenUp: (id, signal) => this.peers.whenUp(id, signal),
    }
    try {
      if (this.peers.size >= maxConnections) throw errors.tooManyConnections(maxConnections)
      const name = id && `node ${id}`
      const request = { host, port, name, timeout, expectedId, signals: [...signals, this.#stopping.signal] }
      const connection = await dial(request, dialPort)
      // It may be one that was there before, for a moment only.
      if (!temporary) connection.stay()
      return connection
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#port.onDialError(error as errors.SecureNodeError, address)
      throw error
    }
  }

  #open(init: ConnectionInit): NodeConnection {
    const connection = this.#port.createNewConnection(init)
    this.peers.add(connection)
    connection.open()
    return connection
  }

  #listenHandlers(via: string, isById: boolean): ListenHandlers {
    const now = (): number => this.#settings.clock.now()
    return {
      shouldAccept: (host) => !this.#stopping.signal.aborted && this.#admission.admit(host, now()),
      onFailure: (host, error) => {
        this.#admission.fail(host, now())
        this.#port.onInboundError(error, { host, port: 0 })
      },
      onChannel: (channel) => this.#onChannel(channel, via, isById),
      onError: (error) => this.#port.onInboundError(error, this.#listen ?? { host: '', port: 0 }),
    }
  }

  #onChannel(channel: Channel, via: string, isById: boolean): void {
    const { remoteHost: host, remotePort: port } = channel
    const init = { owner: this.#owner, channel, direction: 'inbound', host, port, via, isById } as const
    let connection: NodeConnection
    try {
      connection = this.#port.createNewConnection(init)
    } catch (error) {
      // The application's own class: thrown into the transport, it would end the process at a stranger's knock.
      this.#admission.settle(host)
      channel.destroy()
      const cause = error instanceof Error ? error : new Error(errorText(error))
      this.#port.onInboundError(cause, { host, port })
      return
    }
    this.#unsettled.add(connection)
    this.peers.add(connection)
    connection.open()
    if (this.#stopping.signal.aborted) connection.close('goodbye')
  }

  /** The handshake of an inbound connection is over. One that was not finished in time counts as a failure. */
  #settle(connection: NodeConnection): void {
    if (!this.#unsettled.delete(connection)) return
    const { host, closeReason } = connection
    if (closeReason?.code === 'handshake-timeout') this.#admission.fail(host, this.#settings.clock.now())
    else this.#admission.settle(host)
  }

  #makeOwner(): ConnectionOwner {
    return {
      self: this.#port.self,
      clock: this.#settings.clock,
      settings: this.#settings,
      hello: (seen, isTemporary) => this.#hello(seen, isTemporary),
      sign: (bytes) => this.#port.sign(bytes),
      verify: (signature, bytes, id) => this.#port.verify(signature, bytes, id),
      admit: (connection) => this.#arbiter.decide(connection),
      onUp: (connection) => this.#onUp(connection),
      onStay: (connection) => {
        this.peers.keep(connection)
        this.#port.onStay(connection)
      },
      onDown: (connection) => this.#onDown(connection),
      onFrame: (connection, frame) => this.#port.onFrame(connection, frame),
      onDrain: (connection) => {
        this.peers.drained(connection)
        this.#port.onDrain(connection)
      },
    }
  }

  #hello(seen: Address, isTemporary: boolean): Uint8Array {
    const listen = this.#listen === undefined ? [] : [this.#listen]
    const time = Math.floor(this.#settings.clock.now())
    const caps = [...this.#port.capabilities(), ...(isTemporary ? [TEMPORARY] : [])]
    return encodeHello({ ...this.#port.self, time, listen, seen, caps })
  }

  #onUp(connection: NodeConnection): void {
    this.#settle(connection)
    this.peers.raise(connection)?.close('duplicate')
    this.#port.onUp(connection)
  }

  #onDown(connection: NodeConnection): void {
    const reason = connection.closeReason!
    addTraffic(this.#ended, connection.stats)
    this.#settle(connection)
    const wasUp = this.peers.remove(connection)
    this.#kept.onDown(connection)
    const { host, port, direction } = connection
    if (wasUp) this.#port.onDown(connection, reason)
    else if (direction === 'inbound') {
      this.#port.onInboundError(errors.handshakeFailed(formatAddress(host, port), formatReason(reason)), {
        host,
        port,
      })
    }
  }

  #scheduleTick(): void {
    const { clock } = this.#settings
    this.#tick = clock.setTimer(() => {
      const now = clock.now()
      for (const connection of this.peers.up) connection.tick(now)
      this.#scheduleTick()
    }, TICK)
  }
}

function addTraffic(
  sum: { bytesIn: number; bytesOut: number },
  part: { bytesIn: number; bytesOut: number },
): void {
  sum.bytesIn += part.bytesIn
  sum.bytesOut += part.bytesOut
}
