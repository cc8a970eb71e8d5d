import t from 'tap'
import { isShareable, newlyKnown, renewed, usableAddresses, workingFirst } from '../../lib/book/known-peer.ts'
import { NOW, paperId, paperRecord } from '../fixtures/records.ts'

const PUBLIC = { host: '20.1.1.1', port: 1 }
const PUBLIC_6 = { host: '2a00::1', port: 1 }
const PRIVATE = { host: '192.168.1.1', port: 1 }
const LOOPBACK = { host: '127.0.0.1', port: 1 }
const ALL = [LOOPBACK, PRIVATE, PUBLIC, PUBLIC_6]

const from = (host: string, id: string = paperId(900)) => ({ id, host })

t.test('a source may tell of what is as far away as itself, or further', async (t) => {
  const record = await paperRecord(1, ALL)
  t.strictSame(usableAddresses(record, 'loopback'), ALL)
  t.strictSame(usableAddresses(record, 'private'), [PRIVATE, PUBLIC, PUBLIC_6])
  t.strictSame(usableAddresses(record, 'public'), [PUBLIC, PUBLIC_6])
  t.strictSame(usableAddresses(record, undefined), [PUBLIC, PUBLIC_6])
})

t.test('an address in no range is never usable but on this machine', async (t) => {
  const addresses = [{ host: '169.254.169.254', port: 80 }]
  t.strictSame(usableAddresses({ addresses }, 'public'), [])
  t.strictSame(usableAddresses({ addresses }, 'private'), [])
})

t.test('what is known is frozen, and keeps nothing of the link that brought it', async (t) => {
  const link = { id: 'b', host: '20.2.2.2', socket: {} }
  const peer = newlyKnown(await paperRecord(1, ALL), link)
  t.strictSame(peer.source, { id: 'b', host: '20.2.2.2' })
  for (const part of [peer, peer.source, peer.addresses]) t.ok(Object.isFrozen(part))
  t.match(peer, { addresses: [PUBLIC, PUBLIC_6], time: NOW, failures: 0, isTried: false })
})

t.test('a record goes only to those who would take no address that we have refused', async (t) => {
  const strange = newlyKnown(await paperRecord(1, [PUBLIC, PRIVATE]), from('20.2.2.2'))
  t.ok(isShareable(strange, 'public'))
  t.notOk(isShareable(strange, 'private'), 'or a stranger reaches into our network through us')
  t.notOk(isShareable(strange, 'loopback'))
  const near = newlyKnown(await paperRecord(1, [PUBLIC, PRIVATE, LOOPBACK]), from('10.0.0.1'))
  t.ok(isShareable(near, 'private'))
  t.notOk(isShareable(near, 'loopback'))
  t.ok(isShareable(newlyKnown(await paperRecord(1, ALL), from('127.0.0.1')), 'loopback'))
})

t.test('a renewal stays on the account of the first source, until the node speaks for itself', async (t) => {
  const first = newlyKnown(await paperRecord(1, [PUBLIC]), from('20.2.2.2', 'first'))
  const failed = { ...first, failures: 3 }
  const newer = await paperRecord(1, [PUBLIC_6], NOW + 1)
  const second = renewed(failed, newer, from('20.3.3.3', 'second'))
  t.match(second, {
    source: { id: 'first' },
    addresses: [PUBLIC_6],
    time: NOW + 1,
    record: newer,
    failures: 3,
  })
  const own = renewed(second, newer, from('20.4.4.4', paperId(1)))
  t.match(own, { source: { id: paperId(1), host: '20.4.4.4' }, failures: 0 })
})

t.test('the same record from further away takes no address back, a newer one does', async (t) => {
  const record = await paperRecord(1, [PUBLIC, PRIVATE])
  const near = newlyKnown(record, from('10.0.0.1'))
  t.strictSame(renewed(near, record, from('20.1.1.1', paperId(1))).addresses, [PUBLIC, PRIVATE])
  const newer = await paperRecord(1, [PUBLIC, PRIVATE], NOW + 1)
  t.strictSame(renewed(near, newer, from('20.2.2.2')).addresses, [PUBLIC])
})

t.test('the address that has worked stays in front', async (t) => {
  t.strictSame(workingFirst([PUBLIC, PRIVATE], PRIVATE), [PRIVATE, PUBLIC])
  t.strictSame(workingFirst([PUBLIC, PRIVATE], undefined), [PUBLIC, PRIVATE])
  t.strictSame(workingFirst([PUBLIC, PRIVATE], { ...PUBLIC, port: 2 }), [PUBLIC, PRIVATE])
  const peer = newlyKnown(await paperRecord(1, [PUBLIC, PUBLIC_6]), from('20.2.2.2'))
  const worked = { ...peer, addresses: [PUBLIC_6, PUBLIC] }
  const newer = await paperRecord(1, [PUBLIC, PUBLIC_6], NOW + 1)
  t.strictSame(renewed(worked, newer, from('20.2.2.2')).addresses, [PUBLIC_6, PUBLIC])
})
