import type { Clock, Timer } from './ground/clock.ts'
import { ConnectedPeer, type PeerPlace } from './connections/connected-peer.ts'
import { connectionClosed, tooManyPings } from './errors.ts'
import { Handshake } from './connections/handshake.ts'
import { BACKLOG_BYTES, HIGH_WATER_BYTES, MAX_HELLO_BYTES, TEMPORARY_IDLE } from './limits/limits.ts'
import { LinkLife } from './connections/link-life.ts'
import type { ConnectionSettings } from './options/options.ts'
import type { Latency } from './services/ping.ts'
import { Pulse, type PulseOutcome } from './services/pulse.ts'
import type { Channel } from './transport/transport.ts'
import type { Address } from './wire/address.ts'
import { cleanText, type CloseCode, type CloseReason, decodeClose, encodeClose } from './wire/close-code.ts'
import { encodeFrame, type Frame, Kind } from './wire/frame.ts'
import { type ConnectionStats, FrameChannel, type FrameHandlers } from './wire/frame-channel.ts'
import { type Hello, type Mode, TEMPORARY } from './wire/hello.ts'

/** What a connection needs of its node. */
export interface ConnectionOwner {
  readonly self: { readonly id: string; readonly net: string; readonly mode: Mode }
  readonly clock: Clock
  readonly settings: ConnectionSettings
  /** The payload of a fresh hello for a peer that is seen at this address. */
  hello(seen: Address, isTemporary: boolean): Uint8Array
  sign(bytes: Uint8Array): Promise<Uint8Array>
  verify(signature: Uint8Array, bytes: Uint8Array, id: string): Promise<boolean>
  admit(connection: NodeConnection): CloseReason | undefined | Promise<CloseReason | undefined>
  onUp(connection: NodeConnection): void
  /** A temporary connection that was up lasts from now on. */
  onStay(connection: NodeConnection): void
  onFrame(connection: NodeConnection, frame: Frame): void
  onDrain(connection: NodeConnection): void
  /** The connection has ended; called exactly once, whether it was up or not. */
  onDown(connection: NodeConnection): void
}

/** What `createNewConnection` is given and hands to the constructor, unseen. */
export interface ConnectionInit extends Omit<PeerPlace, 'remoteHost'> {
  readonly owner: ConnectionOwner
  readonly channel: Channel
  readonly expectedId?: string | undefined
  /** For an outbound connection: whether it is only to talk to this one peer for a moment. */
  readonly temporary?: boolean | undefined
}

/**
 * One peer: its hello, its frames, what waits to be sent to it, and why it ended. Extend it to keep state of
 * your own per peer, and return your class from `createNewConnection`.
 */
