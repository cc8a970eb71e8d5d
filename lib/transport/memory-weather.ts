import { invalidOption } from '../errors.ts'
import { Random } from '../testing/random.ts'

/** How long the next packet takes, in ms, its losses not counted; `random` gives numbers from 0 to below 1. */
export type Route = (random: () => number) => number

/** What befalls the packets of a network in memory. */
export interface WeatherOptions {
  /**
   * Where the random numbers start. The same seed gives the same delays and losses.
   * @default 1
   */
  readonly seed?: number
  /**
   * How long a packet travels, in ms: always as long, or evenly spread between two bounds.
   * @default 0, which uses no timers
   */
  readonly latency?: number | { readonly min: number; readonly max: number }
  /**
   * How long the packets from one host to another travel, where {@link latency} is not the same for all: asked
   * once for each direction of a connection; what it returns, for each packet.
   * @default evenly spread, as `latency` says
   */
  readonly route?: (from: string, to: string) => Route
  /**
   * Share of the packets that have to be sent again, from 0 to below 1. Nothing is lost for good, and the order
   * stays, as with TCP: each loss delays its packet, and all that follow it, by 200 ms, then 400, then 800.
   * @default 0
   */
  readonly loss?: number
}

/** First wait for an acknowledgement, in ms: the least that Linux waits. Each further loss doubles it. */
const RETRANSMISSION_DELAY = 200

/** Delays and losses, always the same ones for the same seed. */
export class MemoryWeather {
  readonly #random: Random
  readonly #route: (from: string, to: string) => Route
  readonly #loss: number

  /** @throws SecureNodeError `invalid-option` */
  constructor({ seed = 1, latency = 0, route, loss = 0 }: WeatherOptions) {
    const { min, max } = typeof latency === 'number' ? { min: latency, max: latency } : latency
    if (!(min >= 0 && max >= min && max < Infinity)) {
      throw invalidOption('latency', 'milliseconds, or { min, max } of them', latency)
    }
    if (!(loss >= 0 && loss < 1)) throw invalidOption('loss', 'a number from 0 to below 1', loss)
    if (!Number.isSafeInteger(seed)) throw invalidOption('seed', 'a whole number', seed)
    const spread: Route = (random) => (min === max ? min : min + random() * (max - min))
    this.#random = new Random(seed)
    this.#route = route ?? (() => spread)
    this.#loss = loss
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return this.#random.below(limit)
  }

  /** For one direction of a connection: tells how long the next packet takes, in ms, retransmissions included. */
  delays(from: string, to: string): () => number {
    // Each direction draws for itself: the timing of one connection does not depend on the traffic of others.
    const random = this.#random.fork()
    const route = this.#route(from, to)
    const draw = (): number => random.next()
    return () => route(draw) + this.#retransmissions(draw)
  }

  /** What the losses of one packet cost, in ms. */
  #retransmissions(random: () => number): number {
    let delay = 0
    if (this.#loss === 0) return delay
    for (let wait = RETRANSMISSION_DELAY; random() < this.#loss; wait *= 2) delay += wait
    return delay
  }
}
