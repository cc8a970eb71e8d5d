import t from 'tap'
import type { SentMessage } from '../../lib/sending.ts'
import { Random } from '../../lib/testing/random.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { exactlyOnce, Fleet, inOrder, line, type Member, PORT, ring } from '../fixtures/network.ts'

/** A sender that goes on, a message in each turn of the event loop, until it is told to stop. */
async function keepSending(
  fleet: Fleet,
  from: number,
  sent: SentMessage[],
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    sent.push(await fleet.send(from, { from, number: sent.length }))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

t.test('nodes that join and leave while messages flow', async (t) => {
  const fleet = await Fleet.start(t, 8, [...ring(8), [0, 4], [2, 6]])
  const core = [...fleet.members]
  const random = new Random(9)
  let isOver = false
  const flows: SentMessage[][] = [[], [], []]
  const senders = flows.map((flow, number) => keepSending(fleet, number * 3, flow, () => isOver))

  const guests: { member: Member; since: number[]; sent: SentMessage[] }[] = []
  const sentSince = (since: readonly number[]): SentMessage[] =>
    flows.flatMap((flow, index) => flow.slice(since[index]))
  for (let round = 0; round < 12; round++) {
    const member = await fleet.join()
    const number = fleet.members.indexOf(member)
    const first = random.below(8)
    await fleet.connect([
      [number, first],
      [number, (first + 3) % 8],
    ])
    // What is sent from now on is for the guest as well.
    const since = flows.map(({ length }) => length + 1)
    const sent = [await fleet.send(number, `guest ${round}`)]
    guests.push({ member, since, sent })
    await fleet.until(() => flows.every((flow, index) => flow.length > since[index]! + 5))
    sent.push(await fleet.send(number, `bye ${round}`))
    if (round % 2 === 0) await member.node.stop()
  }
  isOver = true
  await Promise.all(senders)
  const sent = flows.flat()
  const all = [...sent, ...guests.flatMap((guest) => guest.sent)]
  const stayed = guests.filter(({ member }) => member.node.isRunning)
  await fleet.delivered(all, core)
  // Over a link of the tree a message is there at once; over another one it is asked for a while later.
  for (const { member, since } of stayed) await fleet.delivered(sentSince(since), [member])
  await fleet.settle()

  t.ok(sent.length > 200, `${sent.length} messages`)
  exactlyOnce(t, core, all)
  for (const { member, since } of stayed) exactlyOnce(t, [member], sentSince(since))
  for (const { member } of guests) {
    const isTwice = [...member.counts.values()].some((count) => count > 1)
    t.notOk(isTwice, 'a guest is shown no message twice')
    t.notOk(member.events.some((event) => event.startsWith('rejected') && !event.endsWith('before-start')))
  }
  const last = await fleet.send(0, 'to everybody who is left')
  const present = [...core, ...stayed.map(({ member }) => member)]
  await fleet.delivered([last], present)
  exactlyOnce(t, present, [last])
  t.same(
    core.flatMap(({ events }) => events.filter((event) => event.startsWith('rejected'))),
    [],
    'the old ones refuse nothing',
  )
  t.same(
    new Set(core.flatMap(({ disconnects }) => disconnects)),
    new Set(['inboundNodeDisconnected goodbye']),
    'and lose nobody but those who said goodbye',
  )
})

t.test('a node that comes between two parts of a network joins them', async (t) => {
  const fleet = await Fleet.start(t, 6, [
    [0, 1],
    [1, 2],
    [3, 4],
    [4, 5],
  ])
  const apart = await fleet.send(0, 'to one half')
  await fleet.delivered([apart], fleet.members.slice(0, 3))
  await fleet.join()
  await fleet.connect([
    [6, 2],
    [6, 3],
  ])
  const together = [await fleet.send(0, 'to all'), await fleet.send(5, 'to all')]
  await fleet.delivered(together)
  await fleet.settle()
  exactlyOnce(t, fleet.members, together)
  t.equal(fleet.members[5]!.count(apart.id), 0, 'what was sent before is history')
})

t.test('a node that leaves a line cuts it, and the ends are told', async (t) => {
  const fleet = await Fleet.start(t, 3, line(3))
  const [first, middle, last] = fleet.members
  const before = await fleet.send(0, 'before')
  await fleet.delivered([before])
  await middle!.node.stop()
  await fleet.until(() => first!.node.allNodes.size + last!.node.allNodes.size === 0)
  t.same(first!.disconnects, ['outboundNodeDisconnected goodbye'])
  t.same(last!.disconnects, ['inboundNodeDisconnected goodbye'])
  t.match(await fleet.send(0, 'to nobody'), { peers: 0 })
  await fleet.run(first!.node.connectWithNode(last!.host, PORT))
  await fleet.delivered([await fleet.send(0, 'around it')], [last!])
  t.equal(last!.messages.length, 2)
})

t.test('cut and heal', async (t) => {
  t.test('a ring that is cut in one place loses nothing', async (t) => {
    const fleet = await Fleet.start(t, 6, ring(6), { network: { clock: new ManualClock() } })
    const hosts = fleet.members.map(({ host }) => host)
    fleet.network.cut(hosts[0]!, hosts[5]!)
    const sent = [await fleet.send(0, 'the long way'), await fleet.send(5, 'and back')]
    await fleet.delivered(sent)
    fleet.network.heal(hosts[0]!, hosts[5]!)
    await fleet.settle()
    exactlyOnce(t, fleet.members, sent)
    t.same(
      fleet.members.flatMap(({ disconnects }) => disconnects),
      [],
    )
  })

  t.test('what was sent while a line was cut arrives when it heals, in order', async (t) => {
    const clock = new ManualClock()
    const fleet = await Fleet.start(t, 4, line(4), { network: { clock, latency: 10 } })
    const [, left, right] = fleet.members
    fleet.network.cut(left!.host, right!.host)
    const sent: SentMessage[] = []
    for (let number = 0; number < 30; number++) sent.push(await fleet.send(number % 2 ? 0 : 3, number))
    await fleet.until(() => left!.messages.length === 15 && right!.messages.length === 15)
    const start = clock.now()
    await fleet.until(() => clock.now() > start + 20_000)
    t.equal(right!.messages.length, 15, 'nothing gets across')
    fleet.network.heal(left!.host, right!.host)
    await fleet.delivered(sent)
    await fleet.settle()
    exactlyOnce(t, fleet.members, sent)
    inOrder(t, fleet.members)
    t.same(
      fleet.members.flatMap(({ disconnects }) => disconnects),
      [],
    )
  })

  t.test('a cut that lasts is noticed once at each end, and a link that is kept comes back', async (t) => {
    const clock = new ManualClock()
    const fleet = await Fleet.start(t, 4, [], { network: { clock, latency: 10 } })
    await fleet.connect(line(4), { reconnect: true })
    const [, left, right] = fleet.members
    fleet.network.cut(left!.host, right!.host)
    await fleet.until(() => left!.node.allNodes.size === 1 && right!.node.allNodes.size === 1)
    t.same(left!.disconnects, ['outboundNodeDisconnected timeout'])
    t.same(right!.disconnects, ['inboundNodeDisconnected timeout'])
    const lost = await fleet.send(0, 'lost')
    await fleet.delivered([lost], [left!])
    fleet.network.heal(left!.host, right!.host)
    await fleet.until(() => left!.node.allNodes.size === 2 && right!.node.allNodes.size === 2)
    const sent = [await fleet.send(0, 'back again'), await fleet.send(3, 'here too')]
    await fleet.delivered(sent)
    exactlyOnce(t, fleet.members, sent)
    t.equal(right!.count(lost.id), 0)
    t.same(left!.disconnects.length + right!.disconnects.length, 2)
  })

  t.test('a connection that breaks is noticed once at each end', async (t) => {
    const fleet = await Fleet.start(t, 2, line(2))
    const [one, two] = fleet.members
    fleet.network.reset(one!.host, two!.host)
    await fleet.until(() => one!.node.allNodes.size + two!.node.allNodes.size === 0)
    t.same(one!.disconnects, ['outboundNodeDisconnected lost'])
    t.same(two!.disconnects, ['inboundNodeDisconnected lost'])
  })
})

t.test('two nodes that dial each other keep one connection, and messages pass once', async (t) => {
  const fleet = await Fleet.start(t, 2, [])
  const [one, two] = fleet.members
  const [near, far] = await fleet.run(
    Promise.all([one!.node.connectWithNode(two!.host, PORT), two!.node.connectWithNode(one!.host, PORT)]),
  )
  await fleet.until(() => one!.node.allNodes.size === 1 && two!.node.allNodes.size === 1)
  t.equal(near.isUp && far.isUp, true)
  t.not(near.direction, far.direction)
  const sent = [await fleet.send(0, 'one way'), await fleet.send(1, 'the other')]
  await fleet.delivered(sent)
  await fleet.settle()
  exactlyOnce(t, fleet.members, sent)
  t.same(
    sent.map(({ peers }) => peers),
    [1, 1],
  )
})
