// The picture of the network as a function: events in, state out.
import t from 'tap'
import { decodeHappening } from '../../lib/watch/page/decode.ts'
import type { Happening } from '../../lib/watch/page/happening.ts'
import { MAX_HOPS, MAX_MESSAGES, MAX_NODES, MAX_REFUSALS } from '../../lib/watch/page/page-limits.ts'
import { EMPTY, linkKey, type Picture, summarizeLink } from '../../lib/watch/page/picture.ts'
import { reduce } from '../../lib/watch/page/reduce.ts'
import { FakeNetwork } from '../fixtures/fake-network.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string]
const MESSAGE = '1'.repeat(64)

const snapshot = (node: string, peers: readonly string[], at = 1): Happening => ({
  kind: 'snapshot',
  at,
  node,
  status: { name: `name of ${node[0]}`, links: peers.map((peer) => ({ peer, encrypted: true })) },
})
const after = (...happenings: Happening[]): Picture => reduce(EMPTY, happenings)
const events = (objects: readonly object[]): Happening[] => objects.map((event) => decodeHappening(event)!)

t.test('a snapshot shows the node, its links and the nodes at their other ends', async (t) => {
  const { nodes, links } = after(snapshot(A, [B, C]))
  t.strictSame([...nodes.keys()].sort(), [A, B, C])
  t.match(nodes.get(A), { isWatched: true, name: 'name of a' })
  t.match(nodes.get(B), { isWatched: false })
  t.strictSame([...links.keys()].sort(), [linkKey(A, B), linkKey(A, C)])
})

t.test('a picture never changes: the next one shares what stayed as it was', async (t) => {
  const first = after(snapshot(A, [B]), snapshot(C, []))
  const second = reduce(first, [{ kind: 'figures', at: 2, node: A, figures: { cache: 7 } }])
  t.equal(first.nodes.get(A)!.figures.cache, undefined)
  t.equal(second.nodes.get(A)!.figures.cache, 7)
  t.equal(second.nodes.get(C), first.nodes.get(C))
  t.equal(second.links, first.links)
})

t.test('happenings in one bunch make the same picture as one by one', async (t) => {
  const net = new FakeNetwork(20)
  const all = events([
    ...net.snapshots(),
    ...net.message(3, 'hi'),
    net.refusal(1, 2, 'bad-shape'),
    ...net.figures(),
  ])
  t.strictSame(
    all.reduce((picture, event) => reduce(picture, [event]), EMPTY),
    reduce(EMPTY, all),
  )
})

t.test('a second snapshot forgets the links that are in it no more', async (t) => {
  const { nodes, links } = after(snapshot(A, [B, C]), snapshot(A, [B], 2))
  t.strictSame([...links.keys()], [linkKey(A, B)])
  t.notOk(nodes.has(C), 'nobody tells of it')
})

t.test('but not what the other end tells of them', async (t) => {
  const { links } = after(snapshot(A, [B]), snapshot(B, [A]), snapshot(A, [], 2))
  t.match([...links.values()], [{ fromA: undefined, fromB: { encrypted: true } }])
})

t.test('a link that ends takes a node with it that only the link has named', async (t) => {
  const { nodes, links } = after(snapshot(A, [B]), { kind: 'unlink', at: 2, node: A, peer: B })
  t.equal(links.size, 0)
  t.strictSame([...nodes.keys()], [A])
})

t.test('a node that is gone leaves nothing behind that only it has told', async (t) => {
  const { nodes } = after(snapshot(A, [B]), snapshot(B, [A, C]), { kind: 'gone', at: 2, node: B })
  t.strictSame([...nodes.keys()].sort(), [A, B], 'A still tells of B')
  t.match(nodes.get(B), { isWatched: false })
})

t.test('what changed of a link is added to what was known of it', async (t) => {
  const { links } = after(
    {
      kind: 'link',
      at: 1,
      node: A,
      peer: B,
      isNew: true,
      direction: 'outbound',
      encrypted: true,
      tree: 'eager',
    },
    { kind: 'link', at: 2, node: A, peer: B, latency: 5, tree: 'lazy' },
  )
  const [link] = links.values()
  t.match(summarizeLink(link!), { opener: A, latency: 5, encrypted: true, tree: 'lazy' })
})

t.test('both ends of a link are heard', async (t) => {
  const { links } = after(
    {
      kind: 'link',
      at: 1,
      node: A,
      peer: B,
      direction: 'inbound',
      latency: 5,
      encrypted: true,
      tree: 'lazy',
    },
    {
      kind: 'link',
      at: 1,
      node: B,
      peer: A,
      direction: 'outbound',
      latency: 3,
      encrypted: false,
      tree: 'eager',
    },
  )
  const [link] = links.values()
  t.match(summarizeLink(link!), { opener: B, latency: 3, encrypted: false, tree: 'eager' })
})

