import t from 'tap'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import type { Engine } from '../../lib/identity/engine.ts'
import { writeCanonical, type Json } from '../../lib/message/canonical.ts'
import { makeStatement, readStatement, type Statement } from '../../lib/message/statement.ts'
import {
  judgeRecordTime,
  makeRecord,
  PeerRecord,
  type RecordDraft,
  readRecord,
  type RecordFields,
  verifyRecord,
} from '../../lib/book/peer-record.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { DAY, NET, NOW, paperId, realNode, realRecord } from '../fixtures/records.ts'

const LABEL = 'secure-node/1 peer-record\0'
const node = realNode(1)
const other = realNode(2)
const GOOD = { addresses: ['20.1.1.1:7000'], id: node.id, net: NET, time: NOW, v: 1 }

const stated = (body: unknown, label = LABEL, signer = node): Promise<Statement> =>
  makeStatement(label, body as Json, (bytes) => signer.sign(bytes))

function read(text: string): Statement {
  const result = readStatement(utf8ToBytes(text), 1_024)
  if (!result.ok) throw new Error(result.code)
  return result.statements[0]!
}

function draftOf(statement: Statement): RecordDraft {
  const result = readRecord(statement, NET)
  if (!result.ok) throw new Error(result.code)
  return result.draft
}

t.test('what a node says about itself is read and verified by others', async (t) => {
  const addresses = [
    { host: '20.1.1.1', port: 7_000 },
    { host: '2a00:1:2::3', port: 65_535 },
    { host: '192.168.1.7', port: 1 },
    { host: '127.0.0.1', port: 7_000 },
  ]
  const made = await realRecord(node, addresses)
  t.match(made, { id: node.id, net: NET, time: NOW, addresses })
  const verified = await verifyRecord(draftOf(read(made.document)))
  t.ok(verified instanceof PeerRecord)
  t.same(verified, made)
})

t.test('the document is the canonical text of the specification', async (t) => {
  const { document } = await realRecord(node, [{ host: '2A00:0001:2::3', port: 5 }])
  const body = `{"addresses":["[2a00:1:2::3]:5"],"id":"${node.id}","net":"test","time":${NOW},"v":1}`
  t.ok(document.startsWith(`{"body":${body},"sig":"`), document)
  t.equal(document, writeCanonical(JSON.parse(document) as Json))
})

t.test('a record without addresses is a farewell, and as good as others', async (t) => {
  const draft = draftOf(read((await realRecord(node, [])).document))
  t.strictSame(draft.addresses, [])
  t.ok(await verifyRecord(draft))
})

t.test('hosts of one’s own may be spelled in any way, and count once', async (t) => {
  const { addresses } = await realRecord(node, [
    { host: '::ffff:20.1.1.1', port: 7 },
    { host: '20.1.1.1', port: 7 },
    { host: '2A00:0:0::1', port: 7 },
  ])
  t.strictSame(addresses, [
    { host: '20.1.1.1', port: 7 },
    { host: '2a00::1', port: 7 },
  ])
})

t.test('what every reader would refuse is not signed', async (t) => {
  const signed: Uint8Array[] = []
  const sign = (bytes: Uint8Array) => (signed.push(bytes), node.sign(bytes))
  const wrong: Partial<RecordFields>[] = [
    { id: 'x' as NodeId },
    { id: '00'.repeat(32) as NodeId },
    { net: '' },
    { time: 1.5 },
    { time: -1 },
    { time: NaN },
    { addresses: [{ host: 'example.org', port: 1 }] },
    { addresses: [{ host: '0.0.0.0', port: 1 }] },
    { addresses: [{ host: '20.1.1.1', port: 0 }] },
    { addresses: [1, 2, 3, 4, 5].map((port) => ({ host: '20.1.1.1', port })) },
  ]
  for (const fields of wrong) {
    const whole = { id: node.id, net: NET, time: NOW, addresses: [], ...fields }
    await t.rejects(makeRecord(whole, sign), { code: 'invalid-argument' }, JSON.stringify(fields))
  }
  t.equal(signed.length, 0)
})

