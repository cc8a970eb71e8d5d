// Finding each other with real datagrams: on loopback, and between machines on a bridge.
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { systemClock } from '../../lib/ground/clock.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { LAN_GROUP_IPV4, LAN_LOOPBACK_PORTS } from '../../lib/limits/network-limits.ts'
import { UdpDatagrams } from '../../lib/lan/datagrams.ts'
import { Lan } from '../../lib/lan/lan.ts'
import { Happenings } from '../fixtures/happenings.ts'
import { LanProcess, type LanProcessOptions } from '../fixtures/lan-process.ts'
import { Namespaces } from '../fixtures/namespaces.ts'

/** Test runs on one machine must not meet. */
const NET = `test-${process.pid}`
const PORT = 12_000 + (process.pid % 500) * 20
const HERE = '127.0.0.1'

// What is tested does not keep a process alive.
const stay = setInterval(() => {}, 60_000)
t.teardown(() => clearInterval(stay))

/** A node's local network in this process. */
class Caller extends Happenings {
  readonly identity = Identity.generate()
  readonly found = new Map<string, Set<string>>()
  readonly reports: string[] = []
  readonly lan: Lan

  constructor(t: Test, host = HERE, port = PORT, net = NET) {
    super()
    const { identity } = this
    const lanPort = {
      self: { id: identity.id, net },
      clock: systemClock,
      random: () => Math.random(),
      sign: (bytes: Uint8Array) => identity.sign(bytes),
      listenHost: () => host,
      listenPort: () => 4_000,
      found: (id: string, address: { host: string }) => {
        this.found.set(id, (this.found.get(id) ?? new Set()).add(address.host))
        this.tell()
      },
      report: (text: string) => {
        this.reports.push(text)
        this.tell()
      },
    }
    this.lan = new Lan(lanPort, new UdpDatagrams(port))
    t.teardown(() => this.lan.stop())
    this.lan.start()
  }

  meets(...others: Caller[]): Promise<void> {
    return this.until(() => others.every(({ identity }) => this.found.has(identity.id)))
  }

  at({ identity }: Caller): string[] {
    return [...(this.found.get(identity.id) ?? [])]
  }
}

const all = (callers: readonly Caller[]): Promise<unknown> =>
  Promise.all(callers.map((one) => one.meets(...callers.filter((other) => other !== one))))

t.test('nodes of one machine find each other on loopback', async (t) => {
  const first = new Caller(t)
  const second = new Caller(t)
  await all([first, second])
  const third = new Caller(t)
  await all([first, second, third])
  t.same([first.at(second), second.at(first), third.at(first)], [[HERE], [HERE], [HERE]])
  t.same([first, second, third].flatMap(({ reports }) => reports), []) // prettier-ignore
})

const hasIpv6 = new UdpDatagrams().attachments().some(({ address }) => address === '::1')

t.test('and by IPv6, where loopback has no multicast', { skip: !hasIpv6 && 'no ::1' }, async (t) => {
  const callers = Array.from({ length: 4 }, () => new Caller(t, '::1'))
  await all(callers)
  t.same(callers[0]!.at(callers[1]!), ['::1'])
  const both = new Caller(t, '::')
  await both.meets(...callers)
  await Promise.all(callers.map((caller) => caller.meets(both)))
  t.same(both.at(callers[0]!), ['::1'])
})

t.test(
  'when the ports of IPv6 loopback are used up, a node still finds',
  { skip: !hasIpv6 && 'no ::1' },
  async (t) => {
    const callers = Array.from(
      { length: LAN_LOOPBACK_PORTS },
      () => new Caller(t, '::1', PORT, `${NET}-full`),
    )
    const others = callers.slice(1)
    await callers[0]!.meets(...others)
    const late = new Caller(t, '::1', PORT, `${NET}-full`)
    await late.until(() => late.found.size > 0)
    t.pass()
  },
)

