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

/** Where a socket keeps its channel: so its listeners are the same functions for all sockets, and no closures. */
const CHANNEL = Symbol('channel')

type ChannelSocket = Socket & { [CHANNEL]?: SocketChannel }

function socketOnData(this: ChannelSocket, { buffer, byteOffset, byteLength }: Buffer): void {
  // As plain bytes: a Buffer's `slice` is no copy, and its `toString` is not that of other arrays.
  this[CHANNEL]?.onBytes(new Uint8Array(buffer, byteOffset, byteLength))
}

function socketOnDrain(this: ChannelSocket): void {
  this[CHANNEL]?.onDrain()
}

/** A TLS socket only tells of a broken record or an alert; unlike others, it stays open. */
function socketOnError(this: Socket, error: Error): void {
  this.destroy(error)
}

function socketOnClose(this: ChannelSocket): void {
  this[CHANNEL]?.onClose()
}

/**
 * The bytes that were last written, as the Buffer that node:stream makes of them: what is written to a thousand links
 * in one turn is wrapped once, not a thousand times, and those that do not read keep one wrapper between them.
 */
let lastWritten: { readonly bytes: Uint8Array; readonly buffer: Buffer } | undefined

function forgetLastWritten(): void {
  lastWritten = undefined
}

function bufferOf(bytes: Uint8Array): Buffer {
  if (lastWritten?.bytes === bytes) return lastWritten.buffer
  // It must not outlive the turn: it may be a mebibyte.
  if (lastWritten === undefined) setImmediate(forgetLastWritten)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  lastWritten = { bytes, buffer }
  return buffer
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
  #isPaused = false
  #hasEnded = false
  #isAbandoned = false
  #isClosed = false

  constructor({ socket, host, port, peerId, acceptedAt, encrypted }: ReadySocket) {
    this.remoteHost = host
    this.remotePort = port
    this.peerId = peerId
    this.acceptedAt = acceptedAt
    this.encrypted = encrypted
    this.#socket = socket
    ;(socket as ChannelSocket)[CHANNEL] = this
    // Without this listener an error of one socket would end the process. The close tells of it.
    socket.on('error', socketOnError)
    socket.on('close', socketOnClose)
    // It may have failed already, in the turn between its connection and this channel.
    this.#isClosed = socket.closed
    // Until somebody listens, bytes stay in the socket's buffer and, once that is full, with the sender.
    socket.pause()
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  open(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    this.#socket.on('data', socketOnData)
    this.#socket.on('drain', socketOnDrain)
    // A remote end that says it is finished: with `allowHalfOpen` off the socket flushes, ends and closes by
    // itself, but only when somebody reads up to that end.
    if (!this.#isPaused) this.#socket.resume()
    if (this.#isClosed) queueMicrotask(() => this.#report())
  }

  write(bytes: Uint8Array): void {
    // An empty write is skipped: TLS would spend a record on it.
    if (this.#isWritable && bytes.length > 0) this.#socket.write(bufferOf(bytes))
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
    // A write that this cancels is an error of the socket on newer lines of Node. It is none of the channel.
    this.#isAbandoned ||= this.#socket.errored === null
    this.#socket.destroy()
  }

  get #isWritable(): boolean {
    return !this.#hasEnded && this.#socket.writable
  }

  /** Of the socket. */
  onBytes(bytes: Uint8Array): void {
    if (!this.#hasEnded) this.#handlers?.onBytes(bytes)
  }

  /** Of the socket. */
  onDrain(): void {
    if (!this.#isClosed) this.#handlers?.onDrain()
  }

  /** Of the socket. */
  onClose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#report()
  }

  /** Called once the socket is gone; if that was before `open`, by `open`. */
  #report(): void {
    this.#handlers?.onClose(this.#isAbandoned ? undefined : (this.#socket.errored ?? undefined))
  }
}
