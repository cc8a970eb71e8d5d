import { CHANNELS } from '../ground/channels.ts'
import { type AnyNodeEvents, EventSource, type NodeCallback } from '../events.ts'
import { formatReason } from './dialer.ts'
import { verifySignature } from '../identity/ed25519.ts'
import { type Logger, type LogLevel, logTo } from '../ground/logger.ts'
import { isReject } from '../message/verdict.ts'
import { type ConnectionInit, NodeConnection } from '../node-connection.ts'
import type { Refusal } from '../relay/relay-port.ts'
import { formatAddress } from '../wire/address.ts'
import type { CloseReason } from '../wire/close-code.ts'
import type { IdTransport } from '../transport/transport.ts'
import type { Frame } from '../wire/frame.ts'
import type { Mode } from '../wire/hello.ts'
import { fromHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'

/** What an endpoint has done since it was made, and its connections now. */
export interface EndpointStats {
  readonly inbound: number
  readonly outbound: number
  /** Inbound connections whose handshake is under way. */
  readonly pending: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** What the classes that extend an endpoint decide, and where they take part in what it does. */
export abstract class EndpointHooks<E extends AnyNodeEvents<E>> extends EventSource<E> {
  /** The node's ID: a claim in a `Node`, a public key in a `SecureNode`. */
  abstract readonly id: string
  /** Whether to print to stderr what happens. */
  debug = false
  /** Where it is logged instead. */
  readonly #logger: Logger | undefined

  constructor(callback: NodeCallback<never, E> | undefined, logger: Logger | undefined) {
    super(callback)
    this.#logger = logger
  }

  /**
   * Prints a line to stderr when {@link debug} is on; override it to send the lines elsewhere. With the option
   * `logger` it is a record of that.
   */
  debugPrint(text: string): void {
    if (this.#logger !== undefined) logTo(this.#logger, 'debug', { node: this.id }, text)
    else if (this.debug) process.stderr.write(`${this.id.slice(0, 8)} ${text}\n`)
  }

  /** Tells what has happened: a record for a logger, a line for {@link debugPrint} where there is none. */
  protected log(level: LogLevel, facts: object, text: string): void {
    if (this.#logger === undefined) this.debugPrint(text)
    else logTo(this.#logger, level, { node: this.id, ...facts }, text)
  }

  /** A connection is up: told to logs, and to who listens to the process. */
  protected logUp(connection: NodeConnection): void {
    const { id: peer, direction, host, port } = connection
    const text = `${direction} connection with ${peer} at ${formatAddress(host, port)}`
    this.log('info', { event: 'connected', peer, direction, host, port }, text)
    if (CHANNELS.connect.hasSubscribers) CHANNELS.connect.publish({ node: this, connection })
  }

  /** A message was refused. */
  protected logRefusal(connection: NodeConnection, refusal: Refusal): void {
    const { code, id, from: author, type, text } = refusal
    const why = text === undefined ? code : `${code} (${text})`
    const facts = { event: 'rejected', peer: connection.id, code, id, author, type }
    // What strangers can cause without end, at no cost to their links, is nothing to be woken up for.
    const level = isReject(code) ? 'warn' : 'debug'
    this.log(level, facts, `refused a message from ${connection.id}: ${why}`)
    if (CHANNELS.reject.hasSubscribers) CHANNELS.reject.publish({ node: this, connection, refusal })
  }

  /** A connection that was up has ended. */
  protected logDown({ id: peer, direction, host, port }: NodeConnection, reason: CloseReason): void {
    const text = `${direction} connection with ${peer} ended: ${formatReason(reason)}`
    this.log('info', { event: 'disconnected', peer, direction, host, port, ...reason }, text)
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
  protected abstract get mode(): Mode

  /** Proves this node's ID in a handshake; only asked for in `signed` mode. */
  protected abstract signHandshake(bytes: Uint8Array): Promise<Uint8Array>

  /** Whether the node of this ID has signed these bytes of a handshake. */
  protected verifyHandshake(signature: Uint8Array, bytes: Uint8Array, id: string): Promise<boolean> {
    return verifySignature(signature, bytes, fromHex(id))
  }

  /** What this node tells others that it can do beyond the minimum. */
  protected get capabilities(): readonly string[] {
    return []
  }

  /** Further ways to reach nodes, by their IDs; asked for at each start. */
  protected transports(): readonly IdTransport[] {
    return []
  }

  /** A node of the same network is said to be reachable by its ID. */
  protected found(_id: NodeId): void {}

  /** Whether a peer is wanted that no limit keeps out; otherwise, why not. */
  protected judgePeer(_connection: NodeConnection): CloseReason | undefined {
    return undefined
  }

  /** How many of `maxConnections` are kept free for connections that this node opens: inbound ones get no more. */
  protected reservedConnections(): number {
    return 0
  }

  /** A frame that carries a message arrived: the one way to `nodeMessage`. */
  protected abstract receive(connection: NodeConnection, frame: Frame): void

  /** What is to be done before this node listens. */
  protected async starting(): Promise<void> {}

  /** What is to be done as soon as this node listens. */
  protected started(): void {}

  /** What is to be done before this node says goodbye. */
  protected async stopping(): Promise<void> {}

  /** What is to be done when every connection has ended: nothing more comes in. */
  protected async stopped(): Promise<void> {}

  /** A connection is up; called before the application hears of it. */
  protected peerUp(_connection: NodeConnection): void {}

  /** A connection for a moment is up; the application does not hear of it, nor of its end. */
  protected visitorUp(_connection: NodeConnection): void {}

  /** A connection for a moment has ended. */
  protected visitorDown(_connection: NodeConnection): void {}

  /** A connection that was up has ended; called before the application hears of it. */
  protected peerDown(_connection: NodeConnection): void {}

  /** Peers have read what was queued for them. */
  protected peersDrained(): void {}
}
