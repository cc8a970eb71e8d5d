import t from 'tap'
import type { CloseCode } from '../../lib/wire/close-code.ts'
import { Node } from '../../lib/node.ts'
import { type ConnectionInit, NodeConnection } from '../../lib/node-connection.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { Random } from '../../lib/testing/random.ts'
import { MemoryNetwork } from '../../lib/transport/memory.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { logOf, PORT, World } from '../fixtures/world.ts'

/** A node that keeps others out, as a SecureNode does. */
class Bouncer extends Node {
  throwOut(connection: NodeConnection, code: CloseCode, ms: number): void {
    this.expel(connection, code, ms)
  }
}

t.test('both ends are up when a dial resolves', async (t) => {
  const world = new World(t, { latency: 20 })
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  const connection = await world.connect(alice, bob)
  t.equal(connection.id, 'bob')
  t.strictSame([alice.nodesOutbound.size, bob.nodesInbound.size], [1, 1])
  t.equal([...bob.allNodes][0]!.id, 'alice')
  t.match(connection, { host: bob.host, port: PORT, direction: 'outbound', encrypted: false })
  t.strictSame(connection.listen, [{ host: bob.host, port: PORT }], 'where it accepts connections')
})

t.test('a clock with fractions of milliseconds is no obstacle', async (t) => {
  const network = new MemoryNetwork()
  const clock = new ManualClock(0.5)
  const nodes = ['a', 'b'].map((host) => new Node(host, PORT, { clock, transport: network.transport(host) }))
  for (const node of nodes) await node.start()
  t.ok((await nodes[0]!.connectWithNode('b', PORT)).isUp)
  for (const node of nodes) await node.stop()
})

t.test('a node does not connect with itself', async (t) => {
  const world = new World(t)
  const alice = await world.start()
  await t.rejects(world.connect(alice, alice), { code: 'self-connection', message: `${alice.host}:8000 is this node itself` }) // prettier-ignore
  const two = [await world.start({ id: 'same' }), await world.start({ id: 'same' })]
  await t.rejects(world.connect(two[0]!, two[1]!), { code: 'self-connection' })
  t.equal(alice.allNodes.size, 0)
})

t.test('nodes of different networks do not connect, and each is told why', async (t) => {
  const world = new World(t)
  const [alice, bob] = [await world.start({ net: 'one' }), await world.start({ net: 'two' })]
  const log = logOf(bob)
  await t.rejects(world.connect(alice, bob), { message: /wrong-net, one end is in the network "(one|two)"|refused the connection: wrong-net/ }) // prettier-ignore
  t.strictSame(log, ['inboundNodeConnectionError handshake-failed'])
})

t.test('the node that was expected is found, or it is an error', async (t) => {
  const world = new World(t)
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  await t.rejects(world.connect(alice, bob, { expect: 'carol' }), {
    code: 'identity-mismatch',
    message: `expected node carol at ${bob.host}:8000, found bob`,
  })
  t.ok((await world.connect(alice, bob, { expect: 'bob' })).isUp)
})

t.test('a node has as many connections as it wants, inbound and outbound together', async (t) => {
  const world = new World(t)
  const busy = await world.start({ id: 'busy', maxConnections: 2 })
  const [alice, bob, carol] = [await world.start(), await world.start(), await world.start()]
  await world.connect(alice, busy)
  await world.connect(busy, bob)
  await t.rejects(world.connect(carol, busy), {
    code: 'refused-by-peer',
    message: `${busy.host}:8000 refused the connection: too-many-connections (the limit is 2)`,
  })
  await t.rejects(world.connect(busy, carol), {
    code: 'too-many-connections',
    message: 'this node has 2 connections already (option "maxConnections")',
  })
  await alice.stop()
  await world.pass(100)
  t.ok((await world.connect(carol, busy)).isUp, 'a place was free')
})

t.test('dials that are under way together do not exceed the limit', async (t) => {
  const world = new World(t, { latency: 10 })
  const busy = await world.start({ maxConnections: 3 })
  const others = await Promise.all(Array.from({ length: 8 }, () => world.start()))
  const dials = others.map((other, index) =>
    index % 2 === 0 ? busy.connectWithNode(other.host, PORT) : other.connectWithNode(busy.host, PORT),
  )
  const results = await world.run(Promise.allSettled(dials))
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 3)
  t.equal(busy.allNodes.size, 3)
})

