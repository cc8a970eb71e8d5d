import { joinBytes } from '../wire/bytes.ts'
import type { Pipe } from './memory-pipe.ts'
import type { Channel, ChannelHandlers } from './transport.ts'

/** What a channel asks of its network. */
export interface MemoryChannelPort {
  /** Runs a task after everything that is at hand, in the order of asking. */
  soon(task: () => void): void
  /** Whether what is written at one time leaves together in any case, corked or not. */
  readonly joinsWrites: boolean
  /** A chunk goes on its way. */
  onSend(bytes: Uint8Array): void
  /** The channel has closed; called once. */
  onGone(): void
}

/** As many bytes as make a socket of Node.js 20 promise a `drain`. */
const DRAIN_MARK = 16 * 1_024

/**
 * One end of a connection in memory. It behaves as a {@link SocketChannel} does: closes when either end ends,
 * delivers nothing after its own `end()`, and counts as queued what the remote end has not taken yet.
 */
export class MemoryChannel implements Channel {
  readonly remoteHost: string
  readonly remotePort: number
  readonly peerId = undefined
  readonly encrypted = false
  readonly #port: MemoryChannelPort
  readonly #out: Pipe
  /** Set by {@link join}, before anything happens. */
  #other!: MemoryChannel
  #handlers: ChannelHandlers | undefined
  /** Arrived, but not handed over: not opened yet, or paused. */
  #inbox: Uint8Array[] = []
  /** Written, but held together until the last cork is pulled, or all have written that want to at this time. */
  #corked: Uint8Array[] = []
  #corks = 0
  /** Made once: a simulation writes millions of times. */
  readonly #onMoment = (): void => this.#flush()
  /** Written, but not taken by the remote end: corked, on its way, or in its inbox. */
  #queuedBytes = 0
  #needsDrain = false
  #isPaused = false
  #hasEnded = false
  #hasRemoteEnded = false
  #isClosed = false
  /** What is still on its way from here must not arrive: a loss, and then a clean end, would hide the loss. */
  #isLost = false
  /** The owner has died: nothing is told any more, not even that. */
  #isOrphaned = false
  #error: Error | undefined

