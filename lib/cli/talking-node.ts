import {
  type CloseReason,
  type Identity,
  type NodeConnection,
  type Refusal,
  SecureNode,
  type SecureNodeOptions,
  type SignedMessage,
} from '../index.ts'
import type { Json } from '../message/canonical.ts'
import type { Notice } from './notice.ts'

/** Where it listens and who it is, besides the options of a `SecureNode`. */
export interface TalkingNodeOptions extends SecureNodeOptions {
  readonly host: string
  readonly port: number
  readonly identity: Identity | undefined
}

/** A node that says what happens to it: each event becomes a notice, of plain data, that can be shown or logged. */
export class TalkingNode extends SecureNode {
  readonly #say: (notice: Notice) => void

  constructor({ host, port, identity, ...options }: TalkingNodeOptions, say: (notice: Notice) => void) {
    super(host, port, identity, options)
    this.#say = say
  }

  override outboundNodeConnected(connection: NodeConnection): void {
    this.#say({ event: 'connected', ...nameOf(connection) })
  }

  override inboundNodeConnected(connection: NodeConnection): void {
    this.#say({ event: 'connected', ...nameOf(connection) })
  }

  override outboundNodeDisconnected(connection: NodeConnection, reason: CloseReason): void {
    this.#say({ event: 'disconnected', ...nameOf(connection), ...reason })
  }

  override inboundNodeDisconnected(connection: NodeConnection, reason: CloseReason): void {
    this.#say({ event: 'disconnected', ...nameOf(connection), ...reason })
  }

  override nodeMessage(connection: NodeConnection, data: Json, message: SignedMessage): void {
    const { id, from, type, time } = message
    this.#say({ event: 'message', id, from, via: connection.id, type, time, data })
  }

  override rejected(connection: NodeConnection, { code, id, from, type }: Refusal): void {
    this.#say({ event: 'refused', code, via: connection.id, id, from, type })
  }

  /** Not to stderr, where it would break into the line that somebody types. */
  override debugPrint(text: string): void {
    if (this.debug) this.#say({ event: 'trace', text })
  }
}

/** The part of a connection that tells people which one it is. */
function nameOf({
  id,
  direction,
  host,
  port,
}: NodeConnection): Pick<NodeConnection, 'id' | 'direction' | 'host' | 'port'> {
  return { id, direction, host, port }
}
