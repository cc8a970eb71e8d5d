// Bursts: what is sent in one go is signed together, and everybody gets each message once, in order.
import t, { type Test } from 'tap'
import { openMessage, type SignedMessage } from '../../lib/message/message.ts'
import type { SecureNode } from '../../lib/secure-node.ts'
import type { SentMessage } from '../../lib/sending.ts'
import { VirtualNetwork } from '../../lib/testing/index.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { payloadIn, signTexts } from '../fixtures/hand-batched.ts'
import { authorOf, bodyWith, canonical } from '../fixtures/hand-signed.ts'
import { eventually } from '../fixtures/happenings.ts'
import { exactlyOnce, Fleet, inOrder, line, mesh, type Member } from '../fixtures/network.ts'
import { RawPeer } from '../fixtures/raw-peer.ts'

const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at)
const burst = (member: Member, count: number, options = {}): Promise<SentMessage[]> =>
  Promise.all(upTo(count).map((data) => member.node.sendToNodes(data, options)))
const proofIn = ({ document }: SignedMessage): { size: number } | undefined =>
  (JSON.parse(document) as { proof?: { size: number } }).proof

/** Resolves when everything that was on its way between members has arrived: raw peers answer no pings. */
async function settled({ members }: Fleet): Promise<void> {
  const ids = new Set<string>(members.map(({ node }) => node.id))
  const links = members.flatMap(({ node }) => [...node.allNodes]).filter(({ id }) => ids.has(id))
  await Promise.all(links.map((link) => link.ping()))
}

/** A peer that only listens, at the end of a fleet. */
async function listener(t: Test, fleet: Fleet, at: number): Promise<RawPeer> {
  const transport = fleet.network.transport('10.9.0.1')
  const peer = await RawPeer.dial(t, transport, fleet.members[at]!.host, 8_000)
  return peer.shakeHands()
}

t.test('a burst through three nodes', async (t) => {
  const fleet = await Fleet.start(t, 3, line(3))
  const [alice, , carol] = fleet.members as [Member, Member, Member]
  const peer = await listener(t, fleet, 2)
  const sent = await burst(alice, 300)
  await fleet.delivered(sent)
  await settled(fleet)
  exactlyOnce(t, fleet.members, sent)
  inOrder(t, fleet.members)
  t.same(
    carol.messages.map(({ data }) => data),
    upTo(300),
  )
  t.same(new Set(carol.messages.map((message) => proofIn(message)?.size)), new Set([256, 44]))
  for (const message of carol.messages.filter((_, at) => at % 17 === 0)) {
    t.match(await openMessage(message.document), {
      ok: true,
      message: { id: message.id, from: alice.node.id },
    })
  }
  // The frames in which they reached somebody three links away.
  const frames = peer.frames.filter(({ kind }) => kind === Kind.batch || kind === Kind.message)
  t.ok(frames.length > 0 && frames.length <= 30, `${frames.length} frames for 300 messages`)
})

t.test('bursts of everybody at once, over many ways', async (t) => {
  const fleet = await Fleet.start(t, 6, mesh(6))
  const sent = (await Promise.all(fleet.members.map((member) => burst(member, 40)))).flat()
  await fleet.delivered(sent)
  await settled(fleet)
  exactlyOnce(t, fleet.members, sent)
  inOrder(t, fleet.members)
  for (const { events } of fleet.members) t.notOk(events.some((event) => event.startsWith('rejected')))
})

t.test('a burst of messages of all kinds', async (t) => {
  const fleet = await Fleet.start(t, 3, line(3))
  const [alice, bob, carol] = fleet.members as [Member, Member, Member]
  const { node } = alice
  const sent = await Promise.all([
    node.sendToNodes('one'),
    node.sendToNodes('two', { bytes: Uint8Array.of(1, 2, 3) }),
    node.sendToNodes('three', { seal: [carol.node.id] }),
    node.sendToNodes('four', { to: [bob.node.id, carol.node.id] }),
    node.sendToNodes('x'.repeat(20_000)),
    node.sendToNodes('five'),
    node.sendToNodes(Uint8Array.of(9)),
  ])
  await fleet.until(() => carol.messages.length === 7 && bob.messages.length === 6)
  const texts = ['one', 'two', 'three', 'four', 'x'.repeat(20_000), 'five', null]
  t.same(
    carol.messages.map(({ data }) => data),
    texts,
  )
  t.same(
    bob.messages.map(({ data }) => data),
    texts.filter((text) => text !== 'three'),
  )
  t.same(
    carol.messages.map(({ bytes }) => bytes && [...bytes]),
    [undefined, [1, 2, 3], ...[undefined, undefined, undefined, undefined], [9]],
  )
  t.equal(carol.messages[2]!.sealed, true)
  t.equal(proofIn(carol.messages[4]!), undefined, 'a large one is signed for itself')
  for (const { document, bytes, id } of carol.messages) {
    t.match(await openMessage(document, bytes && { bytes }), { ok: true, message: { id } })
  }
  t.equal(sent.length, 7)
})