export class NodeConnection extends ConnectedPeer {
  /** The same for all connections. */
  static readonly #handlers: FrameHandlers<NodeConnection> = {
    onActivity: (now, connection) => connection.#pulse.heard(now),
    onFrame: (frame, connection) => connection.#onFrame(frame),
    onFault: (fault, connection) => connection.close(fault),
    onDrain: (connection) => connection.#owner.onDrain(connection),
    onClose: (error, connection) => connection.#onChannelClose(error),
  }

  readonly #owner: ConnectionOwner
  readonly #channel: FrameChannel<NodeConnection>
  /** Until it is up. */
  #handshake: Handshake | undefined
  readonly #pulse: Pulse
  readonly #life = new LinkLife()
  #deadline: Timer | undefined
  #isTemporary: boolean
  /** When a temporary connection was last used for more than pings. */
  #usedAt = 0

  constructor(init: ConnectionInit) {
    const { owner, channel, direction } = init
    super({ ...init, remoteHost: channel.remoteHost })
    this.#owner = owner
    this.#isTemporary = direction === 'outbound' && init.temporary === true
    this.#channel = new FrameChannel<NodeConnection>(channel, owner.clock, MAX_HELLO_BYTES, this)
    const now = owner.clock.now()
    this.#pulse = new Pulse(owner.settings, now)
    this.#handshake = new Handshake({
      role: direction === 'outbound' ? 'initiator' : 'responder',
      self: owner.self,
      hello: owner.hello({ host: channel.remoteHost, port: channel.remotePort }, this.#isTemporary),
      provenId: channel.peerId,
      expectedId: init.expectedId,
      send: (kind, payload) => this.#send(encodeFrame(kind, payload)),
      sign: (bytes) => owner.sign(bytes),
      verify: (signature, bytes, id) => owner.verify(signature, bytes, id),
      admit: (hello) => this.#admit(hello),
      done: () => this.#onUp(),
      fail: (code, text) => this.close(code, text),
    })
    // In total, the transport's own handshake included: bytes that trickle in do not extend it.
    const timeLeft = Math.max(1, owner.settings.handshakeTimeout - (now - (channel.acceptedAt ?? now)))
    this.#deadline = owner.clock.setTimer(() => this.close('handshake-timeout'), timeLeft)
  }

  /** The ID in the peer's hello, proven or not yet: good for nothing but looking for another connection to it. */
  get claimedId(): string {
    return this.#handshake === undefined ? this.id : (this.#handshake.claimedId ?? '')
  }

  /** Whether both ends have accepted each other and it has not ended. */
  get isUp(): boolean {
    return this.#life.isUp
  }

  /**
   * Whether it was opened for a moment, to talk to this peer alone: nothing is relayed over it, it counts among no
   * node's peers, and it ends when it is not used for 30 s.
   */
  get isTemporary(): boolean {
    return this.#isTemporary
  }

  /** Why it ended; undefined while it has not. */
  get closeReason(): CloseReason | undefined {
    return this.#life.reason
  }

  /** Whether the bytes are encrypted on their way. */
  get encrypted(): boolean {
    return this.#channel.encrypted
  }

  /** When it came up, in ms since the epoch; 0 before. */
  get connectedAt(): number {
    return this.#life.upSince ?? 0
  }

  /** Round-trip time in ms, once a ping was answered. */
  get latency(): Latency | undefined {
    return this.#pulse.latency
  }

  get stats(): ConnectionStats {
    return this.#channel.stats
  }

  /** Whether so much waits for this peer that senders should pause. */
  get isCongested(): boolean {
    return this.#channel.queuedBytes > HIGH_WATER_BYTES
  }

  /** Whether so much waits for this peer that what is to be relayed should be read more slowly. */
  get isBacklogged(): boolean {
    return this.#channel.queuedBytes > BACKLOG_BYTES
  }

  /** Resolves when it is up, or with the reason when it ended before. */
  get opened(): Promise<CloseReason | undefined> {
    return this.#life.opened
  }

  /** Resolves when it has ended and its socket is gone. */
  get closed(): Promise<void> {
    return this.#life.closed
  }

  /** Starts to talk. The node calls it once. */
  open(): void {
    this.#channel.open(NodeConnection.#handlers)
    this.#handshake?.start()
  }

  /**
   * Measures the round-trip time, in ms.
   *
   * @throws SecureNodeError `connection-closed` when the connection ends first, `overload` when more than 16 wait.
   */
  async ping(): Promise<number> {
    if (this.isUp) {
      const { frame, latency } = this.#pulse.measure(this.#owner.clock.now())
      this.#send(frame)
      const measured = await latency
      if (measured !== undefined) return measured
    }
    throw this.isUp ? tooManyPings() : connectionClosed(this.#life.reason?.code ?? 'it is not up')
  }

  /**
   * Queues an encoded frame; the node's own way to send, and for experiments with the protocol. Does nothing
   * after the end. A peer that lets too much pile up loses its connection.
   */
  sendFrame(frame: Uint8Array): void {
    if (this.#isTemporary) this.#usedAt = this.#owner.clock.now()
    this.#send(frame)
  }

  #send(frame: Uint8Array): void {
    if (this.#life.reason !== undefined) return
    if (this.#channel.queuedBytes + frame.length > this.#owner.settings.maxQueueBytes) {
      this.#dropSlowPeer()
      return
    }
    this.#channel.write(frame)
  }

  /** Without a farewell: it would wait behind all the rest. */
  #dropSlowPeer(): void {
    this.#end({ code: 'slow-peer', text: `${this.#channel.queuedBytes} bytes wait to be read`, by: 'us' })
    this.#channel.destroy()
  }

  /** Ends the connection: tells the peer why, flushes what is queued, and closes. Harmless when it has ended. */
  close(code: CloseCode = 'closed', text = ''): void {
    if (this.#life.reason !== undefined) return
    this.#channel.write(encodeClose(code, text))
    this.#end({ code, text, by: 'us' })
    this.#channel.end(this.#owner.settings.stopTimeout)
  }

  /**
   * Ends the connection, but takes in messages until the peer has closed its end: what it sent before it knew is not
   * lost. For a connection that is not needed any more.
   */
  retire(code: CloseCode, text = ''): void {
    if (this.#life.reason !== undefined) return
    this.#channel.write(encodeClose(code, text))
    this.#end({ code, text, by: 'us' })
    this.#channel.endAfterPeer(this.#owner.settings.stopTimeout)
  }

  /** Makes a temporary connection one that lasts, at both ends. */
  stay(): void {
    if (!this.#isTemporary || !this.isUp) return
    this.#send(encodeFrame(Kind.stay, new Uint8Array(0)))
    this.#onStay()
  }

  #onStay(payload?: Uint8Array): void {
    if (payload !== undefined && payload.length > 0) this.close('bad-payload', 'it says stay, and no more')
    else if (this.#isTemporary) {
      this.#isTemporary = false
      this.#owner.onStay(this)
    }
  }

  /** Resolves when the peer has read enough for senders to go on, or has gone. */
  async room(): Promise<void> {
    while (this.isUp && this.isCongested) await this.#channel.drained
  }

  /** Stops reading: the peer is slowed down by its own full buffers. */
  pause(): void {
    this.#channel.pause()
  }

  resume(): void {
    this.#channel.resume()
  }

  /** What time brings: a ping that is due, a peer that is dead, a frame that is overdue. */
  tick(now: number): void {
    if (!this.isUp) return
    if (this.#channel.isPaused) this.#pulse.heard(now) // The silence is our own.
    const due = this.#channel.due(now, this.#owner.settings.frameTimeout)
    if (due === 'frame-timeout') this.close(due)
    else if (due === 'slow-peer') this.#dropSlowPeer()
    else if (this.#isTemporary && now - this.#usedAt > TEMPORARY_IDLE) this.retire('idle')
    else this.#beat(this.#pulse.due(now))
  }

  #admit(hello: Hello): CloseReason | undefined | Promise<CloseReason | undefined> {
    this.introduce(hello, this.#owner.clock.now())
    if (this.direction === 'inbound') this.#isTemporary = this.can(TEMPORARY)
    return this.#owner.admit(this)
  }

  #onUp(): void {
    const now = this.#owner.clock.now()
    this.#deadline?.cancel()
    this.#handshake = this.#deadline = undefined
    this.#channel.maxBytes = this.#owner.settings.maxFrameBytes
    this.#usedAt = now
    this.#pulse.heard(now)
    this.#life.rise(now)
    this.#owner.onUp(this)
  }

  #onFrame(frame: Frame): void {
    if (frame.kind === Kind.close) this.#onCloseFrame(frame.payload)
    else if (this.#handshake?.isOver === false) this.#handshake.receive(frame)
    else if (frame.kind === Kind.ping) this.#beat(this.#pulse.onPing(frame.payload, this.#owner.clock.now()))
    else if (frame.kind === Kind.pong) this.#pulse.onPong(frame.payload, this.#owner.clock.now())
    else if (frame.kind === Kind.stay) this.#onStay(frame.payload)
    else this.#onUse(frame)
  }

  #beat(outcome: PulseOutcome): void {
    if (outcome instanceof Uint8Array) this.#send(outcome)
    else if (outcome !== undefined) this.close(outcome.code, outcome.text)
  }

  #onUse(frame: Frame): void {
    if (this.#isTemporary) this.#usedAt = this.#owner.clock.now()
    this.#owner.onFrame(this, frame)
  }

  #onCloseFrame(payload: Uint8Array): void {
    this.#end(decodeClose(payload))
    this.#channel.end(this.#owner.settings.stopTimeout)
  }

  #onChannelClose(error: Error | undefined): void {
    this.#end({ code: 'lost', text: cleanText(error?.message), by: 'network' })
    this.#life.vanish()
  }

  /** The one place where a connection ends. */
  #end(reason: CloseReason): void {
    if (!this.#life.end(reason)) return
    this.#handshake?.stop()
    this.#pulse.stop()
    this.#deadline?.cancel()
    this.#owner.onDown(this)
  }
}
