import type { Clock } from '../clock.ts'
import { Deferred } from '../deferred.ts'
import { PONG_BURST, PONG_RATE } from '../limits.ts'
import { TokenBucket } from '../token-bucket.ts'
import type { CloseCode } from '../wire/close-code.ts'
import { encodeFrame, Kind } from '../wire/frame.ts'
import { Heartbeat, type HeartbeatOptions, type Latency } from './ping.ts'

/** What pings need of their link. */
export interface PulsePort {
  readonly clock: Clock
  send(frame: Uint8Array): void
  close(code: CloseCode, text: string): void
}

/** The pings of a link, both ways: sends its own, answers those of the peer, ends the link of one that is dead. */
export class Pulse {
  readonly #port: PulsePort
  readonly #heartbeat: Heartbeat
  readonly #timeout: number
  /** A peer that pings without end is not answered without end. */
  readonly #pongs: TokenBucket

  constructor(port: PulsePort, options: HeartbeatOptions) {
    const now = port.clock.now()
    this.#port = port
    this.#timeout = options.timeout
    this.#heartbeat = new Heartbeat(options, now)
    this.#pongs = new TokenBucket(PONG_RATE, PONG_BURST, now)
  }

  /** Round-trip time, once a ping was answered. */
  get latency(): Latency | undefined {
    return this.#heartbeat.latency
  }

  /** Something arrived: the link lives. */
  heard(now: number): void {
    this.#heartbeat.heard(now)
  }

  /** What time brings: a ping that is due, a peer that is dead. */
  tick(now: number): void {
    const due = this.#heartbeat.due(now)
    if (due === 'ping') this.#send()
    else if (due === 'dead') this.#port.close('timeout', `nothing heard for ${this.#timeout} ms`)
  }

  /** Measures the round-trip time, in ms; undefined when the link ends first, or too many newer pings wait. */
  measure(): Promise<number | undefined> {
    const { promise, resolve } = new Deferred<number | undefined>()
    this.#send(resolve)
    return promise
  }

  onPing(payload: Uint8Array): void {
    if (payload.length !== 8) this.#port.close('bad-payload', 'a ping has 8 bytes')
    else if (this.#pongs.take(this.#port.clock.now())) this.#port.send(encodeFrame(Kind.pong, payload))
  }

  onPong(payload: Uint8Array): void {
    this.#heartbeat.pong(payload.slice(0, 8), this.#port.clock.now())
  }

  /** The link ended: nobody will answer. */
  stop(): void {
    this.#heartbeat.stop()
  }

  #send(answered?: (latency: number | undefined) => void): void {
    this.#port.send(encodeFrame(Kind.ping, this.#heartbeat.ping(this.#port.clock.now(), answered)))
  }
}
