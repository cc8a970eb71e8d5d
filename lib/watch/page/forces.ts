import {
  forceCollide,
  type ForceLink,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type Simulation,
  type SimulationLinkDatum,
  type SimulationNodeDatum,
} from 'd3-force'

/** Where a node is, in units of the picture. */
export interface Spot extends SimulationNodeDatum {
  readonly id: string
  x: number
  y: number
}

/** A link, as far as it pulls. */
export interface Tie extends SimulationLinkDatum<Spot> {
  readonly isLazy: boolean
}

/** A layout in the making. */
export type Forces = Simulation<Spot, Tie>

/** Up to this many nodes, links are long enough for the texts beside them. */
export const FEW = 12

/** How restless a layout is when it is done. */
export const REST = 0.02
/** How strongly a node is drawn to the middle, by axis: pages are wider than high. */
const MIDDLE = { x: 0.035, y: 0.055 }
/** How strongly it is drawn to a place of its own. */
const HOME = 0.35

/** Where a node is to be; undefined for anywhere. */
export type Homes = ReadonlyMap<string, { readonly x: number; readonly y: number }>

/** Links pull, nodes push each other away, and all of them stay near the middle, or go where they are to be. */
export function forcesOf(spots: Spot[], ties: Tie[], homes?: Homes): Forces {
  // How much more than a hundred nodes there are: many need less force for the same density.
  const crowd = Math.max(1, spots.length / 100)
  return forceSimulation<Spot, Tie>(spots)
    .force('links', pull(ties, spots.length, crowd))
    .force(
      'repulsion',
      forceManyBody<Spot>()
        .strength(-260 / Math.sqrt(crowd))
        .distanceMax(900),
    )
    .force(
      'x',
      forceX<Spot>(({ id }) => homes?.get(id)?.x ?? 0).strength(({ id }) =>
        homes?.has(id) ? HOME : MIDDLE.x,
      ),
    )
    .force(
      'y',
      forceY<Spot>(({ id }) => homes?.get(id)?.y ?? 0).strength(({ id }) =>
        homes?.has(id) ? HOME : MIDDLE.y,
      ),
    )
    .force('room', forceCollide<Spot>(16))
    .alphaMin(REST)
    .stop()
}

/** Links of the tree pull. The others hardly do: the tree is what one sees. */
function pull(ties: Tie[], nodes: number, crowd: number): ForceLink<Spot, Tie> {
  return forceLink<Spot, Tie>(ties)
    .id(({ id }) => id)
    .distance(({ isLazy }) => (isLazy ? 130 : nodes <= FEW ? 120 : 60))
    .strength(({ isLazy }) => (isLazy ? 0.02 / crowd ** 2 : 0.6))
}
