import { connect } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { signMessage } from '../../lib/message/draft.ts'
import type { SecureNodeOptions } from '../../lib/options/options.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import type { StatusEvent } from '../../lib/status/status-event.ts'
import type { StatusSource } from '../../lib/status/status-port.ts'
import { StatusServer } from '../../lib/status/status-server.ts'
import { MAX_STATUS_BODY, MAX_STREAMS } from '../../lib/limits/status-limits.ts'
import { systemClock } from '../../lib/ground/clock.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { eventually } from '../fixtures/happenings.ts'
import { parseMetrics } from '../fixtures/prometheus.ts'
import { ask, type Place, Stream } from '../fixtures/status-client.ts'

const HOST = '127.0.0.1'

async function start(t: Test, options: SecureNodeOptions = {}, key?: Identity): Promise<SecureNode> {
  const node = new SecureNode(HOST, 0, key, options)
  await node.start()
  t.teardown(() => node.stop())
  return node
}

const placeOf = (node: SecureNode): Place => node.statusInterface!

async function watched(t: Test, status: object = {}): Promise<{ node: SecureNode; place: Place }> {
  const node = await start(t, { status: { port: 0, ...status } })
  return { node, place: placeOf(node) }
}

/** Asks as `POST /send` wants it. */
const send = (place: Place, body: unknown, headers: Record<string, string> = {}) =>
  ask(place, '/send', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })

t.test('without the option, nothing listens and nothing is heard', async (t) => {
  const node = await start(t)
  t.equal(node.statusInterface, undefined)
  t.equal(node.listenerCount('rejected'), 0)
})

t.test('it is there from start to stop, and on this machine alone', async (t) => {
  const node = new SecureNode(HOST, 0, undefined, { status: { port: 0 } })
  t.equal(node.statusInterface, undefined)
  await node.start()
  const place = placeOf(node)
  t.match(place, { host: HOST, token: /^[\w-]{43}$/ })
  t.equal(node.statusInterface!.url, `http://${HOST}:${place.port}/#token=${place.token}`)
  t.equal((await ask(place, '/status')).status, 200)
  await node.stop()
  t.equal(node.statusInterface, undefined)
  await t.rejects(ask(place, '/status'), { code: 'ECONNREFUSED' })
  await node.start()
  t.equal(placeOf(node).port > 0, true, 'and again after a restart')
  await node.stop()
})

t.test('a port that is taken is found out before the node is there', async (t) => {
  const { place } = await watched(t)
  const node = new SecureNode(HOST, 0, undefined, { status: { port: place.port } })
  await t.rejects(node.start(), { code: 'listen-failed' })
  t.equal(node.isRunning, false)
  const { port } = await start(t)
  const other = new SecureNode(HOST, port, undefined, { status: { port: 0 } })
  await t.rejects(other.start(), { code: 'listen-failed' })
  t.equal(other.statusInterface, undefined, 'nor is it left behind where the node itself could not start')
})

t.test('who does not show the token learns nothing', async (t) => {
  const { place } = await watched(t, { send: true })
  for (const path of ['/status', '/events', '/metrics', '/graph', '/send', '/nothing']) {
    const bare = await ask(place, path, { bare: true })
    t.match(bare, { status: 401, headers: { 'www-authenticate': 'Bearer' } }, path)
    t.strictSame(Object.keys(JSON.parse(bare.body)), ['error', 'text'])
    const wrong = await ask({ ...place, token: 'x'.repeat(43) }, path)
    t.equal(wrong.status, 401, path)
  }
  t.equal((await ask(place, `/status?token=${place.token}`, { bare: true })).status, 200)
  const form = {
    method: 'POST',
    bare: true,
    headers: { 'content-type': 'application/json' },
    body: '{"data":1}',
  } as const
  t.equal((await ask(place, `/send?token=${place.token}`, form)).status, 401, 'to send, in the header alone')
})

t.test('a page of another name is refused, whatever it shows', async (t) => {
  const { place } = await watched(t)
  for (const host of ['evil.example', `evil.example:${place.port}`, '127.0.0.1.evil.example']) {
    const reply = await ask(place, '/status', { headers: { host } })
    t.equal(reply.status, 403, host)
    t.equal(JSON.parse(reply.body).error, 'foreign-host')
  }
  t.equal((await ask(place, '/status', { headers: { host: 'localhost:1' } })).status, 200)
})