t.test('a record is frozen, a class of its own, and made nowhere else', async (t) => {
  const record = await realRecord(node)
  const change = record as unknown as { time: number; addresses: unknown[] }
  t.throws(() => (change.time = 0), TypeError)
  t.throws(() => change.addresses.push({}), TypeError)
  t.throws(() => ((change.addresses[0] as { port: number }).port = 22), TypeError)
  t.notOk(Object.assign({}, record) instanceof PeerRecord)
  const make = PeerRecord as unknown as new (...args: unknown[]) => PeerRecord
  t.throws(() => new make(Symbol('made by peer-record.ts'), record), { code: 'invalid-argument' })
})

t.test('a draft cannot be changed between reading and verifying', async (t) => {
  const change = draftOf(await stated(GOOD)) as { id: string; addresses: unknown }
  t.throws(() => (change.id = other.id), TypeError)
  t.throws(() => (change.addresses = []), TypeError)
})

t.test('bodies of any other shape are refused', async (t) => {
  const { v: _, ...withoutVersion } = GOOD
  const bodies: unknown[] = [
    null,
    [],
    'text',
    {},
    withoutVersion,
    { ...GOOD, extra: 1 },
    { ...GOOD, v: 2 },
    { ...GOOD, v: '1' },
    { ...GOOD, id: node.id.toUpperCase() },
    { ...GOOD, id: node.id.slice(1) },
    { ...GOOD, id: 5 },
    { ...GOOD, net: '' },
    { ...GOOD, net: 'a b' },
    { ...GOOD, net: null },
    { ...GOOD, time: -1 },
    { ...GOOD, time: 1.5 },
    { ...GOOD, time: 2 ** 53 },
    { ...GOOD, time: `${NOW}` },
    { ...GOOD, addresses: undefined },
    { ...GOOD, addresses: '20.1.1.1:7000' },
    { ...GOOD, addresses: {} },
    { ...GOOD, addresses: [null] },
    { ...GOOD, addresses: [{ host: '20.1.1.1', port: 7_000 }] },
    { ...GOOD, addresses: [['20.1.1.1:7000']] },
    { ...GOOD, addresses: ['20.1.1.1:7000', '20.1.1.1:7000'] },
    { ...GOOD, addresses: [1, 2, 3, 4, 5].map((port) => `20.1.1.1:${port}`) },
  ]
  for (const body of bodies) {
    const text = JSON.stringify(body)
    t.same(readRecord(await stated(JSON.parse(text)), NET), { ok: false, code: 'bad-shape' }, text)
  }
})

t.test('addresses must be what a node can be reached at, in their one spelling', async (t) => {
  const refused = [
    // Other spellings: each would be another address to those who count failures.
    '020.1.1.1:7000', '20.1.1.1:07000', '20.1.1:7000', '336662785:7000', '0x14.1.1.1:7000', ' 20.1.1.1:7000',
    '20.1.1.1:7000 ', '[20.1.1.1]:7000', '[2A00::1]:7000', '[2a00:0::1]:7000', '2a00::1:7000', '[2a00::1]7000',
    // IPv4 inside IPv6: a local address in disguise.
    '[::ffff:127.0.0.1]:7000', '[::ffff:7f00:1]:7000', '[::ffff:20.1.1.1]:7000', '[::127.0.0.1]:7000',
    '[64:ff9b::7f00:1]:7000', '[2002:7f00:1::]:7000', '[2001::1]:7000',
    // The metadata services of clouds, and all that is link-local.
    '169.254.169.254:80', '[fe80::1]:7000', '[fe80::1%eth0]:7000', '[fd00::1%eth0]:7000',
    // Nobody, everybody.
    '0.0.0.0:7000', '[::]:7000', '255.255.255.255:7000', '224.0.0.1:7000', '[ff02::1]:7000', '203.0.113.1:7000',
    '[2001:db8::1]:7000', ':7000', '20.1.1.1', '20.1.1.1:', '20.1.1.1:0', '20.1.1.1:65536', '20.1.1.1:-1',
    '20.1.1.1:7e3', '20.1.1.1.:7000', '',
    // Names, which their owner may point anywhere, at any time.
    'localhost:7000', 'example.org:7000', 'a\u0000b:7000', 'http://20.1.1.1:7000', 'user@20.1.1.1:7000',
  ] // prettier-ignore
  for (const address of refused) {
    const result = readRecord(await stated({ ...GOOD, addresses: [address] }), NET)
    t.same(result, { ok: false, code: 'bad-shape' }, address)
    const hidden = await stated({ ...GOOD, addresses: ['20.1.1.1:1', address] })
    t.same(readRecord(hidden, NET), { ok: false, code: 'bad-shape' })
  }
  const taken = ['20.1.1.1:1', '10.0.0.1:65535', '127.0.0.1:7000', '[::1]:7000', '[fd00::1]:7', '[2a00::1]:7']
  for (const address of taken) {
    t.match(readRecord(await stated({ ...GOOD, addresses: [address] }), NET), { ok: true }, address)
  }
})

