import t, { type Test } from 'tap'
import type { SentMessage } from '../../lib/sending.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import {
  type Edge,
  exactlyOnce,
  Fleet,
  type FleetOptions,
  inOrder,
  line,
  mesh,
  randomGraph,
  ring,
} from '../fixtures/network.ts'

interface Shape {
  readonly title: string
  readonly count: number
  readonly edges: Edge[]
  /** Who sends, and how many messages each. */
  readonly senders: readonly number[]
  readonly messages: number
}

const SHAPES: Shape[] = [
  { title: 'a line of 10', count: 10, edges: line(10), senders: [0, 4, 9], messages: 20 },
  { title: 'a ring of 10', count: 10, edges: ring(10), senders: [0, 1, 5], messages: 20 },
  { title: 'a full mesh of 10', count: 10, edges: mesh(10), senders: [0, 3, 9], messages: 20 },
  {
    title: 'a random graph of 50',
    count: 50,
    edges: randomGraph(50, 50, 11),
    senders: [0, 7, 21, 49],
    messages: 5,
  },
]

async function sendAll(fleet: Fleet, { senders, messages }: Shape): Promise<SentMessage[]> {
  const sends = senders.flatMap((from) =>
    Array.from({ length: messages }, (_, number) => fleet.send(from, { from, number })),
  )
  return fleet.run(Promise.all(sends))
}

for (const shape of SHAPES) {
  const { title, count, edges } = shape

  t.test(`${title}: each message exactly once per node, several senders at once`, async (t) => {
    const fleet = await Fleet.start(t, count, edges)
    const sent = await sendAll(fleet, shape)
    await fleet.delivered(sent)
    await fleet.settle()
    exactlyOnce(t, fleet.members, sent)
    inOrder(t, fleet.members)
    const stats = fleet.members.map(({ node }) => node.stats())
    const duplicates = stats.reduce((sum, one) => sum + one.duplicates, 0)
    // A link carries a message at most twice, once each way, and not back to where it came from.
    t.ok(duplicates <= sent.length * 2 * (edges.length - (count - 1)), `${duplicates} duplicates`)
    t.same(
      stats.map(({ refused }) => refused),
      stats.map(() => ({})),
    )
    t.same(
      fleet.members.flatMap(({ disconnects }) => disconnects),
      [],
    )
  })
}

async function inWeather(t: Test, shape: Shape, options: FleetOptions['network']): Promise<void> {
  const clock = new ManualClock()
  const fleet = await Fleet.start(t, shape.count, shape.edges, { network: { clock, ...options } })
  const sent = await sendAll(fleet, shape)
  await fleet.delivered(sent)
  await fleet.settle()
  exactlyOnce(t, fleet.members, sent)
  inOrder(t, fleet.members)
}

for (const shape of SHAPES) {
  t.test(`${shape.title}, with packets that take from 1 to 80 ms`, (t) =>
    inWeather(t, shape, { latency: { min: 1, max: 80 }, seed: 5 }),
  )
}

t.test('a ring of 10 where one packet in ten is lost', (t) =>
  inWeather(t, SHAPES[1]!, { latency: { min: 1, max: 20 }, loss: 0.1, seed: 6 }),
)

t.test('a random graph of 50 where one packet in ten is lost', (t) =>
  inWeather(t, SHAPES[3]!, { latency: { min: 1, max: 20 }, loss: 0.1, seed: 7 }),
)

t.test('a message takes the shortest way, and its trace tells it', async (t) => {
  const fleet = await Fleet.start(t, 3, line(3))
  const [first, middle, last] = fleet.members
  const sent = await fleet.send(0, 'hello')
  await fleet.delivered([sent])
  t.match(first!.node.explain(sent.id), { verdict: 'sent', relayedTo: [middle!.node.id] })
  t.match(middle!.node.explain(sent.id), {
    verdict: 'delivered',
    from: first!.node.id,
    via: first!.node.id,
    relayedTo: [last!.node.id],
  })
  t.match(last!.node.explain(sent.id), { verdict: 'delivered', via: middle!.node.id, relays: 0 })
  t.equal(last!.messages[0]?.from, first!.node.id, 'the author, not the one who passed it on')
})

t.test('a message to some is relayed by all and shown to those alone', async (t) => {
  const fleet = await Fleet.start(t, 5, line(5))
  const ids = fleet.members.map(({ node }) => node.id)
  const sent = await fleet.members[0]!.node.sendToNodes('for two of you', { to: [ids[2]!, ids[4]!] })
  await fleet.until(() => fleet.members[4]!.messages.length === 1)
  t.same(
    fleet.members.map(({ messages }) => messages.length),
    [0, 0, 1, 0, 1],
  )
  t.same(
    fleet.members.map(({ node }) => node.explain(sent.id)?.verdict),
    ['sent', 'relayed', 'delivered', 'relayed', 'delivered'],
  )
})

t.test('links in memory are in the clear, and each end has proven its ID', async (t) => {
  const fleet = await Fleet.start(t, 2, line(2))
  const [one, two] = fleet.members
  const [near] = one!.node.allNodes
  const [far] = two!.node.allNodes
  t.match(near, { encrypted: false, id: two!.node.id, direction: 'outbound' })
  t.match(far, { encrypted: false, id: one!.node.id, direction: 'inbound' })
  t.ok(near!.stats.framesIn >= 3, 'hello, proof and welcome')
})