t.test('a message has its path and its holders, each once though both ends tell', async (t) => {
  const sent = { kind: 'message', at: 5, node: A, id: MESSAGE, verdict: 'sent', to: [B] } as const
  const got = { kind: 'message', at: 6, node: B, id: MESSAGE, verdict: 'delivered', from: A, to: [] } as const
  for (const order of [
    [sent, got],
    [got, sent],
    [sent, got, got],
  ]) {
    // prettier-ignore
    const { messages, links, nodes, totals } = after(snapshot(A, [B]), ...order)
    t.match(messages.get(MESSAGE), { author: A, hops: [{ from: A, to: B }] })
    t.strictSame([...messages.get(MESSAGE)!.holders].sort(), [A, B])
    t.equal(links.get(linkKey(A, B))!.messages, 1)
    t.match(totals, { messages: 1, hops: 1 })
    t.match(nodes.get(B), { reached: 1, sent: 0 })
    t.match(nodes.get(A), { reached: 0, sent: 1 })
  }
})

t.test('a message in a network of 500 nodes has 499 hops', async (t) => {
  const net = new FakeNetwork(500)
  const picture = reduce(EMPTY, events([...net.snapshots(), ...net.message(7, 'hi')]))
  const [message] = picture.messages.values()
  t.equal(message!.hops.length, 499)
  t.equal(message!.holders.length, 500)
  t.equal(picture.links.size, 2_000)
})

t.test('a refusal is listed and counted, and what nobody has accepted is no message', async (t) => {
  const refused = {
    kind: 'refused',
    at: 3,
    node: B,
    from: A,
    id: MESSAGE,
    author: C,
    code: 'bad-signature',
  } as const
  const { refusals, nodes, totals, messages } = after(snapshot(A, [B]), refused, refused)
  t.equal(refusals.length, 2)
  t.match(refusals[0], { code: 'bad-signature', from: A, author: C })
  t.match(nodes.get(B), { refused: 2, refusedAt: 3 })
  t.equal(totals.refused, 2)
  t.equal(messages.size, 0)
  const sent = { kind: 'message', at: 1, node: C, id: MESSAGE, verdict: 'sent' } as const
  t.match(after(sent, refused).messages.get(MESSAGE), { refusals: 1, author: C })
})

t.test('what the network answers is shown until it answers anew', async (t) => {
  const told = (nodes: string[], links: { a: string; b: string }[]): Happening => ({ kind: 'graph', at: 2, node: A, graph: { nodes, links } }) // prettier-ignore
  const first = after(snapshot(A, [B]), told([A, B, C], [{ a: B, b: C }]))
  t.strictSame([...first.nodes.keys()].sort(), [A, B, C])
  t.equal(first.links.size, 2)
  const second = reduce(first, [told([A, B], [])])
  t.strictSame([...second.nodes.keys()].sort(), [A, B])
  t.strictSame([...second.links.keys()], [linkKey(A, B)], 'what a node tells of itself stays')
})

t.test('time never goes back', async (t) => {
  t.equal(after(snapshot(A, [], 9), snapshot(B, [], 3)).at, 9)
})

t.test('a link of a node to itself is none', async (t) => {
  t.equal(after({ kind: 'link', at: 1, node: A, peer: A }).links.size, 0)
})

t.test('everything is bounded, whatever is told', async (t) => {
  const id = (index: number): string => index.toString(16).padStart(64, '0')
  const many = (count: number, make: (index: number) => Happening): Happening[] => Array.from({ length: count }, (_, index) => make(index)) // prettier-ignore
  const nodes = many(MAX_NODES + 50, (index) => snapshot(id(index), []))
  t.equal(reduce(EMPTY, nodes).nodes.size, MAX_NODES)
  const messages = many(MAX_MESSAGES + 50, (index) => ({ kind: 'message', at: 1, node: A, id: id(index), verdict: 'sent' })) // prettier-ignore
  const picture = reduce(EMPTY, messages)
  t.equal(picture.messages.size, MAX_MESSAGES)
  t.notOk(picture.messages.has(id(0)), 'the oldest are gone')
  t.equal(picture.totals.messages, MAX_MESSAGES + 50, 'and still counted')
  const refusals = many(MAX_REFUSALS + 50, () => ({ kind: 'refused', at: 1, node: A, code: 'bad-shape' }))
  t.equal(reduce(EMPTY, refusals).refusals.length, MAX_REFUSALS)
  const hops = many(MAX_HOPS + 50, (index) => ({ kind: 'message', at: 1, node: A, id: MESSAGE, verdict: 'relayed', to: [id(index)] })) // prettier-ignore
  t.equal(reduce(EMPTY, hops).messages.get(MESSAGE)!.hops.length, MAX_HOPS)
})
