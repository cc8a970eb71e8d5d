import t, { type Test } from 'tap'
import { systemClock } from '../../lib/ground/clock.ts'
import { Node } from '../../lib/node.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { VirtualNetwork, type VirtualNetworkOptions } from '../../lib/testing/index.ts'
import { groupOf, reachOf } from '../../lib/wire/address.ts'

function makeNetwork(t: Test, options: VirtualNetworkOptions<SecureNode> = {}): VirtualNetwork {
  const network = new VirtualNetwork(options)
  t.teardown(() => network.stop())
  return network
}

/** What a node was shown from now on. */
function listen(node: SecureNode): unknown[] {
  const shown: unknown[] = []
  node.on('nodeMessage', (_connection, data) => void shown.push(data))
  return shown
}

t.test('real nodes talk without a socket, in a time of their own', async (t) => {
  const network = makeNetwork(t)
  const began = systemClock.now()
  const nodes = await network.addNodes(3)
  const [alice, bob, carol] = nodes as [SecureNode, SecureNode, SecureNode]
  const connection = await network.connect(alice, bob)
  t.ok(connection.isUp)
  t.equal(connection.id, bob.id)
  await network.connect(carol, bob)
  const shown = listen(carol)
  await alice.sendToNodes({ text: 'hello' })
  await network.settle()
  t.same(shown, [{ text: 'hello' }])
  await network.advance(3_600_000)
  t.ok(network.elapsed > 3_600_000)
  t.ok(systemClock.now() - began < 60_000, 'an hour has not passed here')
  t.equal(bob.allNodes.size, 2, 'pings have kept the links')
})

t.test('nodes', async (t) => {
  t.test(
    'have public addresses in groups of their own, and identities, all made from the seed',
    async (t) => {
      const [one, same, other] = [1, 1, 2].map((seed) => makeNetwork(t, { seed }))
      const ids = async (network: VirtualNetwork) => (await network.addNodes(5)).map(({ id }) => id)
      const first = await ids(one!)
      t.same(await ids(same!), first)
      t.notSame(await ids(other!), first)
      t.equal(new Set(first).size, 5)
      const hosts = one!.nodes.map(({ host }) => host)
      t.ok(hosts.every((host) => reachOf(host) === 'public'))
      t.equal(new Set(hosts.map((host) => groupOf(host))).size, 5)
      t.equal(one!.address(0), `${hosts[0]!}:8000`)
      t.equal(one!.address(one!.nodes[3]!), `${hosts[3]!}:8000`)
      t.equal(one!.numberOf(one!.nodes[3]!), 3)
    },
  )

  t.test('may be of any class, also of those without signatures', async (t) => {
    class Parrot extends SecureNode {
      readonly heard: unknown[] = []

      override nodeMessage(_connection: unknown, data: unknown): void {
        this.heard.push(data)
      }
    }
    const network = makeNetwork(t)
    const alice = await network.addNode()
    const parrot = await network.addNode({}, Parrot)
    await network.connect(alice, parrot)
    await alice.sendToNodes('hello')
    await network.settle()
    t.same(parrot.heard, ['hello'])

    const plain = new VirtualNetwork<Node>({ nodeClass: Node })
    t.teardown(() => plain.stop())
    const [first, second] = (await plain.addNodes(2)) as [Node, Node]
    t.same([first.id, second.id], ['node-0', 'node-1'])
    await plain.connect(first, second)
    const shown: unknown[] = []
    second.on('nodeMessage', (_connection, data) => void shown.push(data))
    await first.sendToNodes(Uint8Array.of(1, 2))
    await plain.settle()
    t.same(shown, [Uint8Array.of(1, 2)])
  })

  t.test('take options of all, of each, and of where they are', async (t) => {
    const network = makeNetwork(t, { node: { net: 'chess', clockOffset: 1_000 } })
    const [one, two] = (await network.addNodes(2, (index) => ({ port: 9_000 + index, host: '8.8.8.8' }))) as [
      SecureNode,
      SecureNode,
    ]
    t.same([network.address(one), network.address(two)], ['8.8.8.8:9000', '8.8.8.8:9001'])
    const late = await network.addNode({ clockOffset: -5_000, bind: '0.0.0.0' })
    t.equal(late.host, '0.0.0.0')
    const connection = await network.connect(one, late)
    t.equal(connection.host, network.address(late).split(':')[0])
    t.ok(Math.abs(connection.clockOffset + 6_000) < 200, `${connection.clockOffset}`)
    const stranger = await network.addNode({ net: 'draughts' })
    await t.rejects(network.connect(stranger, one), { code: 'handshake-failed' })
    await t.rejects(network.addNode({ port: 9_000, host: '8.8.8.8' }), { code: 'listen-failed' })
  })

  t.test('behind a router are dialled by nobody, and dial others', async (t) => {
    const network = makeNetwork(t)
    const outside = await network.addNode()
    const inside = await network.addNode({ behindNat: true })
    t.equal(reachOf(inside.host), 'private')
    const dial = network.connect(outside, inside)
    await t.rejects(dial, { code: 'connect-timeout' })
    const connection = await network.connect(inside, outside)
    t.ok(connection.isUp)
    t.equal(connection.seenAt?.host, network.address(inside).split(':')[0])
  })

  t.test('of another network are unknown', async (t) => {
    const [here, there] = [makeNetwork(t), makeNetwork(t, { seed: 2 })]
    const stranger = await there.addNode()
    t.throws(() => here.address(stranger), { code: 'invalid-argument' })
    t.throws(() => here.address(0), { code: 'invalid-argument' })
  })
})

