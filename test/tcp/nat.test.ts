// Two hosts behind two routers, and a DHT of nine nodes outside: holes are punched, or relays carry the messages.
import t from 'tap'
import { Namespaces } from '../fixtures/namespaces.ts'
import { NAT_DHT_PORT, NatProcess, type NatProcessOptions } from '../fixtures/nat-process.ts'

const skip = Namespaces.reasonToSkipRouters()
/** Addresses that look public, or they would be taken for those of a local network. */
const DHT_HOSTS = Array.from({ length: 9 }, (_, index) => `65.${index + 1}.0.1`)
const ROUTER = { a: '66.1.0.1', b: '67.1.0.1' } as const
const RELAY = '68.1.0.1'
/** One cable for all of them. */
const onCable = (host: string): string => `${host}/2`

t.test('behind routers', { skip, timeout: 60_000 }, async (t) => {
  const program = await NatProcess.compile(t)
  const dht = [`${DHT_HOSTS[0]!}:${NAT_DHT_PORT}`]
  const begin = (place: readonly string[], options: Partial<NatProcessOptions>): Promise<NatProcess> =>
    NatProcess.start(t, program, { kind: 'node', hosts: ['0.0.0.0'], dht, ...options }, place)

  await t.test('a message goes over a hole that was punched through both', async (t) => {
    const machines = new Namespaces(t)
    const outside = machines.add('net', ...DHT_HOSTS.map(onCable))
    await begin(outside, { kind: 'dht', hosts: DHT_HOSTS })
    const places = [
      machines.addBehindRouter('a', onCable(ROUTER.a), 'same-port'),
      machines.addBehindRouter('b', onCable(ROUTER.b), 'same-port'),
    ] as const
    // They know the topic, and nothing of each other.
    const [a, b] = [await begin(places[0], {}), await begin(places[1], {})]
    await Promise.all([a.until(() => a.linkTo(b) !== undefined), b.until(() => b.linkTo(a) !== undefined)])
    t.match(a.linkTo(b), { via: 'hyperswarm', host: ROUTER.b })
    t.match(b.linkTo(a), { via: 'hyperswarm', host: ROUTER.a })
    t.equal(await a.sendTo(b.id, 'hello'), 'link')
    await b.until(() => b.messages.includes(`${a.id} hello hyperswarm`))
  })

  await t.test('where ports are random, it goes through relays, and says so', async (t) => {
    const machines = new Namespaces(t)
    const outside = machines.add('net', ...DHT_HOSTS.map(onCable), onCable(RELAY))
    await begin(outside, { kind: 'dht', hosts: DHT_HOSTS })
    const relay = await begin(outside, { hosts: [RELAY], port: 10_001, dht: [] })
    const places = [
      machines.addBehindRouter('a', onCable(ROUTER.a), 'random-port'),
      machines.addBehindRouter('b', onCable(ROUTER.b), 'random-port'),
    ] as const
    const bootstrap = [`${RELAY}:10001`]
    const [a, b] = [await begin(places[0], { bootstrap }), await begin(places[1], { bootstrap })]
    await Promise.all([a, b].map((one) => one.until(() => one.linkTo(relay) !== undefined)))
    t.equal(a.linkTo(relay)!.via, 'tls')
    // They have found each other, and tried.
    await Promise.race(
      [a, b].map((one) => one.until(() => one.failures.some((text) => /HOLEPUNCH/.test(text)))),
    )
    t.equal(await a.sendTo(b.id, 'hello'), 'relay')
    await b.until(() => b.messages.includes(`${a.id} hello tls`))
    t.same([a.linkTo(b), b.linkTo(a)], [undefined, undefined])
  })
})
