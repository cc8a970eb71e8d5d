import type { Socket } from 'node:net'
import type { NodeId } from '../wire/ids.ts'
import type { ConnectedSocket } from './socket.ts'
import type { Channel, ChannelHandlers } from './transport.ts'

/** A connected socket whose own handshake, if it has one, is over. */
export interface ReadySocket extends ConnectedSocket {
  /** The ID that the handshake has proven. */
  readonly peerId?: NodeId | undefined
  /** See {@link Channel.acceptedAt}. */
  readonly acceptedAt?: number | undefined
  readonly encrypted: boolean
}

/**
 * A {@link Channel} over a connected socket of node:net or node:tls. It closes when either end ends: there are
 * no half-open links. After `end()` it delivers nothing more, and waits for the remote end to close as well;
 * how long is for its owner to say, with `destroy()`.
 */
export class SocketChannel implements Channel {
  readonly remoteHost: string
  readonly remotePort: number
  readonly peerId: NodeId | undefined
  readonly acceptedAt: number | undefined
  readonly encrypted: boolean
  readonly #socket: Socket
  #handlers: ChannelHandlers | undefined
  #error: Error | undefined
  #isPaused = false
  #hasEnded = false
  #isClosed = false

  constructor({ socket, host, port, peerId, acceptedAt, encrypted }: ReadySocket) {
    this.remoteHost = host
    this.remotePort = port
    this.peerId = peerId
    this.acceptedAt = acceptedAt
    this.encrypted = encrypted
    this.#socket = socket
    // Without this listener an error of one socket would end the process.
    socket.on('error', (error: Error) => (this.#error = error))
    socket.once('close', () => this.#socketOnClose())
    // It may have failed already, in the turn between its connection and this channel.
    this.#error = socket.errored ?? undefined
    this.#isClosed = socket.closed
    // Until somebody listens, bytes stay in the socket's buffer and, once that is full, with the sender.
    socket.pause()
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  open(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    this.#socket.on('data', ({ buffer, byteOffset, byteLength }: Buffer) => {
      // As plain bytes: a Buffer's `slice` is no copy, and its `toString` is not that of other arrays.
      if (!this.#hasEnded) handlers.onBytes(new Uint8Array(buffer, byteOffset, byteLength))
    })
    this.#socket.on('drain', () => {
      if (!this.#isClosed) handlers.onDrain()
    })
    // A remote end that says it is finished: with `allowHalfOpen` off the socket flushes, ends and closes by
    // itself, but only when somebody reads up to that end.
    if (!this.#isPaused) this.#socket.resume()
    if (this.#isClosed) queueMicrotask(() => this.#report())
  }

  write(bytes: Uint8Array): void {
    // An empty write is skipped: TLS would spend a record on it.
    if (this.#isWritable && bytes.length > 0) this.#socket.write(bytes)
  }

  cork(): void {
    this.#socket.cork()
  }

  uncork(): void {
    this.#socket.uncork()
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    // Before `open` nobody would hear what flows.
    if (this.#handlers !== undefined) this.#socket.resume()
  }

  end(): void {
    if (!this.#isWritable) return
    this.#hasEnded = true
    this.#socket.end()
    // Reading goes on, also when paused, and what comes is dropped: the remote end's own end is behind it, and
    // closing on unread bytes would make the platform send a reset that destroys what was just sent.
    this.#socket.resume()
  }

  destroy(): void {
    this.#hasEnded = true
    this.#socket.destroy()
  }

  get #isWritable(): boolean {
    return !this.#hasEnded && this.#socket.writable
  }

  #socketOnClose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#report()
  }

  /** Called once the socket is gone; if that was before `open`, by `open`. */
  #report(): void {
    this.#handlers?.onClose(this.#error)
  }
}
