import { MAX_STREAM_MESSAGE, MIN_MESSAGE_COST, STREAM_HIGH_WATER } from '../limits/dht-limits.ts'
import type { Channel, ChannelHandlers } from '../transport/transport.ts'
import { toHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'
import { Credit } from './credit.ts'
import type { SecretStream } from './hyperdht.ts'

/** The first byte of a message of the stream: bytes of the channel, or a number of bytes that may be sent. */
const KIND = { bytes: 0, credit: 1 } as const
const CREDIT_BYTES = 5

/**
 * A {@link Channel} over an encrypted stream of HyperDHT. What arrives is kept while the owner has paused, which the
 * credit of the other end bounds; the stream itself is always read.
 */
export class DhtChannel implements Channel {
  readonly remoteHost: string
  readonly remotePort: number
  readonly peerId: NodeId
  readonly acceptedAt: number
  readonly encrypted = true
  readonly #stream: SecretStream
  readonly #credit = new Credit()
  #handlers: ChannelHandlers | undefined
  #onFirst: (() => void) | undefined
  #outbox: Uint8Array[] = []
  #outboxBytes = 0
  /** Bytes that the stream has taken and not passed on. */
  #passing = 0
  #inbox: Uint8Array[] = []
  #corks = 0
  #isPaused = false
  #isFull = false
  #isDelivering = false
  /** This end has said that it sends no more; and whether the stream knows. */
  #hasEnded = false
  #isEndSent = false
  #hasRemoteEnded = false
  #isClosed = false
  #isReported = false
  #error: Error | undefined

  /** @param onFirst Called with the first message: the other end has the key, and is where its packets come from. */
  constructor(stream: SecretStream, acceptedAt: number, onFirst?: () => void) {
    const { rawStream } = stream
    this.remoteHost = rawStream?.remoteHost ?? ''
    this.remotePort = rawStream?.remotePort ?? 0
    this.peerId = toHex(stream.remotePublicKey) as NodeId
    this.acceptedAt = acceptedAt
    this.#stream = stream
    this.#onFirst = onFirst
    stream.on('data', (message) => this.#onMessage(message))
    stream.on('end', () => this.#onEnd())
    stream.on('drain', () => this.#onDrain())
    stream.on('error', (error) => (this.#error ??= error))
    stream.on('close', () => this.#onClose())
  }

  get queuedBytes(): number {
    return this.#isClosed ? 0 : this.#outboxBytes + this.#passing
  }

  /** Says that bytes are welcome: the first message of each end. */
  begin(): void {
    this.#grant()
  }

  open(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    queueMicrotask(() => {
      this.#deliver()
      if (this.#isClosed) this.#report()
    })
  }

  write(bytes: Uint8Array): void {
    if (this.#hasEnded || this.#isClosed || bytes.length === 0) return
    this.#outbox.push(bytes)
    this.#outboxBytes += bytes.length
    this.#pump()
    if (this.queuedBytes > STREAM_HIGH_WATER) this.#isFull = true
  }

  cork(): void {
    this.#corks++
  }

  uncork(): void {
    this.#corks = Math.max(0, this.#corks - 1)
    this.#pump()
  }

  pause(): void {
    this.#isPaused = true
  }

  resume(): void {
    this.#isPaused = false
    if (this.#inbox.length > 0 || this.#hasRemoteEnded) queueMicrotask(() => this.#deliver())
  }

  end(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#corks = 0
    // What the other end still sends is dropped, and granted anew: its own end is behind it.
    this.#isPaused = false
    this.#deliver()
    this.#pump()
  }

  destroy(): void {
    this.#hasEnded = true
    this.#fail(undefined)
  }

  /** Of the stream. */
  #onMessage(message: Uint8Array): void {
    if (this.#isClosed) return
    const [kind] = message
    if (kind === KIND.credit && message.length === CREDIT_BYTES) {
      const amount = new DataView(message.buffer, message.byteOffset).getUint32(1)
      if (!this.#credit.add(amount)) return this.#fail(new Error('it grants more than a window'))
      this.#first()
      this.#pump()
    } else if (kind === KIND.bytes && message.length > 1) {
      if (!this.#credit.hold(message.length)) return this.#fail(new Error('it sends more than was granted'))
      this.#first()
      // A copy: the message is a part of the packets' buffer, which would stay as long as it does.
      this.#inbox.push(new Uint8Array(message.subarray(1)))
      this.#deliver()
    } else this.#fail(new Error('a message of an unknown kind'))
  }

  #first(): void {
    const onFirst = this.#onFirst
    this.#onFirst = undefined
    onFirst?.()
  }

  /** Hands out what came in. A handler may pause, end or destroy the channel meanwhile. */
  #deliver(): void {
    if (this.#isDelivering) return
    this.#isDelivering = true
    while (this.#inbox.length > 0 && (this.#hasEnded || this.#isReading)) {
      const bytes = this.#inbox.shift()!
      this.#credit.release(bytes.length + 1)
      if (!this.#hasEnded) this.#handlers?.onBytes(bytes)
    }
    this.#isDelivering = false
    this.#grant()
    if (this.#hasRemoteEnded && this.#inbox.length === 0 && this.#isReading) this.#endToo()
  }

  /** There are no half-open links. What waits is dropped, for who has ended takes nothing more. */
  #endToo(): void {
    this.#hasEnded = true
    this.#corks = 0
    this.#outbox = []
    this.#outboxBytes = 0
    this.#pump()
  }

  get #isReading(): boolean {
    return this.#handlers !== undefined && !this.#isPaused && !this.#isClosed
  }

  #grant(): void {
    if (this.#isClosed || this.#isEndSent) return
    const amount = this.#credit.due()
    if (amount === 0) return
    const message = new Uint8Array(CREDIT_BYTES)
    message[0] = KIND.credit
    new DataView(message.buffer).setUint32(1, amount)
    this.#stream.write(message)
  }

  /** Passes on what waits, as far as the other end has granted it and the stream takes it. */
  #pump(): void {
    if (this.#isClosed || this.#corks > 0) return
    while (this.#outboxBytes > 0 && this.#passing === 0 && this.#credit.left >= MIN_MESSAGE_COST) {
      const message = this.#take(Math.min(MAX_STREAM_MESSAGE, this.#credit.left) - 1)
      this.#credit.spend(message.length)
      if (!this.#stream.write(message)) this.#passing = message.length
    }
    if (this.#hasEnded && !this.#isEndSent && this.#outboxBytes === 0) {
      this.#isEndSent = true
      this.#stream.end()
    }
    if (this.#isFull && this.queuedBytes === 0) {
      this.#isFull = false
      // Not within a write: the owner may be in the middle of something.
      queueMicrotask(() => {
        if (!this.#isClosed && !this.#hasEnded) this.#handlers?.onDrain()
      })
    }
  }

  /** A message of at most so many bytes of what waits: small frames leave together. */
  #take(limit: number): Uint8Array {
    const length = Math.min(limit, this.#outboxBytes)
    const message = new Uint8Array(1 + length)
    message[0] = KIND.bytes
    let at = 0
    let whole = 0
    while (at < length) {
      const bytes = this.#outbox[whole]!
      const part = bytes.subarray(0, length - at)
      message.set(part, 1 + at)
      at += part.length
      if (part.length === bytes.length) whole++
      else this.#outbox[whole] = bytes.subarray(part.length)
    }
    this.#outbox.splice(0, whole)
    this.#outboxBytes -= length
    return message
  }

  #onDrain(): void {
    this.#passing = 0
    this.#pump()
  }

  #onEnd(): void {
    this.#hasRemoteEnded = true
    if (this.#hasEnded) this.#endToo()
    else this.#deliver()
  }

  #fail(error: Error | undefined): void {
    if (this.#isClosed) return
    this.#error ??= error
    this.#stream.destroy()
  }

  #onClose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#outbox = []
    this.#inbox = []
    // After a farewell of this end, how the other one goes is of no interest.
    if (this.#hasEnded) this.#error = undefined
    this.#report()
  }

  /** Once, and not before somebody listens. */
  #report(): void {
    if (this.#isReported || this.#handlers === undefined) return
    this.#isReported = true
    this.#handlers.onClose(this.#error)
  }
}
