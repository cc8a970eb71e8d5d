import type { Clock } from '../ground/clock.ts'
import { ANSWER_PAUSE, PACKED_FACTOR, PACKED_OVERHEAD, UNPACKED_PER_TURN } from '../limits/python-limits.ts'
import { utf8 } from '../wire/bytes.ts'
import { encodeFrame, framePayload, Kind } from '../wire/frame.ts'
import { decodeHello, type Hello, type Role } from '../wire/hello.ts'
import * as frames from './p2pnetwork-frames.ts'
import { Greeting, type GreetingResult, type Introduction } from './p2pnetwork-greeting.ts'
import { foreignIdOf, plainIdOf } from './p2pnetwork-id.ts'
import { decodeMessage, encodeMessage } from './p2pnetwork-message.ts'
import { Outlet } from './p2pnetwork-outlet.ts'
import { Silence } from './p2pnetwork-silence.ts'
import { Splitter } from './p2pnetwork-splitter.ts'
import type { Channel, ChannelHandlers } from './transport.ts'

/** What a channel needs of its transport. */
export interface P2pNetworkPort {
  readonly clock: Clock
  /** Largest frame of the node, in bytes. */
  readonly maxFrameBytes: number
  /** What IDs look like in this network, where the application knows. */
  readonly idPattern: RegExp | undefined
  /** The peer of a channel has introduced itself. */
  onIntroduced(channel: Channel, id: string, foreign: string): void
  onClosed(channel: Channel): void
}

const NOTHING = new Uint8Array(0)

/**
 * A channel that speaks p2pnetwork's bytes on the line, and our frames to its owner. Nothing of our handshake travels:
 * the peer's hello is made of its ID, and its welcome goes without saying. Pings are answered here.
 */
export class P2pNetworkChannel implements Channel, ChannelHandlers {
  readonly peerId = undefined
  readonly encrypted = false
  readonly #inner: Channel
  readonly #role: Role
  readonly #port: P2pNetworkPort
  readonly #splitter: Splitter
  readonly #outlet: Outlet
  /** An ID ends where its sender pauses. */
  readonly #silence: Silence
  #handlers: ChannelHandlers | undefined
  /** Until the peer has introduced itself. */
  #greeting: Greeting | undefined
  #introduction: Introduction | undefined
  /** This end, as its own hello says. */
  #self: Hello | undefined
  /** Whether both ends have accepted each other. */
  #isUp = false
  /** Frames for the owner that come from here. */
  #made: Uint8Array[] = []
  #isMarked = false
  #isPumping = false
  #isPaused = false
  #isResting = false
  #hasEnded = false
  /** The line is gone; told when all that it brought was taken. */
  #closed: { readonly error: Error | undefined } | undefined

  constructor(inner: Channel, role: Role, port: P2pNetworkPort) {
    this.#inner = inner
    this.#role = role
    this.#port = port
    this.#outlet = new Outlet(inner, port.clock, () => this.onDrain())
    this.#silence = new Silence(port.clock, () => this.#settle())
    this.#greeting = new Greeting(role === 'responder', port.idPattern)
    this.#splitter = new Splitter(Math.ceil(port.maxFrameBytes * PACKED_FACTOR) + PACKED_OVERHEAD)
  }

  get remoteHost(): string {
    return this.#inner.remoteHost
  }

  get remotePort(): number {
    return this.#inner.remotePort
  }

  get queuedBytes(): number {
    return this.#outlet.queuedBytes
  }

  open(handlers: ChannelHandlers): void {
    this.#handlers = handlers
    this.#inner.open(this)
  }