t.test('it leaves no handle, and does not keep the process alive', async (t) => {
  const handles = (): number => process.getActiveResourcesInfo().filter((name) => /udp/i.test(name)).length
  t.equal(handles(), 0)
  const [first, second] = [new Caller(t, '::'), new Caller(t, '::')]
  await all([first, second])
  await Promise.all([first.lan.stop(), second.lan.stop()])
  t.equal(handles(), 0)
  first.found.clear()
  first.lan.start()
  second.lan.start()
  await all([first, second])
  t.pass('and can be started again')
})

t.test('where the port is taken by another program, it says so', async (t) => {
  const port = PORT + 19
  const other = createSocket('udp4')
  t.teardown(() => other.close())
  other.bind(port, LAN_GROUP_IPV4)
  await once(other, 'listening')
  const deaf = new Caller(t, HERE, port)
  await deaf.until(() => deaf.reports.length > 0)
  t.match(deaf.reports, [/^local network: cannot listen at UDP port \d+: .*EADDRINUSE/])
})

t.test('rubbish on the wire is nothing', async (t) => {
  const caller = new Caller(t)
  const stranger = createSocket({ type: 'udp4' })
  t.teardown(() => stranger.close())
  stranger.bind(0, HERE)
  await once(stranger, 'listening')
  stranger.setMulticastInterface(HERE)
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(60_000), Buffer.from('{}'), Buffer.from('hello')]) {
    await new Promise((resolve) => stranger.send(bytes, PORT, LAN_GROUP_IPV4, resolve))
  }
  const friend = new Caller(t)
  await all([caller, friend])
  t.equal(caller.found.size, 1)
})

