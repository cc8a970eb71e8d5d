import t from 'tap'
import { DialBackOff } from '../../lib/book/back-off.ts'
import { Random } from '../../lib/testing/random.ts'
import type { Address } from '../../lib/wire/address.ts'
import { NOW, publicHost } from '../fixtures/records.ts'

const VICTIM = '20.9.9.9'
const HOUR = 3_600_000
const at = (port: number, host = VICTIM): Address => ({ host, port })
/** No jitter: pauses have their full length. Chance never gives a 1. */
const full = () => 1
const shortest = () => 0

t.test('an address that nobody has dialled is ready', async (t) => {
  const backOff = new DialBackOff(full)
  t.ok(backOff.isReady(at(1), NOW))
  t.equal(backOff.nextTry(at(1)), 0)
  t.equal(backOff.size, 0)
})

t.test('pauses double from 30 s to an hour', async (t) => {
  const backOff = new DialBackOff(full)
  let now = NOW
  for (const seconds of [30, 60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]) {
    backOff.failed(at(1), now)
    t.equal(backOff.nextTry(at(1)), now + seconds * 1_000)
    t.notOk(backOff.isReady(at(1), now + seconds * 1_000 - 1))
    now += seconds * 1_000
    t.ok(backOff.isReady(at(1), now))
  }
  for (let failure = 0; failure < 2_000; failure++) backOff.failed(at(1), now)
  t.equal(backOff.nextTry(at(1)), now + HOUR, 'whatever the number of failures')
})

t.test('each pause is shortened by up to a half', async (t) => {
  const random = new Random(1)
  const pauses = Array.from({ length: 200 }, () => {
    const backOff = new DialBackOff(() => random.next())
    backOff.failed(at(1), NOW)
    return backOff.nextTry(at(1)) - NOW
  })
  t.ok(Math.min(...pauses) >= 15_000 && Math.min(...pauses) < 16_000)
  t.ok(Math.max(...pauses) <= 30_000 && Math.max(...pauses) > 29_000)
})

t.test('success ends the pause and forgets the failures', async (t) => {
  const backOff = new DialBackOff(full)
  for (let failure = 0; failure < 5; failure++) backOff.failed(at(1), NOW)
  backOff.succeeded(at(1), NOW)
  t.ok(backOff.isReady(at(1), NOW))
  t.equal(backOff.nextTry(at(1)), 0)
  backOff.failed(at(1), NOW)
  t.equal(backOff.nextTry(at(1)), NOW + 30_000)
})

t.test('a node that was found where another was looked for can be dialled', async (t) => {
  const backOff = new DialBackOff(full)
  for (let lie = 0; lie < 5; lie++) backOff.failed(at(1), NOW, 'honest')
  t.ok(backOff.isReady(at(1), NOW, 'honest'))
  t.notOk(backOff.isReady(at(1), NOW, 'liar'))
  t.notOk(backOff.isReady(at(1), NOW))
  backOff.failed(at(1), NOW)
  t.notOk(backOff.isReady(at(1), NOW, 'honest'), 'it is not there any more')
})

t.test('one address that fails says nothing about another', async (t) => {
  const backOff = new DialBackOff(full)
  backOff.failed(at(1), NOW)
  backOff.failed(at(2), NOW)
  for (const address of [at(3), at(1, '20.9.9.8'), at(11), { host: '2a00::1', port: 1 }]) {
    t.ok(backOff.isReady(address, NOW), `${address.host} ${address.port}`)
  }
})

t.test('when three ports have failed, the whole host rests', async (t) => {
  const backOff = new DialBackOff(full)
  for (const port of [1, 2, 3]) backOff.failed(at(port), NOW)
  t.equal(backOff.nextTry(at(4)), NOW + 120_000)
  t.equal(backOff.nextTry(at(1)), NOW + 120_000)
  t.ok(backOff.isReady(at(1, '20.9.9.8'), NOW))
  backOff.failed(at(4), NOW + 120_000)
  t.equal(backOff.nextTry(at(5)), NOW + 360_000, 'after each failure for longer')
})

t.test('the same port does not count three times', async (t) => {
  const backOff = new DialBackOff(full)
  for (let failure = 0; failure < 9; failure++) backOff.failed(at(1), NOW)
  t.ok(backOff.isReady(at(2), NOW))
})

t.test('a success shows that nodes share the host', async (t) => {
  const backOff = new DialBackOff(full)
  for (const port of [1, 2, 3]) backOff.failed(at(port), NOW)
  backOff.succeeded(at(4), NOW)
  t.ok(backOff.isReady(at(5), NOW))
  t.notOk(backOff.isReady(at(1), NOW), 'its own pause goes on')
  for (const port of [5, 6, 7]) backOff.failed(at(port), NOW)
  t.notOk(backOff.isReady(at(8), NOW))
  t.ok(backOff.isReady(at(4), NOW), 'a node was there: liars cannot keep us from it')
  backOff.failed(at(4), NOW)
  t.equal(backOff.nextTry(at(4)), NOW + 30_000)
})

