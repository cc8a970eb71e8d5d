import t, { type Test } from 'tap'
import { once } from 'node:events'
import type { NodeCallback } from '../../lib/events.ts'
import { Node, type SendOptions } from '../../lib/node.ts'
import type { NodeConnection } from '../../lib/node-connection.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import type { PlainData } from '../../lib/wire/payload.ts'
import { logOf, PORT, World } from '../fixtures/world.ts'

/** Two nodes that are connected, and what the second one is shown. */
async function makePair(t: Test, options: ConstructorParameters<typeof Node>[2] = {}) {
  const world = new World(t)
  const given = typeof options === 'function' ? {} : options
  const alice = await world.start({ id: 'alice', ...given })
  const bob = await world.start({ id: 'bob', ...given })
  const shown: PlainData[] = []
  bob.on('nodeMessage', (_connection, data) => shown.push(data))
  const connection = await world.connect(alice, bob)
  return { world, alice, bob, shown, connection }
}

for (const compression of [undefined, 'deflate', 'brotli'] as const) {
  t.test(
    `text, JSON and bytes arrive as what they were sent as; compression ${compression ?? 'off'}`,
    async (t) => {
      const { world, alice, shown, connection } = await makePair(t)
      const sent: PlainData[] = [
        'text',
        '',
        '{"not":"JSON"}',
        { a: [1, null, 'x'.repeat(5_000)] },
        [],
        null,
        5,
        false,
      ]
      sent.push(Uint8Array.of(1, 2, 3), new Uint8Array(3_000))
      for (const data of sent) {
        t.strictSame(await alice.sendToNodes(data, { compression }), { peers: 1 })
        t.strictSame(await alice.sendToNode(connection, data, { compression }), { peers: 1 })
      }
      await world.pass(10)
      t.strictSame(
        shown,
        sent.flatMap((data) => [data, data]),
      )
    },
  )
}

t.test('messages arrive in the order in which they were sent, whatever was awaited', async (t) => {
  const { world, alice, shown } = await makePair(t)
  const sent = Array.from({ length: 500 }, (_, number) => number)
  for (const number of sent)
    void alice.sendToNodes(number, number % 3 === 0 ? { compression: 'deflate' } : {})
  await world.pass(10)
  t.strictSame(shown, sent)
})

t.test('a message goes to every peer but those that are excluded', async (t) => {
  const world = new World(t)
  const hub = await world.start({ id: 'hub' })
  const logs: string[][] = []
  for (const id of ['one', 'two', 'three']) {
    const node = await world.start({ id })
    await world.connect(node, hub)
    logs.push(logOf(node))
  }
  const [one, two, three] = [...hub.allNodes]
  t.strictSame(await hub.sendToNodes('a', { exclude: [two!] }), { peers: 2 })
  t.strictSame(await hub.sendToNodes('b', { exclude: new Set([one!, two!, three!]) }), { peers: 0 })
  t.strictSame(await hub.sendToNodes('c', { exclude: [] }), { peers: 3 })
  t.strictSame(await hub.sendToNode(three!, 'd'), { peers: 1 })
  await world.pass(10)
  const say = (text: string) => `nodeMessage hub "${text}"`
  t.strictSame(logs, [[say('a'), say('c')], [say('c')], [say('a'), say('c'), say('d')]])
})

t.test('a message to nobody is no error', async (t) => {
  const world = new World(t)
  const alice = await world.start()
  t.strictSame(await alice.sendToNodes('is anybody there?'), { peers: 0 })
})

t.test('nothing is relayed', async (t) => {
  const world = new World(t)
  const [left, middle, right] = [
    await world.start(),
    await world.start({ id: 'middle' }),
    await world.start(),
  ]
  await world.connect(left, middle)
  await world.connect(right, middle)
  const log = logOf(right)
  await left.sendToNodes('hello')
  await world.pass(100)
  t.strictSame(log, [])
})

t.test('messages are counted once, whatever the number of peers', async (t) => {
  const { world, alice, bob, connection } = await makePair(t)
  await world.connect(alice, await world.start())
  await alice.sendToNodes('to both')
  await alice.sendToNode(connection, 'to one')
  await world.pass(10)
  t.match(alice.stats(), { sent: 2, received: 0, outbound: 2 })
  t.match(bob.stats(), { sent: 0, received: 2, inbound: 1 })
  await t.rejects(alice.sendToNodes(1n), { code: 'invalid-payload' })
  t.match(alice.stats(), { sent: 2 }, 'what was not sent is not counted')
})

