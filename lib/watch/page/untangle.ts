import { forcesOf, type Homes, type Spot } from './forces.ts'

/** A link between two nodes. */
export interface Pair {
  readonly source: string
  readonly target: string
  readonly isLazy: boolean
}

/** How often it is begun from other places. With a dozen nodes all of them take some milliseconds. */
const TRIES = 10
const STEPS = 160
const RADIUS = 150

/**
 * Places for few nodes at which fewer links cross each other than at those they have; undefined if none were found.
 * Forces alone end where they happen to end; so they are let loose from several places, always the same ones.
 *
 * @param isNew Whether the places that they have are but a beginning: then the best ones are taken in any case.
 */
export function untangle(spots: readonly Spot[], pairs: readonly Pair[], isNew = false): Homes | undefined {
  let fewest = isNew ? Infinity : crossings(new Map(spots.map((spot) => [spot.id, spot])), pairs)
  let best: Homes | undefined
  for (let attempt = 0; attempt < TRIES && fewest > 0; attempt++) {
    const order = attempt === 0 ? walk(spots, pairs) : shuffled(spots, attempt)
    const trial = order.map((id, index) => {
      const angle = (2 * Math.PI * index) / order.length
      return { id, x: RADIUS * Math.cos(angle), y: RADIUS * Math.sin(angle) }
    })
    // Here lazy links pull as the others do: they are to be seen uncrossed too.
    const ties = pairs.map(({ source, target }) => ({ source, target, isLazy: false }))
    forcesOf(trial, ties).tick(STEPS)
    const homes = new Map(trial.map((spot) => [spot.id, spot]))
    const count = crossings(homes, pairs)
    if (count < fewest) [best, fewest] = [homes, count]
  }
  return best
}

/** How many pairs of links cross each other. */
export function crossings(places: Homes, pairs: readonly Pair[]): number {
  let count = 0
  pairs.forEach((one, index) => {
    for (const other of pairs.slice(index + 1)) if (doCross(places, one, other)) count++
  })
  return count
}

function doCross(places: Homes, one: Pair, other: Pair): boolean {
  const ends = [one.source, one.target, other.source, other.target]
  // Links that meet at a node do not cross.
  if (new Set(ends).size < 4) return false
  const [a, b, c, d] = ends.map((id) => places.get(id)!)
  return side(a!, b!, c!) !== side(a!, b!, d!) && side(c!, d!, a!) !== side(c!, d!, b!)
}

interface Place {
  readonly x: number
  readonly y: number
}

/** On which side of a line a place is. */
function side(from: Place, to: Place, place: Place): boolean {
  return (to.x - from.x) * (place.y - from.y) > (to.y - from.y) * (place.x - from.x)
}

/** From neighbour to neighbour, as deep as it goes: those that are linked come next to each other. */
function walk(spots: readonly Spot[], pairs: readonly Pair[]): string[] {
  const order = new Set<string>()
  const visit = (id: string): void => {
    if (order.has(id)) return
    order.add(id)
    for (const { source, target } of pairs) {
      if (source === id) visit(target)
      else if (target === id) visit(source)
    }
  }
  for (const { id } of spots) visit(id)
  return [...order]
}

/** In another order; the same one for the same attempt (Park and Miller). */
function shuffled(spots: readonly Spot[], attempt: number): string[] {
  let state = attempt * 7_919
  const ranked = spots.map(({ id }) => {
    state = (state * 48_271) % 2_147_483_647
    return { id, rank: state }
  })
  return ranked.sort((one, other) => one.rank - other.rank).map(({ id }) => id)
}
