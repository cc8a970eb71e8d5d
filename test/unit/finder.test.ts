import t from 'tap'
import {
  ALL_FINDS_BURST,
  BUCKET_SIZE,
  FIND_BURST,
  FIND_PATIENCE,
  FIND_TIMEOUT,
  LOOKUP_TIMEOUT,
  MAX_LOOKUPS,
  OWN_FIND_BURST,
  RECORD_SHARED,
  TABLE_JOIN_DELAY,
  TABLE_REFRESH,
} from '../../lib/limits/network-limits.ts'
import { encodeFind } from '../../lib/lookup/find-frame.ts'
import { placeOf } from '../../lib/lookup/place.ts'
import { Kind } from '../../lib/wire/frame.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { FinderNet, type FinderNode } from '../fixtures/finder-net.ts'

/** A network of so many nodes in which all have looked for their place. */
async function grown(count: number, seed = 1): Promise<FinderNet> {
  const net = new FinderNet({ seed, shared: false })
  await net.grow(count)
  return net
}

/** A chain: each node is linked with the next one, and nobody has looked for anything. */
async function chain(count: number): Promise<FinderNet> {
  const net = new FinderNet({ shared: false })
  for (let at = 0; at < count; at++) await net.add()
  for (let at = 1; at < count; at++) net.link(net.nodes[at - 1]!, net.nodes[at]!)
  return net
}

const stranger = 'ab'.repeat(31) + '01'

t.test('any node finds any other', async (t) => {
  const net = await grown(60)
  for (const [at, node] of net.nodes.entries()) {
    const other = net.nodes[(at * 7 + 11) % net.nodes.length]!
    const result = await net.run(node.finder.lookup(other.id))
    t.equal(result.record?.document, other.record!.document)
    t.strictSame(result.addresses, [other.address])
    t.ok(result.hops <= 6)
  }
  t.strictSame(
    net.nodes.flatMap(({ expelled }) => expelled),
    [],
  )
})

t.test('through others, one after another', async (t) => {
  const net = await chain(4)
  const [first, , , last] = net.nodes
  const result = await net.run(first!.finder.lookup(last!.id))
  t.match(result, { hops: 2, asked: 2, addresses: [last!.address] })
  t.equal(result.record?.id, last!.id)
  t.match(await first!.finder.lookup(last!.id), { hops: 0, asked: 0 }, 'once found, it is known')
})

t.test('what is known here is not asked for', async (t) => {
  const net = await chain(2)
  const [one, other] = net.nodes
  t.strictSame(await one!.finder.lookup(other!.id), {
    record: other!.record,
    addresses: [other!.address],
    hops: 0,
    asked: 0,
  })
  t.match(await one!.finder.lookup(one!.id), { record: one!.record, hops: 0 }, 'oneself')
  const third = await net.add()
  one!.book.set(third.id, { record: third.record!, addresses: [third.address] })
  t.match(await one!.finder.lookup(third.id), { record: third.record, hops: 0 }, 'by the peer book')
  t.equal(net.count('find'), 0)
})

t.test('an old record that leads nowhere is not enough', async (t) => {
  const net = await chain(3)
  const [first, , last] = net.nodes
  const old = last!.record!
  first!.book.set(last!.id, { record: old, addresses: old.addresses })
  t.equal((await net.run(first!.finder.lookup(last!.id, { newerThan: old.time }))).record, undefined)
  last!.record = await net.recordOf(last!.identity, [{ host: last!.host, port: 8_000 }], old.time + 1_000)
  net.nodes[1]!.finder.learn(last!.record, { id: last!.id, host: last!.host })
  const result = await net.run(first!.finder.lookup(last!.id, { newerThan: old.time }))
  t.equal(result.record?.document, last!.record.document)
  t.match(result.addresses, [{ port: 8_000 }])
})

t.test('who is not there is not found, and the search ends', async (t) => {
  const net = await grown(40)
  const result = await net.run(net.nodes[3]!.finder.lookup(stranger as NodeId))
  t.equal(result.record, undefined)
  t.strictSame(result.addresses, [])
  t.ok(result.asked >= BUCKET_SIZE && result.asked < 40)
  t.match(net.nodes[3]!.finder.stats(), { lookups: 1, found: 0 })
})

t.test('alone: at once, and nobody is found', async (t) => {
  const net = await chain(1)
  t.match(await net.nodes[0]!.finder.lookup(stranger as NodeId), { record: undefined, hops: 0, asked: 0 })
})

