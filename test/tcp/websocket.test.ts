import { once } from 'node:events'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { Identity } from '../../lib/identity/identity.ts'
import { SecureNode, type SecureNodeOptions, WebSocketTransport } from '../../lib/index.ts'

const HOST = '127.0.0.1'

async function start(
  t: Test,
  options: SecureNodeOptions = {},
  identity = Identity.generate(),
): Promise<SecureNode> {
  const node = new SecureNode(HOST, 0, identity, options)
  await node.start()
  t.teardown(() => node.stop())
  return node
}

/** A node as a page is: it dials WebSockets. */
function startPage(t: Test): Promise<SecureNode> {
  const identity = Identity.generate()
  return start(t, { transport: new WebSocketTransport(identity) }, identity)
}

const heard = async (node: SecureNode): Promise<unknown> => (await once(node, 'nodeMessage'))[1]

t.test('pages and nodes are one network', async (t) => {
  const hub = await start(t, { websocket: { port: 0 } })
  const [node, page, other] = await Promise.all([start(t), startPage(t), startPage(t)])
  await node.connectWithNode(HOST, hub.port)
  for (const one of [page, other]) await one.connectWithNode(HOST, hub.websocketPort!)
  const link = [...page.allNodes][0]!
  t.equal(link.id, hub.id)
  t.ok(link.encrypted)
  t.equal(link.via, 'websocket')
  t.same([...hub.allNodes].map(({ via }) => via).sort(), ['tls', 'websocket', 'websocket'])
  const all = Promise.all([hub, node, other].map(heard))
  await page.sendToNodes({ text: 'from a page' })
  t.same(await all, Array(3).fill({ text: 'from a page' }))
  const back = Promise.all([hub, page, other].map(heard))
  await node.sendToNodes({ text: 'to pages' })
  t.same(await back, Array(3).fill({ text: 'to pages' }))
  for (const one of [hub, node, other]) t.equal(one.stats().received, one === hub || one === other ? 2 : 1)
})

t.test('the expected ID must be there', async (t) => {
  const hub = await start(t, { websocket: { port: 0 } })
  const page = await startPage(t)
  const { id } = Identity.generate()
  await t.rejects(page.connectWithNode(HOST, hub.websocketPort!, { expect: id }), {
    code: 'identity-mismatch',
  })
})

t.test('a port that is taken is said, and the node does not run', async (t) => {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const node = new SecureNode(HOST, 0, undefined, { websocket: { port } })
  await t.rejects(node.start(), { code: 'listen-failed' })
  t.notOk(node.isRunning)
})

t.test('stop() frees the port, and start() takes it again', async (t) => {
  const node = await start(t, { websocket: { port: 0 } })
  const port = node.websocketPort!
  await node.stop()
  t.equal(node.websocketPort, undefined)
  const [socket] = [connect(port, HOST)]
  await t.rejects(once(socket, 'connect'), { code: 'ECONNREFUSED' })
})

/** The status with which a request to open a WebSocket is answered; 101 if it is. */
async function statusOf(port: number, path: string, origin?: string): Promise<number> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.alloc(16).toString('base64'),
    ...(origin === undefined ? {} : { origin }),
  }
  const asked = request({ host: HOST, port, path, headers })
  asked.end()
  return new Promise((resolve, reject) => {
    asked.on('upgrade', (_response, socket) => (socket.destroy(), resolve(101)))
    asked.on('response', (response) => (response.resume(), resolve(response.statusCode!)))
    asked.on('error', reject)
  })
}

t.test('only pages that may connect do', async (t) => {
  const usual = (await start(t, { websocket: { port: 0 } })).websocketPort!
  t.equal(await statusOf(usual, '/'), 101, 'a program')
  t.equal(await statusOf(usual, '/', 'http://localhost:3000'), 101)
  t.equal(await statusOf(usual, '/', 'http://[::1]'), 101)
  for (const origin of ['https://example.org', 'http://localhost.example.org', 'null', 'nonsense'])
    t.equal(await statusOf(usual, '/', origin), 403, origin)
  t.equal(await statusOf(usual, '/other'), 404)
  const origins = ['https://example.org']
  const narrow = (await start(t, { websocket: { port: 0, origins, path: '/net' } })).websocketPort!
  t.equal(await statusOf(narrow, '/net', 'https://example.org'), 101)
  t.equal(await statusOf(narrow, '/net', 'https://example.org.evil.example'), 403)
  t.equal(await statusOf(narrow, '/net', 'http://localhost'), 403)
  const open = (await start(t, { websocket: { port: 0, origins: '*' } })).websocketPort!
  t.equal(await statusOf(open, '/', 'https://example.org'), 101)
})

t.test('who opens no WebSocket is told so', async (t) => {
  const { websocketPort } = await start(t, { websocket: { port: 0 } })
  const response = await fetch(`http://${HOST}:${websocketPort!}/`)
  t.equal(response.status, 426)
  t.match(await response.text(), /WebSockets/)
})

t.test('strangers get nothing and keep nothing', async (t) => {
  const hub = await start(t, { websocket: { port: 0 }, handshakeTimeout: 400 })
  const port = hub.websocketPort!
  const failure = async (): Promise<unknown> => once(hub, 'inboundNodeConnectionError')
  const cases: [string, (socket: WebSocket) => void][] = [
    ['text', (socket) => socket.send('hello')],
    ['noise of random bytes', (socket) => socket.send(Buffer.alloc(192, 7))],
    ['too short', (socket) => socket.send(Buffer.alloc(3))],
    ['too long', (socket) => socket.send(Buffer.alloc(70_000))],
    ['silence', () => {}],
    ['leaving', (socket) => socket.terminate()],
  ]
  for (const [title, attack] of cases) {
    const failed = failure()
    const socket = new WebSocket(`ws://${HOST}:${port}/`)
    socket.on('error', () => {})
    await once(socket, 'open')
    const closed = once(socket, 'close')
    attack(socket)
    await Promise.all([failed, closed])
    t.pass(title)
  }
  const failed = failure()
  const raw = connect(port, HOST)
  raw.on('error', () => {})
  raw.write('GET / HTTP/1.1\r\nHost: x\r\n')
  await failed
  t.pass('half a request')
  t.equal(hub.stats().pending, 0)
  t.equal(hub.allNodes.size, 0)
})
