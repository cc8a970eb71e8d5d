import type { Clock, Timer } from './clock.ts'
import { Deferred } from './deferred.ts'
import { connectionClosed, tooManyPings } from './errors.ts'
import { Handshake } from './handshake.ts'
import { BACKLOG_BYTES, HIGH_WATER_BYTES, MAX_HELLO_BYTES, PONG_BURST, PONG_RATE } from './limits.ts'
import { parseJson } from './message/canonical.ts'
import type { ConnectionSettings } from './options.ts'
import { Heartbeat, type Latency } from './services/ping.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Channel } from './transport/transport.ts'
import { cleanText, type CloseCode, type CloseReason, readCloseReason } from './wire/close-code.ts'
import { encodeFrame, type Frame, Kind } from './wire/frame.ts'
import { type ConnectionStats, FrameChannel } from './wire/frame-channel.ts'
import type { Address, Hello, Mode } from './wire/hello.ts'

/** What a connection needs of its node. */
export interface ConnectionOwner {
  readonly self: { readonly id: string; readonly net: string; readonly mode: Mode }
  readonly clock: Clock
  readonly settings: ConnectionSettings
  /** The payload of a fresh hello. */
  hello(): Uint8Array
  sign(bytes: Uint8Array): Promise<Uint8Array>
  admit(connection: NodeConnection): CloseReason | undefined | Promise<CloseReason | undefined>
  onUp(connection: NodeConnection): void
  onFrame(connection: NodeConnection, frame: Frame): void
  onDrain(connection: NodeConnection): void
  /** The connection has ended; called exactly once, whether it was up or not. */
  onDown(connection: NodeConnection): void
}

/** What `createNewConnection` is given and hands to the constructor, unseen. */
export interface ConnectionInit {
  readonly owner: ConnectionOwner
  readonly channel: Channel
  readonly direction: 'inbound' | 'outbound'
  /** The remote address; for an outbound connection, the one that was dialled. */
  readonly host: string
  readonly port: number
  readonly expectedId?: string | undefined
}

/**
 * One peer: its hello, its frames, what waits to be sent to it, and why it ended. Extend it to keep state of
 * your own per peer, and return your class from `createNewConnection`.
 */
export class NodeConnection {
  /** Who opened the connection: `outbound` if this node did. */
  readonly direction: 'inbound' | 'outbound'
  /** The remote address; for an outbound connection, the one that was dialled. */
  readonly host: string
  readonly port: number
  readonly #owner: ConnectionOwner
  readonly #channel: FrameChannel
  readonly #handshake: Handshake
  readonly #heartbeat: Heartbeat
  readonly #pongs: TokenBucket
  readonly #info = new Map<string, unknown>()
  readonly #opened = new Deferred<CloseReason | undefined>()
  readonly #closed = new Deferred<void>()
  #hello: Hello | undefined
  #upSince: number | undefined
  #deadline: Timer
  #reason: CloseReason | undefined
  #drained: Deferred<void> | undefined
  #isGone = false