t.test('what cannot be sent is refused, and costs no connection', async (t) => {
  const { alice, connection } = await makePair(t, { maxFrameBytes: 5_000 })
  for (const send of [
    (data: unknown, options?: SendOptions) => alice.sendToNodes(data, options),
    (data: unknown, options?: SendOptions) => alice.sendToNode(connection, data, options),
  ]) {
    await t.rejects(send(undefined), {
      code: 'invalid-payload',
      message: 'data cannot be sent: it is undefined',
    })
    await t.rejects(send({ at: new Date() }), {
      code: 'invalid-payload',
      message: /^data\.at cannot be sent/,
    })
    await t.rejects(send('x'.repeat(5_000)), { code: 'message-too-large' })
    await t.rejects(send('x', { compression: 'zip' as 'brotli' }), { code: 'invalid-argument' })
    await t.rejects(send('x', { exlude: [] } as SendOptions), { code: 'invalid-option' })
    await t.rejects(send('x', null as unknown as SendOptions), { code: 'invalid-argument' })
  }
  t.equal(connection.isUp, true)
})

t.test('over a connection that has ended nothing is sent', async (t) => {
  const { world, alice, bob, connection } = await makePair(t)
  await world.run(bob.stop())
  await world.pass(10)
  await t.rejects(alice.sendToNode(connection, 'late'), {
    code: 'connection-closed',
    message: 'the connection is closed: goodbye',
  })
})

t.test('a payload that is not what its kind says costs the link that brought it', async (t) => {
  const odd: [kind: number, payload: string | Uint8Array, code: string][] = [
    [Kind.json, '{', 'bad-payload'],
    [Kind.json, '{"__proto__":1}', 'bad-payload'],
    [Kind.text, Uint8Array.of(0xff), 'bad-payload'],
    [Kind.compressed, Uint8Array.of(9, Kind.text), 'bad-payload'],
    [Kind.message, '{}', 'unexpected-frame'],
    [Kind.hello, '{}', 'unexpected-frame'],
    [Kind.proof, '', 'unexpected-frame'],
    [Kind.welcome, '', 'unexpected-frame'],
    [0x00, '', 'unexpected-frame'],
    [0xff, 'x', 'unexpected-frame'],
  ]
  const world = new World(t)
  const node = await world.start({ id: 'node', maxNewPerAddress: 1_000 })
  const friend = await world.start({ id: 'friend' })
  await world.connect(friend, node)
  const log = logOf(node)
  for (const [index, [kind, payload, code]] of odd.entries()) {
    const peer = await world.rawUp(node, `peer-${index}`)
    peer.say(kind, payload)
    t.equal(await world.run(peer.closed()), code)
    t.equal(log.at(-1), `inboundNodeDisconnected peer-${index} ${code} us`)
  }
  t.notOk(log.some((line) => line.startsWith('nodeMessage')))
  t.equal(node.allNodes.size, 1, 'the others notice nothing')
})

t.test('a peer that does not read is closed, and the others get everything', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'node', maxFrameBytes: 70_000, maxQueueBytes: 400_000 })
  const friend = await world.start({ id: 'friend', maxFrameBytes: 70_000 })
  await world.connect(friend, node)
  const lazy = await world.rawUp(node, 'lazy')
  lazy.channel.pause()
  const log = logOf(node)
  let received = 0
  friend.on('nodeMessage', () => received++)
  for (let count = 0; count < 20; count++) {
    await world.run(node.sendToNodes('x'.repeat(60_000)))
    await world.pass(1)
  }
  t.equal(received, 20)
  t.strictSame(log, ['inboundNodeDisconnected lazy slow-peer us'])
})

t.test('a sender is paced by the middle of its peers', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'node' })
  const lazy = await Promise.all(['a', 'b'].map((id) => world.rawUp(node, id)))
  for (const peer of lazy) peer.channel.pause()
  const friend = await world.start()
  await world.connect(friend, node)
  let isSent = false
  const sent = node.sendToNodes('x'.repeat(300_000)).then(() => (isSent = true))
  await world.pass(100)
  t.equal(isSent, false, 'two of three have not read')
  lazy[0]!.channel.resume()
  await world.pass(100)
  t.equal(isSent, true)
  await sent
  const [toLazy] = [...node.allNodes].filter(({ id }) => id === 'b')
  let isSentToOne = false
  void node.sendToNode(toLazy!, 'x').then(() => (isSentToOne = true))
  await world.pass(100)
  t.equal(isSentToOne, false, 'a message for one waits for that one')
  await world.run(node.stop())
  t.equal(isSentToOne, true, 'and its end ends the waiting')
})

t.test('a subclass overrides methods named like the events', async (t) => {
  class Chat extends Node {
    readonly lines: string[] = []
    override inboundNodeConnected(connection: NodeConnection): void {
      this.lines.push(`${connection.id} came`)
    }
    override nodeMessage(connection: NodeConnection, data: PlainData): void {
      this.lines.push(`${connection.id}: ${JSON.stringify(data)}`)
    }
    override inboundNodeDisconnected(connection: NodeConnection): void {
      this.lines.push(`${connection.id} left`)
    }
  }
  const world = new World(t)
  const [chat, bob] = [await world.start<Chat>({ id: 'chat' }, Chat), await world.start({ id: 'bob' })]
  const connection = await world.connect(bob, chat)
  await bob.sendToNodes('hi')
  await world.pass(10)
  await world.run(bob.disconnectWithNode(connection))
  t.strictSame(chat.lines, ['bob came', 'bob: "hi"', 'bob left'])
})