t.test('a neighbour whose record never came is asked as well', async (t) => {
  const net = new FinderNet({ shared: false })
  const [visitor, hub, wanted] = [await net.add(), await net.add(), await net.add()]
  hub.record = undefined
  net.link(hub, wanted)
  net.link(visitor, hub)
  t.equal(visitor.finder.stats().contacts, 0)
  t.equal((await net.run(visitor.finder.lookup(wanted.id))).record?.id, wanted.id)
})

t.test('what is no node ID is refused', async (t) => {
  const net = await chain(1)
  for (const id of ['', 'x', 'AB'.repeat(32), 7, undefined])
    await t.rejects(net.nodes[0]!.finder.lookup(id as NodeId), { code: 'invalid-argument' })
})

t.test('lookups for one node share a search', async (t) => {
  const net = await chain(4)
  const [first, , , last] = net.nodes
  const results = await net.run(Promise.all([1, 2, 3].map(() => first!.finder.lookup(last!.id))))
  t.strictSame(
    results.map(({ record }) => record?.id),
    [last!.id, last!.id, last!.id],
  )
  t.equal(net.count('find'), 2)
  t.match(first!.finder.stats(), { lookups: 3, found: 3, asked: 2 })
})

t.test('one that gives up leaves the others to it', async (t) => {
  const net = await chain(4)
  const [first, , , last] = net.nodes
  const controller = new AbortController()
  const aborted = first!.finder.lookup(last!.id, { signal: controller.signal })
  const patient = first!.finder.lookup(last!.id)
  const hasty = first!.finder.lookup(last!.id, { timeout: 5 })
  controller.abort(new Error('no more'))
  await t.rejects(aborted, { code: 'aborted' })
  t.equal((await net.run(hasty)).record, undefined)
  t.equal((await net.run(patient)).record?.id, last!.id)
  await t.rejects(first!.finder.lookup(last!.id, { signal: controller.signal }), { code: 'aborted' })
})

t.test('when all have given up, nobody is asked any more', async (t) => {
  const net = await chain(5)
  const [first, , , , last] = net.nodes
  const result = await net.run(first!.finder.lookup(last!.id, { timeout: 30 }))
  t.match(result, { record: undefined })
  const asked = net.count('find')
  await net.pass(5_000)
  t.equal(net.count('find'), asked)
  t.strictSame(
    net.nodes.flatMap(({ expelled }) => expelled),
    [],
    'and what comes late is no offence',
  )
})

t.test('too many lookups at once are refused', async (t) => {
  const net = await chain(2)
  const { finder } = net.nodes[0]!
  const lookups = Array.from({ length: MAX_LOOKUPS }, (_, at) =>
    finder.lookup(`${at.toString(16).padStart(4, '0')}${stranger.slice(4)}` as NodeId),
  )
  await t.rejects(finder.lookup(stranger as NodeId), { code: 'overload' })
  const results = await net.run(Promise.all(lookups))
  t.ok(results.every(({ asked }) => asked === 1))
  t.ok(OWN_FIND_BURST < MAX_LOOKUPS, 'though not all could be asked at once')
  t.equal(net.nodes[1]!.finder.stats().refused, 0)
  t.match(await net.run(finder.lookup(stranger as NodeId)), { record: undefined }, 'now there is room')
})

t.test('stop ends what is under way', async (t) => {
  const net = await chain(4)
  const [first, , , last] = net.nodes
  const lookup = first!.finder.lookup(last!.id)
  await net.pass(5)
  first!.finder.stop()
  await t.rejects(lookup, { code: 'aborted' })
  first!.finder.stop()
})

t.test('the dead', async (t) => {
  t.test('cost a search a second, and not its end', async (t) => {
    const net = new FinderNet({ shared: false })
    const nodes: FinderNode[] = []
    for (let at = 0; at < 8; at++) nodes.push(await net.add())
    const [asker, hub, wanted, ...dead] = nodes
    net.link(hub!, wanted!)
    for (const { record } of [hub!, ...dead]) asker!.finder.learn(record!, { id: hub!.id, host: hub!.host })
    for (const node of dead) node.isDead = true
    const before = net.time.clock.now()
    t.equal((await net.run(asker!.finder.lookup(wanted!.id))).record?.id, wanted!.id)
    t.ok(net.time.clock.now() - before <= 2 * FIND_PATIENCE + 500)
  })
  t.test('leave the table', async (t) => {
    const net = await chain(3)
    const [asker, , dead] = net.nodes
    asker!.finder.learn(dead!.record!, { id: dead!.id, host: dead!.host })
    dead!.isDead = true
    t.equal(asker!.finder.stats().seen, 2)
    for (let round = 0; round < 3; round++) {
      const lookup = asker!.finder.lookup(stranger.replace('01', `0${round}`) as NodeId)
      t.match(await net.run(lookup), { record: undefined })
    }
    t.equal(asker!.finder.stats().contacts, 1)
  })
  t.test('are not told to others, unless somebody looks for them', async (t) => {
    const net = await chain(3)
    const [asker, hub, dead] = net.nodes
    dead!.isDead = true
    net.cut([...dead!.links.values()][0]!)
    await net.run(hub!.finder.lookup(stranger as NodeId))
    t.match(hub!.finder.contacts(placeOf(dead!.id), 1), [{ id: dead!.id, failures: 1 }])
    t.match(await net.run(asker!.finder.lookup(stranger as NodeId)), { asked: 1 })
    t.equal((await net.run(asker!.finder.lookup(dead!.id))).record?.id, dead!.id)
  })
  t.test('do not keep anybody waiting for longer than the time that is given', async (t) => {
    const net = await chain(2)
    const [asker, dead] = net.nodes
    dead!.isDead = true
    const before = net.time.clock.now()
    await net.run(asker!.finder.lookup(stranger as NodeId))
    t.ok(net.time.clock.now() - before <= FIND_TIMEOUT)
    t.ok(FIND_TIMEOUT < LOOKUP_TIMEOUT)
  })
})

