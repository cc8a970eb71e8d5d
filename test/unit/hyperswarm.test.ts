// What meets strangers over a DHT, with a clock of the test: who is found, who knocks, what their streams announce.
import t, { type Test } from 'tap'
import {
  ENCOUNTER_PAUSE,
  KNOCK_INTERVAL,
  MAX_ENCOUNTER_DIALS,
  MAX_ENCOUNTERS,
  MAX_KNOCKS,
  MAX_TOPIC_PEERS,
  MAX_UNPROVEN,
  MAX_UNPROVEN_PER_ADDRESS,
  TOPIC_MAX_INTERVAL,
  TOPIC_MIN_INTERVAL,
} from '../../lib/limits/dht-limits.ts'
import { Knocks } from '../../lib/hyperswarm/knocks.ts'
import { LengthWatch } from '../../lib/hyperswarm/stream-guard.ts'
import { TopicWatch } from '../../lib/hyperswarm/topic.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { Encounters } from '../../lib/overlay/encounters.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { Random } from '../../lib/testing/random.ts'
import { fromHex } from '../../lib/wire/hex.ts'
import type { NodeId } from '../../lib/wire/ids.ts'

const name = (number: number): NodeId => number.toString(16).padStart(64, '0') as NodeId
const turns = async (): Promise<void> => {
  for (let count = 0; count < 20; count++) await Promise.resolve()
}

t.test('knocks', async (t) => {
  t.test('of one address are few, and of all together not many', async (t) => {
    const clock = new ManualClock()
    const knocks = new Knocks(clock, 10_000)
    const begun = Array.from({ length: 20 }, (_, at) => knocks.begin(`key ${at}`, 'a'))
    t.equal(begun.filter(Boolean).length, MAX_UNPROVEN_PER_ADDRESS)
    for (let at = 0; at < 100; at++) knocks.begin(`other ${at}`, `host ${at}`)
    t.equal(knocks.size, MAX_UNPROVEN)
    t.notOk(knocks.begin('one more', 'of its own'))
    knocks.end(knocks.find('key 0')!)
    t.equal(knocks.find('key 0'), undefined)
    t.ok(knocks.begin('one more', 'of its own'), 'when one has ended there is room')
  })

  t.test('are forgotten when their time has passed', async (t) => {
    const clock = new ManualClock()
    const knocks = new Knocks(clock, 10_000)
    t.ok(knocks.begin('key', 'a'))
    clock.advance(10_000)
    t.equal(knocks.find('key')?.host, 'a')
    clock.advance(1)
    t.equal(knocks.find('key'), undefined)
    t.equal(knocks.size, 0)
  })

  t.test('are heard at a rate', async (t) => {
    const clock = new ManualClock()
    const knocks = new Knocks(clock, 10_000)
    const heard = (count: number): number =>
      Array.from({ length: count }, () => knocks.hears()).filter(Boolean).length
    t.equal(heard(2 * MAX_KNOCKS), MAX_KNOCKS)
    clock.advance(KNOCK_INTERVAL / 2)
    t.equal(heard(2 * MAX_KNOCKS), MAX_KNOCKS / 2)
  })
})

t.test('lengths of messages are read however the bytes are cut', async (t) => {
  const message = (length: number): Buffer => {
    const bytes = Buffer.alloc(3 + length)
    bytes.writeUIntLE(length, 0, 3)
    return bytes
  }
  const good = Buffer.concat([message(1), message(0), message(300), message(1_000)])
  const bad = Buffer.concat([good, message(1_001).subarray(0, 3)])
  const random = new Random(3)
  for (let round = 0; round < 200; round++) {
    const [watch, other] = [new LengthWatch(1_000), new LengthWatch(1_000)]
    const pieces = (bytes: Buffer): Buffer[] => {
      const cut: Buffer[] = []
      for (let at = 0; at < bytes.length;) {
        const length = 1 + random.below(400)
        cut.push(bytes.subarray(at, at + length))
        at += length
      }
      return cut
    }
    if (!pieces(good).every((piece) => watch.allows(piece))) t.fail('a good one was refused')
    if (pieces(bad).every((piece) => other.allows(piece))) t.fail('a bad one was let through')
  }
  t.pass('all of them')
})

