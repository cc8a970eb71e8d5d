import t from 'tap'
import type { Node } from '../../lib/node.ts'
import { Random } from '../../lib/testing/random.ts'
import { Fleet, PORT, WholeClock } from '../fixtures/network.ts'
import { logOf, World } from '../fixtures/world.ts'

/** The one connection of each of two nodes, after all is quiet. */
const only = (node: Node) => [...node.allNodes]

for (const reconnect of [false, true]) {
  t.test(
    `two nodes that dial each other keep one connection, at both ends; reconnect ${reconnect}`,
    async (t) => {
      const outcomes = new Set<string>()
      for (let seed = 1; seed <= 110; seed++) {
        const random = new Random(seed)
        const world = new World(t, {
          seed,
          latency: { min: 1 + random.below(5), max: 10 + random.below(80) },
        })
        const [one, two] = random.below(2) === 0 ? ['alice', 'bob'] : ['bob', 'alice']
        const [left, right] = [await world.start({ id: one }), await world.start({ id: two })]
        const logs = [logOf(left), logOf(right)]
        const first = left.connectWithNode(right.host, right.port, { reconnect })
        await world.pass(random.below(4) * random.below(40))
        const second = right.connectWithNode(left.host, left.port, { reconnect })
        const dialled = await world.run(Promise.all([first, second]))
        await world.pass(5_000)

        const [ofLeft, ofRight] = [only(left), only(right)]
        const about = `seed ${seed}: ${logs.map((log) => log.join(', ')).join(' | ')}`
        t.strictSame([ofLeft.length, ofRight.length], [1, 1], about)
        t.equal(dialled[0], ofLeft[0], `${about}: the dial gave the one that stays`)
        t.equal(dialled[1], ofRight[0], about)
        t.not(ofLeft[0]!.direction, ofRight[0]!.direction, 'it is the same one')
        for (const log of logs) {
          const count = (part: string): number => log.filter((line) => line.includes(part)).length
          t.equal(count('NodeConnected') - count('NodeDisconnected'), 1, about)
          t.equal(count('ReconnectionError'), 0, about)
        }
        // It is alive in both directions.
        await left.sendToNodes('from left')
        await right.sendToNodes('from right')
        await world.pass(500)
        t.equal(logs[1]!.filter((line) => line.includes('from left')).length, 1, about)
        t.equal(logs[0]!.filter((line) => line.includes('from right')).length, 1, about)
        t.strictSame([left.stats().pending, right.stats().pending], [0, 0], about)
        outcomes.add(`${ofLeft[0]!.direction} ${one}`)
        await world.stop()
      }
      t.equal(outcomes.size, 4, 'either connection can be the one that stays')
    },
  )
}

t.test('many dials to one node at once give one connection', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const world = new World(t, { seed, latency: { min: 1, max: 50 } })
    const [one, two] = seed % 2 === 0 ? ['alice', 'bob'] : ['bob', 'alice']
    const [left, right] = [await world.start({ id: one }), await world.start({ id: two })]
    const dials = Array.from({ length: 5 }, () => left.connectWithNode(right.host, right.port))
    dials.push(...Array.from({ length: 3 }, () => right.connectWithNode(left.host, left.port)))
    const connections = await world.run(Promise.all(dials))
    await world.pass(5_000)
    t.strictSame([left.allNodes.size, right.allNodes.size], [1, 1], `seed ${seed}`)
    t.ok(
      connections.every((connection) => connection.isUp),
      `seed ${seed}`,
    )
    await world.stop()
  }
})

t.test('a dial to a node that is connected already gives that connection', async (t) => {
  for (const [one, two] of [
    ['alice', 'bob'],
    ['bob', 'alice'],
  ] as const) {
    // prettier-ignore
    const world = new World(t, { latency: 5 })
    const [left, right] = [await world.start({ id: one }), await world.start({ id: two })]
    const first = await world.connect(left, right)
    const inbound = only(right)[0]
    const logs = [logOf(left), logOf(right)]
    const again = await world.connect(left, right)
    const back = await world.connect(right, left)
    await world.pass(10_000)
    t.strictSame([left.allNodes.size, right.allNodes.size], [1, 1])
    t.ok(again.isUp && back.isUp)
    // The end with the larger ID decides, and it keeps the older one.
    t.equal(again, first)
    t.equal(back, inbound)
    t.strictSame(
      logs.flat().filter((line) => line.includes('isconnected')),
      [],
    )
  }
})