t.test('one callback hears everything, with the connection it is about', async (t) => {
  const world = new World(t)
  const bob = await world.start({ id: 'bob' })
  const calls: unknown[][] = []
  const callback: NodeCallback<Node> = (event, node, connectedNode, data) => {
    calls.push([event, node.id, connectedNode?.id, data])
  }
  const transport = world.network.transport('10.5.5.5')
  const node = new Node('10.5.5.5', PORT, { id: 'alice', transport, clock: world.clock }, callback)
  world.nodes.push(node)
  await node.start()
  await world.connect(node, bob)
  await bob.sendToNodes({ hello: 1 })
  await world.pass(10)
  await t.rejects(world.run(node.connectWithNode('10.9.9.9', 1)))
  await world.run(node.stop())
  t.match(calls, [
    ['outboundNodeConnected', 'alice', 'bob', undefined],
    ['nodeMessage', 'alice', 'bob', { hello: 1 }],
    [
      'outboundNodeConnectionError',
      'alice',
      undefined,
      [{ code: 'connect-failed' }, { host: '10.9.9.9', port: 1 }],
    ],
    ['nodeRequestToStop', 'alice', undefined, undefined],
    ['outboundNodeDisconnected', 'alice', 'bob', { code: 'goodbye', by: 'us' }],
  ])
  t.equal(calls.length, 5)
})

t.test('events can be awaited', async (t) => {
  const { alice, bob, world } = await makePair(t)
  const message = once(bob, 'nodeMessage') as Promise<unknown[]>
  await alice.sendToNodes('hi')
  t.equal((await world.run(message))[1], 'hi')
})

t.test('a handler that throws harms neither the node nor the connection', async (t) => {
  const { world, alice, bob, shown } = await makePair(t)
  const errors: string[] = []
  bob.on('handlerError', (error, event) => errors.push(`${event} ${(error as Error).message}`))
  bob.on('nodeMessage', (_connection, data) => {
    throw new Error(`no ${data as string}`)
  })
  await alice.sendToNodes('one')
  await alice.sendToNodes('two')
  await world.pass(10)
  t.strictSame(shown, ['one', 'two'])
  t.strictSame(errors, ['nodeMessage no one', 'nodeMessage no two'])
  t.equal(bob.allNodes.size, 1)
})

t.test('a handler may stop its own node', async (t) => {
  const { world, alice, bob } = await makePair(t)
  bob.on('nodeMessage', () => void bob.stop())
  const log = logOf(alice)
  await alice.sendToNodes('one')
  await alice.sendToNodes('two')
  await world.pass(10)
  t.equal(bob.isRunning, false)
  t.strictSame(log, ['outboundNodeDisconnected bob goodbye peer'])
})

t.test('names that a stranger chose reach no emitter and no prototype', async (t) => {
  const world = new World(t)
  const node = await world.start({ id: 'node' })
  for (const id of ['error', 'constructor', 'toString', 'hasOwnProperty']) await world.rawUp(node, id)
  const peers = [...node.allNodes].map(({ id }) => id)
  t.strictSame(peers, ['error', 'constructor', 'toString', 'hasOwnProperty'])
  const odd = await world.raw(node, '__proto__')
  await odd.introduce().catch(() => {})
  t.equal(await world.run(odd.closed()), 'bad-hello')
})

t.test('ping measures a peer, and a dead one is found', async (t) => {
  const world = new World(t, { latency: 15 })
  const [alice, bob] = [await world.start({ id: 'alice' }), await world.start({ id: 'bob' })]
  const connection = await world.connect(alice, bob)
  t.equal(await world.run(connection.ping()), 30)
  const log = logOf(alice)
  world.network.cut(alice.host, bob.host)
  await world.pass(44_000)
  t.equal(alice.allNodes.size, 1)
  await world.pass(2_500)
  t.strictSame(log, ['outboundNodeDisconnected bob timeout us'])
  t.equal(bob.allNodes.size, 0, 'the other end finds out as well')
})

t.test('a frame is followed to its very end', async (t) => {
  const { world, bob } = await makePair(t)
  const peer = await world.rawUp(bob, 'drip')
  const frame = encodeFrame(Kind.text, new TextEncoder().encode('drip by drip'))
  const log = logOf(bob)
  for (const byte of frame) {
    peer.channel.write(Uint8Array.of(byte))
    await world.pass(1_000)
  }
  t.strictSame(log, ['nodeMessage drip "drip by drip"'])
  peer.channel.write(frame.subarray(0, 5))
  await world.pass(32_000)
  t.equal(log[1], 'inboundNodeDisconnected drip frame-timeout us')
})
