import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import {
  BEACON_WINDOW,
  LAN_ANSWER_RATE,
  LAN_INTERVAL,
  LAN_READ_RATE,
  LAN_SOURCE_BURST,
  LAN_VERIFY_BURST,
  LAN_VERIFY_RATE,
} from '../../lib/limits/network-limits.ts'
import { type Beacon, makeBeacon } from '../../lib/lan/beacon.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { Random } from '../../lib/testing/random.ts'
import { Cable, LanNode, type Rows, type Sent } from '../fixtures/memory-lan.ts'

const LO = ['lo', '127.0.0.1/8'] as const
const at = (host: number): Rows => [LO, ['eth0', `10.0.0.${host}/24`]]
const textOf = ({ bytes }: Sent): string => new TextDecoder().decode(bytes)
const isQuestion = (sent: Sent): boolean => textOf(sent).startsWith('{"body":{"ask":1')
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const mallory = Identity.generate()
const STRANGER = { host: '10.0.0.66', port: 6_666 }

class Bench {
  readonly clock = new ManualClock()
  readonly cable = new Cable()

  node(rows: Rows, options: ConstructorParameters<typeof LanNode>[3] = {}): LanNode {
    return new LanNode(this.clock, this.cable, rows, options)
  }

  /** Lets signatures be made and verified, and so much time pass. */
  async pass(ms = 0): Promise<void> {
    await this.clock.advanceAsync(ms)
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
  }

  beacon(fields: Partial<Beacon> = {}, identity = mallory): Promise<Uint8Array> {
    const plain = { ask: true, id: identity.id, net: 'default', port: 4_000, time: this.clock.now() }
    return makeBeacon({ ...plain, ...fields }, (bytes) => identity.sign(bytes))
  }

  /** A datagram that somebody puts on the cable. */
  inject(bytes: Uint8Array, source = STRANGER, to?: Sent['to']): void {
    this.cable.carry('eth0', undefined, { bytes, source, to })
  }

  get answers(): Sent[] {
    return this.cable.sent.filter(({ to }) => to !== undefined)
  }
}

t.test('two nodes find each other at once, without an address', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node(at(2))]
  alice.listenPort = 4_001
  alice.lan.start()
  await bench.pass()
  t.same(alice.found, [])
  bob.lan.start()
  await bench.pass()
  // Bob called, and Alice answered.
  t.same(bob.found, [{ id: alice.identity.id, address: { host: '10.0.0.1', port: 4_001 } }])
  t.same(alice.found, [{ id: bob.identity.id, address: { host: '10.0.0.2', port: 4_000 } }])
  t.equal(bench.answers.length, 1)
  await Promise.all([alice.lan.stop(), bob.lan.stop()])
  t.equal(bench.clock.pendingTimers, 0)
})

t.test('it asks after 0, 1 and 3 s, and from then on tells every 30 s', async (t) => {
  const bench = new Bench()
  const node = bench.node([['eth0', '10.0.0.1/24']])
  const start = bench.clock.now()
  const times: string[] = []
  bench.cable.isLost = (sent) => {
    times.push(`${isQuestion(sent) ? 'asks' : 'tells'} after ${bench.clock.now() - start} ms`)
    return true
  }
  node.lan.start()
  for (let second = 0; second < 66; second++) await bench.pass(1_000)
  t.same(times, [0, 1_000, 3_000, 33_000, 63_000].map((ms, number) => `${number < 3 ? 'asks' : 'tells'} after ${ms} ms`)) // prettier-ignore
  await node.lan.stop()
})

t.test('loss delays it, and no more', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node(at(2))]
  const random = new Random(3)
  bench.cable.isLost = () => random.next() < 0.7
  alice.lan.start()
  bob.lan.start()
  for (let second = 0; second < 300; second++) await bench.pass(1_000)
  t.ok(alice.found.length > 0 && bob.found.length > 0)
})

t.test(
  'when a network was divided and is whole again, the nodes find each other without asking',
  async (t) => {
    const bench = new Bench()
    const [alice, bob] = [bench.node(at(1)), bench.node(at(2))]
    bench.cable.isLost = () => true
    alice.lan.start()
    bob.lan.start()
    for (let second = 0; second < 100; second++) await bench.pass(1_000)
    t.same([...alice.found, ...bob.found], [])
    bench.cable.isLost = () => false
    bench.cable.sent.length = 0
    await bench.pass(LAN_INTERVAL)
    t.equal(alice.found.length, 1)
    t.equal(bob.found.length, 1)
    t.same(bench.cable.sent.filter(isQuestion), [])
    t.same(bench.answers, [])
  },
)

