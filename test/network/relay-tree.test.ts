// The relay tree in networks of machines with eight links each: copies, crashes, many sources, loss of links.
import t from 'tap'
import type { MessageId } from '../../lib/wire/ids.ts'
import { type Machine, TreeNet } from '../fixtures/tree-net.ts'

const SIZE = 200

function makeNet(seed: number, size = SIZE, degree = 8): TreeNet {
  const net = new TreeNet({ seed })
  for (let at = 0; at < size; at++) net.add()
  net.join(degree)
  return net
}

const up = (net: TreeNet): Machine[] => net.machines.filter(({ isUp }) => isUp)
const any = (net: TreeNet): Machine => up(net)[net.random.below(up(net).length)]!

/** Machines send messages, so many a second. Returns the IDs, and the copies for each delivery. */
function traffic(net: TreeNet, seconds: number, perSecond: number): { ids: MessageId[]; copies: number } {
  const before = { ...net.counts }
  const ids: MessageId[] = []
  for (let at = 0; at < seconds * perSecond; at++) {
    const id = net.newId()
    ids.push(id)
    any(net).send(id)
    net.pass(1_000 / perSecond)
  }
  const { copies, deliveries } = net.counts
  return { ids, copies: (copies - before.copies) / (deliveries - before.deliveries) }
}

const lacking = (net: TreeNet, ids: readonly MessageId[]): number =>
  ids.reduce((count, id) => count + net.lacking(id).length, 0)

t.test('after one broadcast there is a tree: one copy for each machine, whoever sends', async (t) => {
  for (const seed of [1, 2]) {
    const net = makeNet(seed)
    const first = net.broadcast(net.machines[0]!)
    t.equal(net.lacking(first.id).length, 0)
    t.ok(first.copies > 5, 'the first one goes over every link')
    for (let round = 0; round < 10; round++) {
      const { id, copies } = net.broadcast(any(net))
      t.equal(net.lacking(id).length, 0)
      t.ok(copies <= 1.01, `${copies} copies`)
    }
    t.ok(net.isOnce)
    const eager = net.machines.reduce((sum, { tree }) => sum + tree.stats.eager, 0)
    t.equal(eager / 2, SIZE - 1, 'as many eager links as a tree has')
  }
})

t.test('many sources at once agree on one tree', async (t) => {
  const net = makeNet(3)
  const first = traffic(net, 8, 25)
  const { ids, copies } = traffic(net, 4, 25)
  t.ok(copies <= 1.05, `${copies} copies`)
  net.pass(2_000)
  t.equal(lacking(net, [...first.ids, ...ids]), 0)
  t.ok(net.isOnce)
  t.equal(
    net.machines.reduce((sum, { tree }) => sum + tree.stats.grafts, 0),
    0,
    'and it never broke',
  )
})

t.test('when a fifth of the machines crashes, the others mend the tree and lack nothing', async (t) => {
  for (const seed of [4, 5]) {
    const net = makeNet(seed)
    traffic(net, 8, 20)
    for (let crashed = 0; crashed < SIZE / 5; crashed++) net.crash(any(net))
    const { ids } = traffic(net, 10, 20)
    net.pass(5_000)
    t.equal(lacking(net, ids), 0)
    traffic(net, 10, 20)
    const { copies } = traffic(net, 5, 20)
    t.ok(copies <= 1.1, `${copies} copies`)
    t.ok(net.isOnce)
  }
})

t.test('links that end while messages are under way lose none of them', async (t) => {
  const net = makeNet(6)
  traffic(net, 6, 10)
  const ids: MessageId[] = []
  for (let at = 0; at < 60; at++) {
    const id = net.newId()
    ids.push(id)
    any(net).send(id)
    net.pass(30)
    // One that carries messages, in the middle of it.
    const eager = up(net).flatMap(({ ends, tree }) => [...ends].filter((end) => tree.isEager(end)))
    const end = eager[net.random.below(eager.length)]!
    const { owner } = end
    net.cut(end)
    net.pass(20)
    const other = any(net)
    if (other !== owner) net.link(owner, other)
    net.pass(50)
  }
  net.pass(5_000)
  t.equal(lacking(net, ids), 0)
  t.ok(net.isOnce)
})

t.test('machines that come and go keep a tree', async (t) => {
  const net = makeNet(7)
  traffic(net, 6, 20)
  // Ten times as fast as people come and go.
  for (let at = 0; at < 20; at++) {
    net.crash(any(net))
    const others = up(net)
    const machine = net.add()
    for (let link = 0; link < 8; link++) net.link(machine, others[(link * 23 + at) % others.length]!)
    traffic(net, 1, 10)
  }
  traffic(net, 10, 20)
  const { ids, copies } = traffic(net, 5, 20)
  net.pass(5_000)
  t.equal(lacking(net, ids), 0)
  t.ok(copies <= 1.1, `${copies} copies`)
  t.ok(net.isOnce)
})

t.test('in a small network everything goes everywhere at once', async (t) => {
  const net = makeNet(8, 10, 4)
  const { ids, copies } = traffic(net, 5, 20)
  net.pass(1_000)
  t.equal(lacking(net, ids), 0)
  t.ok(copies > 2)
  t.equal(net.counts.ids, 0, 'nothing is announced or asked for')
  t.ok(net.machines.every(({ tree }) => tree.due === Infinity))
})

t.test('a star of many leaves needs no tree', async (t) => {
  const net = new TreeNet({ seed: 9 })
  const hub = net.add()
  for (let at = 0; at < 100; at++) net.link(hub, net.add())
  const { ids, copies } = traffic(net, 2, 20)
  net.pass(1_000)
  t.equal(lacking(net, ids), 0)
  t.ok(copies <= 1.01, `${copies} copies`)
})

t.test('slow links are left to the tree of faster ones', async (t) => {
  const net = new TreeNet({ seed: 10, latency: [5, 400] })
  for (let at = 0; at < 100; at++) net.add()
  net.join(8)
  traffic(net, 20, 10)
  const { ids, copies } = traffic(net, 5, 10)
  net.pass(5_000)
  t.equal(lacking(net, ids), 0)
  t.ok(copies <= 1.2, `${copies} copies`)
  t.ok(net.isOnce)
})
