import { CHANNELS } from './ground/channels.ts'
import { Endpoint } from './connections/endpoint.ts'
import type { EndpointStats } from './connections/endpoint-hooks.ts'
import * as errors from './errors.ts'
import type { AnyNodeEvents, NodeCallback, NodeEvents } from './events.ts'
import type { NodeConnection } from './node-connection.ts'
import { checkNames } from './ground/names.ts'
import type { NodeOptions } from './options/options.ts'
import type { Frame } from './wire/frame.ts'
import type { Mode } from './wire/hello.ts'
import { type Compression, decodePayload, encodePayload } from './wire/payload.ts'

/** Options of `sendToNodes` of a `Node`. */
export interface SendOptions {
  /** Connections that it is not sent over. */
  readonly exclude?: Iterable<NodeConnection> | undefined
  /** Make it smaller on its way. @default sent as it is */
  readonly compression?: Compression | undefined
}

/** What became of a message that was sent. */
export interface Sent {
  /** To how many peers it was handed. None is not an error. */
  readonly peers: number
}

/** What a `Node` has done since it was made, and its connections now. */
export interface NodeStats extends EndpointStats {
  /** Messages that this node sent, each counted once whatever the number of peers. */
  readonly sent: number
  /** Messages that were delivered to this node. */
  readonly received: number
}

/**
 * A peer in a network: it listens, connects, keeps its connections, and exchanges text, JSON and bytes with the
 * nodes that it is connected to. Extend it and override the methods named like the events, or pass one callback,
 * or listen to the events. Nothing is signed or encrypted here: that is what `SecureNode` is for.
 */
export class Node<E extends AnyNodeEvents<E> = NodeEvents> extends Endpoint<E> {
  #sent = 0
  #received = 0

  /**
   * @param host Address to listen at: `127.0.0.1` for this machine alone, `0.0.0.0` or `::` for the network.
   * @param port Port to listen at; 0 for any free one, filled in by `start()`.
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
    super(host, port, options as NodeOptions, callback as NodeCallback<never, E> | undefined)
  }

  override stats(): NodeStats {
    return { ...super.stats(), sent: this.#sent, received: this.#received }
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
    this.countSent(connections.length)
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
    this.countSent(1)
    await connection.room()
    return { peers: 1 }
  }

  #encode(data: unknown, options: SendOptions): Uint8Array {
    checkNames(options, ['exclude', 'compression'])
    this.assertRunning('sending')
    return encodePayload(data, options.compression, this.maxFrameBytes)
  }

  protected get mode(): Mode {
    return 'plain'
  }

  protected signHandshake(_bytes: Uint8Array): Promise<Uint8Array> {
    return Promise.reject(errors.invalidArgument('mode', '"signed" to sign a handshake', this.mode))
  }

  /** Who overrides this decides what is shown: raw data reaches the application from here alone. */
  protected receive(connection: NodeConnection, frame: Frame): void {
    const result = decodePayload(frame, this.maxFrameBytes)
    if (!result.ok) connection.close(result.code, `kind ${frame.kind}`)
    else this.deliver(...([connection, result.data] as unknown as E['nodeMessage']))
  }

  /** Hands a message to the application. */
  protected deliver(...args: E['nodeMessage']): void {
    this.#received++
    if (CHANNELS.receive.hasSubscribers) {
      const [connection, data, message] = args
      CHANNELS.receive.publish({ node: this, connection, data, message })
    }
    this.notify('nodeMessage', ...args)
  }

  /** A message of this node's own is on its way. */
  protected countSent(peers: number, id?: string, type?: string): void {
    this.#sent++
    if (CHANNELS.send.hasSubscribers) CHANNELS.send.publish({ node: this, id, type, peers })
  }
}
