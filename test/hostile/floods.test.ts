// More than anybody wants: of messages that are good, known, old or broken, and of bytes that nobody reads.
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import type { Draft } from '../../lib/message/draft.ts'
import type { SecureNode } from '../../lib/secure-node.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { bodyWith, forge, genuine, withBrokenSignature } from '../fixtures/documents.ts'
import { eventually } from '../fixtures/happenings.ts'
import { Stage } from '../fixtures/stage.ts'

const author = Identity.generate()
/** A queue that is full before the test is slow. */
const SMALL_QUEUE = { maxQueueBytes: 1_100_000 }

const drafts = (count: number, fields: object = {}): Promise<Draft[]> =>
  Promise.all(Array.from({ length: count }, () => genuine(author, fields)))
const statsOf = (stage: Stage): ReturnType<SecureNode['stats']> => (stage.victim as SecureNode).stats()

t.test('one message, thousands of times', async (t) => {
  const stage = await Stage.start(t)
  const attacker = await stage.attacker(t)
  const { bytes } = await genuine(author, { data: 'once' })
  for (let count = 0; count < 5_000; count++) attacker.say(Kind.message, bytes)
  await eventually(() => statsOf(stage).duplicates === 4_999)
  t.same(stage.shown, ['once'])
  t.same(stage.losses, [])
  await stage.isUnharmed(t)
})

t.test('thousands of old messages', async (t) => {
  const stage = await Stage.start(t)
  const attacker = await stage.attacker(t)
  const old = await drafts(2_000, { time: Date.now() - 400_000 })
  for (const { bytes } of old) attacker.say(Kind.message, bytes)
  await stage.until(() => stage.refused.length === 2_000)
  t.same(statsOf(stage).refused, { stale: 2_000 })
  t.equal(statsOf(stage).messageIds, 0, 'nothing of them is remembered')
  t.same(stage.losses, [])
  await stage.isUnharmed(t)
})

t.test(
  'thousands of good messages over one link: all are shown, in order, and others are heard meanwhile',
  async (t) => {
    const stage = await Stage.start(t)
    const attacker = await stage.attacker(t)
    const messages = await Promise.all(Array.from({ length: 1_500 }, (_, data) => genuine(author, { data })))
    for (const { bytes } of messages) attacker.say(Kind.message, bytes)
    await stage.isUnharmed(t)
    await stage.until(() => stage.shown.length === 1_500)
    t.same(
      stage.shown,
      messages.map((_, data) => data),
    )
    t.same(stage.losses, [])
  },
)

t.test('broken signatures over many links: each link brings one, and is gone', async (t) => {
  const stage = await Stage.start(t)
  const attackers = await Promise.all(Array.from({ length: 30 }, () => stage.attacker(t)))
  const messages = await drafts(50)
  for (const [number, attacker] of attackers.entries()) {
    for (const draft of messages) attacker.say(Kind.message, withBrokenSignature(draft, number))
  }
  const codes = await Promise.all(attackers.map((attacker) => attacker.closed()))
  t.same(new Set(codes), new Set(['bad-signature']))
  t.same(statsOf(stage).refused, { 'bad-signature': 30 })
  t.equal(stage.losses.length, 30)
  t.same(stage.shown, [])
  await stage.isUnharmed(t)
})