t.test('no answer may be kept, framed, or read by other sites', async (t) => {
  const { place } = await watched(t)
  const headers = { origin: 'http://evil.example' }
  for (const path of ['/status', '/metrics', '/nothing']) {
    const reply = await ask(place, path, { headers })
    t.match(reply.headers, {
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'content-security-policy': /^default-src 'none'/,
    })
    t.notOk(
      Object.keys(reply.headers).some((name) => name.startsWith('access-control')),
      path,
    )
  }
  t.equal((await ask(place, '/status', { method: 'OPTIONS', headers })).status, 405)
})

t.test('each thing is asked for in its own way', async (t) => {
  const { place } = await watched(t)
  t.match(await ask(place, '/status', { method: 'POST', body: '{}' }), {
    status: 405,
    headers: { allow: 'GET, HEAD' },
  })
  t.match(await ask(place, '/send'), { status: 405, headers: { allow: 'POST' } })
  t.match(await ask(place, '/status', { method: 'HEAD' }), { status: 200, body: '' })
  t.match(await ask(place, '/events', { method: 'HEAD' }), { status: 405 })
  for (const path of [
    '/',
    '/index.html',
    '/../package.json',
    '/%2e%2e/package.json',
    '//status',
    '/status/',
  ]) {
    t.equal((await ask(place, path)).status, 404, path)
  }
})

t.test('it reads, and changes nothing, unless that is asked for', async (t) => {
  const { node, place } = await watched(t)
  t.match(await send(place, { data: 1 }), { status: 403, body: /"read-only"/ })
  t.equal(node.stats().sent, 0)
  t.equal(JSON.parse((await ask(place, '/status')).body).send, false)
})

t.test('a message is sent in the name of the node', async (t) => {
  const { node, place } = await watched(t, { send: true })
  const other = await start(t)
  await other.connectWithNode(HOST, node.port)
  const arrived = once(other, 'nodeMessage')
  const reply = await send(place, { type: 'chat', data: { text: 'hi' }, node: node.id })
  t.equal(reply.status, 200)
  const [, data, message] = await arrived
  t.strictSame(data, { text: 'hi' })
  t.match(message, { type: 'chat', from: node.id, id: JSON.parse(reply.body).id })
})

t.test('what cannot be sent is refused with the reason', async (t) => {
  const { node, place } = await watched(t, { send: true })
  const bad: unknown[] = [
    ...['', 'x', '[]', 'null', '1', '{}', '{"data":', '{"type":"chat"}'],
    { data: 1, to: ['x'] },
    { data: 1, type: 1 },
    { data: 1, type: 'no blanks' },
    { data: 1, node: 'nobody' },
    { data: { ['__proto__x']: 1 }, type: '' },
    '{"data":{"__proto__":1}}',
  ]
  for (const body of bad) t.equal((await send(place, body)).status, 400, JSON.stringify(body))
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  for (const type of [form, { 'content-type': 'text/plain' }, { 'content-type': 'application/jsonx' }]) {
    t.equal((await send(place, { data: 1 }, type)).status, 415)
  }
  const long = 'x'.repeat(MAX_STATUS_BODY)
  t.match(await send(place, { data: long }), { status: 413, headers: { connection: 'close' } })
  const chunked = await send(place, { data: long }, { 'transfer-encoding': 'chunked' })
  t.equal(chunked.status, 413, 'also where no length was announced')
  t.equal(node.stats().sent, 0)
})

t.test('the snapshot shows the node and its links', async (t) => {
  const { node, place } = await watched(t)
  const other = await start(t)
  const link = await other.connectWithNode(HOST, node.port)
  await eventually(() => node.allNodes.size === 1)
  await other.ping(link)
  const { v, nodes } = JSON.parse((await ask(place, '/status')).body)
  t.equal(v, 1)
  t.match(nodes, [{ node: node.id, host: HOST, port: node.port, net: 'default', cacheLimit: 262_144 }])
  t.match(nodes[0].links, [
    {
      peer: other.id,
      direction: 'inbound',
      encrypted: true,
      via: 'tls',
      temporary: false,
      tree: 'eager',
      peerTree: 'eager',
    },
  ])
  t.strictSame(Object.keys(nodes[0].stats), Object.keys(node.stats()))
})

