import type { SecureNodeError } from '../errors.ts'
import type { ConnectionInit, ConnectionOwner, NodeConnection } from '../node-connection.ts'
import type { IdTransport } from '../transport/transport.ts'
import type { NodeId } from '../wire/ids.ts'
import type { Address } from '../wire/address.ts'
import type { CloseReason } from '../wire/close-code.ts'
import type { Frame } from '../wire/frame.ts'

/** What connecting needs of its node. */
export interface ConnectorPort {
  readonly self: ConnectionOwner['self']
  createNewConnection(init: ConnectionInit): NodeConnection
  sign(bytes: Uint8Array): Promise<Uint8Array>
  verify(signature: Uint8Array, bytes: Uint8Array, id: string): Promise<boolean>
  /** Whether the node wants this peer, apart from limits; otherwise, why not. */
  judge(connection: NodeConnection): CloseReason | undefined
  /** What this node tells others that it can do beyond the minimum. */
  capabilities(): readonly string[]
  /** How many of `maxConnections` are kept free for outbound connections, at this moment. */
  reserved(): number
  /** Further ways to reach nodes, by their IDs; asked for at each start. */
  transports(): readonly IdTransport[]
  /** A node of the same network is said to be reachable by its ID. */
  onFound(id: NodeId): void
  onUp(connection: NodeConnection): void
  /** A temporary connection that was up lasts from now on. */
  onStay(connection: NodeConnection): void
  onDown(connection: NodeConnection, reason: CloseReason): void
  onFrame(connection: NodeConnection, frame: Frame): void
  onDrain(connection: NodeConnection): void
  onDialError(error: SecureNodeError, address: Address): void
  onInboundError(error: Error, address: Address): void
  shouldReconnect(address: Address, trials: number, error: unknown): boolean
}

/** Options of `connectWithNode`. */
export interface ConnectOptions {
  /** Keep the connection: dial again whenever it fails or is lost, the first time included. @default false */
  readonly reconnect?: boolean | undefined
  /** The ID that must be found there. @default any */
  readonly expect?: string | undefined
  /**
   * Only to talk to this one node: nothing is relayed over the connection, no event tells of it, and it ends when it
   * is not used for 30 s.
   *
   * @default false
   */
  readonly temporary?: boolean | undefined
  /** Ends the attempt; with `reconnect`, all of them. */
  readonly signal?: AbortSignal | undefined
  /** For one attempt, in ms. @default the option `handshakeTimeout` */
  readonly timeout?: number | undefined
}
