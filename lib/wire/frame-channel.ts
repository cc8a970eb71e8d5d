import type { Clock, Timer } from '../ground/clock.ts'
import { Deferred } from '../ground/deferred.ts'
import type { Channel, ChannelHandlers } from '../transport/transport.ts'
import { type Frame, FrameDecoder, type FrameFault } from './frame.ts'

/**
 * What a frame channel tells its owner, which comes along with each call: so one set of handlers serves all links, and
 * ten thousand idle ones do not keep a set each.
 */
export interface FrameHandlers<T> {
  /** Bytes arrived, whole frames or not: the other end lives. */
  onActivity(now: number, owner: T): void
  onFrame(frame: Frame, owner: T): void
  /** The bytes are no frames; nothing more will come. */
  onFault(fault: FrameFault, owner: T): void
  onDrain(owner: T): void
  onClose(error: Error | undefined, owner: T): void
}

/** What went over one connection. */
export interface ConnectionStats {
  readonly bytesIn: number
  readonly bytesOut: number
  readonly framesIn: number
  readonly framesOut: number
}

/** Runs after the events that are at hand: what they write leaves together. Browsers have no setImmediate. */
const soon: (callback: () => void) => unknown =
  typeof setImmediate === 'function' ? setImmediate : queueMicrotask

/** Channels that hold together what is written in this turn. One callback ends it for all of them. */
let corked: { uncork(): void }[] = []

function uncorkAll(): void {
  const channels = corked
  corked = []
  for (const channel of channels) channel.uncork()
}

/** A channel that carries frames: splits and joins them, counts them, and lets small ones leave in one packet. */
export class FrameChannel<T> implements ChannelHandlers {
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #decoder: FrameDecoder
  #handlers: FrameHandlers<T> | undefined
  readonly #owner: T
  #bytesIn = 0
  #bytesOut = 0
  #framesIn = 0
  #framesOut = 0
  /** When the frame that is not complete began, in ms since the epoch. */
  #partialSince: number | undefined
  /** Bytes that had left at {@link #leftAt}, when the number was last seen to grow. */
  #left = 0
  #leftAt = 0
  #isCorked = false
  #isPaused = false
  #isClosing = false
  #isGone = false
  #lingering: Timer | undefined
  /** Made when somebody waits for it. */
  #drained: Deferred<void> | undefined

  constructor(channel: Channel, clock: Clock, maxBytes: number, owner: T) {
    this.#channel = channel
    this.#clock = clock
    this.#decoder = new FrameDecoder(maxBytes)
    this.#owner = owner
  }

  get encrypted(): boolean {
    return this.#channel.encrypted
  }

  /** Bytes that wait to be sent. */
  get queuedBytes(): number {
    return this.#channel.queuedBytes
  }

  get stats(): ConnectionStats {
    return {
      bytesIn: this.#bytesIn,
      bytesOut: this.#bytesOut,
      framesIn: this.#framesIn,
      framesOut: this.#framesOut,
    }
  }

  /** Largest frame that is taken from now on, in bytes. */
  set maxBytes(maxBytes: number) {
    this.#decoder.maxBytes = maxBytes
  }

  open(handlers: FrameHandlers<T>): void {
    this.#handlers = handlers
    this.#channel.open(this)
  }

  /** Queues an encoded frame. */
  write(frame: Uint8Array): void {
    if (!this.#isCorked) {
      this.#isCorked = true
      this.#channel.cork()
      if (corked.push(this) === 1) soon(uncorkAll)
    }
    this.#channel.write(frame)
    this.#framesOut++
    this.#bytesOut += frame.length
  }

  /**
   * What time brings to light: a frame that began and was not completed within `timeout` ms, or a remote end that
   * took nothing of what waits for twice as long. To be asked every so often, since it notes the progress at each
   * call.
   */
  due(now: number, timeout: number): 'frame-timeout' | 'slow-peer' | undefined {
    if (this.#isOverdue(now, timeout)) return 'frame-timeout'
    // Twice as long: what the system takes at once may be a whole queue, which a slow line needs its time for.
    return this.#isStuck(now, 2 * timeout) ? 'slow-peer' : undefined
  }

  /** Whether a frame began and has not been completed for so long: somebody sends it in drips. */
  #isOverdue(now: number, timeout: number): boolean {
    return !this.#isPaused && this.#partialSince !== undefined && now - this.#partialSince > timeout
  }