t.test('who is told to others', async (t) => {
  const wantedBy = async (
    prepare: (net: FinderNet, nodes: readonly FinderNode[]) => Promise<void> | void,
  ) => {
    const net = new FinderNet({ shared: false })
    const nodes = [await net.add(), await net.add(), await net.add()]
    const [asker, hub, other] = nodes
    net.link(asker!, hub!)
    await prepare(net, nodes)
    const result = await net.run(asker!.finder.lookup(stranger as NodeId))
    return {
      told: asker!.finder.contacts(placeOf(other!.id)).some(({ id }) => id === other!.id),
      result,
      nodes,
      net,
    }
  }
  t.test('one that was met', async (t) => {
    t.ok((await wantedBy((net, [, hub, other]) => void net.link(hub!, other!))).told)
  })
  t.test('not one that was only heard of', async (t) => {
    const { told } = await wantedBy((_, [asker, hub, other]) =>
      hub!.finder.learn(other!.record!, { id: asker!.id, host: asker!.host }),
    )
    t.notOk(told)
  })
  t.test('not one that was seen somewhere else than where it says it is', async (t) => {
    const { told } = await wantedBy(async (net, [, hub, other]) => {
      const record = await net.recordOf(other!.identity, [{ host: '20.99.1.1', port: 1 }])
      hub!.finder.learn(record, { id: other!.id, host: other!.host })
    })
    t.notOk(told)
  })
  t.test('unless somebody looks for it', async (t) => {
    const { nodes, net } = await wantedBy(async (net, [, hub, other]) => {
      other!.record = await net.recordOf(other!.identity, [{ host: '20.99.1.1', port: 1 }])
      hub!.finder.learn(other!.record, { id: other!.id, host: other!.host })
    })
    const result = await net.run(nodes[0]!.finder.lookup(nodes[2]!.id))
    t.equal(result.record?.document, nodes[2]!.record!.document)
  })
  t.test('not one whose record is older than a day', async (t) => {
    const { told } = await wantedBy(async (net, [, hub, other]) => {
      const time = net.time.clock.now() - RECORD_SHARED - 1
      const record = await net.recordOf(other!.identity, [other!.address], time)
      hub!.finder.learn(record, { id: other!.id, host: other!.host })
    })
    t.notOk(told)
  })
  t.test('not one that has left', async (t) => {
    const { told } = await wantedBy(async (net, [, hub, other]) => {
      hub!.finder.learn(other!.record!, { id: other!.id, host: other!.host })
      const farewell = await net.recordOf(other!.identity, [], net.time.clock.now() + 1)
      hub!.finder.learn(farewell, { id: other!.id, host: other!.host })
      hub!.finder.learn(other!.record!, { id: other!.id, host: other!.host })
    })
    t.notOk(told, 'also when its old record comes again')
  })
  t.test('not a node without a record: a visitor', async (t) => {
    const { told } = await wantedBy((net, [, hub, other]) => {
      other!.record = undefined
      net.link(hub!, other!)
    })
    t.notOk(told)
  })
})

t.test('what does not count is not learned', async (t) => {
  const net = await chain(2)
  const [one, other] = net.nodes
  const third = await net.add()
  const source = { id: third.id, host: third.host }
  const { finder } = one!
  const now = net.time.clock.now()
  const before = finder.stats()
  finder.learn(one!.record!, source)
  finder.learn(await net.recordOf(third.identity, [third.address], now, 'another'), source)
  finder.learn(await net.recordOf(third.identity, [third.address], now - 8 * 24 * 3_600_000), source)
  finder.learn(await net.recordOf(third.identity, [third.address], now + 3_600_000), source)
  finder.learn(await net.recordOf(third.identity, [{ host: '10.0.0.1', port: 1 }], now - 2), source)
  finder.learn(await net.recordOf(third.identity, [], now - 1), source)
  t.strictSame(finder.stats(), before)
  finder.learn(third.record!, { id: other!.id, host: other!.host })
  t.match(finder.stats(), { contacts: 2, seen: 1 })
})