t.test('waiting', async (t) => {
  t.test('until a condition holds ends at that instant', async (t) => {
    const network = makeNetwork(t, { latency: 20, jitter: 0 })
    const [alice, bob] = (await network.addNodes(2)) as [SecureNode, SecureNode]
    await network.connect(alice, bob)
    const shown = listen(bob)
    await alice.sendToNodes('hello')
    const before = network.elapsed
    await network.until(() => shown.length === 1)
    t.equal(network.elapsed - before, 20)
  })

  t.test('in vain tells what was waited for, and how things are', async (t) => {
    const network = makeNetwork(t, { seed: 77 })
    const [alice, bob] = (await network.addNodes(3)) as [SecureNode, SecureNode]
    await network.connect(alice, bob)
    const failed = network.until(() => alice.allNodes.size === 2, { timeout: 5_000 })
    const error = (await failed.catch((error: unknown) => error)) as Error
    for (const part of [
      'after 5000 ms',
      'alice.allNodes.size === 2',
      'seed 77',
      '3 nodes, 0 crashed, 1 connections, 1 nodes without any',
      'node 0  outboundNodeConnected node 1',
    ]) {
      t.ok(error.message.includes(part), part)
    }
    const never = network.run(new Promise(() => {}), { timeout: 1_000 })
    await t.rejects(never, { message: /did not settle within 1000 ms/ })
  })

  t.test('for a promise gives what it gives, good or bad', async (t) => {
    const network = makeNetwork(t)
    const { clock } = network
    const later = new Promise<string>((resolve) => clock.setTimer(() => resolve('value'), 500))
    t.equal(await network.run(later), 'value')
    t.equal(network.elapsed, 500)
    await t.rejects(network.run(Promise.reject(new Error('bad luck'))), { message: 'bad luck' })
  })

  t.test('for quiet takes no notice of pings, and waits for every message', async (t) => {
    const network = makeNetwork(t, {
      latency: 100,
      jitter: 0,
      node: { pingInterval: 50, pingTimeout: 5_000 },
    })
    const nodes = await network.addNodes(6)
    for (let at = 1; at < nodes.length; at++) await network.connect(nodes[at]!, nodes[at - 1]!)
    const shown = listen(nodes[5]!)
    await nodes[0]!.sendToNodes('far away')
    const before = network.elapsed
    await network.settle()
    t.same(shown, ['far away'])
    t.equal(network.elapsed - before, 5 * 100 - 100 + 201, 'the last hop, and longer than a round trip')
    t.ok(network.stats.frames['ping']! > 0)
  })

  t.test('for quiet in vain fails', async (t) => {
    const network = makeNetwork(t)
    const [alice, bob] = (await network.addNodes(2)) as [SecureNode, SecureNode]
    await network.connect(alice, bob)
    bob.on('nodeMessage', (_connection, data) => void bob.sendToNodes(data))
    alice.on('nodeMessage', (_connection, data) => void alice.sendToNodes(data))
    await alice.sendToNodes('for ever')
    await t.rejects(network.settle({ timeout: 3_000 }), { message: /not quiet after 3000 ms/ })
    bob.removeAllListeners('nodeMessage')
    await network.settle()
  })

  t.test('with a time that is none is refused', async (t) => {
    const network = makeNetwork(t)
    for (const ms of [-1, Number.NaN, Infinity])
      await t.rejects(network.advance(ms), { code: 'invalid-argument' })
  })
})

