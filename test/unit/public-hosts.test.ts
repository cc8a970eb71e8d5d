import t from 'tap'
import { publicHost } from '../../lib/testing/public-hosts.ts'
import { groupOf, reachOf } from '../../lib/wire/address.ts'

t.test('hosts are public, all different, and in as many groups as there are hosts', async (t) => {
  const hosts = Array.from({ length: 20_000 }, (_, number) => publicHost(number))
  t.same(
    hosts.filter((host) => reachOf(host) !== 'public'),
    [],
  )
  t.equal(new Set(hosts).size, hosts.length)
  t.equal(new Set(hosts.map((host) => groupOf(host))).size, hosts.length)
  t.equal(hosts[0], '1.0.0.1')
})

t.test('those beyond the number of groups are different too', async (t) => {
  const hosts = Array.from({ length: 200 }, (_, number) => publicHost(100_000 + number * 517))
  t.equal(new Set(hosts).size, hosts.length)
  t.ok(hosts.every((host) => reachOf(host) === 'public'))
})