  constructor(init: ConnectionInit) {
    const { owner, channel, direction } = init
    this.direction = direction
    this.host = init.host
    this.port = init.port
    this.#owner = owner
    this.#channel = new FrameChannel(channel, owner.clock, MAX_HELLO_BYTES)
    const { pingInterval: interval, pingTimeout: timeout, handshakeTimeout } = owner.settings
    const now = owner.clock.now()
    this.#heartbeat = new Heartbeat({ interval, timeout }, now)
    this.#pongs = new TokenBucket(PONG_RATE, PONG_BURST, now)
    this.#handshake = new Handshake({
      role: direction === 'outbound' ? 'initiator' : 'responder',
      self: owner.self,
      hello: owner.hello(),
      provenId: channel.peerId,
      expectedId: init.expectedId,
      send: (kind, payload) => this.sendFrame(encodeFrame(kind, payload)),
      sign: (bytes) => owner.sign(bytes),
      admit: (hello) => this.#admit(hello),
      done: () => this.#onUp(),
      fail: (code, text) => this.close(code, text),
    })
    // In total, the transport's own handshake included: bytes that trickle in do not extend it.
    const timeLeft = Math.max(1, handshakeTimeout - (now - (channel.acceptedAt ?? now)))
    this.#deadline = owner.clock.setTimer(() => this.close('handshake-timeout'), timeLeft)
  }

  /** The peer's ID: proven in a `SecureNode`, a claim in a plain `Node`; empty until its hello came. */
  get id(): string {
    return this.#hello?.id ?? ''
  }

  /** The ID in the peer's hello, proven or not yet: good for nothing but looking for another connection to it. */
  get claimedId(): string {
    return this.#handshake.claimedId ?? ''
  }

  /** Whether both ends have accepted each other and it has not ended. */
  get isUp(): boolean {
    return this.#upSince !== undefined && this.#reason === undefined
  }

  /** Why it ended; undefined while it has not. */
  get closeReason(): CloseReason | undefined {
    return this.#reason
  }

  /** Whether the bytes are encrypted on their way. */
  get encrypted(): boolean {
    return this.#channel.encrypted
  }

  /** When it came up, in ms since the epoch; 0 before. */
  get connectedAt(): number {
    return this.#upSince ?? 0
  }

  /** Round-trip time in ms, once a ping was answered. */
  get latency(): Latency | undefined {
    return this.#heartbeat.latency
  }

  /** Where the peer says that it accepts connections; an empty or wildcard host means {@link host}. */
  get listen(): readonly Address[] {
    return this.#hello?.listen ?? []
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

  /** Keeps a value of yours with this connection. */
  setInfo(key: string, value: unknown): void {
    this.#info.set(key, value)
  }

  /** A value kept with {@link setInfo}. */
  getInfo(key: string): unknown {
    return this.#info.get(key)
  }

  /** Resolves when it is up, or with the reason when it ended before. */
  get opened(): Promise<CloseReason | undefined> {
    return this.#opened.promise
  }

  /** Resolves when it has ended and its socket is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise
  }

  /** Starts to talk. The node calls it once. */
  open(): void {
    this.#channel.open({
      onActivity: (now) => this.#heartbeat.heard(now),
      onFrame: (frame) => this.#onFrame(frame),
      onFault: (fault) => this.close(fault),
      onDrain: () => this.#onDrain(),
      onClose: (error) => this.#onChannelClose(error),
    })
    this.#handshake.start()
  }

  /**
   * Measures the round-trip time, in ms.
   *
   * @throws SecureNodeError `connection-closed` when the connection ends first, `overload` when more than 16 wait.
   */
  async ping(): Promise<number> {
    const { promise, resolve } = new Deferred<number | undefined>()
    if (this.isUp) this.#sendPing(resolve)
    else resolve(undefined)
    const latency = await promise
    if (latency !== undefined) return latency
    throw this.isUp ? tooManyPings() : connectionClosed(this.#reason?.code ?? 'it is not up')
  }

  /**
   * Queues an encoded frame; the node's own way to send, and for experiments with the protocol. Does nothing
   * after the end. A peer that lets too much pile up loses its connection.
   */
  sendFrame(frame: Uint8Array): void {
    if (this.#reason !== undefined) return
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
    if (this.#reason !== undefined) return
    this.#channel.write(encodeFrame(Kind.close, new TextEncoder().encode(JSON.stringify({ code, text }))))
    this.#end({ code, text, by: 'us' })
    this.#linger()
  }

  /** Resolves when the peer has read enough for senders to go on, or has gone. */
  async room(): Promise<void> {
    while (this.isUp && this.isCongested) {
      this.#drained ??= new Deferred<void>()
      await this.#drained.promise
    }
  }

  #onDrain(): void {
    this.#drained?.resolve()
    this.#drained = undefined
    this.#owner.onDrain(this)
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
    if (this.#channel.isPaused) this.#heartbeat.heard(now) // The silence is our own.
    if (this.#channel.isOverdue(now, this.#owner.settings.frameTimeout)) {
      this.close('frame-timeout')
      return
    }
    // Twice as long: what the system takes at once may be a whole queue, which a slow line needs its time for.
    if (this.#channel.isStuck(now, 2 * this.#owner.settings.frameTimeout)) {
      this.#dropSlowPeer()
      return
    }
    const due = this.#heartbeat.due(now)
    if (due === 'ping') this.#sendPing()
    else if (due === 'dead') this.close('timeout', `nothing heard for ${this.#owner.settings.pingTimeout} ms`)
  }

  #sendPing(answered?: (latency: number | undefined) => void): void {
    this.sendFrame(encodeFrame(Kind.ping, this.#heartbeat.ping(this.#owner.clock.now(), answered)))
  }

  #admit(hello: Hello): CloseReason | undefined | Promise<CloseReason | undefined> {
    this.#hello = hello
    return this.#owner.admit(this)
  }

  #onUp(): void {
    const now = this.#owner.clock.now()
    this.#deadline.cancel()
    this.#channel.maxBytes = this.#owner.settings.maxFrameBytes
    this.#upSince = now
    this.#heartbeat.heard(now)
    this.#opened.resolve(undefined)
    this.#owner.onUp(this)
  }

  #onFrame(frame: Frame): void {
    if (frame.kind === Kind.close) this.#onCloseFrame(frame.payload)
    else if (!this.#handshake.isOver) this.#handshake.receive(frame)
    else if (frame.kind === Kind.ping) this.#onPing(frame.payload)
    else if (frame.kind === Kind.pong)
      this.#heartbeat.pong(frame.payload.slice(0, 8), this.#owner.clock.now())
    else this.#owner.onFrame(this, frame)
  }

  #onPing(payload: Uint8Array): void {
    if (payload.length !== 8) this.close('bad-payload', 'a ping has 8 bytes')
    else if (this.#pongs.take(this.#owner.clock.now())) this.sendFrame(encodeFrame(Kind.pong, payload))
  }

  #onCloseFrame(payload: Uint8Array): void {
    const parsed = parseJson(payload)
    this.#end(readCloseReason(parsed.ok ? parsed.value : undefined))
    this.#linger()
  }

  #onChannelClose(error: Error | undefined): void {
    this.#isGone = true
    this.#end({ code: 'lost', text: cleanText(error?.message), by: 'network' })
    this.#deadline.cancel()
    this.#closed.resolve()
  }

  /** The one place where a connection ends. */
  #end(reason: CloseReason): void {
    if (this.#reason !== undefined) return
    this.#reason = reason
    this.#handshake.stop()
    this.#heartbeat.stop()
    this.#deadline.cancel()
    this.#opened.resolve(reason)
    this.#drained?.resolve()
    this.#owner.onDown(this)
  }

  /** Lets what is queued leave, but not for ever: a peer that does not read must not keep the socket. */
  #linger(): void {
    this.#channel.end()
    if (this.#isGone) return
    const { clock, settings } = this.#owner
    this.#deadline = clock.setTimer(() => this.#channel.destroy(), settings.stopTimeout)
  }
}
