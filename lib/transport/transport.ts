import type { Clock } from '../ground/clock.ts'
import type { Identity } from '../identity/identity.ts'
import type { NodeId } from '../wire/ids.ts'

/** What a channel tells its owner. */
export interface ChannelHandlers {
  /** Bytes arrived, in order. The owner may keep the array but must not change it. */
  onBytes(bytes: Uint8Array): void
  /** What waited to be written is (nearly) gone: see {@link Channel.queuedBytes}. */
  onDrain(): void
  /** The channel is gone. Called exactly once, last of all; with the error if one ended it. */
  onClose(error?: Error): void
}

/**
 * Ordered, reliable bytes to and from one remote end. A transport that proves who is there (TLS, Noise) says
 * so in `peerId`; otherwise the hello on top of it has to.
 */
export interface Channel {
  /** Address of the remote end, for people and for limits per address. */
  readonly remoteHost: string
  readonly remotePort: number
  /** The ID the transport itself has proven the remote end to own; undefined where it proves nothing. */
  readonly peerId: NodeId | undefined
  /**
   * When the raw connection was accepted, in ms since the epoch, where a handshake of the transport came first:
   * the time for all handshakes counts from then. @default when the channel is handed out
   */
  readonly acceptedAt?: number | undefined
  /** Whether the bytes are encrypted on their way. */
  readonly encrypted: boolean
  /** Bytes handed to `write` that have not left this process yet. */
  readonly queuedBytes: number
  /**
   * Names the owner, and lets bytes flow. Called once, and in the same turn in which the channel was handed
   * out; nothing that arrived before is lost.
   */
  open(handlers: ChannelHandlers): void
  /** Queues bytes; after the channel ended it does nothing. The caller must not change them afterwards. */
  write(bytes: Uint8Array): void
  /** Holds together what is written until `uncork`, so that small frames leave in one packet. */
  cork(): void
  uncork(): void
  /** Stops `onBytes` until `resume`: the remote end is slowed down by its own full buffers. */
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. The remote end sees a clean end. */
  end(): void
  /** Closes at once; what is queued is lost. */
  destroy(): void
}

/** What a listener asks and tells its owner. */
export interface ListenHandlers {
  /** Asked for every raw connection before any work is done for it; `false` drops it without an answer. */
  shouldAccept(host: string): boolean
  /** A connection that was accepted failed before it became a channel (a TLS handshake, say). */
  onFailure(host: string, error: Error): void
  /** A channel is ready to be opened. */
  onChannel(channel: Channel): void
  /** The listener itself failed after it had started. It has ended. */
  onError(error: Error): void
}

/** What a listener is given. */
export interface ListenOptions {
  /** Time for a transport's own handshake, in ms. */
  readonly handshakeTimeout: number
  readonly clock: Clock
  /** Largest frame that the node takes, in bytes: for transports that put frames together. @default 1 MiB */
  readonly maxFrameBytes?: number | undefined
}

/** What a dial is given. */
export interface DialOptions extends ListenOptions {
  readonly signal?: AbortSignal | undefined
}

/** Somewhere that accepts connections. */
export interface Listener {
  /** The address it listens at; the port is the real one when 0 was asked for. */
  readonly host: string
  readonly port: number
  /** Stops accepting. Channels that exist are left alone. Resolves when the address is free again. */
  close(): Promise<void>
}

/**
 * A way to reach other nodes. `listen` and `dial` reject with the platform's own error (it becomes the `cause`
 * of ours), `dial` with the signal's reason when it is aborted.
 */
export interface Transport {
  readonly name: string
  /** Whether it cannot accept connections, as in a browser: `listen` is not called then. @default false */
  readonly dialsOnly?: boolean
  /** Whether it carries nothing but the plain messages of a `Node`. @default false */
  readonly isPlainOnly?: boolean | undefined
  listen(host: string, port: number, handlers: ListenHandlers, options: ListenOptions): Promise<Listener>
  dial(host: string, port: number, options: DialOptions): Promise<Channel>
  /** Addresses that this machine knows as its own: what others see of a listener at a wildcard is held against them. */
  hosts?(): readonly string[]
}

/** What a transport over which nodes are dialled by their IDs asks and tells its owner. */
export interface IdListenHandlers extends ListenHandlers {
  /** A node of the same network is said to be there; whoever dials it will know. The same ones again and again. */
  onFound(id: NodeId): void
}

/**
 * A further way to reach nodes, beside the one at whose address a node listens: they are dialled by their IDs. Its
 * channels have proven the ID of the remote end.
 */
export interface IdTransport {
  /** What `connection.via` says. */
  readonly name: string
  /**
   * Accepts connections for this node's ID from now on. Channels must close before `close` of what it resolves with
   * is awaited, or they are destroyed by it.
   */
  listen(handlers: IdListenHandlers, options: ListenOptions): Promise<Pick<Listener, 'close'>>
  /** Rejects like {@link Transport.dial}. */
  dial(id: NodeId, options: DialOptions): Promise<Channel>
}

/** The node that a further transport is made for. */
export interface TransportSelf {
  readonly identity: Identity
  readonly net: string
  /** Where jitter comes from: numbers from 0 to below 1. */
  readonly random: () => number
}

/** Makes a further transport for a node. */
export type TransportMaker = (self: TransportSelf) => IdTransport
