import type { Clock, Timer } from '../ground/clock.ts'
import { DRAIN_POLL, MAX_NOISE_BYTES } from '../limits/web-limits.ts'
import type { MessagePipe, PipeHandlers } from './message-pipe.ts'

/** What sockets of browsers and of the package `ws` have in common, and what only the latter have. */
export interface AnyWebSocket {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'open' | 'close' | 'error', listener: (event: object) => void): void
  /** Closes without a word; not in browsers. */
  terminate?(): void
  pause?(): void
  resume?(): void
}

/** A WebSocket that was opened by a client. */
export interface OpenedSocket {
  readonly socket: AnyWebSocket
  readonly host: string
  readonly port: number
  /** When the raw connection was accepted, in ms since the epoch. */
  readonly acceptedAt: number
}

/** What listening goes by. */
export interface WebListenOptions {
  readonly origins: readonly string[] | '*' | undefined
  readonly path: string
  /** In ms. */
  readonly handshakeTimeout: number
  readonly clock: Clock
}

const OPEN = 1
/** The one code of RFC 6455 for "done" that a page may send as well. */
const NORMAL = 1_000
/** As many bytes as make a socket of Node.js 20 promise a `drain`. */
const DRAIN_MARK = 16 * 1_024

/** The messages of an open WebSocket (RFC 6455). Text, and what is too long, ends it. */
export class WebSocketPipe implements MessagePipe {
  readonly remoteHost: string
  readonly remotePort: number
  handlers: PipeHandlers | undefined
  readonly #socket: AnyWebSocket
  readonly #clock: Clock
  #error: Error | undefined
  #isClosed = false
  /** Looks whether what was sent has left; while nothing waits, there is none. */
  #poll: Timer | undefined

  constructor(socket: AnyWebSocket, remote: { readonly host: string; readonly port: number }, clock: Clock) {
    this.remoteHost = remote.host
    this.remotePort = remote.port
    this.#socket = socket
    this.#clock = clock
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('message', ({ data }) => this.#onMessage(data))
    socket.addEventListener('close', () => this.#onClose())
    // The close that follows tells of it; of the cause, pages hear nothing.
    socket.addEventListener('error', (event) => {
      const { error } = event as { error?: unknown }
      if (error instanceof Error) this.#error ??= error
    })
  }

  get queuedBytes(): number {
    return this.#isClosed ? 0 : this.#socket.bufferedAmount
  }

  send(message: Uint8Array): void {
    if (this.#isClosed || this.#socket.readyState !== OPEN) return
    this.#socket.send(message as Uint8Array<ArrayBuffer>)
    if (this.#poll === undefined && this.queuedBytes >= DRAIN_MARK) this.#watch()
  }

  pause(): void {
    if (this.#socket.readyState === OPEN) this.#socket.pause?.()
  }

  resume(): void {
    if (this.#socket.readyState === OPEN) this.#socket.resume?.()
  }

  end(): void {
    this.#socket.close(NORMAL)
  }

  destroy(error?: Error): void {
    this.#error ??= error
    if (this.#socket.terminate === undefined) this.#socket.close(NORMAL)
    else this.#socket.terminate()
  }

  /** There is no event for it on any platform. */
  #watch(): void {
    this.#poll = this.#clock.setTimer(() => {
      this.#poll = undefined
      if (this.#isClosed) return
      if (this.queuedBytes > 0) this.#watch()
      else this.handlers?.onDrain()
    }, DRAIN_POLL)
  }

  #onMessage(data: unknown): void {
    if (this.#error !== undefined) return
    if (!(data instanceof ArrayBuffer)) this.destroy(new Error('a text came where only bytes may'))
    else if (data.byteLength > MAX_NOISE_BYTES) this.destroy(new Error('a message was too long'))
    else this.handlers?.onMessage(new Uint8Array(data))
  }

  #onClose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#poll?.cancel()
    this.handlers?.onClose(this.#error)
  }
}
