import type { Happening } from './happening.ts'
import { GLOW_TIME, HOP_TIME, MAX_DOTS, MAX_TRAVELS } from './page-limits.ts'
import { linkKey } from './picture.ts'

/** A message on its way over a link, `progress` from 0 to 1. */
export interface Dot {
  readonly from: string
  readonly to: string
  readonly progress: number
  /** Who wrote it: what its colour is chosen by. */
  readonly author: string
}

/** A ring around a node that was reached or that refused; `age` from 0 to 1. */
export interface Glow {
  readonly node: string
  readonly age: number
  readonly isRefusal: boolean
  /** The peer that brought what was refused. */
  readonly from: string | undefined
}

interface Leg {
  readonly from: string
  readonly to: string
  readonly author: string
  readonly begin: number
}

interface Light {
  readonly node: string
  readonly begin: number
  readonly isRefusal: boolean
  readonly from: string | undefined
}

interface Travel {
  readonly author: string
  /** When it was or will be at each node, in ms of the view's clock. */
  readonly arrivals: Map<string, number>
  readonly links: Set<string>
  end: number
}

/**
 * What moves. In the network a message needs less than a millisecond per hop; here each hop takes long enough to
 * be followed, and begins where and when the one before has ended. Time is that of the view, not of the network:
 * two nodes that tell of the same message in the wrong order are still drawn in the right one.
 */
export class Travels {
  readonly #travels = new Map<string, Travel>()
  #legs: Leg[] = []
  #lights: Light[] = []
  readonly #hopTime: number

  /** @param hopTime How long a hop takes, in ms. */
  constructor(hopTime = HOP_TIME) {
    this.#hopTime = hopTime
  }

  /** Whether there is nothing to draw. */
  get isStill(): boolean {
    return this.#legs.length === 0 && this.#lights.length === 0
  }

  /** @param now The view's clock, in ms. */
  add(happenings: readonly Happening[], now: number): void {
    for (const happening of happenings) {
      if (happening.kind === 'message') {
        const { id, node, author, from, to, verdict } = happening
        const travel = this.#travelOf(id, author ?? from ?? node, now)
        if (travel === undefined) continue
        if (verdict === 'sent') this.#arrive(travel, node, now)
        if (from !== undefined && from !== node) this.#go(travel, from, node, now)
        for (const peer of to ?? []) this.#go(travel, node, peer, now)
      } else if (happening.kind === 'refused') {
        const { id, node, from, author } = happening
        const travel = this.#travelOf(id ?? `refused ${node}`, author ?? from ?? node, now)
        const begin = travel === undefined || from === undefined ? now : this.#go(travel, from, node, now)
        this.#light({ node, begin, isRefusal: true, from })
      }
    }
  }

  /** What is under way at a moment of the view's clock. What has ended is forgotten. */
  at(now: number): { readonly dots: readonly Dot[]; readonly glows: readonly Glow[] } {
    this.#legs = this.#legs.filter(({ begin }) => begin + this.#hopTime > now)
    this.#lights = this.#lights.filter(({ begin }) => begin + GLOW_TIME > now)
    for (const [id, { end }] of this.#travels) if (end < now) this.#travels.delete(id)
    const dots = this.#legs
      .filter(({ begin }) => begin <= now)
      .map(({ from, to, author, begin }) => ({
        from,
        to,
        author,
        progress: (now - begin) / this.#hopTime,
      }))
    const glows = this.#lights
      .filter(({ begin }) => begin <= now)
      .map(({ begin, ...light }) => ({ ...light, age: (now - begin) / GLOW_TIME }))
    return { dots, glows }
  }

  clear(): void {
    this.#travels.clear()
    this.#legs = []
    this.#lights = []
  }

  #travelOf(id: string, author: string, now: number): Travel | undefined {
    const known = this.#travels.get(id)
    if (known !== undefined) return known
    if (this.#travels.size >= MAX_TRAVELS) return undefined
    const travel = { author, arrivals: new Map<string, number>(), links: new Set<string>(), end: now }
    this.#travels.set(id, travel)
    return travel
  }

  /** When the message is at its end of the link: when it goes there, if it does not yet. */
  #go(travel: Travel, from: string, to: string, now: number): number {
    const key = linkKey(from, to)
    // What is told late begins now: nobody would see it begin in the past.
    const begin = Math.max(travel.arrivals.get(from) ?? now, now)
    const arrival = begin + this.#hopTime
    if (travel.links.has(key)) return travel.arrivals.get(to) ?? arrival
    travel.links.add(key)
    if (!travel.arrivals.has(from)) travel.arrivals.set(from, now)
    if (this.#legs.length < MAX_DOTS) {
      this.#legs.push({ from, to, author: travel.author, begin })
    }
    this.#arrive(travel, to, arrival)
    return arrival
  }

  #arrive(travel: Travel, node: string, at: number): void {
    const known = travel.arrivals.get(node)
    if (known !== undefined && known <= at) return
    travel.arrivals.set(node, at)
    // Kept a while longer: nodes tell of it some time after another.
    travel.end = Math.max(travel.end, at + GLOW_TIME)
    if (known === undefined) this.#light({ node, begin: at, isRefusal: false, from: undefined })
  }

  #light(light: Light): void {
    if (this.#lights.length < MAX_DOTS) this.#lights.push(light)
  }
}
