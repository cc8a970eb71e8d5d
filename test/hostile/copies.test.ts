// What a stranger can do with a message that somebody else has signed: bring it broken, bring it again. Neither
// may silence it, and neither may make it appear twice.
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import type { Draft, MessageFields } from '../../lib/message/draft.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { bodyWith, forge, genuine, withBrokenSignature } from '../fixtures/documents.ts'
import { eventually } from '../fixtures/happenings.ts'
import { OffsetClock, Stage } from '../fixtures/stage.ts'

const author = Identity.generate()
const SLICES = 16

const draftOf = (clock: OffsetClock, fields: Partial<MessageFields> = {}): Promise<Draft> =>
  genuine(author, { time: clock.now(), ...fields })

t.test('a broken copy does not silence the genuine one', async (t) => {
  t.test('sent before it, over another link', async (t) => {
    const stage = await Stage.start(t)
    const [cheat, honest] = [await stage.attacker(t), await stage.attacker(t)]
    const draft = await genuine(author, { data: 'genuine' })
    cheat.say(Kind.message, withBrokenSignature(draft))
    t.equal(await cheat.closed(), 'bad-signature')
    honest.say(Kind.message, draft.bytes)
    await stage.until(() => stage.shown.length > 0)
    t.same(stage.shown, ['genuine'])
    t.same(stage.refused, ['bad-signature'])
    t.same(stage.losses, ['bad-signature'], 'only the guilty link is closed')
    t.equal(stage.linkTo(honest)?.isUp, true)
    await stage.isUnharmed(t)
  })

  t.test('many broken copies over many links, at the same time', async (t) => {
    const stage = await Stage.start(t)
    const cheats = await Promise.all(Array.from({ length: 10 }, () => stage.attacker(t)))
    const honest = await stage.attacker(t)
    const draft = await genuine(author, { data: 'genuine' })
    for (const [number, cheat] of cheats.entries()) {
      if (number === 5) honest.say(Kind.message, draft.bytes)
      cheat.say(Kind.message, withBrokenSignature(draft, number))
    }
    const codes = await Promise.all(cheats.slice(0, 5).map((cheat) => cheat.closed()))
    t.same(new Set(codes), new Set(['bad-signature']))
    await stage.until(() => stage.shown.length > 0)
    t.same(stage.shown, ['genuine'])
    t.equal(stage.linkTo(honest)?.isUp, true)
    await stage.isUnharmed(t)
    t.match(stage.friend.stats(), { refused: {} }, 'nothing broken was passed on')
  })

  t.test('and who brought the genuine one does not get it back', async (t) => {
    const stage = await Stage.start(t)
    const [cheat, honest, bystander] = await Promise.all([1, 2, 3].map(() => stage.attacker(t)))
    const draft = await genuine(author, { data: 'genuine' })
    cheat!.say(Kind.message, withBrokenSignature(draft))
    honest!.say(Kind.message, draft.bytes)
    await bystander!.until(() => bystander!.documents.length > 0)
    await stage.isUnharmed(t)
    t.same(
      honest!.documents.filter((document) => document.includes('genuine')),
      [],
    )
  })
})

