import t, { type Test } from 'tap'
import type { NetworkMap } from '../../lib/discovery/network-map.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { DiscoveryNet, type NetNode } from '../fixtures/discovery-net.ts'

/** Nobody was blamed for anything, and nothing lies about when time has passed. */
async function isClean(t: Test, net: DiscoveryNet): Promise<void> {
  t.same(
    net.nodes.flatMap(({ rejected }) => rejected),
    [],
  )
  await net.pass(120_000)
  t.equal(net.clock.pendingTimers, 0, 'no timer is left')
}

/** Hops from the first node to all, found in another way. */
function hops(net: DiscoveryNet): Map<string, number> {
  const found = new Map([[net.nodes[0]!.id, 0]])
  for (let level: NetNode[] = [net.nodes[0]!]; level.length > 0;) {
    const next = new Set(level.flatMap(({ links }) => [...links].map(({ to }) => to)))
    level = [...next].filter(({ id }) => !found.has(id))
    for (const { id } of level) found.set(id, 1 + Math.min(...[...net.nodes.find((node) => node.id === id)!.links].map(({ to }) => found.get(to.id) ?? Infinity))) // prettier-ignore
  }
  return found
}

function isWholeMap(t: Test, net: DiscoveryNet, map: NetworkMap): void {
  t.equal(map.size, net.nodes.length, 'everybody is there')
  t.equal(map.isComplete, true)
  t.equal(map.links.length, net.linkCount)
  t.ok(map.links.every(({ isMutual }) => isMutual))
}

t.test('a node alone finds itself, at once', async (t) => {
  const net = new DiscoveryNet(1)
  const map = await net.nodes[0]!.discovery.search()
  t.same([...map.nodes.keys()], [net.nodes[0]!.id])
  t.equal(map.isComplete, true)
  await isClean(t, net)
})

t.test('two nodes', async (t) => {
  const net = DiscoveryNet.line(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  const map = await net.run(a.discovery.search())
  isWholeMap(t, net, map)
  t.match(map.nodes.get(b.id), { distance: 1, latency: 10, links: [{ id: a.id, latency: 10 }] })
  t.same(a.discovery.stats(), { questions: 1, answered: 0, relayedAnswers: 0, refused: {} })
  t.same(b.discovery.stats(), { questions: 1, answered: 1, relayedAnswers: 0, refused: {} })
  t.equal(a.discovery.lastMap, map)
  await isClean(t, net)
})

t.test('a line: answers take as long as the way there and back', async (t) => {
  const net = DiscoveryNet.line(8)
  const begun = net.clock.now()
  const map = await net.run(net.nodes[0]!.discovery.search())
  isWholeMap(t, net, map)
  for (const [index, { id }] of net.nodes.entries()) {
    t.match(map.nodes.get(id), { distance: index, latency: 10 * index })
  }
  t.ok(net.clock.now() - begun < 100, 'it does not wait for its timeout')
  t.same(
    net.nodes.map(({ discovery }) => discovery.stats().relayedAnswers),
    [0, 6, 5, 4, 3, 2, 1, 0],
  )
  await isClean(t, net)
})

t.test('a ring: one question a link at most each way, and one answer a node', async (t) => {
  const net = DiscoveryNet.ring(9)
  isWholeMap(t, net, await net.run(net.nodes[0]!.discovery.search()))
  for (const { written, discovery } of net.nodes) {
    t.ok((written.get(Kind.question) ?? 0) <= 2)
    t.equal(discovery.stats().questions, 1)
  }
  t.equal(net.nodes.filter(({ discovery }) => discovery.stats().answered === 1).length, 8)
  await isClean(t, net)
})

t.test('random networks, each found whole', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const net = DiscoveryNet.graph(60, 2 + (seed % 4), seed)
    const map = await net.run(net.nodes[0]!.discovery.search())
    isWholeMap(t, net, map)
    const distances = hops(net)
    t.ok([...map.nodes.values()].every(({ id, distance }) => distances.get(id) === distance))
    // 59 answers are verified once by each node on their way, and the question by everybody.
    const verified = net.nodes.reduce((sum, { engine }) => sum + engine.verified, 0)
    const relayed = net.nodes.reduce((sum, { discovery }) => sum + discovery.stats().relayedAnswers, 0)
    t.equal(verified, 59 + 59 + relayed)
    await isClean(t, net)
  }
})

