// A peer that keeps connections in the making, to use them when it should have no connection at all.
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { turns } from '../fixtures/channel-recorder.ts'
import { Stage } from '../fixtures/stage.ts'
import { World } from '../fixtures/world.ts'

t.test(
  'a connection that lost its place to a second one, which ended, counts when it comes up',
  async (t) => {
    const world = new World(t)
    const node = await world.start({ id: 'alice', maxConnections: 1 })
    for (const id of ['mallory-1', 'mallory-2', 'mallory-3']) {
      const [first, second] = [await world.raw(node, id), await world.raw(node, id)]
      for (const peer of [first, second]) {
        await world.run(peer.introduce())
        await world.pass(100)
      }
      second.channel.destroy()
      await world.pass(100)
      first.say(Kind.welcome)
      await world.pass(100)
    }
    t.equal(node.allNodes.size, 1)
  },
)

/** Two identities, the one with the smaller ID first. */
function twoIdentities(): [Identity, Identity] {
  const [one, other] = [Identity.generate(), Identity.generate()]
  return one.id < other.id ? [one, other] : [other, one]
}

for (const isLarger of [true, false]) {
  t.test(`no second connection outlives a ban; the peer's ID is the larger one: ${isLarger}`, async (t) => {
    const [small, large] = twoIdentities()
    const [identity, evil] = isLarger ? [small, large] : [large, small]
    const stage = await Stage.start(t, { identity })
    const first = await stage.attacker(t, { identity: evil })
    const second = await stage.stranger(t, { identity: evil })
    await second.introduce()
    // The proof is checked, which nobody is told. With the larger ID, the node now asks whether the first one lives.
    if (isLarger) await turns(100)
    else await first.until(() => first.frames.some(({ kind }) => kind === Kind.ping))
    first.say(Kind.message, 'no message')
    t.equal(await first.closed(), 'bad-json')
    second.say(Kind.welcome)
    t.equal(await second.closed(), 'banned')
    t.equal(stage.linkTo(first), undefined)
    await stage.isUnharmed(t)
  })
}