t.test('requests in a burst are answered, each with its own answer', async (t) => {
  const fleet = await Fleet.start(t, 3, line(3))
  const [alice, , carol] = fleet.members as [Member, Member, Member]
  carol.node.handle('double', ({ data }) => 2 * (data as number))
  const asked = upTo(50).map((data) => alice.node.request(carol.node.id, 'double', data))
  const answers = await Promise.all(asked)
  t.same(
    answers.map(({ data }) => data),
    upTo(50).map((data) => 2 * data),
  )
  for (const { document } of answers) {
    t.match(await openMessage(document), { ok: true, message: { from: carol.node.id } })
  }
})

t.test('what the application does in a burst', async (t) => {
  t.test('one that cannot be sent does not stop the others', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [alice, bob] = fleet.members as [Member, Member]
    const [first, bad, last] = await Promise.allSettled([
      alice.node.sendToNodes(1),
      alice.node.sendToNodes(() => 1),
      alice.node.sendToNodes(2),
    ])
    t.same([first.status, bad.status, last.status], ['fulfilled', 'rejected', 'fulfilled'])
    await fleet.until(() => bob.messages.length === 2)
    t.same(
      bob.messages.map(({ data }) => data),
      [1, 2],
    )
  })

  t.test('different ways for parts of it', async (t) => {
    const fleet = await Fleet.start(t, 4, mesh(4))
    const [alice, bob] = fleet.members as [Member, Member]
    const link = [...alice.node.allNodes].find(({ id }) => id === bob.node.id)!
    const sent = await Promise.all(
      upTo(30).map((data) => alice.node.sendToNodes(data, data % 3 === 0 ? { exclude: [link] } : {})),
    )
    await fleet.delivered(sent)
    await settled(fleet)
    exactlyOnce(t, fleet.members, sent)
  })

  t.test('stopping right behind it: all of it is out', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [alice, bob] = fleet.members as [Member, Member]
    const sent = burst(alice, 100)
    await Promise.all([sent, alice.node.stop()])
    await fleet.until(() => bob.messages.length === 100)
    inOrder(t, [bob])
  })
})

t.test('parts of a batch', async (t) => {
  const author = authorOf('dora', 77)
  const texts = (): string[] =>
    upTo(6).map((data) => canonical(bodyWith({ data, from: author.id, time: Date.now(), seq: data })))

  t.test('that come one after the other, over different links, are one batch', async (t) => {
    const fleet = await Fleet.start(t, 3, line(3))
    const [alice, bob, carol] = fleet.members as [Member, Member, Member]
    const [left, right] = [await listener(t, fleet, 0), await listener(t, fleet, 2)]
    const batch = signTexts(texts(), author)
    left.say(
      Kind.batch,
      payloadIn(batch, (at) => at < 4),
    )
    await fleet.until(() => carol.messages.length === 4)
    right.say(
      Kind.batch,
      payloadIn(batch, (at) => at > 2),
    )
    await fleet.until(() => alice.messages.length === 6 && bob.messages.length === 6)
    await settled(fleet)
    for (const { messages } of [alice, bob, carol])
      t.same(
        messages.map(({ data }) => data),
        upTo(6),
      )
    t.equal(
      fleet.members.flatMap(({ events }) => events).filter((event) => event.startsWith('rejected')).length,
      0,
    )
  })

  t.test('a replay of a whole frame is a row of copies', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [alice, bob] = fleet.members as [Member, Member]
    const peer = await listener(t, fleet, 0)
    const payload = payloadIn(signTexts(texts(), author))
    for (const _ of upTo(5)) peer.say(Kind.batch, payload)
    await fleet.until(() => bob.messages.length === 6)
    peer.say(Kind.batch, payload)
    await eventually(() => alice.node.stats().duplicates >= 30)
    await settled(fleet)
    t.equal(alice.messages.length, 6)
    t.equal(bob.messages.length, 6)
    t.equal(peer.isClosed, false)
  })
})

t.test('a burst that somebody missed comes out of a history, message by message', async (t) => {
  const network = new VirtualNetwork({ seed: 5, node: { advertise: false, history: { maxAge: 3_600_000 } } })
  t.teardown(() => network.stop())
  const [alice, bob] = (await network.addNodes(2)) as [SecureNode, SecureNode]
  const heard: SignedMessage[] = []
  bob.on('nodeMessage', (_link, _data, message) => void heard.push(message))
  await network.run(Promise.all(upTo(40).map((data) => alice.sendToNodes(data))))
  await network.advance(10_000)
  await network.connect(bob, alice)
  await network.until(() => heard.length === 40)
  await network.advance(10_000)
  // Those of one millisecond are in no order there.
  const numbers = heard.map(({ data }) => data as number)
  t.same(
    numbers.sort((one, other) => one - other),
    upTo(40),
  )
  for (const message of heard) {
    t.equal(message.late, true)
    t.match(proofIn(message), { size: 40 })
  }
})