  /** Whether bytes wait and none has left for so long: somebody does not read at all. */
  #isStuck(now: number, timeout: number): boolean {
    const { queuedBytes } = this.#channel
    const left = this.#bytesOut - queuedBytes
    if (queuedBytes === 0 || left !== this.#left) {
      this.#left = left
      this.#leftAt = now
    }
    return now - this.#leftAt > timeout
  }

  /** Resolves when the remote end has read something of what waits, or nothing more is sent. */
  get drained(): Promise<void> {
    return (this.#drained ??= new Deferred<void>()).promise
  }

  #wake(): void {
    this.#drained?.resolve()
    this.#drained = undefined
  }

  /** Whether nothing is read, because the owner wants it so. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  pause(): void {
    if (this.#isClosing) return
    this.#isPaused = true
    this.#channel.pause()
  }

  resume(): void {
    // The pause was ours: the rest of a frame could not come in meanwhile.
    if (this.#isPaused && this.#partialSince !== undefined) this.#partialSince = this.#clock.now()
    this.#isPaused = false
    this.#channel.resume()
  }

  /**
   * Takes no more frames, sends what is queued, and closes; within `timeout` ms, for a remote end that does not
   * read must not keep the socket.
   */
  end(timeout: number): void {
    this.#isClosing = true
    this.#wake()
    this.uncork()
    // A paused channel would never see the other end's farewell.
    this.#channel.resume()
    this.#channel.end()
    this.#linger(timeout)
  }

  /** Sends what is queued and goes on taking frames until the remote end closes; for `timeout` ms at most. */
  endAfterPeer(timeout: number): void {
    this.#wake()
    this.uncork()
    this.#channel.resume()
    this.#linger(timeout)
  }

  #linger(timeout: number): void {
    this.#lingering?.cancel()
    if (!this.#isGone) this.#lingering = this.#clock.setTimer(() => this.destroy(), timeout)
  }

  /** Closes at once. */
  destroy(): void {
    this.#isClosing = true
    this.#wake()
    this.#channel.destroy()
  }

  /** Lets go what was held together in this turn. */
  uncork(): void {
    if (!this.#isCorked) return
    this.#isCorked = false
    this.#channel.uncork()
  }

  /** Of the channel below. */
  onDrain(): void {
    this.#wake()
    this.#handlers?.onDrain(this.#owner)
  }

  /** Of the channel below. */
  onClose(error?: Error): void {
    this.#isGone = true
    this.#lingering?.cancel()
    this.#wake()
    this.#handlers?.onClose(error, this.#owner)
  }

  /** Of the channel below. */
  onBytes(bytes: Uint8Array): void {
    if (this.#isClosing) return
    const now = this.#clock.now()
    this.#bytesIn += bytes.length
    this.#handlers?.onActivity(now, this.#owner)
    const framesBefore = this.#framesIn
    const fault = this.#decoder.push<FrameChannel<T>>(bytes, channelOnFrame, this)
    if (fault !== undefined) {
      // Whatever the owner does about it: what follows is no frames either, and must not be taken for some.
      this.#isClosing = true
      this.#handlers?.onFault(fault, this.#owner)
    }
    if (!this.#decoder.isPartial) this.#partialSince = undefined
    else if (this.#partialSince === undefined || this.#framesIn !== framesBefore) this.#partialSince = now
  }

  /** Of the decoder. */
  onFrame(frame: Frame): void {
    if (this.#isClosing) return
    this.#framesIn++
    this.#handlers?.onFrame(frame, this.#owner)
  }
}

function channelOnFrame<T>(frame: Frame, channel: FrameChannel<T>): void {
  channel.onFrame(frame)
}
