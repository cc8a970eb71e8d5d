import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t, { type Test } from 'tap'
import { Node } from '../../lib/node.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { MemoryNetwork } from '../../lib/transport/memory.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { eventually } from '../fixtures/happenings.ts'

const HOSTS = ['10.0.0.1', '10.0.0.2'] as const
const NAMES = ['connect', 'send', 'receive', 'reject', 'request'] as const
type Heard = Record<(typeof NAMES)[number], Record<string, unknown>[]>

function listen(t: Test): Heard {
  const heard: Heard = { connect: [], send: [], receive: [], reject: [], request: [] }
  for (const name of NAMES) {
    const listener = (message: unknown): void => void heard[name].push(message as Record<string, unknown>)
    subscribe(`secure-node:${name}`, listener)
    t.teardown(() => unsubscribe(`secure-node:${name}`, listener))
  }
  return heard
}

t.test('what signed nodes do is published, as it is documented', async (t) => {
  const network = new MemoryNetwork()
  const [one, two] = HOSTS.map(
    (host) => new SecureNode(host, 8_000, undefined, { transport: network.transport(host) }),
  )
  await one!.start()
  await two!.start()
  t.teardown(() => Promise.all([one!.stop(), two!.stop()]))
  const heard = listen(t)
  const link = await one!.connectWithNode(two!.host, two!.port)
  await eventually(() => heard.connect.length === 2)
  t.strictSame(Object.keys(heard.connect[0]!), ['node', 'connection'])
  t.ok(heard.connect.some(({ node, connection }) => node === one && connection === link))

  const { id } = await one!.sendToNodes({ text: 'hi' }, { type: 'chat' })
  t.strictSame(heard.send, [{ node: one, id, type: 'chat', peers: 1 }])
  await eventually(() => heard.receive.length === 1)
  t.strictSame(Object.keys(heard.receive[0]!), ['node', 'connection', 'data', 'message'])
  t.match(heard.receive[0], { data: { text: 'hi' }, message: { id, type: 'chat' } })
  t.equal(heard.receive[0]!['node'], two)

  two!.handle('sum', ({ data }) => (data as number[]).reduce((a, b) => a + b))
  t.match(await one!.request(two!.id, 'sum', [1, 2]), { data: 3 })
  t.strictSame(heard.request, [{ node: one, to: two!.id, type: 'sum' }])

  link.sendFrame(encodeFrame(Kind.message, Buffer.from('{}')))
  await eventually(() => heard.reject.length === 1)
  t.strictSame(Object.keys(heard.reject[0]!), ['node', 'connection', 'refusal'])
  t.match(heard.reject[0], { refusal: { code: /^bad-/ } })
  t.equal(heard.reject[0]!['node'], two)
})

t.test('a plain node publishes what it has', async (t) => {
  const network = new MemoryNetwork()
  const [one, two] = HOSTS.map(
    (host) => new Node(host, 8_000, { id: host, transport: network.transport(host) }),
  )
  await one!.start()
  await two!.start()
  t.teardown(() => Promise.all([one!.stop(), two!.stop()]))
  const heard = listen(t)
  const link = await one!.connectWithNode(two!.host, two!.port)
  await one!.sendToNodes('to all')
  await one!.sendToNode(link, 'to one')
  t.match(heard.send, [{ peers: 1 }, { peers: 1 }])
  await eventually(() => heard.receive.length === 2)
  t.match(heard.receive, [{ data: 'to all' }, { data: 'to one' }])
})
