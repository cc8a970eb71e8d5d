import t from 'tap'
import { MAX_FRAME_BYTES } from '../../lib/limits/limits.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { HistoryNet, MIB, type NetNode, post } from '../fixtures/history-net.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Gives nodes messages of the last 20 hours, without links. */
function fill(net: HistoryNet, nodes: readonly NetNode[], count: number): void {
  for (let at = 0; at < count; at++) {
    const message = post(net.now - net.random.below(20 * HOUR), `author ${net.random.below(5)}`)
    for (const node of nodes) node.take(message)
  }
}

t.test('a node that was away gets what it missed, the oldest first, and once', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  fill(net, [a, b], 300)
  fill(net, [a], 100)
  const before = b.delivered.length
  net.connect(a, b)
  await net.pass(5_000)
  t.strictSame(b.ids, a.ids)
  t.equal(b.late, 100)
  t.equal(a.late, 0)
  const times = b.delivered.slice(before).map((id) => a.delivered.indexOf(id))
  t.equal(times.length, 100)
  t.strictSame(b.history.stats.messages, 400)
})

t.test('both ends get what they lack, attachments included', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  a.take(post(net.now - 1, 'a', 500_000, { hasAttachment: true }))
  b.take(post(net.now - 2, 'b'))
  net.connect(a, b)
  await net.pass(5_000)
  t.equal(a.delivered.length, 2)
  t.strictSame(b.ids, a.ids)
  const link = [...b.links][0]!
  t.ok(link.back.bytes > 500_000 && link.back.bytes < MAX_FRAME_BYTES)
})

t.test('what is late comes in the order of its time', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  const messages = Array.from({ length: 2_000 }, (_, at) => post(net.now - 10 * HOUR + 1_000 * at))
  for (const message of messages) a.take(message)
  net.connect(a, b)
  await net.pass(60_000)
  t.strictSame(
    b.delivered,
    messages.map(({ id }) => id),
  )
})

t.test('equal sets cost one frame each way', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  fill(net, [a, b], 1_000)
  const link = net.connect(a, b)
  await net.pass(3_000)
  t.equal(link.frames, 1)
  t.equal(link.back.frames, 1)
  t.ok(link.bytes + link.back.bytes < 100)
})

for (let seed = 1; seed <= 12; seed++) {
  t.test(`any topology comes to hold the union (seed ${seed})`, async (t) => {
    const net = new HistoryNet(2 + (seed % 4), seed)
    const { nodes, random } = net
    for (const node of nodes) fill(net, [node], random.below(400))
    fill(net, nodes, random.below(2_000))
    const some = nodes.filter(() => random.next() < 0.5)
    fill(net, some, 200)
    for (let at = 1; at < nodes.length; at++) net.connect(nodes[at]!, nodes[random.below(at)]!)
    await net.pass(40_000)
    const union = new Set(nodes.flatMap(({ delivered }) => delivered))
    for (const node of nodes) {
      t.equal(node.delivered.length, union.size, 'everything')
      t.equal(new Set(node.delivered).size, union.size, 'once')
      t.strictSame(node.expelled, [])
    }
    for (const node of nodes) await node.history.close()
    t.equal(net.clock.pendingTimers, 0)
  })
}

t.test('a returning node is told each message over one link only', async (t) => {
  const net = new HistoryNet(6)
  const [back, ...others] = net.nodes as [NetNode, ...NetNode[]]
  fill(net, others, 3_000)
  for (const other of others) net.connect(back, other)
  await net.pass(60_000)
  t.equal(back.delivered.length, 3_000)
  t.ok(back.late < 3_100, `${back.late} came`)
})

t.test('news travel on through a chain within seconds', async (t) => {
  const net = new HistoryNet(5)
  for (let at = 1; at < 5; at++) net.connect(net.nodes[at - 1]!, net.nodes[at]!)
  await net.pass(MINUTE)
  const late = net.add()
  fill(net, [late], 50)
  net.connect(late, net.nodes[0]!)
  await net.pass(25_000)
  for (const node of net.nodes) t.equal(node.delivered.length, 50)
})

t.test('what was lost without a word is found by the routine', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  net.connect(a, b)
  await net.pass(MINUTE)
  a.take(post(net.now))
  await net.pass(5 * MINUTE)
  t.strictSame(b.ids, a.ids)
})

t.test('what was being sent when a link ended comes over another', async (t) => {
  const net = new HistoryNet(3)
  const [a, b, c] = net.nodes as [NetNode, NetNode, NetNode]
  fill(net, [a, c], 5_000)
  const link = net.connect(a, b)
  net.connect(b, c)
  await net.pass(300)
  t.ok(b.delivered.length < 5_000)
  net.cut(link)
  await net.pass(MINUTE)
  t.equal(b.delivered.length, 5_000)
})