t.test('on loopback each address pauses for itself', async (t) => {
  for (const host of ['127.0.0.1', '127.9.9.9', '::1']) {
    const backOff = new DialBackOff(full)
    for (let port = 1; port < 50; port++) backOff.failed(at(port, host), NOW)
    t.ok(backOff.isReady(at(50, host), NOW), host)
    t.notOk(backOff.isReady(at(1, host), NOW), host)
  }
})

t.test('private hosts and names rest like others', async (t) => {
  for (const host of ['10.0.0.1', 'fd00::1', 'bootstrap.example.org']) {
    const backOff = new DialBackOff(full)
    for (const port of [1, 2, 3]) backOff.failed(at(port, host), NOW)
    t.notOk(backOff.isReady(at(4, host), NOW), host)
  }
})

t.test('a clock that was set back pauses nobody for a year', async (t) => {
  const backOff = new DialBackOff(full)
  backOff.failed(at(1), NOW)
  t.ok(backOff.isReady(at(1), NOW - 365 * 24 * HOUR))
  backOff.succeeded(at(1), NOW)
  t.ok(backOff.isReady(at(1), NOW - 1_000))
})

/** Dials the victim whenever it may be dialled, at ports that a liar chooses; the times of the dials. */
function assault(
  portsAt: (now: number) => Iterable<number>,
  hours: number,
  random = shortest,
  step = 1_000,
): number[] {
  const backOff = new DialBackOff(random)
  const dials: number[] = []
  for (let now = NOW; now < NOW + hours * HOUR; now += step) {
    for (const port of portsAt(now)) {
      if (!backOff.isReady(at(port), now)) continue
      dials.push(now)
      backOff.failed(at(port), now)
    }
  }
  return dials
}

/** The most dials in any hour that begins with one of them, from `from` on. */
function busiestHour(dials: readonly number[], from: number): number {
  const later = dials.filter((time) => time >= from)
  return Math.max(
    0,
    ...later.map((start) => later.filter((time) => time >= start && time < start + HOUR).length),
  )
}

t.test('liars cannot direct more dials at a victim than stated, whatever they name', async (t) => {
  let fresh = 1
  const tricks: Record<string, (now: number) => Iterable<number>> = {
    'one port': () => [1],
    'two ports': () => [1, 2],
    'three ports': () => [1, 2, 3],
    'ten ports': () => [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    'a port that is new every time': () => [fresh++ % 65_535, fresh++ % 65_535],
    'two ports, and a third at the end of the hour': (now) => (now < NOW + HOUR - 1_000 ? [1, 2] : [1, 2, 3]),
    'two ports, and new ones later': (now) => (now < NOW + 2 * HOUR ? [1, 2] : [1, 2, fresh++ % 65_535]),
    'two ports, another two later': (now) => (now < NOW + 3 * HOUR ? [1, 2] : [1, 2, 3, 4]),
    'nothing for an hour, then all': (now) => (now < NOW + HOUR ? [1] : [1, 2, 3, 4, 5]),
  }
  for (const [trick, portsAt] of Object.entries(tricks)) {
    const dials = assault(portsAt, 6)
    const first = dials.filter((time) => time < NOW + HOUR).length
    t.ok(first <= 17, `${trick}: ${first} dials in the first hour`)
    t.ok(busiestHour(dials, NOW + HOUR) <= 5, `${trick}: ${busiestHour(dials, NOW + HOUR)} in a later one`)
  }
  t.equal(assault(() => [fresh++ % 65_535], 1).length, 8, 'with ports that are new every time')
})

t.test('a thousand records with the victim’s address bring the dials of one', async (t) => {
  const random = new Random(4)
  const thousand = Array.from({ length: 1_000 }, (_, number) => 1 + ((number * 61) % 65_535))
  const dials = assault(
    () => thousand,
    3,
    () => random.next(),
    15_000,
  )
  t.ok(dials.length <= 12, `${dials.length} dials in three hours`)
})

t.test('memory is bounded, and what pauses longest is forgotten last', async (t) => {
  const backOff = new DialBackOff(full)
  for (let failure = 0; failure < 10; failure++) backOff.failed(at(1), NOW)
  const until = backOff.nextTry(at(1))
  // A liar has this node fail at 6,000 other addresses, on as many hosts, within the victim's pause.
  for (let number = 0; number < 6_000; number++) backOff.failed(at(1, publicHost(number)), NOW + number * 300)
  t.equal(backOff.size, 4_096)
  t.equal(backOff.nextTry(at(1)), until)
  t.notOk(backOff.isReady(at(1), NOW + 2_000_000))
})

t.test('a flood of successes pushes no pause out', async (t) => {
  const backOff = new DialBackOff(full)
  for (const port of [1, 2, 3]) backOff.failed(at(port), NOW)
  for (let number = 0; number < 5_000; number++) backOff.succeeded(at(1, publicHost(number)), NOW + 1)
  t.equal(backOff.size, 4_096)
  t.notOk(backOff.isReady(at(1), NOW + 2))
  t.notOk(backOff.isReady(at(4), NOW + 2))
})
