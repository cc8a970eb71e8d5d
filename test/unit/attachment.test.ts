import t from 'tap'
import { MAX_LAN_ATTACHMENTS } from '../../lib/limits/network-limits.ts'
import { type Attachment, attachmentsFor, speakersOf, withZone } from '../../lib/lan/attachment.ts'
import { readAttachments } from '../../lib/lan/interfaces.ts'
import { type Rows, tableOf } from '../fixtures/memory-lan.ts'

const MACHINE: Rows = [
  ['lo', '127.0.0.1/8'],
  ['lo', '::1/128'],
  ['eth0', '192.168.1.5/24'],
  ['eth0', '2001:db8:1::5/64'],
  ['eth0', '2001:db8:1::99/64'],
  ['eth0', 'fe80::5/64'],
  ['wlan0', 'fe80::6/64'],
]
const read = (rows: Rows): Attachment[] => readAttachments(tableOf(rows))
const names = (attachments: readonly Attachment[]): string[] => attachments.map(withZone)
const choose = (host: string, rows = MACHINE): string[] => names(attachmentsFor(host, read(rows)))

t.test('a wildcard stands for all addresses of its family, once per subnet', async (t) => {
  t.same(choose('0.0.0.0'), ['127.0.0.1', '192.168.1.5'])
  const all = ['127.0.0.1', '::1', '192.168.1.5', '2001:db8:1::5', 'fe80::5%eth0', 'fe80::6%wlan0']
  t.same(choose('::'), all)
  t.same(choose(''), all)
})

t.test('an address stands for itself', async (t) => {
  t.same(choose('192.168.1.5'), ['192.168.1.5'])
  t.same(choose('2001:db8:1::99'), ['2001:db8:1::99'], 'also the second one of a subnet')
  t.same(choose('2001:DB8:0001::0099'), ['2001:db8:1::99'], 'in any spelling')
  t.same(choose('::ffff:192.168.1.5'), ['192.168.1.5'])
  t.same(choose('fe80::6%wlan0'), ['fe80::6%wlan0'])
  t.same(choose('fe80::6%eth0'), [])
  t.same(choose('192.168.1.6'), [], 'that of another machine')
})

t.test('loopback addresses stand for this machine alone', async (t) => {
  t.same(choose('127.0.0.1'), ['127.0.0.1'])
  t.same(choose('127.0.0.7'), ['127.0.0.7'], 'which it has, though it does not list it')
  t.same(choose('::1'), ['::1'])
  t.same(choose('localhost'), ['127.0.0.1', '::1'])
})

t.test('other names stand for nothing that could be known', async (t) => {
  for (const host of ['example.org', '192.168.1', '1.2.3.4.5', '%eth0', 'fe80::', '::g'])
    t.same(choose(host), [], host)
})

t.test('it calls by the best that an interface has, and listens on all', async (t) => {
  const speakers = (host: string, rows = MACHINE): string[] =>
    names(speakersOf(attachmentsFor(host, read(rows))))
  t.same(speakers('::'), ['127.0.0.1', '192.168.1.5', '2001:db8:1::5', 'fe80::6%wlan0'])
  t.same(speakers('fe80::5%eth0'), ['fe80::5%eth0'])
  t.same(speakers('::1'), ['::1'])
  t.same(speakers('localhost'), ['127.0.0.1'])
  t.same(speakers('::', [['lo', '::1/128']]), ['::1'])
})

t.test('a machine with hundreds of networks uses some of them', async (t) => {
  const rows = Array.from({ length: 300 }, (_, number) => [`veth${number}`, `10.${number >> 8}.${number & 255}.1/24`] as const) // prettier-ignore
  t.equal(choose('0.0.0.0', rows).length, MAX_LAN_ATTACHMENTS)
  t.same(choose('10.1.40.1', rows), ['10.1.40.1'])
})

t.test('each has a key of its own', async (t) => {
  const keys = [...read(MACHINE), ...attachmentsFor('127.0.0.7', read(MACHINE))].map(({ key }) => key)
  t.equal(new Set(keys).size, keys.length)
})