t.test('processes', async (t) => {
  const program = await LanProcess.compile(t)
  const begin = (
    t: Test,
    options: Partial<LanProcessOptions>,
    place?: readonly string[],
  ): Promise<LanProcess> =>
    LanProcess.start(t, program, { kind: 'lan', net: NET, host: '0.0.0.0', port: PORT, ...options }, place)
  const meet = (...group: readonly LanProcess[]): Promise<unknown> =>
    Promise.all(
      group.map((one) =>
        one.until(() => group.every((other) => one === other || one.hostsOf(other).length > 0)),
      ),
    )

  t.test('processes of one machine share the port and find each other', async (t) => {
    const group = await Promise.all([0, 1, 2].map(() => begin(t, { host: HERE })))
    await meet(...group)
    t.same(group[0]!.hostsOf(group[1]!), ['127.0.0.1:0'])
  })

  t.test('a process that has nothing else to do ends', async (t) => {
    const brief = await begin(t, { kind: 'brief', host: '::' })
    t.equal(await brief.ended(), 0)
  })

  const skip = Namespaces.reasonToSkip()

  t.test(
    'three machines of one subnet find each other, and not the one of another subnet',
    { skip },
    async (t) => {
      const machines = new Namespaces(t)
      const places = [
        machines.add('a', '10.77.1.1/24', 'fd77:1::1/64'),
        machines.add('b', '10.77.1.2/24', 'fd77:1::2/64'),
        machines.add('c', '10.77.1.3/24', 'fd77:1::3/64'),
        machines.add('d', '10.77.2.4/24', 'fd77:2::4/64'),
      ]
      const group = await Promise.all(places.map((place) => begin(t, { host: '::' }, place)))
      const [a, b, c, d] = group as [LanProcess, LanProcess, LanProcess, LanProcess]
      await meet(a, b, c)
      await Promise.all([a, b].map((one) => one.until(() => one.hostsOf(c).length === 2)))
      t.same(a.hostsOf(c).toSorted(), ['10.77.1.3:0', '[fd77:1::3]:0'])
      t.same(b.hostsOf(c).toSorted(), ['10.77.1.3:0', '[fd77:1::3]:0'])
      // What it says reaches the others, and what they say reaches it.
      for (const near of ['10.77.1.1', 'fd77:1::1']) await d.until(() => d.heard.includes(near))
      for (const far of ['10.77.2.4', 'fd77:2::4']) await a.until(() => a.heard.includes(far))
      t.same([...d.found], [])
      t.same([a, b, c].flatMap((one) => one.hostsOf(d)), []) // prettier-ignore
    },
  )

  t.test('machines without any address but their link-local ones find each other', { skip }, async (t) => {
    const machines = new Namespaces(t)
    const places = [machines.add('a'), machines.add('b'), machines.add('c', '10.77.1.3/24')]
    const group = await Promise.all(places.map((place) => begin(t, { host: '::' }, place)))
    const [a, b, c] = group as [LanProcess, LanProcess, LanProcess]
    await meet(a, b, c)
    for (const hosts of [a.hostsOf(b), b.hostsOf(a), c.hostsOf(a), a.hostsOf(c)]) {
      t.match(hosts, [/^\[fe80::[0-9a-f:]+%eth0\]:0$/])
    }
  })

  t.test('a node that listens on loopback is not heard outside', { skip }, async (t) => {
    const machines = new Namespaces(t)
    const [here, there] = [machines.add('a', '10.77.1.1/24'), machines.add('b', '10.77.1.2/24')]
    const b = await begin(t, { host: '0.0.0.0' }, there)
    const shy = [await begin(t, { host: HERE }, here), await begin(t, { host: '::1' }, here)]
    const open = await begin(t, { host: '10.77.1.1' }, here)
    await meet(open, b)
    const friend = await begin(t, { host: HERE }, here)
    await meet(shy[0]!, friend)
    t.same(b.hostsOf(open), ['10.77.1.1:0'])
    t.same([...shy, friend].flatMap((one) => [...b.hostsOf(one), ...one.hostsOf(b), ...open.hostsOf(one)]), []) // prettier-ignore
  })

  t.test('whole nodes find each other and talk, without an address', { skip }, async (t) => {
    const machines = new Namespaces(t)
    const places = [
      machines.add('a', '10.77.1.1/24'),
      machines.add('b', '10.77.1.2/24'),
      machines.add('c', '10.77.1.3/24'),
      machines.add('d', '10.77.2.4/24'),
    ]
    const options = { kind: 'node' } as const
    const group = await Promise.all(places.map((place) => begin(t, options, place)))
    const [a, b, c, d] = group as [LanProcess, LanProcess, LanProcess, LanProcess]
    const near = [a, b, c]
    for (const one of near) await one.until(() => one.ups.size === 2)
    for (const one of near) t.same([...one.ups].toSorted(), near.filter((other) => other !== one).map(({ id }) => id).toSorted()) // prettier-ignore
    a.send('hello')
    for (const one of [b, c]) await one.until(() => one.messages.includes(`${a.id} hello`))
    t.same([...d.ups, ...d.messages], [])
  })

  t.test('whole nodes with link-local addresses alone, too', { skip }, async (t) => {
    const machines = new Namespaces(t)
    const options = { kind: 'node', host: '::' } as const
    const group = await Promise.all(['a', 'b'].map((name) => begin(t, options, machines.add(name))))
    const [a, b] = group as [LanProcess, LanProcess]
    await a.until(() => a.ups.has(b.id))
    await b.until(() => b.ups.has(a.id))
    a.send('hello')
    await b.until(() => b.messages.includes(`${a.id} hello`))
    b.send('hello to you')
    await a.until(() => a.messages.includes(`${b.id} hello to you`))
    t.pass()
  })

  t.test('a cable that is plugged in later, and out and in again, is noticed', { skip }, async (t) => {
    const machines = new Namespaces(t)
    const [here, there] = [machines.add('a', '10.77.1.1/24'), machines.add('b', '10.77.1.2/24')]
    machines.plug('b', false)
    machines.address('b')
    const a = await begin(t, { speed: 100 }, here)
    const b = await begin(t, { speed: 100 }, there)
    await b.until(() => b.heard.includes(HERE))
    machines.plug('b', true)
    machines.address('b', '10.77.1.2/24')
    await meet(a, b)
    machines.plug('b', false)
    machines.plug('b', true)
    for (const one of [a, b]) one.found.clear()
    await meet(a, b)
    t.same(a.hostsOf(b), ['10.77.1.2:0'])
  })
})