t.test('a network that is there later is noticed, and asked', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node([])]
  alice.lan.start()
  bob.lan.start()
  await bench.pass()
  t.match(bob.reports, ['local network: no interface has the address 0.0.0.0'])
  for (let second = 0; second < 40; second++) await bench.pass(1_000)
  bob.datagrams.rows = at(2)
  for (let second = 0; second < 30; second++) await bench.pass(1_000)
  t.same(bob.datagrams.keys, ['lo 127.0.0.1', 'eth0 10.0.0.2'])
  t.same(bob.hostsOf(alice), ['10.0.0.1'])
  t.same(alice.hostsOf(bob), ['10.0.0.2'])
  bob.datagrams.rows = [LO, ['wlan0', '192.168.1.7/24']]
  const before = bench.cable.sent.length
  for (let second = 0; second < 40; second++) await bench.pass(1_000)
  t.same(bob.datagrams.keys, ['lo 127.0.0.1', 'wlan0 192.168.1.7'])
  const calls = bench.cable.sent.slice(before).filter(({ source }) => source.host === '192.168.1.7')
  t.equal(calls.filter(isQuestion).length, 3, 'the new network is asked three times again')
  const old = bench.cable.sent.slice(before).filter(({ source }) => source.host === '127.0.0.1')
  t.same(old.filter(isQuestion), [], 'the one that was there is not')
})

t.test(
  'by IPv6 as well, and where there is nothing else by a link-local address with its zone',
  async (t) => {
    const bench = new Bench()
    const host = '::'
    const alice = bench.node([['eth0', 'fd00::1/64'], ['eth0', 'fe80::1/64']], { host }) // prettier-ignore
    const bob = bench.node([['eth0', 'fd00::2/64'], ['eth0', 'fe80::2/64']], { host }) // prettier-ignore
    const carol = bench.node([['eth0', 'fe80::3/64']], { host })
    for (const { lan } of [alice, bob, carol]) lan.start()
    await bench.pass()
    t.same(alice.hostsOf(bob), ['fd00::2'])
    t.same(bob.hostsOf(alice), ['fd00::1'])
    t.same(alice.hostsOf(carol), ['fe80::3%eth0'])
    t.same(carol.hostsOf(alice), ['fe80::1%eth0'], 'from the answer')
  },
)

t.test('nodes of another network are not there', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node(at(2), { net: 'other' })]
  alice.lan.start()
  bob.lan.start()
  await bench.pass(3_000)
  t.same([...alice.found, ...bob.found, ...bench.answers], [])
  t.equal(alice.engine.verified, 0)
})

t.test('who is in another subnet is not there, though on the same cable', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node([LO, ['eth0', '10.0.1.2/24']])]
  alice.lan.start()
  bob.lan.start()
  await bench.pass(3_000)
  for (const host of [
    '10.0.2.66',
    '8.8.8.8',
    '127.0.0.1.evil',
    'fe80::66%eth0',
    'fe80::66%eth1',
    '::1',
    '10.0.0',
  ]) {
    bench.inject(await bench.beacon(), { host, port: 1 })
  }
  await bench.pass()
  t.same([...alice.found, ...bob.found, ...bench.answers], [])
  t.equal(alice.engine.verified, 0)
  bench.inject(await bench.beacon(), { host: '127.0.0.1', port: 1 })
  await bench.pass()
  t.equal(alice.found.length, 1, 'this machine is near')
})

t.test('its own beacons are nobody else', async (t) => {
  const bench = new Bench()
  const alice = bench.node(at(1))
  alice.lan.start()
  await bench.pass(3_000)
  t.ok(bench.cable.sent.length >= 6, 'on loopback and on the cable')
  t.same(alice.found, [])
  t.equal(alice.engine.verified, 0)
})

t.test('a forged beacon finds nobody, and gets no answer', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node(at(2))]
  alice.lan.start()
  await bench.pass(3_000)
  bench.inject(await bench.beacon({ id: bob.identity.id }))
  await bench.pass()
  t.equal(alice.engine.verified, 1)
  t.same([...alice.found, ...bench.answers], [])
})

t.test('a replay names the one who sent it, for a minute, and nobody else', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node(at(2))]
  alice.lan.start()
  bob.lan.start()
  await bench.pass()
  const recorded = bench.cable.sent.find(({ source }) => source.host === '10.0.0.2')!.bytes
  await bob.lan.stop()
  alice.found.length = 0
  bench.inject(recorded)
  await bench.pass()
  // The dial expects Bob there, and will not find him.
  t.same(alice.found, [{ id: bob.identity.id, address: { host: STRANGER.host, port: 4_000 } }])
  await bench.pass(BEACON_WINDOW + 1)
  alice.found.length = 0
  bench.inject(recorded)
  await bench.pass()
  t.same(alice.found, [])
})