t.test('events tell of links, and of messages with their way', async (t) => {
  const { node: middle, place } = await watched(t)
  const [left, right] = [await start(t), await start(t)]
  const stream = await Stream.open(t, place)
  await stream.find('snapshot', ({ node }) => node === middle.id)
  const link = await left.connectWithNode(HOST, middle.port)
  await right.connectWithNode(HOST, middle.port)
  for (const { id } of [left, right]) {
    await stream.find(
      'link',
      ({ peer, isNew, direction }) => peer === id && isNew === true && direction === 'inbound',
    )
  }
  const { id } = await left.sendToNodes({ text: 'hello' }, { type: 'chat' })
  const message = await stream.find('message', (event) => event.id === id)
  t.match(message, {
    node: middle.id,
    author: left.id,
    type: 'chat',
    verdict: 'delivered',
    from: left.id,
    to: [right.id],
    sentTo: 1,
    preview: '{"text":"hello"}',
  })
  const own = await middle.sendToNodes('mine')
  t.match(await stream.find('message', (event) => event.id === own.id), { verdict: 'sent', sentTo: 2 })
  const secret = await left.sendToNodes('for right alone', { to: [right.id], seal: true })
  const sealed = await stream.find('message', (event) => event.id === secret.id)
  t.match(sealed, { verdict: 'relayed', sealed: true, addressees: 1 })
  t.notOk('preview' in sealed)
  await left.disconnectWithNode(link)
  t.match(await stream.find('unlink', ({ peer }) => peer === left.id), { code: 'goodbye', by: 'peer' })
  t.match(await stream.find('figures'), { figures: { cacheLimit: 262_144 } })
  await middle.stop()
  await stream.find('gone')
  await eventually(() => stream.isOver)
})

t.test('a refusal is told with its code and its link', async (t) => {
  const { node, place } = await watched(t)
  const identity = Identity.generate()
  const attacker = await start(t, {}, identity)
  const link = await attacker.connectWithNode(HOST, node.port)
  const stream = await Stream.open(t, place)
  await stream.find('snapshot')
  const old = await signMessage({ data: 1, time: Date.now() - 400_000 }, identity)
  link.sendFrame(encodeFrame(Kind.message, Buffer.from(old)))
  t.match(await stream.find('refused'), {
    code: 'stale',
    from: attacker.id,
    author: attacker.id,
    type: 'message',
  })
  link.sendFrame(encodeFrame(Kind.message, Buffer.from('{"not":"signed"}')))
  t.match(await stream.find('refused', ({ code }) => code !== 'stale'), { from: attacker.id })
  await stream.find('unlink')
})

t.test('who was cut off goes on where it was', async (t) => {
  const { node, place } = await watched(t)
  const first = await Stream.open(t, place)
  await first.find('snapshot')
  await node.sendToNodes('one')
  await first.find('message')
  const second = await Stream.open(t, place, { 'last-event-id': first.ids[0]! })
  const { id } = await second.find('message')
  t.equal(second.events[0]!.kind, 'message', 'no second snapshot')
  t.equal(id, (await first.find('message')).id)
})

t.test('while nobody reads, the node does nothing for it', async (t) => {
  const { node, place } = await watched(t)
  t.equal(node.listenerCount('rejected'), 0)
  await ask(place, '/status')
  t.equal(node.listenerCount('rejected'), 0)
  const stream = await Stream.open(t, place)
  await stream.find('snapshot')
  t.equal(node.listenerCount('rejected'), 1)
  await node.stop()
  t.equal(node.listenerCount('rejected'), 0)
})

t.test('there is room for so many streams', async (t) => {
  const { place } = await watched(t)
  const streams = await Promise.all(Array.from({ length: MAX_STREAMS }, () => Stream.open(t, place)))
  await Promise.all(streams.map((stream) => stream.find('snapshot')))
  t.match(await ask(place, '/events'), { status: 503, body: /"too-many-clients"/ })
  t.equal((await ask(place, '/status')).status, 200, 'the rest goes on')
})

