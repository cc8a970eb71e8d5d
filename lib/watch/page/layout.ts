import { FEW, type Forces, forcesOf, type Homes, REST, type Spot } from './forces.ts'
import { type Picture, summarizeLink } from './picture.ts'
import { untangle } from './untangle.ts'

/** Positions that are kept although the node is gone: who goes back in time finds it where it was. */
const MAX_REMEMBERED = 4_000
/** How restless the layout is at first, and after a change. */
const ALPHA = { begin: 1, change: 0.35 }
/** Longest that a layout is worked out at one go, in ms: the page is blocked meanwhile. */
const SETTLE_TIME = 350

/**
 * Where the nodes are: linked ones near each other, all others apart. Links of the relay tree pull, the others hardly
 * do, so the tree is what one sees. The same network gets the same picture: nothing here is left to chance.
 */
export class Layout {
  readonly #spots = new Map<string, Spot>()
  #forces: Forces = forcesOf([], [])
  #shape = ''
  #present: Spot[] = []
  /** Where few nodes are to be, so that their links do not cross. */
  #homes: Homes | undefined

  /** The nodes of the picture that was shown last. */
  get spots(): readonly Spot[] {
    return this.#present
  }

  /** Whether nothing moves any more. */
  get isResting(): boolean {
    return this.#forces.alpha() < REST
  }

  spot(id: string): Spot | undefined {
    return this.#spots.get(id)
  }

  /** The nodes and links to lay out. Whether anything about them is new. */
  show(picture: Picture): boolean {
    const ties = [...picture.links.values()].map((link) => ({
      source: link.a,
      target: link.b,
      isLazy: summarizeLink(link).tree === 'lazy',
    }))
    // Nodes and links without their figures: those change all the time, and move nothing.
    const shape = `${[...picture.nodes.keys()].join()} ${ties.map((tie) => tie.source + tie.target + String(tie.isLazy)).join()}`
    if (shape === this.#shape) return false
    this.#shape = shape
    const isFirst = this.#spots.size === 0
    const neighbours = neighboursOf(picture)
    this.#present = [...picture.nodes.keys()].map((id) => this.#place(id, neighbours.get(id) ?? []))
    this.#forget(picture)
    const alpha = isFirst ? ALPHA.begin : Math.max(ALPHA.change, this.#forces.alpha())
    // Those that have come to rest without a crossing stay: a picture that turns round is not calm.
    if (this.#present.length <= FEW) this.#homes = untangle(this.#present, ties, isFirst) ?? this.#homes
    else this.#homes = undefined
    this.#forces = forcesOf(this.#present, ties.map((tie) => ({ ...tie })), this.#homes).alpha(alpha) // prettier-ignore
    return true
  }

  /** One step towards rest. */
  step(): void {
    if (!this.isResting) this.#forces.tick()
  }

  /** All steps, as far as the time allows: what is seen first should not be a knot that unties itself. */
  settle(): void {
    const begin = performance.now()
    while (!this.isResting && performance.now() - begin < SETTLE_TIME) this.#forces.tick()
  }

  /** Somebody holds a node at a place; without a place it is let go. */
  hold(id: string, place: { x: number; y: number } | undefined): void {
    const spot = this.#spots.get(id)
    if (spot === undefined) return
    spot.fx = place?.x ?? null
    spot.fy = place?.y ?? null
    this.#forces.alpha(Math.max(ALPHA.change, this.#forces.alpha()))
  }

  /** A new node begins beside one that it is linked to, or it would fly across the picture. */
  #place(id: string, neighbours: readonly string[]): Spot {
    const known = this.#spots.get(id)
    if (known !== undefined) return known
    const near = neighbours.map((peer) => this.#spots.get(peer)).find((spot) => spot !== undefined)
    const turn = this.#spots.size * 2.399_963
    const distance = near === undefined ? 20 * Math.sqrt(this.#spots.size + 0.5) : 40
    const spot = {
      id,
      x: (near?.x ?? 0) + distance * Math.cos(turn),
      y: (near?.y ?? 0) + distance * Math.sin(turn),
    }
    this.#spots.set(id, spot)
    return spot
  }

  #forget({ nodes }: Picture): void {
    for (const id of this.#spots.keys()) {
      if (this.#spots.size <= MAX_REMEMBERED) return
      if (!nodes.has(id)) this.#spots.delete(id)
    }
  }
}

function neighboursOf({ links }: Picture): Map<string, string[]> {
  const neighbours = new Map<string, string[]>()
  for (const { a, b } of links.values()) {
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      // prettier-ignore
      const list = neighbours.get(one)
      if (list === undefined) neighbours.set(one, [other])
      else list.push(other)
    }
  }
  return neighbours
}
