import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { connect as connectTls } from 'node:tls'
import t, { type Test } from 'tap'
import { Node } from '../../lib/node.ts'
import type { NodeConnection } from '../../lib/node-connection.ts'
import type { NodeOptions } from '../../lib/options/options.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { TcpTransport } from '../../lib/transport/tcp.ts'
import type { CloseReason } from '../../lib/wire/close-code.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import type { PlainData } from '../../lib/wire/payload.ts'
import { eventually } from '../fixtures/happenings.ts'
import { RawPeer } from '../fixtures/raw-peer.ts'

const HOST = '127.0.0.1'
const tcp = new TcpTransport()
const addresses = Object.values(networkInterfaces()).flat()
const noIpv6 = !addresses.some((address) => address?.address === '::1') && 'this machine has no IPv6'

/** A node that is started; it is stopped when the test ends. */
async function start(t: Test, options: NodeOptions = {}, host = HOST): Promise<Node> {
  const node = new Node(host, 0, options)
  t.teardown(() => node.stop())
  await node.start()
  return node
}

/** A server that does what the test wants; its port. */
async function serve(t: Test, server: Server): Promise<number> {
  server.listen(0, HOST)
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

async function freePort(t: Test): Promise<number> {
  const server = createServer()
  const port = await serve(t, server)
  server.close()
  await once(server, 'close')
  return port
}

/** The connection of a node and why it ended, once it has. */
function lost(node: Node): Promise<[connection: NodeConnection, reason: CloseReason]> {
  return once(node, 'inboundNodeDisconnected') as Promise<[NodeConnection, CloseReason]>
}

/** Sockets and servers that keep this process alive. */
const handles = () => process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'))

t.test('two nodes exchange text, JSON and bytes, in both directions', async (t) => {
  const [alice, bob] = [await start(t, { id: 'alice' }), await start(t, { id: 'bob' })]
  t.ok(alice.port > 0 && alice.port !== bob.port)
  const shown: unknown[][] = []
  for (const node of [alice, bob]) node.on('nodeMessage', ({ id }, data) => shown.push([id, data]))
  const connection = await alice.connectWithNode(HOST, bob.port)
  t.match(connection, { id: 'bob', direction: 'outbound', encrypted: false, port: bob.port, isUp: true })
  t.equal(bob.nodesInbound.size, 1, 'both ends are up')
  const sent: PlainData[] = ['text', { json: [1, null] }, Uint8Array.of(0, 255), 'z'.repeat(500_000)]
  for (const data of sent) {
    await alice.sendToNodes(data, { compression: 'brotli' })
    await bob.sendToNodes(data)
  }
  await eventually(() => shown.length === 2 * sent.length)
  t.strictSame(
    shown.filter(([id]) => id === 'alice').map(([, data]) => data),
    sent,
  )
  t.strictSame(
    shown.filter(([id]) => id === 'bob').map(([, data]) => data),
    sent,
  )
  t.ok((await connection.ping()) >= 0)
})

t.test('IPv6 works as well', { skip: noIpv6 }, async (t) => {
  const [alice, bob] = [await start(t, { id: 'alice' }, '::1'), await start(t, { id: 'bob' }, '::1')]
  const connection = await alice.connectWithNode('::1', bob.port)
  t.equal(connection.host, '::1')
  await t.rejects(alice.connectWithNode('::1', await freePort(t)), {
    message: /^cannot connect to \[::1\]:\d+: /,
  })
})

t.test('a port in use is an error, and so is an address that this machine has not', async (t) => {
  const alice = await start(t)
  const second = new Node(HOST, alice.port)
  await t.rejects(second.start(), {
    code: 'listen-failed',
    message: `cannot listen on ${HOST}:${alice.port}: another program uses this port; choose another, or 0 for any free one`,
    cause: { code: 'EADDRINUSE' },
  })
  await t.rejects(new Node('192.0.2.1', 0).start(), { code: 'listen-failed', message: /no such address/ })
  await alice.stop()
  await second.start()
  await second.stop()
})

t.test('what does not exist cannot be connected with, and it is told apart', async (t) => {
  const node = await start(t)
  const seen: string[] = []
  node.on('outboundNodeConnectionError', ({ code }, { host }) => seen.push(`${code} ${host}`))
  await t.rejects(node.connectWithNode(HOST, await freePort(t)), {
    code: 'connect-failed',
    message: /nothing listens there; is the other node started, on this host and port\?$/,
    cause: { code: 'ECONNREFUSED' },
  })
  await t.rejects(node.connectWithNode('no-such-host.invalid', 1), {
    code: 'connect-failed',
    message: 'cannot connect to no-such-host.invalid:1: the host name is not known',
  })
  t.strictSame(seen, [`connect-failed ${HOST}`, 'connect-failed no-such-host.invalid'])
})

t.test('a server that says nothing is given up after the time, or by a signal', async (t) => {
  const sockets: { destroyed: boolean; on(event: 'close', act: () => void): unknown }[] = []
  const port = await serve(
    t,
    createServer((socket) => sockets.push(socket.on('error', () => {}).resume())),
  )
  const node = await start(t)
  await t.rejects(node.connectWithNode(HOST, port, { timeout: 60 }), {
    code: 'connect-timeout',
    message: `no connection to ${HOST}:${port} within 60 ms`,
  })
  const controller = new AbortController()
  const dial = node.connectWithNode(HOST, port, { signal: controller.signal })
  await eventually(() => sockets.length === 2)
  controller.abort(new Error('enough'))
  await t.rejects(dial, { code: 'aborted', cause: { message: 'enough' } })
  await eventually(() => sockets.every(({ destroyed }) => destroyed))
  t.pass('nothing is left open')
})

t.test('a server that hangs up, or speaks another protocol, is told apart', async (t) => {
  const answers: [answer: string, message: RegExp][] = [
    ['', /hung up before the handshake was finished.*is a node of the same kind/],
    ['HTTP/1.1 400 Bad Request\r\n\r\n', /frame-too-large/],
    ['SSH-2.0-OpenSSH_9.6\r\n', /frame-too-large/],
    ['\0\0\0\0', /frame-empty/],
  ]
  const node = await start(t)
  for (const [answer, message] of answers) {
    const port = await serve(
      t,
      createServer((socket) => socket.on('error', () => {}).end(answer)),
    )
    await t.rejects(node.connectWithNode(HOST, port), { code: 'handshake-failed', message })
  }
})

t.test('a plain node and one that speaks TLS do not connect, in either direction', async (t) => {
  const plain = await start(t)
  const secure = new SecureNode(HOST, 0)
  t.teardown(() => secure.stop())
  await secure.start()
  await t.rejects(plain.connectWithNode(HOST, secure.port), { code: 'handshake-failed' })
  await t.rejects(secure.connectWithNode(HOST, plain.port), { code: 'handshake-failed' })
  const stranger = connectTls({ host: HOST, port: plain.port, rejectUnauthorized: false })
  const [error] = (await once(stranger, 'error')) as [Error]
  t.ok(error instanceof Error)
  t.equal(plain.allNodes.size + secure.allNodes.size, 0)
  await eventually(() => plain.stats().pending === 0)
})

t.test('signed and plain messages do not mix in the clear either', async (t) => {
  const plain = await start(t)
  const secure = new SecureNode(HOST, 0, undefined, { encryption: false })
  t.teardown(() => secure.stop())
  await secure.start()
  await t.rejects(plain.connectWithNode(HOST, secure.port), { message: /wrong-mode/ })
  await t.rejects(secure.connectWithNode(HOST, plain.port), { message: /wrong-mode/ })
})

// A peer in 8 lines, without this package: it becomes a peer, and then does nothing more.
const CHILD = `
const frame = (kind, text) => {
  const bytes = Buffer.from('    ' + String.fromCharCode(kind) + text)
  bytes.writeUInt32BE(bytes.length - 4)
  return bytes
}
const hello = { v: 1, mode: 'plain', net: 'default', id: 'child', time: Date.now(), nonce: 'ab'.repeat(32), listen: [], caps: [] }
const socket = require('node:net').connect(Number(process.argv[1]), '127.0.0.1')
socket.write(frame(1, JSON.stringify(hello)))
socket.write(frame(3, ''))
socket.on('data', () => {})
`

t.test('a process that is killed is noticed at once, and once', async (t) => {
  const node = await start(t)
  const log: string[] = []
  node.on('inboundNodeConnected', ({ id }) => log.push(`up ${id}`))
  node.on('inboundNodeDisconnected', ({ id }, { code, by }) => log.push(`down ${id} ${code} ${by}`))
  const child = spawn(process.execPath, ['-e', CHILD, String(node.port)], { stdio: 'ignore', env: {} })
  t.teardown(() => child.kill('SIGKILL'))
  await once(node, 'inboundNodeConnected')
  // Listened for before it happens: which of the two comes first is up to the system.
  const [down, exit] = [lost(node), once(child, 'exit')]
  child.kill('SIGKILL')
  const [connection] = await down
  await Promise.all([connection.closed, exit])
  await node.stop()
  t.strictSame(log, ['up child', 'down child lost network'])
})

t.test('a peer that only hangs up is lost', async (t) => {
  const node = await start(t)
  for (const end of ['end', 'destroy'] as const) {
    const peer = await RawPeer.dial(t, tcp, HOST, node.port, { hello: { mode: 'plain', id: end } })
    await peer.shakeHands()
    const down = lost(node)
    peer.channel[end]()
    t.match((await down)[1], { code: 'lost', by: 'network' })
  }
})

t.test('what was sent right before a stop arrives, and then a goodbye', async (t) => {
  const [alice, bob] = [await start(t, { id: 'alice' }), await start(t, { id: 'bob' })]
  const sizes: number[] = []
  bob.on('nodeMessage', (_connection, data) => sizes.push((data as string).length))
  await alice.connectWithNode(HOST, bob.port)
  const down = lost(bob)
  void alice.sendToNodes('a'.repeat(900_000))
  void alice.sendToNodes('b'.repeat(900_000))
  await alice.stop()
  t.match((await down)[1], { code: 'goodbye', by: 'peer' })
  t.strictSame(sizes, [900_000, 900_000])
})

t.test('a peer that does not read is closed with a reason, and the sender goes on', async (t) => {
  const node = await start(t, { maxQueueBytes: 2 ** 21, maxFrameBytes: 2 ** 20 })
  const peer = await RawPeer.dial(t, tcp, HOST, node.port, { hello: { mode: 'plain', id: 'lazy' } })
  await peer.shakeHands()
  peer.channel.pause()
  const down = lost(node)
  // The platform's own buffers take some of it.
  await eventually(() => {
    void node.sendToNodes(new Uint8Array(1_000_000))
    return node.allNodes.size === 0
  })
  t.match((await down)[1], { code: 'slow-peer', by: 'us' })
  t.strictSame(await node.sendToNodes('to nobody'), { peers: 0 })
})

t.test('many bytes with a paced sender arrive in order, and nobody is closed', async (t) => {
  const [alice, bob] = [await start(t, { id: 'alice' }), await start(t, { id: 'bob' })]
  const numbers: number[] = []
  bob.on('nodeMessage', (_connection, data) => numbers.push((data as Uint8Array)[0]!))
  const connection = await alice.connectWithNode(HOST, bob.port)
  for (let number = 0; number < 100; number++) await alice.sendToNodes(new Uint8Array(500_000).fill(number))
  await eventually(() => numbers.length === 100)
  t.strictSame(
    numbers,
    Array.from({ length: 100 }, (_, number) => number),
  )
  t.equal(connection.isUp, true)
})

t.test('a message that comes byte by byte in packets of its own is one message', async (t) => {
  const node = await start(t)
  const peer = await RawPeer.dial(t, tcp, HOST, node.port, { hello: { mode: 'plain', id: 'drip' } })
  await peer.shakeHands()
  const message = once(node, 'nodeMessage') as Promise<unknown[]>
  for (const byte of encodeFrame(Kind.text, new TextEncoder().encode('drip'))) {
    peer.channel.write(Uint8Array.of(byte))
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal((await message)[1], 'drip')
})

t.test('strangers that say nothing are dropped after their time', async (t) => {
  const node = await start(t, { handshakeTimeout: 50, maxPending: 4 })
  const errors: string[] = []
  node.on('inboundNodeConnectionError', (error) => errors.push(error.message))
  const strangers = [0, 1, 2].map(() =>
    connect(node.port, HOST)
      .on('error', () => {})
      .resume(),
  )
  await eventually(() => strangers.every(({ closed }) => closed))
  t.equal(errors.length, 2, 'one address has half of the places: the third was not even heard')
  t.match(errors[0], /^the handshake with 127\.0\.0\.1:\d+ failed: handshake-timeout$/)
  t.equal(node.stats().pending, 0)
})

t.test('a kept link comes back to a node that was restarted on its port', async (t) => {
  const first = new Node(HOST, 0, { id: 'server' })
  await first.start()
  const client = await start(t, { id: 'client', reconnectMin: 5, reconnectMax: 20 })
  await client.connectWithNode(HOST, first.port, { reconnect: true })
  await first.stop()
  const failed = once(client, 'nodeReconnectionError')
  await failed
  const second = new Node(HOST, first.port, { id: 'server' })
  t.teardown(() => second.stop())
  const back = once(second, 'inboundNodeConnected')
  await second.start()
  await back
  t.pass()
})

t.test('a stop leaves no socket and no server behind', async (t) => {
  const before = handles().length
  const nodes = [await start(t), await start(t), await start(t)]
  const silent = await serve(
    t,
    createServer((socket) => socket.on('error', () => {}).resume()),
  )
  await nodes[0]!.connectWithNode(HOST, nodes[1]!.port)
  await nodes[1]!.connectWithNode(HOST, nodes[2]!.port, { reconnect: true })
  const dial = t.rejects(nodes[2]!.connectWithNode(HOST, silent), { code: 'aborted' })
  const stranger = connect(nodes[0]!.port, HOST)
    .on('error', () => {})
    .resume()
  await once(stranger, 'connect')
  await Promise.all(nodes.map((node) => node.stop()))
  await dial
  await eventually(() => stranger.closed)
  // The silent server, and its end of the dial, are the test's own.
  await eventually(() => handles().length <= before + 2)
  t.pass()
})
