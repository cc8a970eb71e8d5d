import t from 'tap'
import { LinkGraph } from '../../lib/discovery/link-graph.ts'
import { Random } from '../../lib/testing/random.ts'

/** A graph of these links, `a-b`, told in this order. */
function graphOf(links: string): LinkGraph {
  const graph = new LinkGraph('a')
  for (const link of links.split(' ')) {
    const [from, to] = link.split('-') as [string, string]
    graph.connect(from, to)
    graph.reach(from)
  }
  return graph
}

t.test('a graph begins with its root', async (t) => {
  const graph = new LinkGraph('a')
  t.equal(graph.size, 1)
  t.same([...graph.ids], ['a'])
  t.equal(graph.distance('a'), 0)
  t.equal(graph.degree('a'), 0)
  t.equal(graph.degree('nobody'), 0)
})

t.test('whoever is named counts, once', async (t) => {
  const graph = graphOf('a-b b-a b-c c-b')
  t.same([...graph.ids], ['a', 'b', 'c'])
  t.equal(graph.degree('b'), 2, 'told by both ends, it is one link')
})

t.test('hops are counted as the links are told', async (t) => {
  const graph = graphOf('a-b b-c c-d')
  t.same(
    ['a', 'b', 'c', 'd'].map((id) => graph.distance(id)),
    [0, 1, 2, 3],
  )
})

t.test('who answers before those between has no distance until they have', async (t) => {
  const graph = graphOf('d-c c-b')
  t.equal(graph.distance('d'), undefined)
  graph.connect('b', 'a')
  graph.reach('b')
  t.same(
    ['b', 'c', 'd'].map((id) => graph.distance(id)),
    [1, 2, 3],
  )
})

t.test('a shorter way that is told later changes nothing: that could be done without end', async (t) => {
  const graph = graphOf('a-b b-c c-d a-d')
  t.equal(graph.distance('d'), 3)
})

t.test('asked at the end, it gives the smallest distances', async (t) => {
  const random = new Random(5)
  const size = 60
  const graph = new LinkGraph('0')
  const hops = Array.from({ length: size }, (_, a) =>
    Array.from({ length: size }, (_, b) => (a === b ? 0 : Infinity)),
  )
  for (let link = 0; link < 80; link++) {
    const [a, b] = [random.below(size), random.below(size)]
    graph.connect(String(a), String(b))
    if (a !== b) hops[a]![b] = hops[b]![a] = 1
  }
  graph.reach('0')
  // Floyd and Warshall's way, which has nothing in common with it.
  for (let k = 0; k < size; k++) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) hops[i]![j] = Math.min(hops[i]![j]!, hops[i]![k]! + hops[k]![j]!)
    }
  }
  for (let at = 0; at < size; at++) t.equal(graph.distance(String(at)) ?? Infinity, hops[0]![at])
})

t.test('one string stands for an ID, however often it is parsed', async (t) => {
  const graph = new LinkGraph('a')
  graph.connect('a', 'b')
  t.equal(graph.id('b'), 'b')
  t.equal(graph.size, 2)
})
