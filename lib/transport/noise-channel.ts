import { MAX_HELD_BYTES, MAX_NOISE_BYTES } from '../limits/web-limits.ts'
import { joinBytes } from '../wire/bytes.ts'
import type { NodeId } from '../wire/ids.ts'
import type { MessagePipe, PipeHandlers } from './message-pipe.ts'
import type { NoiseCipher } from './noise-cipher.ts'
import type { Channel, ChannelHandlers } from './transport.ts'

const TAG_BYTES = 16
/** Bytes of one encrypted message before they are encrypted. */
const MAX_PLAIN = MAX_NOISE_BYTES - TAG_BYTES

/** What a handshake has made of a pipe. */
export interface NoiseSession {
  readonly sends: NoiseCipher
  readonly receives: NoiseCipher
  readonly peerId: NodeId
  readonly acceptedAt?: number | undefined
}

/** A {@link Channel} of encrypted messages over a pipe. Bytes come out as they went in, however they were cut. */
export class NoiseChannel implements Channel, PipeHandlers {
  readonly remoteHost: string
  readonly remotePort: number
  readonly peerId: NodeId
  readonly acceptedAt: number | undefined
  readonly encrypted = true
  readonly #pipe: MessagePipe
  readonly #sends: NoiseCipher
  readonly #receives: NoiseCipher
  #handlers: ChannelHandlers | undefined
  /** Arrived, and not to be handed over yet: a pipe that pauses still brings what is there. */
  #held: Uint8Array[] = []
  #heldBytes = 0
  #corked: Uint8Array[] = []
  #corkedBytes = 0
  #corks = 0
  #isPaused = false
  #isHandingOver = false
  #hasEnded = false
  #isClosed = false
  #error: Error | undefined

  /** It hears of everything that comes from now on, and keeps it until it is opened. */
  constructor(pipe: MessagePipe, { sends, receives, peerId, acceptedAt }: NoiseSession) {
    this.remoteHost = pipe.remoteHost
    this.remotePort = pipe.remotePort
    this.peerId = peerId
    this.acceptedAt = acceptedAt
    this.#pipe = pipe
    this.#sends = sends
    this.#receives = receives
    pipe.handlers = this
    pipe.pause()
  }

  get queuedBytes(): number {
    return this.#corkedBytes + this.#pipe.queuedBytes
  }

  open(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    if (this.#isClosed) queueMicrotask(() => this.#report())
    else this.#resume()
  }

  write(bytes: Uint8Array): void {
    if (this.#hasEnded || this.#isClosed || bytes.length === 0) return
    this.#corked.push(bytes)
    this.#corkedBytes += bytes.length
    if (this.#corks === 0) this.#flush()
  }

  cork(): void {
    this.#corks++
  }

  uncork(): void {
    if (this.#corks > 0 && --this.#corks === 0) this.#flush()
  }

  pause(): void {
    this.#isPaused = true
    this.#pipe.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#handlers !== undefined) this.#resume()
  }

  end(): void {
    if (this.#hasEnded || this.#isClosed) return
    this.#flush()
    this.#hasEnded = true
    this.#held = []
    // Reading goes on, and what comes is dropped: the remote end's own end is behind it.
    this.#pipe.resume()
    this.#pipe.end()
  }

  destroy(): void {
    this.#hasEnded = true
    this.#held = []
    this.#pipe.destroy()
  }

  /** Of the pipe. */
  onMessage(message: Uint8Array): void {
    if (this.#hasEnded) return
    this.#held.push(message)
    this.#heldBytes += message.length
    // Browsers cannot pause a socket: a peer that sends on while this end does not read must not fill the memory.
    if (this.#heldBytes > MAX_HELD_BYTES) this.#fail('too much came unread')
    else if (!this.#isHandingOver) this.#handOver()
  }

  /** Of the pipe. */
  onDrain(): void {
    if (!this.#isClosed) this.#handlers?.onDrain()
  }

  /** Of the pipe. */
  onClose(error?: Error): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#error ??= error
    this.#report()
  }

  #resume(): void {
    if (this.#isPaused) return
    this.#pipe.resume()
    // Never in the caller's turn: an owner is called only when it has returned from what it was doing.
    if (this.#held.length > 0) queueMicrotask(() => this.#handOver())
  }

  /** Hands over what was held, until the owner wants no more. */
  #handOver(): void {
    const handlers = this.#handlers
    if (handlers === undefined) return
    this.#isHandingOver = true
    let at = 0
    while (at < this.#held.length && !this.#isPaused && !this.#hasEnded) {
      const message = this.#held[at++]!
      this.#heldBytes -= message.length
      const plain = message.length <= MAX_NOISE_BYTES ? this.#receives.decrypt(message) : undefined
      // Nobody sends an empty one: it would cost us a decryption and its sender nothing.
      if (plain === undefined || plain.length === 0) this.#fail('a message could not be decrypted')
      else handlers.onBytes(plain)
    }
    this.#held.splice(0, at)
    this.#isHandingOver = false
  }

  #flush(): void {
    if (this.#corked.length === 0) return
    const [first] = this.#corked
    const bytes = this.#corked.length === 1 ? first! : joinBytes(this.#corked)
    this.#corked = []
    this.#corkedBytes = 0
    for (let at = 0; at < bytes.length; at += MAX_PLAIN) {
      this.#pipe.send(this.#sends.encrypt(bytes.subarray(at, at + MAX_PLAIN)))
    }
  }

  #fail(text: string): void {
    this.#error ??= new Error(text)
    this.#hasEnded = true
    this.#pipe.destroy(this.#error)
  }

  #report(): void {
    this.#handlers?.onClose(this.#error)
  }
}