t.test('more than fits into one comparison comes in several', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  fill(net, [a], 20_000)
  net.connect(a, b)
  await net.pass(60_000)
  t.equal(b.delivered.length, 20_000)
  t.strictSame(b.expelled, [])
})

t.test('messages are sent no faster than the rate allows, and none over a link that is full', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  for (let at = 0; at < 40; at++) a.take(post(net.now - at, 'a', MIB / 2))
  const link = net.connect(a, b)
  await net.pass(1_100)
  t.ok(link.bytes < 6 * MIB, `${link.bytes} bytes in the first second`)
  let resume = (): void => {}
  link.isCongested = true
  link.room = () => new Promise((resolve) => (resume = resolve))
  await net.pass(1_000)
  const { bytes } = link
  await net.pass(10_000)
  t.equal(link.bytes, bytes)
  link.isCongested = false
  resume()
  await net.pass(10_000)
  t.equal(b.delivered.length, 40)
})

t.test('IDs whose bytes were given up are not offered, and differences that last end nothing', async (t) => {
  const net = new HistoryNet()
  const a = net.add({ maxBytes: 100_000 })
  const b = net.add()
  // Too much for it: it keeps the IDs.
  for (let at = 0; at < 150; at++) a.take(post(net.now - 1_000 * at, `author ${at}`, 1_000))
  const { messages, ids } = a.history.stats
  t.ok(messages < 100)
  t.equal(ids, 150)
  const link = net.connect(a, b)
  await net.pass(5_000)
  t.equal(b.delivered.length, messages)
  const { frames } = link
  await net.pass(2 * HOUR)
  t.equal(b.delivered.length, messages)
  t.ok(link.frames - frames < 60, `${link.frames - frames} frames in two hours`)
  t.strictSame([a.expelled, b.expelled], [[], []])
})

t.test('a message that a node refuses again and again is offered more and more seldom', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  b.accepts = false
  fill(net, [a], 10)
  net.connect(a, b)
  await net.pass(3 * HOUR)
  t.ok(b.late >= 20)
  t.ok(b.late < 300, `${b.late} came`)
})

t.test('what one end would refuse as too old is not compared', async (t) => {
  const net = new HistoryNet()
  const [a, b] = [net.add(), net.add({ maxAge: HOUR })]
  for (let at = 0; at < 200; at++) a.take(post(net.now - 10 * MINUTE * (at % 100)))
  const link = net.connect(a, b)
  await net.pass(10_000)
  t.equal(b.delivered.length, 12)
  t.ok(b.late <= 14)
  const { frames } = link
  await net.pass(1_000)
  t.equal(link.frames, frames)
})

t.test('a message whose end has passed is kept as an ID alone, and told to nobody', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  await a.history.open()
  const message = post(net.now, 'a', 100, { exp: net.now + 1_000 })
  a.take(message)
  t.equal(a.history.stats.messages, 1)
  await net.pass(20_000)
  t.equal(a.history.stats.messages, 0)
  t.ok(a.history.has(message.id))
  net.connect(a, b)
  await net.pass(10_000)
  t.equal(b.late, 0)
  await a.history.close()
})

t.test('what was not delivered yet is handed out when a history is opened again', async (t) => {
  const net = new HistoryNet(1)
  const { history } = net.nodes[0]!
  await history.open()
  const messages = [post(net.now - 1), post(net.now, 'b', 100, { hasAttachment: true }), post(net.now - 2)]
  for (const message of messages) history.add(message, true)
  history.add(post(net.now - 3), false)
  history.delivered(messages[0]!.id)
  await history.close()
  await history.open()
  const pending = history.takePending()
  t.strictSame(pending, [
    { parcel: messages[2]!.parcel, hasAttachment: false },
    { parcel: messages[1]!.parcel, hasAttachment: true },
  ])
  t.strictSame(history.takePending(), [])
  await history.close()
})

t.test('links whose peer keeps no history are left alone', async (t) => {
  const net = new HistoryNet(2)
  const [a, b] = net.nodes as [NetNode, NetNode]
  const link = net.connect(a, b)
  net.cut(link)
  link.isUp = true
  link.hasHistory = false
  a.history.onUp(link)
  t.equal(a.history.receive(link, Kind.ranges, Uint8Array.of(3)), false)
  t.equal(a.history.receive(link, Kind.message, Uint8Array.of(3)), false)
  await net.pass(HOUR)
  t.equal(link.frames, 0)
})