t.test('a star with more links than an answer names', async (t) => {
  const net = new DiscoveryNet(101)
  for (let leaf = 1; leaf <= 100; leaf++) net.connect(0, leaf)
  for (const asker of [0, 1]) isWholeMapWithHub(t, await net.run(net.nodes[asker]!.discovery.search()))
  await isClean(t, net)
})

function isWholeMapWithHub(t: Test, map: NetworkMap): void {
  t.equal(map.size, 101)
  t.equal(map.links.length, 100)
  t.equal(map.isComplete, true)
}

t.test('nodes come by as they answer', async (t) => {
  const net = DiscoveryNet.line(4)
  const [a] = net.nodes as [NetNode]
  const seen: [string, number | undefined][] = []
  const search = a.discovery.search()
  const done = (async () => {
    for await (const { id, distance } of search) seen.push([id, distance])
  })()
  await net.pass(21)
  t.same(
    seen,
    net.nodes.slice(0, 3).map(({ id }, index) => [id, index]),
  )
  await net.run(done)
  t.equal(seen.length, 4)
})

t.test('two nodes ask at once, and each finds everybody', async (t) => {
  const net = DiscoveryNet.graph(40, 4, 3)
  const [a, b] = [net.nodes[0]!, net.nodes[39]!]
  const [one, other] = await net.run(Promise.all([a.discovery.search(), b.discovery.search()]))
  isWholeMap(t, net, one)
  isWholeMap(t, net, other)
  t.equal(one.asker, a.id)
  t.equal(other.asker, b.id)
  await isClean(t, net)
})

t.test('one node asks twice at once', async (t) => {
  const net = DiscoveryNet.ring(6)
  const { discovery } = net.nodes[0]!
  const maps = await net.run(Promise.all([discovery.search(), discovery.search()]))
  for (const map of maps) isWholeMap(t, net, map)
})

t.test('a link that is lost while answers are on their way', async (t) => {
  const net = DiscoveryNet.line(6)
  const [a, b, c] = net.nodes as [NetNode, NetNode, NetNode]
  const search = a.discovery.search({ timeout: 500 })
  await net.pass(22)
  // The answer of the third has gone by; those behind it have been asked, and find no way back.
  net.cut(b.to(c))
  const map = await net.run(search)
  t.same([...map.nodes.keys()], [a.id, b.id, c.id])
  t.same(map.silent, [net.nodes[3]!.id])
  t.equal(map.isComplete, false)
  t.ok((c.discovery.stats().refused.lost ?? 0) >= 1)
  await isClean(t, net)
})

t.test('a link of the asker that is lost, where there is another way', async (t) => {
  const net = DiscoveryNet.ring(6)
  const [a] = net.nodes as [NetNode]
  const search = a.discovery.search({ timeout: 500 })
  await net.pass(7)
  net.cut([...a.links][0]!)
  const map = await net.run(search)
  t.equal(map.isComplete, false)
  t.ok(map.size >= 3, 'the other half has answered')
  isWholeMap(t, net, await net.run(a.discovery.search()))
  await isClean(t, net)
})

t.test('random losses in the middle of it end in a map, always', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const net = DiscoveryNet.graph(40, 4, seed)
    const search = net.nodes[0]!.discovery.search({ timeout: 1_000 })
    for (let loss = 0; loss < 10; loss++) {
      await net.pass(3 + net.random.below(10))
      const links = net.nodes.flatMap((node) => [...node.links])
      net.cut(links[net.random.below(links.length)]!)
    }
    const map = await net.run(search)
    t.ok(map.size > 1 && map.size <= 40)
    const again = await net.run(net.nodes[0]!.discovery.search())
    t.equal(again.isComplete, true, 'what is left is whole')
    await isClean(t, net)
  }
})

