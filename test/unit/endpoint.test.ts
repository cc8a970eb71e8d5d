import t, { type Test } from 'tap'
import { Node } from '../../lib/node.ts'
import { type ConnectionInit, NodeConnection } from '../../lib/node-connection.ts'
import type { NodeOptions } from '../../lib/options/options.ts'
import { MemoryNetwork } from '../../lib/transport/memory.ts'
import { turns } from '../fixtures/channel-recorder.ts'
import { logOf, PORT, World } from '../fixtures/world.ts'

/** What is written to a stream while something is done. */
async function written(t: Test, stream: 'stdout' | 'stderr', act: () => unknown): Promise<string> {
  const texts: string[] = []
  const restore = t.intercept(process[stream], 'write', {
    value: (text: string) => texts.push(text) > 0,
  }) as unknown as { restore: () => void }
  try {
    await act()
  } finally {
    restore.restore()
  }
  return texts.join('')
}

t.test('a node has an ID, a host and a port, and is not running', async (t) => {
  const node = new Node('127.0.0.1', 0)
  t.match(node.id, /^[0-9a-f]{64}$/)
  t.not(node.id, new Node('127.0.0.1', 0).id)
  t.match(node, { host: '127.0.0.1', port: 0, isRunning: false, debug: false })
  t.strictSame(node.stats(), {
    inbound: 0,
    outbound: 0,
    pending: 0,
    bytesIn: 0,
    bytesOut: 0,
    sent: 0,
    received: 0,
  })
  t.equal(new Node('::', 1, { id: 'alice' }).id, 'alice')
})

t.test('addresses are checked, and nothing is coerced', async (t) => {
  for (const host of ['', undefined, null, 5, {}, ['a']]) {
    t.throws(() => new Node(host as string, 1), {
      code: 'invalid-argument',
      message: /^host must be an address or a host name, got /,
    })
  }
  for (const port of [-1, 65_536, 1.5, NaN, '80', undefined, null]) {
    t.throws(() => new Node('127.0.0.1', port as number), {
      code: 'invalid-argument',
      message: /^port must be an integer from 0 to 65535, got /,
    })
  }
})

t.test('the callback is the third argument, or the fourth behind options', async (t) => {
  const network = new MemoryNetwork()
  const events: string[] = []
  const third = new Node('127.0.0.1', 0, (event, node) => events.push(`${event} ${node.host}`))
  const fourth = new Node('a', 0, { transport: network.transport('a') }, (event) => events.push(event))
  await fourth.start()
  await fourth.stop()
  t.strictSame(events, ['nodeRequestToStop'])
  t.ok(third)
  t.throws(() => new Node('a', 0, { nope: 1 } as NodeOptions), { code: 'invalid-option' })
  t.throws(() => new Node('a', 0, null as unknown as NodeOptions), { code: 'invalid-argument' })
})

t.test('port 0 becomes the real one, which stays after a stop', async (t) => {
  const world = new World(t)
  const network = new MemoryNetwork()
  const node = new Node('a', 0, { transport: network.transport('a'), clock: world.clock })
  await node.start()
  const { port } = node
  t.ok(port > 0)
  await node.stop()
  await node.start()
  t.equal(node.port, port)
  await node.stop()
})

t.test('a port that is taken is an error that keeps its cause, and the node can try again', async (t) => {
  const network = new MemoryNetwork()
  const nodes = [0, 1].map(() => new Node('a', PORT, { transport: network.transport('a') }))
  await nodes[0]!.start()
  await t.rejects(nodes[1]!.start(), {
    code: 'listen-failed',
    message: 'cannot listen on a:8000: another program uses this port; choose another, or 0 for any free one',
    cause: { code: 'EADDRINUSE' },
  })
  t.equal(nodes[1]!.isRunning, false)
  await nodes[0]!.stop()
  await nodes[1]!.start()
  await nodes[1]!.stop()
})

t.test('start twice is an error, stop twice is none, and a stopped node starts again', async (t) => {
  const world = new World(t)
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  await t.rejects(alice.start(), {
    code: 'already-started',
    message: 'the node is started already; call stop() first',
  })
  await world.connect(bob, alice)
  const log = logOf(alice)
  await world.run(alice.stop())
  await world.run(alice.stop())
  t.strictSame(log, ['nodeRequestToStop', 'inboundNodeDisconnected bob goodbye us'])
  await alice.start()
  t.ok((await world.connect(bob, alice)).isUp)
})