t.test('who decides keeps an old link that answers, and refuses the new one', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'zoe' })
  const old = await world.rawUp(node, 'bob')
  const second = await world.raw(node, 'bob')
  await world.run(second.introduce())
  await world.pass(2_900)
  t.equal(second.closeCode, 'none', 'it waits for the answer')
  const ping = await world.run(old.frame(5))
  old.say(6, ping)
  t.equal(await world.run(second.closed()), 'duplicate')
  t.equal(only(node).length, 1)
  t.equal(old.isClosed, false)
})

t.test('who decides replaces an old link that does not answer', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'zoe' })
  const log = logOf(node)
  const old = await world.rawUp(node, 'bob')
  const second = await world.raw(node, 'bob')
  await world.run(second.shakeHands())
  t.equal(await world.run(old.frame(4)).then((payload) => Buffer.from(payload).toString()), '{"code":"timeout","text":"its peer has opened another connection"}') // prettier-ignore
  t.strictSame(log, [
    'inboundNodeConnected bob',
    'inboundNodeDisconnected bob timeout us',
    'inboundNodeConnected bob',
  ])
  t.equal(only(node).length, 1)
})

t.test('who does not decide follows the peer, and keeps the new one', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'alice' })
  const log = logOf(node)
  const old = await world.rawUp(node, 'bob')
  const second = await world.rawUp(node, 'bob')
  await world.pass(10)
  t.equal(old.closeCode, 'duplicate')
  t.equal(second.isClosed, false)
  t.strictSame(log, [
    'inboundNodeConnected bob',
    'inboundNodeDisconnected bob duplicate us',
    'inboundNodeConnected bob',
  ])
})

t.test('a new link that dies while the old one is asked locks nobody out', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'zoe', maxConnections: 1 })
  const old = await world.rawUp(node, 'bob')
  const second = await world.raw(node, 'bob')
  await world.run(second.introduce())
  await world.pass(1_000)
  second.channel.destroy()
  await world.pass(5_000)
  t.equal(old.closeCode, 'timeout', 'it did not answer')
  t.equal(only(node).length, 0)
  const third = await world.rawUp(node, 'bob')
  t.equal(third.isClosed, false)
  t.equal(only(node).length, 1)
})

t.test('of several new links that come while the old one is asked, one is taken', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'zoe' })
  await world.rawUp(node, 'bob')
  const fresh = await Promise.all([world.raw(node, 'bob'), world.raw(node, 'bob'), world.raw(node, 'bob')])
  const codes = fresh.map(async (peer) => {
    await peer.shakeHands().catch(() => {})
    return peer.closeCode
  })
  t.strictSame((await world.run(Promise.all(codes))).sort(), ['duplicate', 'duplicate', 'none'])
  t.equal(only(node).length, 1)
})

t.test('two signed nodes that dial each other keep one connection as well', async (t) => {
  for (let seed = 1; seed <= 30; seed++) {
    const clock = new WholeClock()
    const random = new Random(seed)
    const latency = { min: 1, max: 5 + random.below(60) }
    const fleet = new Fleet(t, { network: { clock, seed, latency } })
    const [one, two] = [await fleet.join(), await fleet.join()]
    const first = one.node.connectWithNode(two.host, PORT)
    clock.advance(random.below(60))
    const dialled = await fleet.run(Promise.all([first, two.node.connectWithNode(one.host, PORT)]))
    await fleet.run(Promise.all(dialled.map((connection) => connection.ping())))
    t.strictSame(
      [[...one.node.allNodes], [...two.node.allNodes]],
      [[dialled[0]], [dialled[1]]],
      `seed ${seed}`,
    )
    t.not(dialled[0].direction, dialled[1].direction)
    await fleet.stop()
  }
})
