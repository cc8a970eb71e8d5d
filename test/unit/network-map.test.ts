import t from 'tap'
import { NetworkMap, type NodeReport } from '../../lib/discovery/network-map.ts'

/** A report from a line like `a 0: b 5, c`; a plus at the end leaves so many links out. */
function report(line: string): NodeReport {
  const [, id, latency, list, more] = /^(\w+) (\d+):([^+]*)(?:\+(\d+))?$/.exec(line)!
  const links = list!
    .split(',')
    .map((link) => link.trim().split(' '))
    .filter(([peer]) => peer !== '')
    .map(([peer, ms]) => ({ id: peer!, latency: ms === undefined ? undefined : Number(ms) }))
  return { id: id!, latency: Number(latency), links, more: Number(more ?? 0) }
}

function mapOf(first: string, ...others: string[]): NetworkMap {
  return new NetworkMap([report(first), ...others.map(report)])
}

t.test('a node alone is a network of one', async (t) => {
  const map = mapOf('a 0:')
  t.equal(map.size, 1)
  t.equal(map.asker, 'a')
  t.equal(map.isComplete, true)
  t.same(map.links, [])
  t.same([...map.nodes], [['a', { id: 'a', links: [], more: 0, latency: 0, distance: 0 }]])
})

t.test('nodes stand in the order of their answers, with their distance', async (t) => {
  const map = mapOf('a 0: b, c', 'c 7: a, d', 'd 9: c', 'b 20: a')
  t.same(
    [...map.nodes.values()].map(({ id, distance, latency }) => [id, distance, latency]),
    [
      ['a', 0, 0],
      ['c', 1, 7],
      ['d', 2, 9],
      ['b', 1, 20],
    ],
  )
  t.equal(map.isComplete, true)
  t.same(map.silent, [])
})

t.test('the distance is the shortest, in whatever order the answers come', async (t) => {
  const map = mapOf('a 0: b', 'd 1: c', 'c 2: b, d', 'b 3: a, c, d')
  t.equal(map.nodes.get('d')?.distance, 2, 'b alone has told its link with d')
})

t.test('a link is there once, with the smaller time of both ends', async (t) => {
  const map = mapOf('b 0: a 5, c', 'a 1: b 4', 'c 1: b 9, d 2')
  t.same(map.links, [
    { a: 'a', b: 'b', latency: 4, isMutual: true },
    { a: 'b', b: 'c', latency: 9, isMutual: true },
    { a: 'c', b: 'd', latency: 2, isMutual: false },
  ])
})

t.test('who was named and did not answer is told, and the map is not complete', async (t) => {
  const map = mapOf('a 0: b, z, y', 'b 1: a')
  t.same(map.silent, ['y', 'z'])
  t.equal(map.isComplete, false)
  t.equal(map.size, 2)
})

t.test('who cannot be reached by the links that were told has no distance', async (t) => {
  const map = mapOf('a 0:', 'x 1: y', 'y 1: x')
  t.equal(map.nodes.get('x')?.distance, undefined)
  t.equal(map.isComplete, true)
})

t.test('links that were left out count when their other ends have told them', async (t) => {
  t.equal(mapOf('a 0: b +1', 'b 1: a').isComplete, false)
  t.equal(mapOf('a 0: b +1', 'b 1: a, c', 'c 1: a, b').isComplete, true)
})

t.test('a map is frozen, its nodes and links too', async (t) => {
  const map = mapOf('a 0: b', 'b 1: a')
  t.ok(Object.isFrozen(map))
  t.ok(Object.isFrozen(map.links))
  t.ok(Object.isFrozen(map.links[0]))
  t.ok(Object.isFrozen(map.nodes.get('b')))
})

t.test('a map as JSON has lists', async (t) => {
  const map = mapOf('a 0: b 5', 'b 1: a')
  t.same(JSON.parse(JSON.stringify(map)), {
    asker: 'a',
    size: 2,
    isComplete: true,
    nodes: [
      { id: 'a', links: [{ id: 'b', latency: 5 }], more: 0, latency: 0, distance: 0 },
      { id: 'b', links: [{ id: 'a' }], more: 0, latency: 1, distance: 1 },
    ],
    links: [{ a: 'a', b: 'b', latency: 5, isMutual: true }],
    silent: [],
  })
})