t.test('content that is meant to hurt', async (t) => {
  t.test('whoever is asked to carry names that change objects refuses', async (t) => {
    const stage = await Stage.start(t)
    for (const data of ['{"__proto__":{"polluted":true}}', '[{"toJSON":1}]']) {
      const attacker = await stage.attacker(t)
      attacker.say(
        Kind.message,
        await forge(await bodyWith(author, { data: JSON.parse(data) as unknown }), author),
      )
      // Copying an object by way of JSON keeps a key of its own that is called __proto__.
      t.equal(await attacker.closed(), 'bad-shape', data)
    }
    t.equal(({} as { polluted?: unknown }).polluted, undefined)
    await stage.isUnharmed(t)
  })

  t.test('data that is deeper than parsers like', async (t) => {
    const stage = await Stage.start(t)
    const attacker = await stage.attacker(t)
    const data = JSON.parse(`${'['.repeat(33)}${']'.repeat(33)}`) as unknown
    attacker.say(Kind.message, await forge(await bodyWith(author, { data }), author))
    t.equal(await attacker.closed(), 'too-deep')
    await stage.isUnharmed(t)
  })

  t.test('a type that is the name of an event, or of a method', async (t) => {
    const stage = await Stage.start(t)
    const attacker = await stage.attacker(t)
    const types = ['error', 'uncaughtException', 'constructor', 'toString', 'hasOwnProperty', 'then', 'stop']
    for (const type of types) attacker.say(Kind.message, (await genuine(author, { type, data: type })).bytes)
    await stage.until(() => stage.shown.length === types.length)
    t.same(stage.shown, types)
    await stage.isUnharmed(t)
  })

  t.test('data that makes a handler throw', async (t) => {
    const stage = await Stage.start(t)
    const attacker = await stage.attacker(t)
    const thrown: unknown[] = []
    const victim = stage.victim as SecureNode
    victim.on('nodeMessage', (_connection, data) => {
      if (data === null) throw new Error('cannot read properties of null')
    })
    victim.on('handlerError', (error) => thrown.push((error as Error).message))
    for (const { bytes } of await drafts(20, { data: null })) attacker.say(Kind.message, bytes)
    await stage.until(() => stage.shown.length === 20)
    t.equal(thrown.length, 20)
    t.same(stage.losses, [])
    await stage.isUnharmed(t)
  })
})

t.test('a peer that does not read', async (t) => {
  for (const carrier of ['memory', 'tls', 'tcp'] as const) {
    t.test(`loses its connection, and costs nobody else anything (${carrier})`, async (t) => {
      const stage = await Stage.start(t, { carrier, victim: SMALL_QUEUE })
      const got: unknown[] = []
      stage.friend.on('nodeMessage', ((_connection: unknown, data: string) => got.push(data.length)) as never)
      const sleeper = await stage.attacker(t)
      const link = stage.linkTo(sleeper)!
      sleeper.channel.pause()
      let sent = 0
      const data = 'x'.repeat(100_000)
      while (link.isUp && sent < 1_000) {
        await stage.victim.sendToNodes(data)
        sent++
      }
      t.match(link.closeReason, { code: 'slow-peer', by: 'us' })
      t.same(stage.losses, ['slow-peer'])
      await eventually(() => got.length === sent)
      await stage.isUnharmed(t)
    })
  }

  t.test('also one that goes on sending', async (t) => {
    const stage = await Stage.start(t, { victim: SMALL_QUEUE })
    const sleeper = await stage.attacker(t)
    const link = stage.linkTo(sleeper)!
    sleeper.channel.pause()
    const messages = await drafts(10, { data: 'y'.repeat(6_000) })
    for (const { bytes } of messages) sleeper.say(Kind.message, bytes)
    await stage.until(() => stage.shown.length === 10)
    while (link.isUp) await stage.victim.sendToNodes('x'.repeat(60_000))
    t.equal(link.closeReason?.code, 'slow-peer')
    await stage.isUnharmed(t)
  })
})

t.test('a link that is faster than its rate is slowed down, and loses nothing', async (t) => {
  const stage = await Stage.start(t, { victim: { messageRate: 200 } })
  const attacker = await stage.attacker(t)
  const messages = await Promise.all(Array.from({ length: 260 }, (_, data) => genuine(author, { data })))
  for (const { bytes } of messages) attacker.say(Kind.message, bytes)
  await stage.until(() => stage.shown.length >= 200)
  t.ok(stage.shown.length < 260)
  await stage.isUnharmed(t)
  await stage.until(() => stage.shown.length === 260)
  t.same(
    stage.shown,
    messages.map((_, data) => data),
  )
})
