import { invalidOption } from '../errors.ts'
import type { Route } from '../transport/memory-weather.ts'
import { Random } from './random.ts'

/** Always as long, or between two bounds, in ms. */
export type Spread = number | { readonly min: number; readonly max: number }

interface Slowness {
  readonly factor: number
  readonly extra: number
}

const USUAL: Slowness = { factor: 1, extra: 0 }
/** What three losses of one packet in a row cost, in ms. */
const LOSSES = 200 + 400 + 800

/** How long packets travel in a simulation: for each two hosts another time, and nearly the same one each time. */
export class Distances {
  readonly #seed: number
  readonly #min: number
  readonly #max: number
  readonly #jitter: number
  readonly #slow = new Map<string, Slowness>()

  /**
   * @param latency in whole ms, from 1: what takes no time could go on for ever at one instant
   * @param jitter how much longer single packets take, as a share
   * @throws SecureNodeError `invalid-option`
   */
  constructor(seed: number, latency: Spread, jitter: number) {
    const { min, max } = typeof latency === 'number' ? { min: latency, max: latency } : latency
    if (!(Number.isSafeInteger(min) && Number.isSafeInteger(max) && min >= 1 && max >= min))
      throw invalidOption('latency', 'whole milliseconds from 1, or { min, max } of them', latency)
    if (!(jitter >= 0 && jitter <= 10)) throw invalidOption('jitter', 'a number from 0 to 10', jitter)
    this.#seed = seed
    this.#min = min
    this.#max = max
    this.#jitter = jitter
  }

  slow(host: string, factor: number, extra: number): void {
    if (factor === 1 && extra === 0) this.#slow.delete(host)
    else this.#slow.set(host, { factor, extra })
  }

  /** The way from one host to another: as long as the way back, whoever dialled and whenever. */
  route(from: string, to: string): Route {
    const base = this.#baseOf(from, to)
    const spread = base * this.#jitter
    return (random) => {
      const usual = base + spread * random()
      if (this.#slow.size === 0) return Math.round(usual)
      const [one, other] = [this.#slow.get(from) ?? USUAL, this.#slow.get(to) ?? USUAL]
      return Math.round(usual * one.factor * other.factor + one.extra + other.extra)
    }
  }

  /**
   * How long two nodes that are busy with each other may send nothing, in ms: there and back, however slow they are.
   *
   * @param loss share of the packets that are sent again
   */
  longestSilence(loss: number): number {
    const slowest = [...this.#slow.values()]
    const factors = slowest.map(({ factor }) => factor).sort((left, right) => right - left)
    const extras = slowest.map(({ extra }) => extra).sort((left, right) => right - left)
    const factor = (factors[0] ?? 1) * (factors[1] ?? 1)
    const extra = (extras[0] ?? 0) + (extras[1] ?? 0)
    const trip = Math.round(this.#max * (1 + this.#jitter) * factor + extra) + (loss > 0 ? LOSSES : 0)
    return 2 * trip + 1
  }

  /** Drawn from the seed and both names, so that it does not depend on what else happens. */
  #baseOf(from: string, to: string): number {
    const pair = from < to ? `${from} ${to}` : `${to} ${from}`
    let hash = this.#seed
    for (let at = 0; at < pair.length; at++) hash = Math.imul(hash ^ pair.charCodeAt(at), 0x01000193)
    return this.#min + new Random(hash).below(this.#max - this.#min + 1)
  }
}
