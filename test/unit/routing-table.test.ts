import t from 'tap'
import { makeRecord } from '../../lib/book/peer-record.ts'
import {
  BUCKET_SIZE,
  BUCKET_SPARES,
  MAX_BUCKET_GROUP,
  MAX_CONTACT_FAILURES,
  MAX_CONTACTS,
} from '../../lib/limits/network-limits.ts'
import { commonPrefix, compareDistance, placeNear } from '../../lib/lookup/place.ts'
import { RoutingTable } from '../../lib/lookup/routing-table.ts'
import { type VerifiedRecord, VerifiedRecords } from '../../lib/lookup/verified-records.ts'
import { Random } from '../../lib/testing/random.ts'
import { DAY, NET, NOW, paperId, publicHost } from '../fixtures/records.ts'

const random = new Random(9)
const own = random.bytes(32)
let count = 0

/** A node at a place by lot, with so many bits in common with that of the table. */
async function nodeAt(bits: number, host = publicHost(++count), time = NOW): Promise<VerifiedRecord> {
  const id = paperId(++count)
  const addresses = [{ host, port: 1 }]
  const record = await makeRecord({ id, net: NET, time, addresses }, () =>
    Promise.resolve(new Uint8Array(64).fill(1)),
  )
  const verified = new VerifiedRecords({ net: NET }).remember(record)
  return { ...verified, place: placeNear(own, bits, () => random.next()) }
}

const nodesAt = (bits: number, many: number, host?: string): Promise<VerifiedRecord[]> =>
  Promise.all(Array.from({ length: many }, () => nodeAt(bits, host)))

function table(): RoutingTable {
  return new RoutingTable(own, () => random.next())
}

function meet(t: RoutingTable, nodes: readonly VerifiedRecord[]): void {
  for (const node of nodes) t.meet(node, node.record.addresses)
}

function hear(t: RoutingTable, nodes: readonly VerifiedRecord[]): void {
  for (const node of nodes) t.hear(node, node.record.addresses)
}

const idOf = ({ record }: VerifiedRecord): string => record.id

t.test('the nearest ones are the nearest of all, in their order', async (t) => {
  const contacts = table()
  const nodes = (await Promise.all([0, 0, 1, 1, 2, 3, 4, 5, 5, 7, 9].map((bits) => nodesAt(bits, 3)))).flat()
  meet(contacts, nodes)
  t.equal(contacts.size, nodes.length)
  const targets = [
    own,
    ...Array.from({ length: 40 }, (_, at) => placeNear(own, at % 12, () => random.next())),
  ]
  for (const place of [...targets, ...nodes.map((node) => node.place)]) {
    const sorted = nodes.toSorted((a, b) => compareDistance(place, a.place, b.place)).map(idOf)
    t.strictSame(
      contacts.closest(place, 7).map(({ id }) => id),
      sorted.slice(0, 7),
    )
    t.strictSame(
      contacts.closest(place, 100).map(({ id }) => id),
      sorted,
    )
  }
  const isOdd = ({ id }: { id: string }): boolean => parseInt(id[5]!, 16) % 2 === 1
  t.ok(contacts.closest(own, 5, isOdd).every(isOdd), 'of those that are wanted')
})

t.test('an empty table has nobody', async (t) => {
  t.strictSame(table().closest(own), [])
  t.equal(table().depth, 0)
  t.equal(table().get('x'), undefined)
})

t.test('a full bucket keeps those that are there longest', async (t) => {
  const contacts = table()
  const [old, young] = [await nodesAt(2, BUCKET_SIZE), await nodesAt(2, 100)]
  meet(contacts, old)
  meet(contacts, young)
  t.equal(contacts.size, BUCKET_SIZE + BUCKET_SPARES)
  for (const node of old) t.ok(contacts.get(idOf(node)))
  t.equal(contacts.seen, contacts.size)

  t.test('until one fails: then the first that waits takes its place', async (t) => {
    contacts.fail(idOf(old[3]!))
    t.equal(contacts.get(idOf(old[3]!)), undefined)
    for (let left = BUCKET_SPARES - 1; left > 0; left--) contacts.fail(idOf(old[4 + left]!))
    t.equal(contacts.size, BUCKET_SIZE)
    contacts.fail(idOf(old[0]!))
    t.equal(contacts.get(idOf(old[0]!))?.failures, 1, 'without a replacement it stays')
  })
})

t.test('without a replacement a node may fail twice, and is forgiven when it is back', async (t) => {
  const contacts = table()
  const node = await nodeAt(1)
  meet(contacts, [node])
  for (let failures = 1; failures < MAX_CONTACT_FAILURES; failures++) contacts.fail(idOf(node))
  t.ok(contacts.get(idOf(node)))
  meet(contacts, [node])
  t.equal(contacts.get(idOf(node))?.failures, 0)
  for (let failures = 0; failures < MAX_CONTACT_FAILURES; failures++) contacts.fail(idOf(node))
  t.equal(contacts.size, 0)
  contacts.fail(idOf(node))
})