t.test('other frames are none of its business', async (t) => {
  const net = await chain(2)
  const link = [...net.nodes[0]!.links.values()][0]!
  for (const kind of [Kind.message, Kind.record, Kind.peers, 0xff])
    t.equal(net.nodes[0]!.finder.receive(link, kind, new Uint8Array(36)), false)
  t.equal(
    net.nodes[0]!.finder.receive(link, Kind.find, encodeFind({ number: 1, place: new Uint8Array(32) })),
    true,
  )
})

t.test('questions of a link, and of all links, are answered up to a rate', async (t) => {
  const net = new FinderNet({ shared: false })
  const hub = await net.add()
  const askers: FinderNode[] = []
  for (let at = 0; at < 20; at++) askers.push(await net.add())
  const question = encodeFind({ number: 1, place: placeOf(hub.id) })
  const ends = askers.map((asker) => net.link(hub, asker))
  for (let at = 0; at < 100; at++) hub.finder.receive(ends[0]!, Kind.find, question)
  t.match(hub.finder.stats(), { answered: FIND_BURST, refused: 100 - FIND_BURST })
  for (const end of ends) for (let at = 0; at < 100; at++) hub.finder.receive(end, Kind.find, question)
  t.equal(hub.finder.stats().answered, ALL_FINDS_BURST)
  t.strictSame(hub.expelled, [], 'nobody is blamed for it')
})

t.test('the upkeep of the table', async (t) => {
  t.test('soon after its first link a node looks for its own place', async (t) => {
    const net = await grown(30)
    const node = await net.add()
    node.finder.start()
    await net.pass(60_000)
    t.equal(node.finder.stats().refreshes, 0, 'without a link there is nothing to do')
    net.link(node, net.nodes[4]!)
    await net.pass(TABLE_JOIN_DELAY + 2_000)
    t.equal(node.finder.stats().refreshes, 1)
    const knowing = net.nodes.filter((other) => other.finder.contacts(placeOf(node.id), 1)[0]?.id === node.id)
    t.ok(knowing.length >= BUCKET_SIZE, `${knowing.length} know it`)
  })
  t.test('each part of the network is looked into about once an hour', async (t) => {
    const net = await grown(30)
    const before = net.nodes.map(({ finder }) => finder.stats().refreshes)
    await net.pass(3 * TABLE_REFRESH)
    const rounds = net.nodes.map(({ finder }, at) => finder.stats().refreshes - before[at]!)
    t.ok(Math.min(...rounds) >= 4, `${Math.min(...rounds)} at least`)
    t.ok(Math.max(...rounds) <= 16, `${Math.max(...rounds)} at most`)
    const asked = net.nodes.map(({ finder }) => finder.stats().asked)
    t.ok(Math.max(...asked) <= 16 * 30)
  })
  t.test('an address that has changed is told at once, also after the last link was lost', async (t) => {
    const net = await grown(30)
    await net.pass(60_000)
    const node = net.nodes[9]!
    const before = node.finder.stats().refreshes
    node.record = await net.recordOf(node.identity, [{ host: node.host, port: 9_999 }], net.time.clock.now())
    await net.pass(70_000)
    t.equal(node.finder.stats().refreshes, before + 1)
    for (const link of [...node.links.values()]) net.cut(link)
    await net.pass(120_000)
    t.equal(node.finder.stats().refreshes, before + 1)
    net.link(node, net.nodes[2]!)
    await net.pass(10_000)
    t.equal(node.finder.stats().refreshes, before + 2)
  })
  t.test('a visitor does nothing of it', async (t) => {
    const net = await grown(10)
    const node = await net.add()
    node.record = undefined
    net.link(node, net.nodes[4]!)
    node.finder.start()
    await net.pass(2 * TABLE_REFRESH)
    t.match(node.finder.stats(), { refreshes: 0, asked: 0 })
  })
  t.test('after stop no timer is left', async (t) => {
    const net = await grown(12)
    for (const { finder } of net.nodes) finder.stop()
    await net.pass(10_000)
    t.equal(net.time.clock.pendingTimers, 0)
    for (const { finder } of net.nodes) finder.start()
    t.equal(net.time.clock.pendingTimers, net.nodes.length)
    for (const { finder } of net.nodes) finder.stop()
  })
})