t.test('a peer cannot free places by opening second connections that come to nothing', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'alice', maxConnections: 3 })
  for (let number = 0; number < 3; number++) {
    await world.rawUp(node, `mallory-${number}`)
    const second = await world.raw(node, `mallory-${number}`)
    await world.run(second.introduce())
    second.channel.destroy()
    await world.pass(10)
  }
  const late = await world.raw(node, 'mallory-3')
  await world.run(late.introduce())
  t.equal(await world.run(late.closed()), 'too-many-connections')
  t.equal(node.allNodes.size, 3)
})

t.test('strangers are bounded: by number, and by address', async (t) => {
  const world = new World(t)
  const node = await world.start({ maxPending: 3, handshakeTimeout: 5_000 })
  const silent = [await world.raw(node, 'a'), await world.raw(node, 'b'), await world.raw(node, 'c')]
  t.equal(node.stats().pending, 3)
  const fourth = await world.raw(node, 'd')
  await world.run(fourth.closed())
  t.equal(fourth.frames.length, 0, 'it was told nothing')
  await world.pass(5_001)
  for (const peer of silent) t.equal(await world.run(peer.closed()), 'handshake-timeout')
  t.equal(node.stats().pending, 0)

  const picky = await world.start({ maxNewPerAddress: 2 })
  const alice = await world.start()
  for (let trial = 0; trial < 2; trial++) (await world.connect(alice, picky)).close()
  await t.rejects(world.connect(alice, picky), { code: 'handshake-failed' })
  await world.pass(10_000)
  t.ok((await world.connect(alice, picky)).isUp)
})

t.test('whatever comes of a handshake, its place is free again', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'node' })
  const ends: ((peer: Awaited<ReturnType<World['raw']>>) => void)[] = [
    (peer) => peer.channel.destroy(),
    (peer) => peer.channel.end(),
    (peer) => peer.say(Kind.hello, 'nonsense'),
    (peer) => peer.say(Kind.close, '{"code":"goodbye"}'),
    (peer) => peer.channel.write(new Uint8Array(8)),
    (peer) => void peer.introduce(),
    (peer) => void peer.shakeHands(),
  ]
  for (const [index, end] of ends.entries()) {
    const peer = await world.raw(node, `peer-${index}`)
    t.equal(node.stats().pending, 1)
    end(peer)
    await world.pass(11_000)
    t.equal(node.stats().pending, 0, `end ${index}`)
  }
})

t.test('a peer that was thrown out is kept out for a while, in both directions', async (t) => {
  const world = new World(t)
  const alice = await world.start<Bouncer>({ id: 'alice' }, Bouncer)
  const bob = await world.start({ id: 'bob' })
  const log = logOf(bob)
  alice.throwOut(await world.connect(alice, bob), 'bad-signature', 60_000)
  await world.pass(100)
  t.ok(log.includes('inboundNodeDisconnected alice bad-signature peer'))
  await t.rejects(world.connect(bob, alice), {
    code: 'refused-by-peer',
    message: /banned \(for what came from here before\)$/,
  })
  await t.rejects(world.connect(alice, bob), { code: 'handshake-failed', message: /banned/ })
  await world.pass(60_000)
  t.ok((await world.connect(bob, alice)).isUp)
})

t.test('bytes are counted over all connections, those that have ended included', async (t) => {
  const world = new World(t)
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  const connection = await world.connect(alice, bob)
  await alice.sendToNodes('x'.repeat(1_000))
  await world.pass(10)
  const before = alice.stats()
  t.ok(before.bytesOut > 1_000 && before.bytesIn > 100)
  t.equal(bob.stats().bytesIn, before.bytesOut)
  await world.run(alice.disconnectWithNode(connection))
  t.ok(alice.stats().bytesOut >= before.bytesOut)
  t.equal(alice.stats().bytesIn, before.bytesIn)
})