  constructor(remote: { host: string; port: number }, out: Pipe, port: MemoryChannelPort) {
    this.remoteHost = remote.host
    this.remotePort = remote.port
    this.#out = out
    this.#port = port
    out.receiver = (bytes) => {
      if (!this.#isLost) this.#other.#onArrival(bytes)
    }
  }

  /** Makes two channels the ends of one connection. */
  static join(one: MemoryChannel, other: MemoryChannel): void {
    one.#other = other
    other.#other = one
  }

  /** More than a socket would say: what lies in the buffers of the platform counts as well. */
  get queuedBytes(): number {
    return this.#queuedBytes
  }

  open(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    // Never in the caller's turn: an owner is called only when it has returned from what it was doing.
    if (!this.#isClosed) this.#port.soon(() => this.#readInbox())
    else if (!this.#isOrphaned) this.#tellClose()
  }

  write(bytes: Uint8Array): void {
    if (this.#hasEnded || this.#isClosed || bytes.length === 0) return
    this.#queuedBytes += bytes.length
    if (this.#queuedBytes >= DRAIN_MARK) this.#needsDrain = true
    if (this.#port.joinsWrites) this.#join(bytes)
    else if (this.#corks > 0) this.#corked.push(bytes)
    else this.#send(bytes)
  }

  /** Corks are pulled in a later turn of the event loop, which is no point in simulated time. */
  #join(bytes: Uint8Array): void {
    if (this.#corked.push(bytes) === 1) this.#port.soon(this.#onMoment)
  }

  cork(): void {
    this.#corks++
  }

  uncork(): void {
    if (this.#corks > 0 && --this.#corks === 0 && !this.#port.joinsWrites) this.#flush()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#port.soon(() => this.#readInbox())
  }

  end(): void {
    this.#bury()
    if (this.#hasEnded || this.#isClosed) return
    // Also what is corked: an owner that ends has nothing more to add to it.
    this.#flush()
    this.#hasEnded = true
    this.#sendEnd()
    this.#dropInbox()
  }

  destroy(): void {
    this.#bury()
    if (this.#isClosed) return
    // As with TCP: a loss, at either end, is told by a reset; without one, the remote end sees a clean end.
    this.#isLost = this.#queuedBytes > 0 || this.#inbox.length > 0
    if (this.#isLost) this.#sendReset()
    else this.#sendEnd()
    this.#close()
  }

  /** The connection breaks, at this end: what is queued is lost, and the remote end hears nothing of it. */
  breakOff(error: Error): void {
    if (this.#isClosed) return
    this.#isLost = true
    this.#close(error)
  }

  /**
   * The process at this end is killed. Its platform sends what was handed to it and ends the connection, with a
   * reset if there was something left to read. The owner is told nothing: it is no more.
   */
  kill(): void {
    if (this.#isClosed) return
    this.#isOrphaned = true
    if (this.#inbox.length > 0) this.#sendReset()
    else if (!this.#hasEnded) this.#sendEnd()
    this.#close()
  }

  /** The machine at this end loses its power: as {@link breakOff}, but the owner is told nothing either. */
  vanish(): void {
    this.#isOrphaned = true
    this.#isLost = true
    this.#close()
  }

  /** What is left of a dead owner tidies up: it must not wait for ever for the end of its connections. */
  #bury(): void {
    if (!this.#isOrphaned) return
    this.#isOrphaned = false
    this.#tellClose()
  }

  /** Everything that was held together leaves as one chunk. */
  #flush(): void {
    const parts = this.#corked
    if (parts.length === 0) return
    this.#corked = []
    this.#send(parts.length === 1 ? parts[0]! : joinBytes(parts))
  }

  #send(bytes: Uint8Array): void {
    this.#port.onSend(bytes)
    this.#out.send(bytes)
  }

  /** Travels behind the bytes, so it arrives when they have. */
  #sendEnd(): void {
    this.#out.send(() => {
      if (!this.#isLost) this.#other.#onEnd()
    })
  }

  #sendReset(): void {
    this.#out.send(() => this.#other.breakOff(connectionReset()))
  }

  #onArrival(bytes: Uint8Array): void {
    // As a platform answers for a socket that is gone: the sender learns of it by sending.
    if (this.#isClosed) this.#sendReset()
    else if (this.#hasEnded) this.#other.#onTaken(bytes.length)
    else if (this.#handlers === undefined || this.#isPaused || this.#inbox.length > 0) this.#inbox.push(bytes)
    else this.#hand(bytes, this.#handlers)
  }

  /** The remote end has ended: so does this one, once all that came before was read. */
  #onEnd(): void {
    this.#hasRemoteEnded = true
    if (this.#handlers !== undefined) this.#readInbox()
  }

  #readInbox(): void {
    const handlers = this.#handlers
    if (handlers === undefined || this.#isClosed) return
    while (!this.#isPaused && this.#inbox.length > 0) this.#hand(this.#inbox.shift()!, handlers)
    if (!this.#hasRemoteEnded || this.#inbox.length > 0) return
    this.end()
    this.#closeWhenDone()
  }

  #hand(bytes: Uint8Array, handlers: ChannelHandlers): void {
    // Counted first: an owner that throws must not leave the remote end waiting for its drain for ever.
    this.#other.#onTaken(bytes.length)
    if (!this.#hasEnded && !this.#isClosed) handlers.onBytes(bytes)
  }

  /** After its own end nobody reads here any more; the remote end must not wait for it. */
  #dropInbox(): void {
    const bytes = this.#inbox.reduce((total, chunk) => total + chunk.length, 0)
    this.#inbox = []
    this.#other.#onTaken(bytes)
    this.#closeWhenDone()
  }

  /** The remote end took bytes of this one, or dropped them. */
  #onTaken(bytes: number): void {
    if (this.#isClosed) return
    this.#queuedBytes -= bytes
    if (this.#queuedBytes > 0) return
    if (this.#needsDrain) {
      this.#needsDrain = false
      this.#handlers?.onDrain()
    }
    this.#closeWhenDone()
  }

  /** Both ends have ended, and all bytes of this one were taken: there is nothing left to wait for. */
  #closeWhenDone(): void {
    if (this.#hasEnded && this.#hasRemoteEnded && this.#queuedBytes === 0) this.#close()
  }

  /** The one place where a channel closes. The owner hears of it later, and last of all. */
  #close(error?: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#error = error
    this.#inbox = []
    this.#corked = []
    this.#queuedBytes = 0
    this.#port.onGone()
    if (!this.#isOrphaned) this.#tellClose()
  }

  #tellClose(): void {
    if (this.#handlers !== undefined) this.#port.soon(() => this.#handlers?.onClose(this.#error))
  }
}

/** What a socket says whose other end is gone. */
export function connectionReset(): Error {
  return Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' })
}