  /** One whole frame, as an owner writes them. What has no meaning to p2pnetwork ends here. */
  write(frame: Uint8Array): void {
    if (this.#hasEnded || frame.length === 0) return
    const kind = frame[4]!
    if (kind === Kind.hello) this.#onHello(framePayload(frame))
    else if (kind === Kind.welcome) this.#onWelcome()
    else if (kind === Kind.ping) this.#make(encodeFrame(Kind.pong, framePayload(frame)))
    else this.#outlet.write(encodeMessage(frame, this.#port.maxFrameBytes) ?? NOTHING)
  }

  cork(): void {
    this.#inner.cork()
  }

  uncork(): void {
    this.#inner.uncork()
  }

  pause(): void {
    this.#isPaused = true
    this.#flow()
  }

  resume(): void {
    this.#isPaused = false
    this.#flow()
    queueMicrotask(() => this.#pump())
  }

  /**
   * Lets bytes in, or leaves them with the sender. While the owner makes up its mind about its peer nothing is read: a
   * stranger's messages would pile up here.
   */
  #flow(): void {
    const isWanted = this.#greeting !== undefined || this.#isUp
    if (isWanted && !this.#isPaused && !this.#isResting) this.#inner.resume()
    else this.#inner.pause()
  }

  end(): void {
    this.#drop()
    this.#outlet.end()
    this.#tellClosed()
  }

  destroy(): void {
    this.#drop()
    this.#outlet.drop()
    this.#inner.destroy()
    this.#tellClosed()
  }

  /** Nothing that came is delivered any more. */
  #drop(): void {
    this.#hasEnded = true
    this.#silence.end()
    this.#made = []
  }

  /** Of the line. */
  onBytes(bytes: Uint8Array): void {
    if (this.#hasEnded) return
    if (this.#greeting === undefined) this.#splitter.push(bytes)
    else this.#greet(this.#greeting.push(bytes))
    this.#pump()
  }

  /** Of the line. */
  onDrain(): void {
    this.#handlers?.onDrain()
  }

  /** Of the line. */
  onClose(error?: Error): void {
    // An answer may be all that came.
    if (error === undefined) this.#settle()
    this.#closed = { error }
    this.#silence.end()
    this.#outlet.drop()
    // A line that broke is told of at once; a clean end comes after all that came before it.
    if (error !== undefined) this.#drop()
    this.#pump()
  }

  #greet(result: GreetingResult): void {
    if (result === 'more') {
      this.#silence.begin()
      return
    }
    this.#silence.end()
    this.#greeting = undefined
    if (result === 'bad') {
      this.#flow()
      this.#make(frames.BAD_HELLO)
      return
    }
    this.#introduction = result
    this.#flow()
    this.#splitter.push(result.rest)
    this.#introduce()
  }

  #settle(): void {
    if (this.#greeting === undefined || this.#hasEnded) return
    this.#greet(this.#greeting.settle())
    this.#pump()
  }

  /** This end begins: with its ID if it has connected. Whoever accepts waits for that of the other. */
  #onHello(payload: Uint8Array): void {
    const result = decodeHello(payload)
    if (!result.ok) return
    this.#self = result.hello
    const { id, listen } = result.hello
    const [address] = listen
    const port = address === undefined ? '' : `:${address.port}`
    if (this.#role === 'initiator') this.#outlet.write(utf8(`${foreignIdOf(id)}${port}`))
    this.#introduce()
  }

  /** Says to the owner what its peer would have said. */
  #introduce(): void {
    const self = this.#self
    const introduction = this.#introduction
    if (self === undefined || introduction === undefined) return
    const { id: foreign, port } = introduction
    // This node itself is told by what it calls itself out there.
    const isOurs = foreign === foreignIdOf(self.id)
    const id = isOurs ? self.id : plainIdOf(foreign)
    // It is refused for that, but the end that has dialled must learn it too.
    if (isOurs && this.#role === 'responder') this.#outlet.write(utf8(foreign))
    this.#port.onIntroduced(this, id, foreign)
    this.#make(frames.helloFrame(self.net, id, port, this.#port.clock.now()))
    if (this.#role === 'responder') this.#make(frames.WELCOME)
  }

  /** The owner accepts its peer. Whoever was connected to answers with its ID, and is silent for a moment. */
  #onWelcome(): void {
    this.#isUp = true
    this.#flow()
    if (this.#role === 'initiator') {
      this.#make(frames.WELCOME)
      return
    }
    this.#outlet.write(utf8(foreignIdOf(this.#self!.id)))
    this.#outlet.hold(ANSWER_PAUSE)
  }

  /** Never within the owner's own call: what it hears must not come while it speaks. */
  #make(frame: Uint8Array): void {
    this.#made.push(frame)
    queueMicrotask(() => this.#pump())
  }

  /** Hands over what came, one frame after the other, for as long as the owner wants it. */
  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    let unpacked = 0
    while (this.#isOpen) {
      const frame = this.#made.shift()
      if (frame !== undefined) this.#hand(frame)
      else if (!this.#isUp || !this.#splitter.hasMore) break
      else unpacked += this.#handMessage()
      // Others have their turn before more is unfolded.
      if (unpacked > UNPACKED_PER_TURN) this.#rest()
    }
    if (this.#isOpen) this.#markPartial()
    this.#isPumping = false
    this.#tellClosed()
  }

  get #isOpen(): boolean {
    return this.#handlers !== undefined && !this.#hasEnded && !this.#isPaused && !this.#isResting
  }

  #handMessage(): number {
    const message = this.#splitter.next()
    if (message === undefined) return 0
    const decoded = message === 'too-large' ? undefined : decodeMessage(message, this.#port.maxFrameBytes)
    if (decoded?.ok === true) {
      this.#hand(decoded.frame)
      return decoded.unpacked
    }
    this.#hand(decoded?.fault === 'corrupt' ? frames.BAD_PAYLOAD : frames.TOO_LARGE)
    return 0
  }

  #hand(bytes: Uint8Array): void {
    if (this.#isMarked) {
      this.#isMarked = false
      this.#handlers?.onBytes(frames.MARK_TAIL)
    }
    if (!this.#hasEnded) this.#handlers?.onBytes(bytes)
  }

  /**
   * A message has begun and its end has not come. The owner sees the beginning of a frame: so its own limit applies to
   * messages that come in drips, and it knows that its peer lives.
   */
  #markPartial(): void {
    if (this.#isMarked || !this.#splitter.isPartial) return
    this.#isMarked = true
    this.#handlers?.onBytes(frames.MARK_HEAD)
  }

  #rest(): void {
    this.#isResting = true
    this.#flow()
    setImmediate(() => {
      this.#isResting = false
      if (!this.#hasEnded) this.#flow()
      this.#pump()
    })
  }

  /** Last of all, and once. */
  #tellClosed(): void {
    if (this.#closed === undefined || this.#handlers === undefined || this.#isPumping) return
    const hasMore = this.#made.length > 0 || (this.#isUp && this.#splitter.hasMore)
    if (!this.#hasEnded && hasMore) return
    const handlers = this.#handlers
    this.#handlers = undefined
    this.#hasEnded = true
    this.#port.onClosed(this)
    handlers.onClose(this.#closed.error)
  }
}