t.test('starts and stops in one turn are done one after the other', async (t) => {
  const world = new World(t)
  const node = world.make({ id: 'alice' })
  const twice = await world.run(Promise.allSettled([node.start(), node.start()]))
  t.strictSame(
    twice.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  t.match(twice[1], { reason: { code: 'already-started' } })
  await world.run(Promise.all([node.stop(), node.stop()]))
  t.equal(node.isRunning, false)
  await world.run(Promise.all([node.start(), node.stop()]))
  t.equal(node.isRunning, false, 'it was started, and then stopped')
  await world.run(Promise.all([node.start(), node.stop(), node.start()]))
  t.equal(node.isRunning, true)
  const late = world.make()
  const other = world.make({ transport: world.network.transport(node.host) })
  t.ok(late.port === other.port)
  await world.run(node.stop())
  // Whoever was started twice would listen twice, and hold its port for ever.
  const again = new Node(node.host, PORT, {
    transport: world.network.transport(node.host),
    clock: world.clock,
  })
  await again.start()
  await again.stop()
})

t.test('a stop waits for its peers, but no longer than the option says', async (t) => {
  const world = new World(t)
  const alice = await world.start({ id: 'alice', stopTimeout: 700 })
  const bob = await world.start({ id: 'bob' })
  await world.connect(bob, alice)
  world.network.cut(alice.host, bob.host)
  let isStopped = false
  const stop = alice.stop().then(() => (isStopped = true))
  await world.pass(699)
  t.equal(isStopped, false)
  await world.pass(2)
  t.equal(isStopped, true)
  await stop
})

t.test('a node stops at the end of its block', async (t) => {
  const network = new MemoryNetwork()
  let kept: Node
  {
    await using node = new Node('a', 0, { transport: network.transport('a') })
    await node.start()
    kept = node
    t.equal(kept.isRunning, true)
  }
  t.equal(kept.isRunning, false)
})

t.test('what needs a running node says so', async (t) => {
  const world = new World(t)
  const node = world.make()
  const bob = await world.start()
  const refuse = async (): Promise<void> => {
    const acts: (() => Promise<unknown>)[] = [
      () => node.sendToNodes('x'),
      () => node.connectWithNode(bob.host, PORT),
    ]
    for (const act of acts) {
      await t.rejects(act(), { code: 'not-started', message: / needs a running node; await start\(\) first/ })
    }
  }
  await refuse()
  await node.start()
  const connection = await world.connect(node, bob)
  await world.run(node.stop())
  await refuse()
  await t.rejects(node.sendToNode(connection, 'x'), { code: 'not-started' })
})

t.test('what connectWithNode is given is checked', async (t) => {
  const world = new World(t)
  const node = await world.start()
  type Options = Parameters<Node['connectWithNode']>[2]
  for (const port of [0, -1, 65_536, '80']) {
    await t.rejects(node.connectWithNode('a', port as number), {
      code: 'invalid-argument',
      message: /^port must be an integer from 1 to 65535/,
    })
  }
  await t.rejects(node.connectWithNode('', 1), { code: 'invalid-argument' })
  await t.rejects(node.connectWithNode('a', 1, { reconect: true } as Options), { code: 'invalid-option' })
  for (const options of [null, 5, true]) {
    await t.rejects(node.connectWithNode('a', 1, options as unknown as Options), { code: 'invalid-argument' })
  }
  await t.rejects(node.connectWithNode('a', 1, { timeout: Infinity }), {
    code: 'invalid-argument',
    message: /^timeout must be a positive number of milliseconds below 2\^31, got Infinity$/,
  })
})

t.test('a dial gives up after its time, or when its signal says so', async (t) => {
  const world = new World(t)
  const [alice, bob] = [await world.start(), await world.start()]
  world.network.cut(alice.host, bob.host)
  await t.rejects(world.connect(alice, bob, { timeout: 250 }), {
    code: 'connect-timeout',
    message: `no connection to ${bob.host}:8000 within 250 ms`,
  })
  const controller = new AbortController()
  const dial = alice.connectWithNode(bob.host, PORT, { signal: controller.signal })
  await world.pass(10)
  const reason = new Error('enough')
  controller.abort(reason)
  await t.rejects(dial, { code: 'aborted', cause: reason })
  await t.rejects(world.connect(alice, bob), { code: 'connect-timeout', message: /within 10000 ms/ })
})

t.test('disconnectWithNode says goodbye, and resolves when the connection is gone', async (t) => {
  const world = new World(t, { latency: 10 })
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  const [ofAlice, ofBob] = [logOf(alice), logOf(bob)]
  const connection = await world.connect(alice, bob, { reconnect: true })
  await world.run(alice.disconnectWithNode(connection))
  await world.run(alice.disconnectWithNode(connection))
  await world.pass(60_000)
  t.strictSame(ofAlice, [
    'outboundNodeConnected bob',
    'nodeDisconnectWithOutboundNode bob',
    'outboundNodeDisconnected bob goodbye us',
  ])
  t.strictSame(ofBob, ['inboundNodeConnected alice', 'inboundNodeDisconnected alice goodbye peer'])
  await t.rejects(alice.disconnectWithNode('bob' as unknown as NodeConnection), {
    code: 'invalid-argument',
    message: 'connection must be a NodeConnection, got "bob"',
  })
})

t.test('a peer that is thrown out in the event of its coming is not dialled again', async (t) => {
  const world = new World(t)
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  const log = logOf(alice)
  alice.on('outboundNodeConnected', (connection) => void alice.disconnectWithNode(connection))
  await t.rejects(world.connect(alice, bob, { reconnect: true }), { code: 'connection-closed' })
  await world.pass(60_000)
  t.equal(log.filter((line) => line === 'outboundNodeConnected bob').length, 1)
})

t.test('a kept link comes back, whatever became of it', async (t) => {
  const world = new World(t, { latency: 5 })
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  const log = logOf(alice)
  const first = await world.connect(alice, bob, { reconnect: true })
  world.network.reset(alice.host, bob.host)
  await world.pass(1_000)
  t.equal(first.isUp, false)
  t.equal(alice.nodesOutbound.size, 1, 'it broke')
  await world.run(bob.stop())
  await world.pass(120_000)
  t.equal(alice.allNodes.size, 0)
  await bob.start()
  await world.pass(30_100)
  t.equal(alice.nodesOutbound.size, 1, 'the other node was away')
  world.network.cut(alice.host, bob.host)
  await world.pass(60_000)
  t.ok(log.includes('outboundNodeDisconnected bob timeout us'))
  world.network.heal(alice.host, bob.host)
  await world.pass(40_100)
  t.equal(alice.nodesOutbound.size, 1, 'the network was away')
  t.ok(log.some((line) => /^nodeReconnectionError \d+$/.test(line)))
})

t.test('who returns false from nodeReconnectionError makes it give up', async (t) => {
  class Patient extends Node {
    trials = 0
    override nodeReconnectionError(_host: string, _port: number, trials: number): boolean {
      this.trials = trials
      return trials < 3
    }
  }
  const world = new World(t)
  const node = await world.start<Patient>({}, Patient)
  await t.rejects(world.run(node.connectWithNode('10.9.9.9', 1, { reconnect: true })), {
    code: 'reconnect-stopped',
    message: 'gave up on 10.9.9.9:1 after 3 trials, as nodeReconnectionError asked',
    cause: { code: 'connect-failed' },
  })
  t.equal(node.trials, 3)
})

t.test('events tell of each connection once, at both ends, with who ended it', async (t) => {
  const world = new World(t)
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  const [ofAlice, ofBob] = [logOf(alice), logOf(bob)]
  await world.connect(alice, bob)
  await world.run(bob.stop())
  await world.pass(10)
  t.strictSame(ofAlice, ['outboundNodeConnected bob', 'outboundNodeDisconnected bob goodbye peer'])
  t.strictSame(ofBob, [
    'inboundNodeConnected alice',
    'nodeRequestToStop',
    'inboundNodeDisconnected alice goodbye us',
  ])
  await t.rejects(world.connect(alice, bob), { code: 'connect-failed', message: /nothing listens there/ })
  t.equal(ofAlice[2], 'outboundNodeConnectionError connect-failed')
})

t.test('in nodeRequestToStop a node can still say something', async (t) => {
  class Polite extends Node {
    override nodeRequestToStop(): void {
      void this.sendToNodes('bye')
    }
  }
  const world = new World(t)
  const [polite, bob] = [await world.start<Polite>({ id: 'polite' }, Polite), await world.start()]
  const log = logOf(bob)
  await world.connect(bob, polite)
  await world.run(polite.stop())
  await world.pass(10)
  t.strictSame(log.slice(1), ['nodeMessage polite "bye"', 'outboundNodeDisconnected polite goodbye peer'])
})

t.test('the sets of connections are copies that nobody can change the node by', async (t) => {
  const world = new World(t)
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  const connection = await world.connect(alice, bob)
  for (const set of [alice.allNodes, alice.nodesOutbound] as Set<NodeConnection>[]) {
    t.strictSame([...set], [connection])
    set.clear()
  }
  t.equal(alice.allNodes.size, 1)
  t.equal(alice.nodesInbound.size, 0)
  t.match(alice.stats(), { inbound: 0, outbound: 1, pending: 0 })
  for (const other of [...bob.allNodes]) t.equal(other.direction, 'inbound')
})

t.test('createNewConnection may return a class of the application', async (t) => {
  class Rated extends NodeConnection {
    rating = 5
  }
  class Rater extends Node {
    override createNewConnection(init: ConnectionInit): Rated {
      return new Rated(init)
    }
  }
  const world = new World(t)
  const [alice, bob] = [await world.start<Rater>({ id: 'alice' }, Rater), await world.start({ id: 'bob' })]
  const outbound = await world.connect(alice, bob)
  t.ok(outbound instanceof Rated)
  const [inbound] = [...bob.allNodes]
  t.notOk(inbound instanceof Rated)
  outbound.setInfo('name', 'Bob')
  t.equal(outbound.getInfo('name'), 'Bob')
})

t.test('connections are printed, and what happens where it is asked for', async (t) => {
  const world = new World(t)
  const [alice, bob] = [await world.start({ id: 'alice', debug: true }), await world.start({ id: 'bob' })]
  const debug = await written(t, 'stderr', async () => {
    await world.connect(bob, alice)
    await t.rejects(world.run(alice.connectWithNode('10.9.9.9', 1)))
  })
  const [inbound] = [...alice.allNodes]
  t.equal(
    debug,
    `alice inbound connection with bob at ${bob.host}:${inbound!.port}\n` +
      'alice cannot connect to 10.9.9.9:1: nothing listens there; is the other node started, on this host and port?\n',
  )
  const printed = await written(t, 'stdout', () => alice.printConnections())
  t.equal(printed, `alice has 1 connection\n  inbound  bob ${bob.host}:${inbound!.port}\n`)
  alice.debug = false
  t.equal(await written(t, 'stderr', () => world.run(bob.stop())), '')
  t.equal(await written(t, 'stdout', () => alice.printConnections()), 'alice has 0 connections\n')
})

t.test('debug output goes where a subclass sends it', async (t) => {
  const lines: string[] = []
  class Quiet extends Node {
    override debugPrint(text: string): void {
      lines.push(text)
    }
  }
  const world = new World(t)
  const node = await world.start<Quiet>({}, Quiet)
  await world.run(node.stop())
  t.strictSame(lines, [`listening at ${node.host}:8000`, 'stopped'])
  await turns(1)
})

t.test('a ping on demand measures the way to a peer', async (t) => {
  const world = new World(t)
  const alice = await world.start({ id: 'alice' })
  const bob = await world.start({ id: 'bob' })
  const connection = await world.run(alice.connectWithNode(bob.host, PORT))
  t.ok((await world.run(alice.ping(connection))) >= 0)
  t.ok(connection.latency)
  await t.rejects(alice.ping(5 as unknown as NodeConnection), {
    code: 'invalid-argument',
    message: 'connection must be a NodeConnection, got 5',
  })
  await world.run(alice.disconnectWithNode(connection))
  await t.rejects(alice.ping(connection), { code: 'connection-closed' })
})

t.test('what is left to be done at the end is done when nothing comes in any more', async (t) => {
  const order: string[] = []
  class Tidy extends Node {
    protected override async stopping(): Promise<void> {
      order.push(`stopping with ${this.links.size}`)
    }
    protected override peerDown(): void {
      order.push('down')
    }
    protected override async stopped(): Promise<void> {
      order.push(`stopped with ${this.links.size}, running: ${this.isRunning}`)
    }
  }
  const network = new MemoryNetwork()
  const node = new Tidy('127.0.0.1', 1, { transport: network.transport('127.0.0.1') })
  const peer = new Node('127.0.0.2', 1, { transport: network.transport('127.0.0.2') })
  t.teardown(() => peer.stop())
  await node.start()
  await peer.start()
  await peer.connectWithNode('127.0.0.1', 1)
  await node.stop()
  t.strictSame(order, ['stopping with 1', 'down', 'stopped with 0, running: false'])
  order.length = 0
  const other = new Tidy('127.0.0.2', 1, { transport: network.transport('127.0.0.2') })
  await t.rejects(other.start(), { code: 'listen-failed' })
  t.strictSame(order, ['stopping with 0', 'stopped with 0, running: false'], 'also where it could not start')
})