t.test('the metrics are what Prometheus reads', async (t) => {
  const { node, place } = await watched(t)
  await node.sendToNodes('one')
  const reply = await ask(place, '/metrics')
  t.equal(reply.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  const sent = parseMetrics(reply.body).find(({ name }) => name === 'secure_node_messages_sent_total')
  t.strictSame(sent, { name: 'secure_node_messages_sent_total', labels: { node: node.id }, value: 1 })
})

t.test('the network is shown as it answers', async (t) => {
  const { node, place } = await watched(t)
  const other = await start(t)
  await other.connectWithNode(HOST, node.port)
  await eventually(() => node.allNodes.size === 1)
  const map = JSON.parse((await ask(place, '/graph')).body)
  t.match(map, { asker: node.id, size: 2, isComplete: true, silent: [] })
  t.strictSame(map.nodes.map(({ id }: { id: string }) => id).sort(), [node.id, other.id].sort())
})

/** A node that says whatever a test wants. */
function talker() {
  let tell: ((event: StatusEvent) => void) | undefined
  const source: StatusSource = {
    id: 'a',
    clock: systemClock,
    status: () => ({ node: 'a', links: [] }) as never,
    watch: (teller) => {
      tell = teller
      return () => (tell = undefined)
    },
    graph: () => Promise.reject(new Error('no\nnetwork')),
    send: () => Promise.reject(new Error('no')),
  }
  const text = 'x'.repeat(10_000)
  const say = (): void =>
    tell?.({ kind: 'unlink', peer: 'b', code: 'lost', by: 'us', text, at: 1, node: 'a' })
  return { source, say, isWatched: () => tell !== undefined }
}

t.test('who does not read is cut off, and nobody else notices', async (t) => {
  const { source, say } = talker()
  const server = new StatusServer([source], { port: 0 })
  const place = await server.open()
  t.teardown(() => server.close())
  const slow = connect(place.port, HOST)
  slow.on('error', () => {})
  const head = `GET /events HTTP/1.1\r\nHost: ${HOST}\r\nAuthorization: Bearer ${place.token}\r\n\r\n`
  slow.write(head)
  await once(slow, 'readable')
  const quick = await Stream.open(t, place)
  // What the system holds for a reader, at both ends, comes on top of what waits here.
  for (let round = 0; round < 400 && !slow.destroyed; round++) {
    for (let at = 0; at < 10; at++) say()
    await eventually(() => quick.events.length >= 1 + 10 * (round + 1))
  }
  slow.resume()
  await once(slow, 'close')
  t.pass('the slow one is gone')
  t.notOk(quick.isOver)
  t.equal(quick.events.length, 4_001)
})

t.test('what the node cannot do is said in one line, and ends nothing', async (t) => {
  const { source } = talker()
  const server = new StatusServer([source], { port: 0, send: true, token: 'a-token-of-the-test' })
  const place = await server.open()
  t.teardown(() => server.close())
  t.equal(place.token, 'a-token-of-the-test')
  const graph = await ask(place, '/graph')
  t.strictSame([graph.status, JSON.parse(graph.body)], [500, { error: 'failed', text: 'no\\u{a}network' }])
  t.equal((await send(place, { data: 1 })).status, 500)
})

t.test('requests that are none harm nobody', async (t) => {
  const { place } = await watched(t)
  const hostile = [
    'GET',
    'GET / HTTP/9.9\r\n\r\n',
    '\u0000\u0001',
    `GET http://[ HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
    `GET /status HTTP/1.1\r\n\r\n`,
    `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`,
  ]
  for (const text of hostile) {
    const socket = connect(place.port, HOST)
    socket.on('error', () => {})
    socket.end(text)
    socket.resume()
    await once(socket, 'close')
  }
  t.equal((await ask(place, '/status')).status, 200)
})

t.test('stopping waits for nobody who does not read', async (t) => {
  const { node, place } = await watched(t)
  const idle = connect(place.port, HOST)
  idle.on('error', () => {})
  await once(idle, 'connect')
  const stream = await Stream.open(t, place)
  await stream.find('snapshot')
  await node.stop()
  idle.resume()
  if (!idle.destroyed) await once(idle, 'close')
  t.pass('and leaves nothing open')
})