t.test('a topic', async (t) => {
  /** A watch whose looks bring these keys. */
  const watch = (keys: () => readonly Uint8Array[], self: NodeId = name(0)) => {
    const clock = new ManualClock()
    const found: NodeId[] = []
    let looks = 0
    const topic = new TopicWatch({
      self,
      clock,
      random: () => 0.5,
      async *look() {
        looks++
        yield keys()
      },
      onFound: (id) => found.push(id),
    })
    return { clock, found, topic, looks: () => looks }
  }
  const people = Array.from({ length: MAX_TOPIC_PEERS + 5 }, () => Identity.generate().id)

  t.test(
    'tells of everybody once a look, but not of oneself, nor of keys that anybody could use',
    async (t) => {
      const [self, one, other] = people as [NodeId, NodeId, NodeId]
      const weak = new Uint8Array(32).fill(0)
      const { found, topic } = watch(() => [...[self, one, other, one].map(fromHex), weak], self)
      topic.start()
      await turns()
      t.strictSame(found, [one, other])
      topic.stop()
    },
  )

  t.test('tells of a bounded number', async (t) => {
    const { found, topic } = watch(() => people.map(fromHex))
    topic.start()
    await turns()
    t.equal(found.length, MAX_TOPIC_PEERS)
    topic.stop()
  })

  t.test('is looked at more and more seldom, also when the looks fail, and not after the end', async (t) => {
    const { clock, topic, looks } = watch(() => {
      throw new Error('nobody answers')
    })
    topic.start()
    await turns()
    const pauses: number[] = []
    for (let count = 1; count < 13; count++) {
      t.equal(looks(), count)
      pauses.push(clock.nextTimer! - clock.now())
      clock.advance(pauses.at(-1)!)
      await turns()
    }
    t.equal(pauses[0], TOPIC_MIN_INTERVAL)
    t.equal(pauses[1], 2 * TOPIC_MIN_INTERVAL)
    t.equal(pauses.at(-1), TOPIC_MAX_INTERVAL)
    topic.stop()
    t.equal(clock.pendingTimers, 0)
  })
})

t.test('encounters', async (t) => {
  const stage = (_t: Test, missing: () => number) => {
    const clock = new ManualClock()
    const dialled: NodeId[] = []
    const adopted: string[] = []
    const linked = new Set<string>()
    const open: ((link?: string) => void)[] = []
    const encounters = new Encounters<string>({
      clock,
      random: () => 0,
      missing,
      isLinked: (id) => linked.has(id),
      dial: (id) => {
        dialled.push(id)
        return new Promise((resolve, reject) => {
          open.push((link) => (link === undefined ? reject(new Error('no')) : resolve(link)))
        })
      },
      adopt: (link) => adopted.push(link),
    })
    return { clock, dialled, adopted, linked, encounters, open }
  }

  t.test('are dialled while links are missing, few at a time, and adopted', async (t) => {
    let missing = 3
    const { encounters, dialled, adopted, open } = stage(t, () => missing)
    for (let at = 0; at < 5; at++) encounters.found(name(at))
    t.equal(dialled.length, MAX_ENCOUNTER_DIALS)
    open[0]!('link')
    missing = 2
    await turns()
    t.strictSame(adopted, ['link'])
    t.equal(dialled.length, 3)
    missing = 0
    open[1]!()
    await turns()
    t.equal(dialled.length, 3, 'nobody is dialled when nothing is missing')
  })

  t.test('are left alone for a while after a dial, also if they are found again', async (t) => {
    const { encounters, dialled, open, clock } = stage(t, () => 1)
    encounters.found(name(1))
    open[0]!()
    await turns()
    encounters.found(name(1))
    t.equal(dialled.length, 1)
    clock.advance(ENCOUNTER_PAUSE)
    encounters.found(name(1))
    t.equal(dialled.length, 2)
  })

  t.test('to whom there is a link are not dialled', async (t) => {
    const { encounters, dialled, linked } = stage(t, () => 1)
    linked.add(name(1))
    encounters.found(name(1))
    t.strictSame(dialled, [])
  })

  t.test('are bounded in number: the ones found last stay', async (t) => {
    let missing = 0
    const { encounters, dialled } = stage(t, () => missing)
    for (let at = 0; at < 2 * MAX_ENCOUNTERS; at++) encounters.found(name(at))
    missing = 1
    encounters.tend()
    t.strictSame(dialled, [name(MAX_ENCOUNTERS)])
  })
})