t.test('a connection class that cannot be made harms nobody but its own connection', async (t) => {
  class Broken extends Node {
    isBroken = true
    override createNewConnection(init: ConnectionInit): NodeConnection {
      if (this.isBroken) throw new TypeError('mine')
      return super.createNewConnection(init)
    }
  }
  const world = new World(t)
  const broken = await world.start<Broken>({ id: 'broken', maxPending: 1 }, Broken)
  const bob = await world.start({ id: 'bob' })
  const log = logOf(broken)
  await t.rejects(world.connect(broken, bob), { name: 'TypeError', message: 'mine' })
  await t.rejects(world.connect(bob, broken), { code: 'handshake-failed' })
  t.strictSame(log, ['outboundNodeConnectionError TypeError', 'inboundNodeConnectionError TypeError'])
  t.equal(broken.stats().pending, 0)
  await world.pass(20_000)
  t.equal(bob.stats().pending, 0)
  broken.isBroken = false
  t.ok((await world.connect(bob, broken)).isUp)
})

t.test('a stop at any moment ends everything, at both ends, and leaves no timer', async (t) => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = new Random(seed)
    const world = new World(t, { seed, latency: { min: 0, max: 20 } })
    const [alice, bob, carol] = [await world.start(), await world.start(), await world.start()]
    const options = [{}, { reconnect: true }, { timeout: 30 }][seed % 3]!
    const dials = [
      alice.connectWithNode(bob.host, PORT, options),
      bob.connectWithNode(alice.host, PORT, options),
      alice.connectWithNode(carol.host, PORT, options),
      alice.connectWithNode('10.9.9.9', PORT, options),
    ]
    const settled = Promise.allSettled(dials)
    await world.clock.advanceAsync(random.below(140))
    await world.run(alice.stop())
    t.strictSame([alice.allNodes.size, alice.stats().pending, alice.isRunning], [0, 0, false])
    await world.run(Promise.all([bob.stop(), carol.stop()]))
    for (const result of await world.run(settled)) {
      if (result.status === 'rejected') t.type((result.reason as { code?: string }).code, 'string')
    }
    await world.pass(5_000)
    t.equal(world.clock.pendingTimers, 0, `seed ${seed}`)
  }
})

t.test('a dial that is under way at the stop is ended by it, and says so', async (t) => {
  const world = new World(t, { latency: 50 })
  const [alice, bob] = [await world.start(), await world.start()]
  const log = logOf(alice)
  const dial = alice.connectWithNode(bob.host, PORT)
  const kept = alice.connectWithNode('10.9.9.9', PORT, { reconnect: true })
  const expected = [t.rejects(dial, { code: 'aborted' }), t.rejects(kept, { code: 'aborted' })]
  await world.pass(110)
  await world.run(alice.stop())
  await world.run(Promise.all(expected))
  t.notOk(
    log.some((line) => line.startsWith('outboundNodeConnectionError aborted')),
    'it is no failure',
  )
})

t.test('pings and reconnections draw on the chance that the node is given', async (t) => {
  for (const [chance, pingAfter, pauses] of [
    [0, 0, [500, 1_000, 2_000]],
    [0.5, 1_000, [750, 1_500, 3_000]],
  ] as const) {
    const world = new World(t)
    const node = await world.start({ id: 'node', random: () => chance })
    const peer = await world.rawUp(node, 'peer')
    const upAt = world.clock.now()
    // A node looks after its links once a second.
    await world.run(peer.frame(Kind.ping))
    const waited = world.clock.now() - upAt
    // Counted from a moment before it was up.
    t.ok(waited >= pingAfter - 100 && waited <= pingAfter + 1_000, `${waited}`)

    const failures: number[] = []
    node.on('nodeReconnectionError', () => {
      failures.push(world.clock.now())
      return failures.length < 4
    })
    const dial = node.connectWithNode('10.9.9.9', PORT, { reconnect: true })
    await world.run(t.rejects(dial, { code: 'reconnect-stopped' }))
    t.strictSame(
      failures.slice(1).map((at, index) => at - failures[index]!),
      pauses,
    )
  }
})