t.test('nothing is sent to a congested peer: not the question, and not an answer', async (t) => {
  const net = DiscoveryNet.line(4)
  const [a, b, c] = net.nodes as [NetNode, NetNode, NetNode]
  b.to(c).isCongested = true
  const half = await net.run(a.discovery.search({ timeout: 300 }))
  t.equal(half.size, 2)
  t.same(b.discovery.stats().refused, { congested: 1 })
  b.to(c).isCongested = false
  c.to(b).isCongested = true
  const same = await net.run(a.discovery.search({ timeout: 300 }))
  t.equal(same.size, 2)
  t.same(c.discovery.stats().refused, { congested: 2 }, 'its own answer, and that of the one behind')
  await isClean(t, net)
})

t.test('a signal ends a search, and late answers harm nobody', async (t) => {
  const net = DiscoveryNet.line(5)
  const controller = new AbortController()
  const search = net.nodes[0]!.discovery.search({ signal: controller.signal })
  await net.pass(12)
  controller.abort()
  await t.rejects(search, { code: 'aborted' })
  await net.pass(100)
  t.same(net.nodes[0]!.discovery.stats().refused, { unasked: 3 })
  t.equal(net.nodes[0]!.discovery.lastMap, undefined)
  await t.rejects(net.nodes[0]!.discovery.search({ signal: controller.signal }), { code: 'aborted' })
  await isClean(t, net)
})

t.test('a search that is left early asks for no more answers', async (t) => {
  const net = DiscoveryNet.line(3)
  const { discovery } = net.nodes[0]!
  const search = discovery.search()
  await net.pass(1)
  for await (const _node of search) break
  t.equal((await search).size, 1)
  t.equal(discovery.lastMap, undefined, 'what it has seen is not the network')
  await isClean(t, net)
})

t.test('stopping fails the searches that are under way', async (t) => {
  const net = DiscoveryNet.line(3)
  const { discovery } = net.nodes[0]!
  const asked = discovery.search()
  await net.pass(1)
  const asking = discovery.search()
  discovery.stop()
  await t.rejects(asked, { code: 'aborted' })
  await t.rejects(asking, { code: 'aborted' })
  await net.pass(50)
  isWholeMap(t, net, await net.run(discovery.search()))
  net.nodes.forEach((node) => node.discovery.stop())
  t.equal(net.clock.pendingTimers, 0)
})

t.test('a node whose key does not sign answers nothing, and cannot search', async (t) => {
  const net = DiscoveryNet.line(3)
  const [a, b] = net.nodes as [NetNode, NetNode]
  b.signer.sign = () => Promise.reject(new Error('no key'))
  const map = await net.run(a.discovery.search({ timeout: 100 }))
  t.same(map.silent, [b.id])
  t.equal(map.size, 2, 'the one behind it is found all the same')
  await t.rejects(b.discovery.search(), { message: 'no key' })
  await isClean(t, net)
})

t.test('whoever asks too often is told so', async (t) => {
  const net = DiscoveryNet.line(2)
  const { discovery } = net.nodes[0]!
  for (let count = 0; count < 8; count++) isWholeMap(t, net, await net.run(discovery.search()))
  await t.rejects(discovery.search(), { code: 'overload', message: /is possible in \d+ ms/ })
  await net.pass(1_000)
  isWholeMap(t, net, await net.run(discovery.search()))
  t.same(net.nodes[1]!.discovery.stats().refused, {}, 'its peers have taken all')
  await isClean(t, net)
})

t.test('a search ends when its question is forgotten, however patient', async (t) => {
  const net = DiscoveryNet.line(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  b.to(a).isCongested = true
  const search = a.discovery.search({ timeout: 2 ** 31 - 1 })
  await net.pass(30_000)
  t.equal((await search).size, 1)
})

t.test('wrong options are refused before anything is asked', async (t) => {
  const net = DiscoveryNet.line(2)
  const { discovery } = net.nodes[0]!
  t.throws(() => discovery.search({ timeout: 0 }), { code: 'invalid-argument' })
  t.throws(() => discovery.search({ timeOut: 1 } as never), { code: 'invalid-option' })
  t.equal(discovery.stats().questions, 0)
})
