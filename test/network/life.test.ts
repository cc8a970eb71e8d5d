// A network that forms itself from one address, and stays whole whatever befalls it.
import t from 'tap'
import { components, diameter } from '../fixtures/graph.ts'
import { lifeSize, livesThroughAll } from '../fixtures/life-tests.ts'
import { line, mesh, ring } from '../fixtures/network.ts'
import { flawsOf } from '../fixtures/wholeness.ts'

const { nodes, seeds, timeout } = lifeSize(60, 2)
t.setTimeout(timeout)

for (const seed of seeds) {
  const name = `${nodes} nodes, seed ${seed}`
  t.test(`${name}: they find each other, and survive a crash of a fifth and a division`, async (t) => {
    await livesThroughAll(t, { nodes, seed })
  })
}

t.test('what it is measured by measures well', async (t) => {
  const graphOf = (count: number, edges: readonly (readonly [number, number])[]) =>
    Array.from({ length: count }, (_, node) =>
      edges.flatMap(([from, to]) => (from === node ? [to] : to === node ? [from] : [])),
    )
  t.equal(diameter(graphOf(10, line(10))), 9)
  t.equal(diameter(graphOf(10, ring(10))), 5)
  t.equal(diameter(graphOf(10, mesh(10))), 1)
  t.equal(diameter(graphOf(11, ring(10))), Infinity, 'a node that is alone is infinitely far away')
  const parts = components(graphOf(9, [...line(3), [4, 5], [5, 6], [6, 7]]))
  t.strictSame(parts, [[4, 5, 6, 7], [0, 1, 2], [3], [8]])

  const shape = { nodes: 16, groups: 1, diameter: 8, degrees: { min: 4, median: 8, max: 40 }, deadLinks: 0 }
  t.strictSame(flawsOf(shape), [])
  t.strictSame(
    flawsOf({ ...shape, groups: 2, diameter: 9, degrees: { min: 3, median: 8, max: 41 }, deadLinks: 1 }),
    ['2 groups', 'a node with 3 links', 'a node with 41 links', 'a diameter of 9', '1 dead links'],
  )
})