t.test('replays', async (t) => {
  t.test('within the window: a duplicate, from whomever it comes', async (t) => {
    const clock = new OffsetClock()
    const stage = await Stage.start(t, { victim: { clock } })
    const [one, two] = [await stage.attacker(t), await stage.attacker(t)]
    const { bytes } = await draftOf(clock, { data: 'once' })
    one.say(Kind.message, bytes)
    await stage.until(() => stage.shown.length > 0)
    for (const offset of [0, 1_000, 150_000, 299_000]) {
      clock.offset = offset
      const { duplicates } = (stage.victim as SecureNode).stats()
      two.say(Kind.message, bytes)
      await eventually(() => (stage.victim as SecureNode).stats().duplicates > duplicates)
    }
    t.same(stage.shown, ['once'])
    t.same(stage.losses, [], 'a duplicate is no crime')
  })

  t.test('when its ID is forgotten: stale, also after the clock was set back', async (t) => {
    const clock = new OffsetClock()
    const stage = await Stage.start(t, { victim: { clock } })
    const attacker = await stage.attacker(t)
    const { bytes } = await draftOf(clock, { data: 'once' })
    attacker.say(Kind.message, bytes)
    await stage.until(() => stage.shown.length > 0)
    // Right after its slice of the window is forgotten, long after it, and before it.
    for (const offset of [300_001 + 300_000 / SLICES, 330_000, 3_600_000, 0]) {
      clock.offset = offset
      const { length } = stage.refused
      attacker.say(Kind.message, bytes)
      await stage.until(() => stage.refused.length > length)
    }
    t.same(new Set(stage.refused), new Set(['stale']))
    t.same(stage.shown, ['once'])
    t.equal((stage.victim as SecureNode).stats().messageIds, 0)
    t.equal(stage.linkTo(attacker)?.isUp, true)
  })

  t.test('after a flood larger than the cache: nothing in it is given up', async (t) => {
    const stage = await Stage.start(t, { victim: { maxMessageIds: 50 } })
    const [one, two] = [await stage.attacker(t), await stage.attacker(t)]
    const draft = await genuine(author, { data: 'once' })
    one.say(Kind.message, draft.bytes)
    await stage.until(() => stage.shown.length > 0)
    const flood = await Promise.all(Array.from({ length: 200 }, () => genuine(author, { data: 'flood' })))
    for (const { bytes } of flood.slice(0, 100)) one.say(Kind.message, bytes)
    for (const { bytes } of flood.slice(100)) two.say(Kind.message, bytes)
    await stage.until(() => stage.refused.length + stage.shown.length === 201)
    t.same(new Set(stage.refused), new Set(['overload']))
    for (const peer of [one, two]) peer.say(Kind.message, draft.bytes)
    await eventually(() => (stage.victim as SecureNode).stats().duplicates === 2)
    t.equal(stage.shown.filter((data) => data === 'once').length, 1)
    t.equal((stage.victim as SecureNode).stats().messageIds <= 50, true)
    t.same(stage.losses, [])
  })

  t.test('one link that fills its share leaves room for the others', async (t) => {
    const stage = await Stage.start(t, { victim: { maxMessageIds: 60 } })
    const [flooder] = [await stage.attacker(t), await stage.attacker(t)]
    const flood = await Promise.all(Array.from({ length: 200 }, () => genuine(author, { data: 'flood' })))
    for (const { bytes } of flood) flooder.say(Kind.message, bytes)
    await stage.until(() => stage.refused.length + stage.shown.length === 200)
    await stage.isUnharmed(t)
  })

  t.test('after a restart: before-start', async (t) => {
    const clock = new OffsetClock()
    const stage = await Stage.start(t, { victim: { clock } })
    const { bytes } = await draftOf(clock, { data: 'once' })
    const before = await stage.attacker(t)
    before.say(Kind.message, bytes)
    await stage.until(() => stage.shown.length > 0)

    // Another process with the same key: what the first one remembered is lost.
    const reborn = await Stage.start(t, { victim: { clock } })
    const attacker = await reborn.attacker(t)
    attacker.say(Kind.message, bytes)
    await reborn.until(() => reborn.refused.length > 0)
    t.same(reborn.refused, ['before-start'])
    t.same(reborn.shown, [])
    t.equal(reborn.linkTo(attacker)?.isUp, true)
    await reborn.isUnharmed(t)
  })

  t.test("a node's own message, brought back to it, is not shown", async (t) => {
    const stage = await Stage.start(t)
    const attacker = await stage.attacker(t)
    await stage.victim.sendToNodes('mine')
    await attacker.until(() => attacker.documents.length > 0)
    attacker.say(Kind.message, attacker.documents[0])
    await eventually(() => (stage.victim as SecureNode).stats().duplicates === 1)
    t.same(stage.shown, [])
    await stage.isUnharmed(t)
  })

  t.test("a node's own message of an earlier life is not shown either", async (t) => {
    const clock = new OffsetClock()
    const identity = Identity.generate()
    const stage = await Stage.start(t, { victim: { clock }, identity })
    const attacker = await stage.attacker(t)
    const [old, fresh] = [await genuine(identity, { time: clock.now() - 5_000 }), await genuine(identity)]
    attacker.say(Kind.message, old.bytes)
    attacker.say(Kind.message, fresh.bytes)
    await stage.until(() => stage.refused.length === 2)
    t.same(stage.refused, ['before-start', 'cloned-key'])
    t.same(stage.losses, [], 'whoever passed it on did nothing wrong')
    await stage.isUnharmed(t)
  })
})

t.test('what was made for something else', async (t) => {
  t.test('a message of another network costs the link that brings it', async (t) => {
    const stage = await Stage.start(t)
    const attacker = await stage.attacker(t)
    attacker.say(Kind.message, (await genuine(author, { net: 'elsewhere' })).bytes)
    t.equal(await attacker.closed(), 'wrong-net')
    await stage.isUnharmed(t)
  })

  t.test('a message with other addressees than its author signed', async (t) => {
    const stage = await Stage.start(t)
    const attacker = await stage.attacker(t)
    const { bytes } = await genuine(author, { to: [Identity.generate().id], data: 'for somebody else' })
    const text = new TextDecoder()
      .decode(bytes)
      .replace(/"to":\["[0-9a-f]+"\]/, `"to":["${stage.victim.id}"]`)
    attacker.say(Kind.message, text)
    t.equal(await attacker.closed(), 'bad-signature')
    t.same(stage.shown, [])
    await stage.isUnharmed(t)
  })

  t.test('a message in the name of somebody else is traced to the peer that made it', async (t) => {
    const stage = await Stage.start(t)
    const attacker = await stage.attacker(t)
    attacker.say(Kind.message, await forge(await bodyWith(author, {}), attacker.identity))
    t.equal(await attacker.closed(), 'forged-author')
    t.same(stage.refused, ['forged-author'])
    await stage.isUnharmed(t)
  })

  t.test('a message in the name of the friend does not cost the friend its link', async (t) => {
    const identity = Identity.generate()
    const stage = await Stage.start(t, { friendIdentity: identity })
    const attacker = await stage.attacker(t)
    attacker.say(Kind.message, withBrokenSignature(await genuine(identity)))
    t.equal(await attacker.closed(), 'bad-signature')
    await stage.isUnharmed(t)
  })
})
