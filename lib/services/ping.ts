import { FIRST_PING } from '../limits/limits.ts'

/** Round-trip time of a link, in ms. */
export interface Latency {
  /** The newest measurement. */
  readonly last: number
  /** Smoothed over the last ones, as TCP does it (RFC 6298): a new one counts an eighth. */
  readonly smoothed: number
  /** The smallest one: closest to the way itself, without queues. */
  readonly min: number
}

/** When a link is pinged, and when it is given up. The same object for all links of a node. */
export interface HeartbeatOptions {
  /** Where jitter comes from: numbers from 0 to below 1. */
  readonly random: () => number
  /** Between pings of a silent link, in ms. */
  readonly pingInterval: number
  /** Silence after which a link is dead, in ms. */
  readonly pingTimeout: number
}

/** Pings of one link that wait for their answer; more are not needed to know that it is alive. */
const MAX_WAITING = 16

/** Bytes of a ping: its number. */
const PAYLOAD = 8

interface WaitingPing {
  readonly number: number
  readonly sentAt: number
  /** Called with the round-trip time, or undefined when the link ends or too many newer pings wait. */
  readonly answered: ((latency: number | undefined) => void) | undefined
}

/** What no link keeps a list of its own for: most of the time none of its pings waits. */
const NONE: readonly WaitingPing[] = []

/** Knows whether a link is alive and how far away its peer is. Sends nothing and owns no timer. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  /** Oldest first. */
  #waiting = NONE
  #heardAt: number
  #nextPing: number
  #count = 0
  #latency: Latency | undefined

  constructor(options: HeartbeatOptions, now: number) {
    this.#options = options
    this.#heardAt = now
    // The first one soon: a link without a latency is of little use to who chooses by it.
    this.#nextPing = now + Math.min(FIRST_PING, options.pingInterval) * options.random()
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
    if (now - this.#heardAt >= this.#options.pingTimeout) return 'dead'
    if (now < this.#nextPing) return undefined
    this.#nextPing = now + this.#spread()
    return 'ping'
  }

  /**
   * The payload of a new ping, 8 bytes. `answered` is called with the round-trip time, or with undefined when
   * the link ends or too many newer pings wait.
   */
  ping(now: number, answered?: (latency: number | undefined) => void): Uint8Array {
    const payload = new Uint8Array(PAYLOAD)
    const number = ++this.#count
    viewOf(payload).setFloat64(0, number)
    const isFull = this.#waiting.length >= MAX_WAITING
    const oldest = isFull ? this.#waiting[0] : undefined
    this.#waiting = [...this.#waiting.slice(isFull ? 1 : 0), { number, sentAt: now, answered }]
    oldest?.answered?.(undefined)
    return payload
  }

  /**
   * A pong arrived; one that answers no ping of ours is ignored. Earlier pings that were not answered by now will
   * not be: the peer leaves some out when there are too many, and this one answers for them.
   */
  pong(payload: Uint8Array, now: number): void {
    if (payload.length < PAYLOAD) return
    const number = viewOf(payload).getFloat64(0)
    const at = this.#waiting.findIndex((ping) => ping.number === number)
    if (at < 0) return
    const answered = this.#waiting.slice(0, at + 1)
    this.#waiting = at + 1 === this.#waiting.length ? NONE : this.#waiting.slice(at + 1)
    for (const ping of answered) this.#measure(ping, now)
  }

  #measure(ping: WaitingPing, now: number): void {
    const last = Math.max(0, now - ping.sentAt)
    const { smoothed = last, min = last } = this.#latency ?? {}
    this.#latency = { last, smoothed: smoothed + (last - smoothed) / 8, min: Math.min(min, last) }
    ping.answered?.(last)
  }

  /** The link ended: nobody will answer. */
  stop(): void {
    const waiting = this.#waiting
    this.#waiting = NONE
    for (const ping of waiting) ping.answered?.(undefined)
  }

  /** Jitter, so that the links of a node that started them together do not ping together for ever. */
  #spread(): number {
    return this.#options.pingInterval * (0.75 + this.#options.random() / 4)
  }
}

function viewOf(payload: Uint8Array): DataView {
  return new DataView(payload.buffer, payload.byteOffset, PAYLOAD)
}