t.test('who was only heard of', async (t) => {
  t.test('waits in reserve, and goes when it does not answer', async (t) => {
    const contacts = table()
    const node = await nodeAt(1)
    hear(contacts, [node])
    t.match(contacts.get(idOf(node)), { isSeen: false })
    t.equal(contacts.seen, 0)
    contacts.fail(idOf(node))
    t.equal(contacts.size, 0)
  })
  t.test('becomes a contact when it is met', async (t) => {
    const contacts = table()
    const node = await nodeAt(1)
    hear(contacts, [node])
    meet(contacts, [node])
    t.match(contacts.get(idOf(node)), { isSeen: true })
    t.equal(contacts.size, 1)
  })
  t.test('takes no more than the reserve of a bucket, and nobody decides who it is', async (t) => {
    const contacts = table()
    const [first, later] = [await nodesAt(1, BUCKET_SPARES), await nodesAt(1, 60)]
    hear(contacts, [...first, ...later])
    t.equal(contacts.size, BUCKET_SPARES)
    const left = first.filter((node) => contacts.get(idOf(node)) !== undefined).length
    t.ok(left > 0 && left < BUCKET_SPARES, `${left} of the first are left`)
  })
  t.test('gives way to those that were met', async (t) => {
    const contacts = table()
    hear(contacts, await nodesAt(1, BUCKET_SPARES))
    meet(contacts, await nodesAt(1, BUCKET_SIZE + BUCKET_SPARES))
    t.equal(contacts.seen, BUCKET_SIZE + BUCKET_SPARES)
    t.equal(contacts.size, contacts.seen)
    hear(contacts, await nodesAt(1, 10))
    t.equal(contacts.size, contacts.seen, 'and finds no place in a full bucket')
  })
})

t.test('one address group has two places in a bucket, where there is a choice', async (t) => {
  const contacts = table()
  const sybils = await nodesAt(3, BUCKET_SIZE + BUCKET_SPARES, '66.6.1.1')
  meet(contacts, sybils)
  t.equal(contacts.size, BUCKET_SIZE + BUCKET_SPARES, 'nobody else is there')
  const others = await nodesAt(3, BUCKET_SIZE)
  meet(contacts, others)
  // The reserve is full of the first comers; of the contacts all but two have given way.
  t.equal(
    others.filter((node) => contacts.get(idOf(node)) !== undefined).length,
    BUCKET_SIZE - MAX_BUCKET_GROUP,
  )
  t.ok(contacts.get(idOf(sybils[0]!)), 'the oldest of them stay')
  t.ok(contacts.get(idOf(sybils[1]!)))
  t.notOk(contacts.get(idOf(sybils[2]!)))
  meet(contacts, await nodesAt(3, 5, '66.6.2.2'))
  t.equal(
    others.filter((node) => contacts.get(idOf(node)) !== undefined).length,
    BUCKET_SIZE - MAX_BUCKET_GROUP,
  )
  const inner = table()
  meet(inner, await nodesAt(3, BUCKET_SIZE, '192.168.1.1'))
  t.equal(inner.size, BUCKET_SIZE, 'private addresses are in no group')
})

t.test('the newer record counts, or the same one with more addresses', async (t) => {
  const contacts = table()
  const node = await nodeAt(2)
  const { id } = node.record
  hear(contacts, [node])
  const sign = () => Promise.resolve(new Uint8Array(64).fill(1))
  const addresses = [
    { host: '20.20.1.1', port: 1 },
    { host: '192.168.1.1', port: 1 },
  ]
  const record = await makeRecord({ id, net: NET, time: NOW + 1, addresses }, sign)
  const newer = { ...node, record, group: '20.20' }
  contacts.hear(newer, addresses.slice(0, 1))
  t.match(contacts.get(id), { record, addresses: addresses.slice(0, 1), group: '20.20' })
  contacts.hear(node, node.record.addresses)
  t.equal(contacts.get(id)?.record, record)
  contacts.hear(newer, addresses)
  t.strictSame(contacts.get(id)?.addresses, addresses)
  contacts.hear(newer, addresses.slice(0, 1))
  t.strictSame(contacts.get(id)?.addresses, addresses)
})

t.test('who has left is taken out, and whose record is old', async (t) => {
  const contacts = table()
  const [old, young] = [await nodeAt(2), await nodeAt(2, undefined, NOW + DAY)]
  meet(contacts, [old, young])
  contacts.removeStale(NOW + 7.5 * DAY)
  t.strictSame(
    [...contacts].map(({ id }) => id),
    [idOf(young)],
  )
  contacts.remove(idOf(young))
  contacts.remove(idOf(young))
  t.equal(contacts.size, 0)
})

t.test('it is bounded in all, also for somebody who makes keys to order', async (t) => {
  const contacts = table()
  for (let bits = 0; bits < 45; bits++) {
    const nodes = await nodesAt(bits, BUCKET_SIZE + BUCKET_SPARES)
    meet(contacts, nodes)
    hear(contacts, nodes)
  }
  t.equal(contacts.size, MAX_CONTACTS)
  hear(contacts, await nodesAt(60, 2))
  t.equal(contacts.size, MAX_CONTACTS)
})

t.test('its depth is where its own surroundings begin', async (t) => {
  const contacts = table()
  for (const bits of [0, 1, 2, 3]) meet(contacts, await nodesAt(bits, BUCKET_SIZE))
  meet(contacts, await nodesAt(5, 12))
  meet(contacts, await nodesAt(8, 9))
  t.equal(contacts.depth, 5)
  t.equal(contacts.bucketOf(own), 255)
  t.equal(
    commonPrefix(
      own,
      placeNear(own, 5, () => 0.3),
    ),
    5,
  )
})
