import { Deferred } from '../ground/deferred.ts'
import { PONG_BURST, PONG_RATE } from '../limits/limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import type { CloseCode } from '../wire/close-code.ts'
import { encodeFrame, Kind } from '../wire/frame.ts'
import { Heartbeat, type HeartbeatOptions, type Latency } from './ping.ts'

/** A measurement of the round-trip time: the frame that is to be sent, and what comes of it. */
export interface Measurement {
  readonly frame: Uint8Array
  /** The time in ms; undefined when the link ends first, or too many newer pings wait. */
  readonly latency: Promise<number | undefined>
}

/** A frame that is to be sent, or why the link is to end. */
export type PulseOutcome = Uint8Array | { readonly code: CloseCode; readonly text: string } | undefined

/**
 * The pings of a link, both ways: its own, the answers to those of the peer, and the end of one that is dead. It sends
 * nothing itself: what is to be sent is returned, so that no link needs functions of its own for it.
 */
export class Pulse {
  readonly #options: HeartbeatOptions
  readonly #heartbeat: Heartbeat
  /** A peer that pings without end is not answered without end. */
  readonly #pongs: TokenBucket

  constructor(options: HeartbeatOptions, now: number) {
    this.#options = options
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
  due(now: number): PulseOutcome {
    const due = this.#heartbeat.due(now)
    if (due === 'ping') return this.#ping(now)
    if (due === undefined) return undefined
    return { code: 'timeout', text: `nothing heard for ${this.#options.pingTimeout} ms` }
  }

  /** Measures the round-trip time. */
  measure(now: number): Measurement {
    const { promise: latency, resolve } = new Deferred<number | undefined>()
    return { frame: this.#ping(now, resolve), latency }
  }

  /** The peer pings. */
  onPing(payload: Uint8Array, now: number): PulseOutcome {
    if (payload.length !== 8) return { code: 'bad-payload', text: 'a ping has 8 bytes' }
    return this.#pongs.take(now) ? encodeFrame(Kind.pong, payload) : undefined
  }

  onPong(payload: Uint8Array, now: number): void {
    this.#heartbeat.pong(payload, now)
  }

  /** The link ended: nobody will answer. */
  stop(): void {
    this.#heartbeat.stop()
  }

  #ping(now: number, answered?: (latency: number | undefined) => void): Uint8Array {
    return encodeFrame(Kind.ping, this.#heartbeat.ping(now, answered))
  }
}
