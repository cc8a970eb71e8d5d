/** Who is connected with whom in the demo. */

/** Two members that are connected. */
export type Edge = readonly [number, number]

/** The members: processes, each with a node. */
export const MEMBERS: readonly number[] = [1, 2, 3, 4, 5]

/** A line, and one edge more: with the cycle 2-3-4, messages arrive twice somewhere, and could go round for ever. */
export const EDGES: readonly Edge[] = [
  [1, 2],
  [2, 3],
  [3, 4],
  [4, 5],
  [2, 4],
]

/** The neighbours of a member, in order. */
export function neighbours(member: number, edges: readonly Edge[] = EDGES): number[] {
  return edges.flatMap(([a, b]) => (a === member ? [b] : b === member ? [a] : [])).sort((a, b) => a - b)
}

/** Over how many links a message must go from one member to each other one; who cannot be reached is missing. */
export function hopsFrom(member: number, edges: readonly Edge[] = EDGES): ReadonlyMap<number, number> {
  const hops = new Map([[member, 0]])
  // Maps are read while they grow: this is the queue of a breadth-first search.
  for (const [at, distance] of hops) {
    for (const next of neighbours(at, edges)) if (!hops.has(next)) hops.set(next, distance + 1)
  }
  return hops
}
