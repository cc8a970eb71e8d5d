import t from 'tap'
import { makeRecord, type PeerRecord } from '../../lib/book/peer-record.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { placeOf } from '../../lib/lookup/place.ts'
import { VerifiedRecords } from '../../lib/lookup/verified-records.ts'
import { CountingEngine } from '../../lib/testing/counting-engine.ts'
import type { Address } from '../../lib/wire/address.ts'
import { NET, NOW } from '../fixtures/records.ts'

const engine = new CountingEngine()

function node(number: number): Identity {
  return Identity.fromSeed(new Uint8Array(32).fill(number), engine)
}

function recordOf(
  number: number,
  addresses: readonly Address[] = [{ host: `20.${number}.1.1`, port: 1 }],
  time = NOW,
  net = NET,
): Promise<PeerRecord> {
  const identity = node(number)
  return makeRecord({ id: identity.id, net, time, addresses }, (bytes) => identity.sign(bytes))
}

function fresh(limit?: number): VerifiedRecords {
  return new VerifiedRecords({ net: NET, engine, ...(limit !== undefined && { limit }) })
}

const all = (): boolean => true
const idsOf = (told: Awaited<ReturnType<VerifiedRecords['read']>>): string[] | undefined =>
  told?.map(({ verified }) => verified.record.id)

t.test('a record is verified once, however often it is told', async (t) => {
  const records = fresh()
  const list = (await Promise.all([1, 2, 3].map((number) => recordOf(number)))).map(
    ({ document }) => document,
  )
  const before = engine.verified
  for (let round = 0; round < 5; round++)
    t.strictSame(
      idsOf(await records.read(list, 'public', all)),
      [1, 2, 3].map((number) => node(number).id),
    )
  t.equal(engine.verified - before, 3)
})

t.test('what was verified elsewhere is not verified again', async (t) => {
  const records = fresh()
  const record = await recordOf(1)
  const verified = records.remember(record)
  t.strictSame(verified.place, placeOf(record.id))
  t.equal(verified.group, '20.1')
  t.equal(records.remember(record), verified)
  const before = engine.verified
  const told = await records.read([record.document], 'public', all)
  t.equal(told?.[0]?.verified, verified)
  t.equal(engine.verified, before)
})

t.test('of two records of one node the newer one counts, whichever is told', async (t) => {
  const records = fresh()
  const [old, young] = [await recordOf(1), await recordOf(1, [{ host: '30.1.1.1', port: 2 }], NOW + 1)]
  await records.read([old.document], 'public', all)
  t.equal(
    (await records.read([young.document], 'public', all))?.[0]?.verified.record.document,
    young.document,
  )
  t.equal((await records.read([old.document], 'public', all))?.[0]?.verified.record.document, young.document)
  t.equal(records.remember(old).record.document, young.document)
  t.equal((await records.read([old.document], 'public', all))?.[0]?.verified.record.document, young.document)
})

t.test('who has left does not come back by his old record', async (t) => {
  const records = fresh()
  const [old, farewell] = [await recordOf(1), await recordOf(1, [], NOW + 1)]
  records.remember(farewell)
  t.strictSame(await records.read([old.document], 'public', all), [])
})

t.test('addresses count as far as the teller may tell them', async (t) => {
  const [open, inner, own] = [
    { host: '20.1.1.1', port: 1 },
    { host: '192.168.1.1', port: 1 },
    { host: '127.0.0.1', port: 1 },
  ]
  const both = await recordOf(1, [open, inner, own])
  const hidden = await recordOf(2, [inner])
  const records = fresh()
  const read = async (reach: 'public' | 'private' | 'loopback' | undefined) =>
    (await records.read([both.document, hidden.document], reach, all))!.map(({ addresses }) => addresses)
  for (let round = 0; round < 2; round++) {
    t.strictSame(await read('public'), [[open]])
    t.strictSame(await read(undefined), [[open]], 'of a name nobody knows where it is')
    t.strictSame(await read('private'), [[open, inner], [inner]])
    t.strictSame(await read('loopback'), [[open, inner, own], [inner]])
  }
  t.equal(records.remember(hidden).group, undefined)
})

t.test('what is not wanted is not verified', async (t) => {
  const records = fresh()
  const { document } = await recordOf(1)
  const before = engine.verified
  t.strictSame(await records.read([document], 'public', () => false), [])
  t.equal(engine.verified, before)
})

t.test('what no correct node passes on spoils the whole list', async (t) => {
  const good = (await recordOf(1)).document
  const { document } = await recordOf(2)
  const bad = {
    'no JSON': 'x',
    empty: '',
    'one more space': document.replace('{', '{ '),
    'of another network': (await recordOf(2, undefined, NOW, 'other')).document,
    forged: document.replace('20.2.1.1', '20.3.1.1'),
    'the same node twice': good,
    'the same node at another time': (await recordOf(1, undefined, NOW + 5)).document,
    'two in one': `${document},${document}`,
    'too long': document.replace(NET, NET.padEnd(1_100, 'x')),
  }
  for (const [name, text] of Object.entries(bad))
    t.equal(await fresh().read([good, text], 'public', all), undefined, name)
})

t.test('a text that only begins like a known one is another', async (t) => {
  const records = fresh()
  const record = await recordOf(1)
  records.remember(record)
  const forged = record.document.replace('20.1.1.1', '20.9.9.9')
  t.equal(await records.read([forged], 'public', all), undefined)
  const changed = `${record.document.slice(0, -3)}0"}`
  t.equal(await records.read([changed], 'public', all), undefined)
})

t.test('no more than so many are remembered', async (t) => {
  const records = fresh(4)
  for (let number = 1; number < 50; number++) records.remember(await recordOf(number))
  const before = engine.verified
  await records.read([(await recordOf(1)).document, (await recordOf(49)).document], 'public', all)
  t.equal(engine.verified - before, 1)
})