t.test('no answer is larger than its question, and each goes to who asked alone', async (t) => {
  for (const net of ['a', 'default', 'n'.repeat(64)]) {
    const bench = new Bench()
    const alice = bench.node(at(1), { net })
    alice.listenPort = 65_535
    alice.lan.start()
    await bench.pass(5_000)
    const question = await bench.beacon({ net, port: 1 })
    bench.inject(question)
    await bench.pass()
    t.equal(bench.answers.length, 1)
    const { bytes, to, source } = bench.answers[0]!
    t.equal(bytes.length, question.length)
    t.same(to, STRANGER)
    t.equal(source.host, '10.0.0.1')
    t.notOk(isQuestion(bench.answers[0]!), 'or two nodes would ask each other for ever')
  }
})

t.test('one host gets an answer a second, whatever its ports', async (t) => {
  const bench = new Bench()
  const alice = bench.node(at(1))
  alice.lan.start()
  await bench.pass(5_000)
  for (let port = 1; port < 10; port++) bench.inject(await bench.beacon(), { ...STRANGER, port })
  await bench.pass()
  t.equal(bench.answers.length, 1)
  t.equal(alice.found.length, 9, 'which is no reason not to find it')
  await bench.pass(1_000)
  bench.inject(await bench.beacon())
  await bench.pass()
  t.equal(bench.answers.length, 2)
})

t.test('all hosts together get ten answers a second', async (t) => {
  const bench = new Bench()
  const alice = bench.node(at(1))
  alice.lan.start()
  await bench.pass(5_000)
  const ask = async (): Promise<void> => {
    for (let host = 2; host < 100; host++)
      bench.inject(await bench.beacon(), { host: `10.0.0.${host}`, port: 5 })
    await bench.pass()
  }
  await ask()
  t.equal(bench.answers.length, LAN_ANSWER_RATE)
  await bench.pass(1_000)
  await ask()
  t.equal(bench.answers.length, 2 * LAN_ANSWER_RATE)
})

t.test('nodes of this machine are told apart by their ports', async (t) => {
  const bench = new Bench()
  const alice = bench.node(at(1))
  alice.lan.start()
  await bench.pass(5_000)
  for (let port = 1; port <= 5; port++) bench.inject(await bench.beacon(), { host: '127.0.0.1', port })
  await bench.pass()
  t.equal(bench.answers.length, 5)
})

t.test('a flood of one host costs its share alone', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node(at(2))]
  alice.lan.start()
  await bench.pass(5_000)
  const forged = await bench.beacon({ id: bob.identity.id })
  for (let number = 0; number < 10_000; number++) bench.inject(forged, { ...STRANGER, port: 1 + number })
  bob.lan.start()
  await bench.pass()
  t.ok(alice.engine.verified <= LAN_SOURCE_BURST + 1, String(alice.engine.verified))
  t.same(alice.hostsOf(bob), ['10.0.0.2'])
})

t.test('a flood of all hosts verifies so many signatures a second, and ends with itself', async (t) => {
  const bench = new Bench()
  const alice = bench.node([['eth0', '10.0.0.1/8']])
  alice.lan.start()
  await bench.pass(5_000)
  const forged = await bench.beacon({ id: alice.identity.id.replace(/./, (digit) => (digit === '0' ? '1' : '0')) as Beacon['id'] }) // prettier-ignore
  const random = new Random(9)
  const flood = (count: number): void => {
    for (let number = 0; number < count; number++) {
      const host = `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`
      bench.inject(forged, { host, port: 5 })
    }
  }
  flood(5_000)
  await bench.pass()
  t.equal(alice.engine.verified, LAN_VERIFY_BURST)
  for (let second = 1; second <= 5; second++) {
    await bench.pass(1_000)
    flood(5_000)
    await bench.pass()
    t.equal(alice.engine.verified, LAN_VERIFY_BURST + second * LAN_VERIFY_RATE)
  }
  t.same([...alice.found, ...bench.answers], [])
  t.same(alice.reports, [], 'and fills no log')
  await bench.pass(2_000)
  const bob = bench.node([['eth0', '10.0.0.2/8']])
  bob.lan.start()
  await bench.pass()
  t.same(alice.hostsOf(bob), ['10.0.0.2'])
})