t.test('counts bytes, chunks, frames and signatures', async (t) => {
  const network = makeNetwork(t)
  const [alice, bob] = (await network.addNodes(2)) as [SecureNode, SecureNode]
  t.match(network.stats, { bytes: 0, chunks: 0, frames: {}, verified: 0 })
  await network.connect(alice, bob)
  await network.advance(1_000)
  const { signed, verified } = network.stats
  t.ok(signed >= 2 && verified >= 2, 'the proofs of the handshake')
  await alice.sendToNodes('hello')
  await network.settle()
  const { stats } = network
  t.equal(stats.frames['hello'], 2)
  t.equal(stats.frames['message'], 1)
  t.equal(stats.signed - signed, 1)
  t.equal(stats.verified - verified, 1)
  t.ok(stats.bytes > 500 && stats.chunks >= 6)
  t.equal(network.engine.verified, stats.verified)
  t.equal(network.dialsTo(network.address(bob)), 1)
  t.equal(network.dialsTo('9.9.9.9:1'), 0)
})

t.test('events are remembered, the last ones at least', async (t) => {
  const network = makeNetwork(t, { keepEvents: 4, latency: 10, jitter: 0 })
  const [alice, bob] = (await network.addNodes(2)) as [SecureNode, SecureNode]
  await network.connect(alice, bob)
  await alice.sendToNodes('hello')
  await network.settle()
  const lines = network.events()
  t.match(lines[0], /^\+0\.\d{3} s {2}node [01] {2}(in|out)boundNodeConnected node [01]$/)
  t.match(
    lines.at(-1),
    /^\+0\.\d{3} s {2}node 1 {2}nodeMessage node 0 "hello" message [0-9a-f]{8} of node 0$/,
  )
  for (let count = 0; count < 20; count++) await alice.sendToNodes(count)
  await network.settle()
  t.ok(network.events().length >= 4 && network.events().length < 8)
  t.match(
    network.toString(),
    /^virtual network of seed 1 at \+\d+\.\d{3} s: 2 nodes, 0 crashed, 1 connections/,
  )
})

t.test('errors of handlers are shown to the user as if nobody listened', async (t) => {
  const network = makeNetwork(t)
  const [alice, bob] = (await network.addNodes(2)) as [SecureNode, SecureNode]
  await network.connect(alice, bob)
  bob.on('nodeMessage', () => {
    throw new Error('a bug of the application')
  })
  const warned = new Promise<Error>((resolve) => process.once('warning', resolve))
  await alice.sendToNodes('hello')
  await network.settle()
  t.match(await warned, { message: 'a bug of the application' })
})

t.test('stopping leaves nothing behind, also in a partition', async (t) => {
  const network = new VirtualNetwork()
  const nodes = await network.addNodes(4)
  for (let at = 1; at < 4; at++) await network.connect(nodes[at]!, nodes[at - 1]!)
  network.partition(nodes.slice(0, 2))
  network.crash(3)
  await network.stop()
  await network.stop()
  t.ok(nodes.slice(0, 3).every(({ isRunning, allNodes }) => !isRunning && allNodes.size === 0))
  t.same(
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name.includes('TCP')),
    [],
  )
  let node: SecureNode
  {
    await using disposed = new VirtualNetwork()
    node = await disposed.addNode()
    t.ok(node.isRunning)
  }
  t.notOk(node.isRunning)
})

t.test('options that are none are refused', async (t) => {
  const refused: [string, object][] = [
    ['seed', { seed: 1.5 }],
    ['latency', { latency: 0 }],
    ['jitter', { jitter: -1 }],
    ['loss', { loss: 1 }],
    ['start', { start: 0.5 }],
    ['signatures', { signatures: 'none' }],
    ['keepEvents', { keepEvents: 0 }],
    ['speed', { speed: 2 }],
  ]
  for (const [name, options] of refused) {
    t.throws(() => new VirtualNetwork(options), { message: new RegExp(`"${name}"`) }, name)
  }
  const network = makeNetwork(t, { start: Date.UTC(2030, 0, 1) })
  t.equal(new Date(network.clock.now()).toISOString(), '2030-01-01T00:00:00.000Z')
})
