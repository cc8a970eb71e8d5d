import t from 'tap'
import type { Attachment } from '../../lib/lan/attachment.ts'
import { type InterfaceTable, readAttachments } from '../../lib/lan/interfaces.ts'
import { tableOf } from '../fixtures/memory-lan.ts'

const only = (name: string, cidr: string): Attachment => readAttachments(tableOf([[name, cidr]]))[0]!
const included = ({ includes }: Attachment, hosts: readonly string[]): string[] => hosts.filter(includes)

t.test('an IPv4 subnet has its addresses, and no others', async (t) => {
  const eth0 = only('eth0', '10.0.0.5/24')
  t.match(eth0, { key: 'eth0 10.0.0.5', name: 'eth0', isIpv6: false, isLoopback: false, isLinkLocal: false })
  const near = ['10.0.0.0', '10.0.0.1', '10.0.0.255']
  const far = [
    '10.0.1.0',
    '9.255.255.255',
    '11.0.0.5',
    '8.8.8.8',
    '::ffff:10.0.0.1',
    'fe80::1%eth0',
    '10.0.0.1%eth0',
  ]
  t.same(included(eth0, [...near, ...far, '', 'x', '10.0.0']), near)
  t.same(included(only('eth0', '10.0.0.130/25'), ['10.0.0.127', '10.0.0.128']), ['10.0.0.128'])
  t.same(included(only('eth0', '172.16.0.1/12'), ['172.31.255.255', '172.32.0.0']), ['172.31.255.255'])
})

t.test('an IPv6 subnet likewise', async (t) => {
  const eth0 = only('eth0', 'fd00:0:0:1::5/64')
  t.match(eth0, { key: 'eth0 fd00:0:0:1::5', isIpv6: true, isLoopback: false, isLinkLocal: false })
  const near = ['fd00:0:0:1::6', 'fd00:0:0:1:ffff:ffff:ffff:ffff']
  t.same(included(eth0, [...near, 'fd00:0:0:2::6', '::1', '::', 'fd00:0:0:1::6%eth0', '10.0.0.1']), near)
})

t.test('link-local addresses are near by their zone', { skip: process.platform === 'win32' }, async (t) => {
  const eth0 = only('eth0', 'fe80::5/64')
  t.match(eth0, { zone: 'eth0', isLinkLocal: true, isLoopback: false })
  t.same(included(eth0, ['fe80::6%eth0', 'fe80::6%eth1', 'fe80::6', 'fd00::1', 'fe81::6%eth0']), [
    'fe80::6%eth0',
  ])
})

t.test('loopback is this machine', async (t) => {
  t.match(only('lo', '127.0.0.1/8'), { isLoopback: true })
  t.same(included(only('lo', '127.0.0.1/8'), ['127.0.0.1', '127.255.0.1', '128.0.0.1']), [
    '127.0.0.1',
    '127.255.0.1',
  ])
  t.match(only('lo', '::1/128'), { isLoopback: true, isIpv6: true })
  t.same(included(only('lo', '::1/128'), ['::1', '::2', '127.0.0.1']), ['::1'])
})

t.test('an address without a network has no neighbours', async (t) => {
  t.same(readAttachments(tableOf([['tun0', '10.8.0.1/32'], ['eth0', 'fd00::5/128']])), []) // prettier-ignore
  const odd = { x: [{ address: '10.0.0.1', family: 'IPv4', cidr: null }], y: undefined }
  t.same(readAttachments(odd as unknown as InterfaceTable), [])
  t.same(readAttachments({}), [])
})

t.test('this machine has loopback', async (t) => {
  t.ok(readAttachments().some(({ isLoopback, address }) => isLoopback && address === '127.0.0.1'))
})