t.test('rubbish is not even parsed beyond a rate', async (t) => {
  const bench = new Bench()
  const alice = bench.node([['eth0', '10.0.0.1/8']])
  alice.lan.start()
  await bench.pass(5_000)
  const rubbish = [
    new Uint8Array(0),
    new Uint8Array(513),
    new Uint8Array(65_000),
    new Uint8Array(400).fill(0x5b),
  ]
  for (const bytes of rubbish) bench.inject(bytes)
  const big = new TextEncoder().encode(`"${'x'.repeat(500)}"`)
  for (let number = 0; number < 20_000; number++) {
    bench.inject(big, { host: `10.1.${number >> 8}.${number & 255}`, port: 5 })
  }
  // The budget is used up: even a good one is not looked at.
  bench.inject(await bench.beacon(), { host: '10.2.0.1', port: 5 })
  await bench.pass()
  t.equal(alice.engine.verified, 0)
  await bench.pass(1_000 / LAN_READ_RATE + 1)
  bench.inject(await bench.beacon(), { host: '10.2.0.2', port: 5 })
  await bench.pass()
  t.equal(alice.found.length, 1)
})

t.test('sources without end cost no memory without end', async (t) => {
  const bench = new Bench()
  const alice = bench.node([['eth0', '10.0.0.1/8']])
  alice.lan.start()
  await bench.pass(5_000)
  bench.cable.isLost = (sent) => {
    bench.cable.sent.length = 0
    return sent.source.host === '10.0.0.1'
  }
  const bytes = await bench.beacon({ net: 'other' })
  const flood = (from: number, count: number): number => {
    for (let number = from; number < from + count; number++) {
      bench.inject(bytes, { host: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`, port: 5 })
    }
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const before = flood(0, 5_000)
  const after = flood(5_000, 100_000)
  t.ok(after - before < 1e6, `${after - before} bytes more`)
})

t.test('where it listens decides where it calls', async (t) => {
  const rows: Rows = [LO, ['lo', '::1/128'], ['eth0', '10.0.0.1/24'], ['eth1', '10.0.5.1/24']]
  const cases: Record<string, string[]> = {
    '127.0.0.1': ['127.0.0.1'],
    '::1': ['::1'],
    localhost: ['127.0.0.1'],
    '0.0.0.0': ['127.0.0.1', '10.0.0.1', '10.0.5.1'],
    '::': ['127.0.0.1', '10.0.0.1', '10.0.5.1'],
    '10.0.5.1': ['10.0.5.1'],
    '10.0.0.77': [],
    'somewhere.example': [],
  }
  for (const [host, expected] of Object.entries(cases)) {
    const bench = new Bench()
    const node = bench.node(rows, { host })
    node.lan.start()
    await bench.pass()
    t.same(bench.cable.sent.map(({ source }) => source.host), expected, host) // prettier-ignore
    t.equal(node.reports.length > 0, expected.length === 0)
    await node.lan.stop()
  }
})

t.test('after its end nothing is found, sent or left', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node(at(2))]
  alice.lan.start()
  alice.lan.start()
  await bench.pass()
  const question = await bench.beacon()
  // Both are under way when it ends.
  bench.inject(question)
  const stopping = alice.lan.stop()
  bob.lan.start()
  await Promise.all([stopping, alice.lan.stop()])
  await bench.pass(100_000)
  t.same([...alice.found, ...bench.answers, ...bob.found], [])
  t.equal(alice.datagrams.isClosed, true)
  await bob.lan.stop()
  t.equal(bench.clock.pendingTimers, 0)
})

t.test('it may be stopped before it was open, and started again', async (t) => {
  const bench = new Bench()
  const [alice, bob] = [bench.node(at(1)), bench.node(at(2))]
  bob.lan.start()
  await bench.pass(10_000)
  alice.lan.start()
  const stopping = alice.lan.stop()
  alice.lan.start()
  await stopping
  await bench.pass(1_000)
  t.same(alice.hostsOf(bob), ['10.0.0.2'])
  await alice.lan.stop()
  t.equal(bench.clock.pendingTimers, 1, "the other's next call")
  alice.found.length = 0
  alice.lan.start()
  await bench.pass(1_000)
  t.same(alice.hostsOf(bob), ['10.0.0.2'], 'it asks again')
  await Promise.all([alice.lan.stop(), bob.lan.stop()])
  t.equal(bench.clock.pendingTimers, 0)
})

t.test('what fails is told to a person, and tried again', async (t) => {
  const bench = new Bench()
  let fails = 3
  const sign = (bytes: Uint8Array): Promise<Uint8Array> =>
    fails-- > 0 ? Promise.reject(new Error('no ink')) : mallory.sign(bytes)
  const alice = bench.node(at(1), { sign })
  alice.lan.start()
  await bench.pass()
  alice.datagrams.fail('no cable')
  t.same(alice.reports, ['local network: no ink', 'local network: no cable'])
  for (let second = 0; second < 10; second++) await bench.pass(1_000)
  t.ok(bench.cable.sent.length > 0)
  await alice.lan.stop()
})