t.test('keys that everybody can sign for are nobody’s', async (t) => {
  for (const id of ['00'.repeat(32), `01${'00'.repeat(31)}`, `ec${'ff'.repeat(30)}7f`, 'ff'.repeat(32)]) {
    t.same(readRecord(await stated({ ...GOOD, id }), NET), { ok: false, code: 'bad-key' })
  }
})

t.test('a record of another network is nothing here', async (t) => {
  t.same(readRecord(await stated({ ...GOOD, net: 'other' }), NET), { ok: false, code: 'wrong-net' })
})

t.test('a record larger than 1 KiB is refused before anything else', async (t) => {
  const long = await stated({ ...GOOD, net: 'n'.repeat(1_000) })
  t.same(readRecord(long, NET), { ok: false, code: 'too-large' })
  const longest = {
    addresses: [1, 2, 3, 4].map((host) => `[2aaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaaa:aaa${host}]:65535`),
    id: node.id,
    net: 'n'.repeat(64),
    time: Number.MAX_SAFE_INTEGER,
    v: 1,
  }
  const largest = await stated(longest)
  t.match(readRecord(largest, longest.net), { ok: true })
  t.equal(largest.text.length, 536)
})

t.test('nobody can speak for another node', async (t) => {
  const forged = [
    ['signed by somebody else', await stated(GOOD, LABEL, other)],
    ['signed for another purpose', await stated(GOOD, 'secure-node/1 question\0')],
    ['no signature at all', { ...(await stated(GOOD)), signature: '00'.repeat(64) }],
  ] as const
  for (const [what, statement] of forged) {
    t.equal(await verifyRecord(draftOf(statement)), undefined, what)
  }
  const { document } = await realRecord(node)
  for (const [from, to] of [
    ['20.1.1.1', '20.1.1.2'],
    [`${NOW}`, `${NOW + 1}`],
    [node.id, other.id],
    [node.id, paperId(5)],
  ] as const) {
    t.equal(await verifyRecord(draftOf(read(document.replace(from, to)))), undefined, to)
  }
})

t.test('the engine that is given does the work, and its failure is no signature', async (t) => {
  let asked = 0
  const signer = () => {
    throw new Error('not here')
  }
  const engine = (answer: () => boolean): Engine => ({
    name: 'node',
    verify: () => (asked++, answer()),
    signer,
  })
  const draft = draftOf(await stated(GOOD, LABEL, other))
  t.ok(
    await verifyRecord(
      draft,
      engine(() => true),
    ),
  )
  t.notOk(
    await verifyRecord(
      draft,
      engine(() => false),
    ),
  )
  t.notOk(
    await verifyRecord(
      draft,
      engine(() => signer()),
    ),
  )
  t.equal(asked, 3)
})

t.test('a record counts for seven days, and not before its time', async (t) => {
  const at = (time: number) => judgeRecordTime({ time }, NOW)
  t.equal(at(NOW), undefined)
  t.equal(at(NOW - 7 * DAY), undefined)
  t.equal(at(NOW - 7 * DAY - 1), 'stale')
  t.equal(at(0), 'stale')
  t.equal(at(NOW + 600_000), undefined)
  t.equal(at(NOW + 600_001), 'early')
  t.equal(at(Number.MAX_SAFE_INTEGER), 'early')
})
