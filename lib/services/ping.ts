import { FIRST_PING } from '../limits.ts'
import { toHex } from '../wire/hex.ts'

/** Round-trip time of a link, in ms. */
export interface Latency {
  /** The newest measurement. */
  readonly last: number
  /** Smoothed over the last ones, as TCP does it (RFC 6298): a new one counts an eighth. */
  readonly smoothed: number
  /** The smallest one: closest to the way itself, without queues. */
  readonly min: number
}

/** When a link is pinged, and when it is given up. */
export interface HeartbeatOptions {
  /** Where jitter comes from: numbers from 0 to below 1. */
  readonly random: () => number
  /** Between pings of a silent link, in ms. */
  readonly interval: number
  /** Silence after which a link is dead, in ms. */
  readonly timeout: number
}

/** Pings of one link that wait for their answer; more are not needed to know that it is alive. */
const MAX_WAITING = 16

interface WaitingPing {
  readonly sentAt: number
  readonly resolve: (latency: number | undefined) => void
}

/** Knows whether a link is alive and how far away its peer is. Sends nothing and owns no timer. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  readonly #waiting = new Map<string, WaitingPing>()
  #heardAt: number
  #nextPing: number
  #count = 0
  #latency: Latency | undefined

  constructor(options: HeartbeatOptions, now: number) {
    this.#options = options
    this.#heardAt = now
    // The first one soon: a link without a latency is of little use to who chooses by it.
    this.#nextPing = now + Math.min(FIRST_PING, options.interval) * options.random()
  }

  get latency(): Latency | undefined {
    return this.#latency
  }

  /** Something arrived: the link lives. */
  heard(now: number): void {
    this.#heardAt = now
  }

  /** What is to be done at this time. */
  due(now: number): 'ping' | 'dead' | undefined {
    if (now - this.#heardAt >= this.#options.timeout) return 'dead'
    if (now < this.#nextPing) return undefined
    this.#nextPing = now + this.#spread()
    return 'ping'
  }

  /**
   * The payload of a new ping, 8 bytes. `answered` is called with the round-trip time, or with undefined when
   * the link ends or too many newer pings wait.
   */
  ping(now: number, answered: (latency: number | undefined) => void = () => {}): Uint8Array {
    const payload = new Uint8Array(8)
    new DataView(payload.buffer).setFloat64(0, ++this.#count)
    if (this.#waiting.size >= MAX_WAITING) {
      const [oldest, ping] = this.#waiting.entries().next().value!
      this.#waiting.delete(oldest)
      ping.resolve(undefined)
    }
    this.#waiting.set(toHex(payload), { sentAt: now, resolve: answered })
    return payload
  }

  /**
   * A pong arrived; one that answers no ping of ours is ignored. Earlier pings that were not answered by now will
   * not be: the peer leaves some out when there are too many, and this one answers for them.
   */
  pong(payload: Uint8Array, now: number): void {
    const key = toHex(payload)
    if (!this.#waiting.has(key)) return
    for (const [earlier, ping] of this.#waiting) {
      this.#waiting.delete(earlier)
      this.#measure(ping, now)
      if (earlier === key) return
    }
  }

  #measure(ping: WaitingPing, now: number): void {
    const last = Math.max(0, now - ping.sentAt)
    const { smoothed = last, min = last } = this.#latency ?? {}
    this.#latency = { last, smoothed: smoothed + (last - smoothed) / 8, min: Math.min(min, last) }
    ping.resolve(last)
  }

  /** The link ended: nobody will answer. */
  stop(): void {
    for (const ping of this.#waiting.values()) ping.resolve(undefined)
    this.#waiting.clear()
  }

  /** Jitter, so that the links of a node that started them together do not ping together for ever. */
  #spread(): number {
    return this.#options.interval * (0.75 + this.#options.random() / 4)
  }
}
