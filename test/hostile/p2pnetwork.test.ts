// Bytes that no p2pnetwork node sends, to a node with that transport. Each costs the link that brought it, with a
// reason, and nobody else anything.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { deflateSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { Node } from '../../lib/node.ts'
import type { NodeConnection } from '../../lib/node-connection.ts'
import type { NodeOptions } from '../../lib/options/options.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { Random } from '../../lib/testing/random.ts'
import { P2pNetworkTransport } from '../../lib/transport/p2pnetwork.ts'
import { PACKED } from '../fixtures/packed.ts'

const HOST = '127.0.0.1'
const pack = (content: Uint8Array, name: string): string =>
  `${Buffer.concat([content, Buffer.from(name)]).toString('base64')}\u0002\u0004`

async function startNode(t: Test, options: NodeOptions = {}): Promise<Node> {
  const node = new Node(HOST, 0, { id: 'victim', transport: new P2pNetworkTransport(), ...options })
  t.teardown(() => node.stop())
  await node.start()
  return node
}

/** A raw socket that says an ID, and the node's connection with it. */
async function intrude(t: Test, node: Node, id = 'mallory:10002'): Promise<[Socket, NodeConnection]> {
  const socket = connect(node.port, HOST)
  t.teardown(() => socket.destroy())
  socket.on('error', () => {}).resume()
  const connected = once(node, 'inboundNodeConnected')
  socket.write(id)
  return [socket, ((await connected) as [NodeConnection])[0]]
}

/** Why the node has ended a connection that was not up yet. */
async function refusal(t: Test, node: Node, bytes: string | Uint8Array): Promise<string> {
  const socket = connect(node.port, HOST)
  t.teardown(() => socket.destroy())
  socket.on('error', () => {}).resume()
  const failed = once(node, 'inboundNodeConnectionError')
  socket.write(bytes)
  return ((await failed) as [Error])[0].message
}

t.test('an introduction that is none ends the link', async (t) => {
  const node = await startNode(t)
  for (const bytes of ['\u0004', 'hello\u0004', 'a\nb', 'x'.repeat(5_000), Uint8Array.of(0xff, 0xff)])
    t.match(await refusal(t, node, bytes), /bad-hello/)
  t.equal(node.allNodes.size, 0)
})

t.test('a node does not connect with itself, under any of its names', async (t) => {
  for (const id of ['alice', 'al:ice']) {
    const node = await startNode(t, { id })
    await t.rejects(node.connectWithNode(HOST, node.port), { code: 'self-connection' })
  }
})

t.test('an answer that is none rejects the dial', async (t) => {
  const node = await startNode(t)
  for (const answer of ['\u0004\u0004', 'cannot tell\u0004', 'x'.repeat(600)]) {
    const server = createServer((socket) => socket.on('error', () => {}).write(answer)).listen(0, HOST)
    await once(server, 'listening')
    t.teardown(() => server.close())
    await t.rejects(node.connectWithNode(HOST, (server.address() as AddressInfo).port), {
      code: 'handshake-failed',
      message: /bad-hello/,
    })
  }
})

t.test('whoever is silent is sent away in time', async (t) => {
  const node = await startNode(t, { handshakeTimeout: 100 })
  t.match(await refusal(t, node, ''), /handshake-timeout/)
})

t.test('a message is no larger than a frame, sent whole or in parts, plain or unfolding', async (t) => {
  const node = await startNode(t, { maxFrameBytes: 4_096 })
  const { bzip2, xz } = PACKED[4]!
  t.ok(bzip2.length + xz.length < 200, 'of 5,000 bytes')
  const attacks = [
    'x'.repeat(20_000),
    `${'x'.repeat(4_096)}\u0004`,
    pack(deflateSync(Buffer.alloc(1_000_000)), 'zlib'),
    pack(bzip2, 'bzip2'),
    pack(xz, 'lzma'),
  ]
  for (const attack of attacks) {
    const [socket, connection] = await intrude(t, node)
    socket.write(attack)
    await connection.closed
    t.match(connection.closeReason, { code: 'frame-too-large', by: 'us' })
  }
})

t.test('what is compressed and broken ends the link', async (t) => {
  const node = await startNode(t)
  for (const name of ['zlib', 'bzip2', 'lzma']) {
    const [socket, connection] = await intrude(t, node)
    socket.write(pack(Buffer.from('nonsense'), name))
    await connection.closed
    t.match(connection.closeReason, { code: 'bad-payload', by: 'us' })
  }
})

t.test('a message in drips must end in time, though pings are answered', async (t) => {
  const node = await startNode(t, { frameTimeout: 500 })
  const [socket, connection] = await intrude(t, node)
  socket.write('never')
  const dripping = setInterval(() => socket.write('x'), 100)
  await connection.closed
  clearInterval(dripping)
  t.match(connection.closeReason, { code: 'frame-timeout', by: 'us' })
})

t.test('empty messages are nothing, and many small ones all arrive', async (t) => {
  const node = await startNode(t)
  const [socket] = await intrude(t, node)
  const heard: unknown[] = []
  const all = new Promise<void>((resolve) => {
    node.on('nodeMessage', (_connection, data) => {
      heard.push(data)
      if (data === 'end') resolve()
    })
  })
  socket.write('\u0004'.repeat(100_000))
  for (let count = 0; count < 1_000; count++) socket.write('{"a":1}\u0004\u0004')
  socket.write('end\u0004')
  await all
  t.equal(heard.length, 1_001)
})

t.test('bombs within the limits leave others their turn, and all arrive', async (t) => {
  const node = await startNode(t)
  const bomb = pack(deflateSync(Buffer.alloc(1_000_000, 'x')), 'zlib')
  const [socket, connection] = await intrude(t, node)
  let count = 0
  const all = new Promise<void>((resolve) => {
    node.on('nodeMessage', () => {
      if (++count === 20) resolve()
    })
  })
  socket.end(bomb.repeat(20))
  await all
  await connection.closed
  t.equal(connection.closeReason?.code, 'lost', 'and the end comes after them')
})

t.test('random bytes only ever end a link with a code', async (t) => {
  const node = await startNode(t, { maxNewPerAddress: 10_000, maxFrameBytes: 4_096 })
  const random = new Random(11)
  for (let trial = 0; trial < 20; trial++) {
    const [socket, connection] = await intrude(t, node, `mallory-${trial}:10002`)
    for (let count = 0; count < 20; count++) socket.write(random.bytes(1 + random.below(4_000)))
    socket.end('\u0004')
    await connection.closed
    t.match(connection.closeReason?.code, /^(lost|frame-too-large|bad-payload)$/)
  }
  t.ok(node.isRunning)
})

t.test('a SecureNode refuses the transport, with or without encryption', async (t) => {
  for (const encryption of [true, false]) {
    const options = { transport: new P2pNetworkTransport(), encryption }
    t.throws(() => new SecureNode(HOST, 0, undefined, options), {
      code: 'invalid-option',
      message: /transport.*signed messages.*with Node/,
    })
  }
  t.throws(() => new P2pNetworkTransport({ idPattern: 'x' as unknown as RegExp }), { code: 'invalid-option' })
  t.throws(() => new P2pNetworkTransport({ unknown: 1 } as object), { code: 'invalid-option' })
})
