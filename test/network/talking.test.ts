// Talking to one node of a network, wherever it is.
import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import type { Json } from '../../lib/message/canonical.ts'
import type { SignedMessage } from '../../lib/message/message.ts'
import type { SecureNode } from '../../lib/secure-node.ts'
import { type SimulatedNodeOptions, VirtualNetwork } from '../../lib/testing/index.ts'

interface Shown {
  readonly node: SecureNode
  readonly data: Json
  readonly message: SignedMessage
}

/** A network in which everybody knows the first node's address. */
async function join(t: Test, count: number, options: SimulatedNodeOptions = {}, seed = 5) {
  const network = new VirtualNetwork({ seed, signatures: 'real' })
  t.teardown(() => network.stop())
  const nodes = await network.addNodes(count, options)
  const address = network.address(nodes[0]!)
  await network.run(Promise.all(nodes.slice(1).map((node) => node.join(address))))
  const shown: Shown[] = []
  for (const node of nodes)
    node.on('nodeMessage', (_link, data, message) => void shown.push({ node, data, message }))
  return { network, nodes, shown }
}

/** A line of nodes that look for no others. */
async function line(t: Test, count: number, options: SimulatedNodeOptions = { advertise: false }) {
  const network = new VirtualNetwork({ seed: 3, signatures: 'real' })
  t.teardown(() => network.stop())
  const nodes = await network.addNodes(count, options)
  for (let at = 1; at < count; at++) await network.connect(nodes[at]!, nodes[at - 1]!)
  const shown: Shown[] = []
  for (const node of nodes)
    node.on('nodeMessage', (_link, data, message) => void shown.push({ node, data, message }))
  return { network, nodes, shown }
}

t.test('the way to a node', async (t) => {
  t.test('is the link that there is', async (t) => {
    const { network, nodes, shown } = await line(t, 3)
    const [first, second] = nodes as [SecureNode, SecureNode]
    t.match(await network.run(first.sendTo(second.id, 'hello')), { way: 'link', to: second.id, peers: 1 })
    await network.settle()
    t.match(shown, [{ node: second, data: 'hello', message: { from: first.id, to: [second.id] } }])
    t.equal(shown.length, 1)
  })

  t.test('goes through relays where no address is known, and nobody else is shown it', async (t) => {
    const { network, nodes, shown } = await line(t, 5)
    const [first, last] = [nodes[0]!, nodes.at(-1)!]
    t.match(await network.run(first.sendTo(last.id, 'far away')), { way: 'relay' })
    await network.settle()
    t.match(shown, [{ node: last, data: 'far away' }])
    t.equal(shown.length, 1)
  })

  t.test('is an address that is known: the connection is a temporary one, and ends', async (t) => {
    const { network, nodes, shown } = await join(t, 30)
    await network.advance(120_000)
    const [first] = nodes as [SecureNode]
    const links = new Set([...first.allNodes].map(({ id }) => id))
    const other = nodes.find(({ id }) => id !== first.id && !links.has(id) && first.peerBook.has(id))!
    t.match(await network.run(first.sendTo(other.id, 'direct')), { way: 'address', peers: 1 })
    await network.settle()
    t.match(shown, [{ node: other, data: 'direct' }])
    t.match(await network.run(first.sendTo(other.id, 'again')), { way: 'link' })
    t.notOk(
      [...first.allNodes].some(({ id }) => id === other.id),
      'it is no peer',
    )
    await network.advance(60_000)
    t.match(await network.run(first.sendTo(other.id, 'later')), { way: 'address' }, 'the link had ended')
    t.match(await network.run(first.sendTo(other.id, 'stay', { connection: 'lasting' })), { way: 'link' })
    t.ok(
      [...first.allNodes].some(({ id }) => id === other.id),
      'now it is',
    )
  })

  t.test('is looked up where it is not known', async (t) => {
    const { network, nodes, shown } = await join(t, 30)
    await network.advance(30_000)
    const visitor = await network.addNode({ advertise: false })
    visitor.on('nodeMessage', (_link, data, message) => void shown.push({ node: visitor, data, message }))
    await network.connect(visitor, nodes[0]!)
    const target = nodes.find(({ id }) => !visitor.peerBook.has(id))!
    t.match(await network.run(visitor.sendTo(target.id, 'found you')), { way: 'lookup' })
    await network.settle()
    t.match(shown, [{ node: target, data: 'found you' }])
    // The visitor tells nobody where it is: the answer comes through the link, or through relays.
    target.handle('who', ({ from }) => `you are ${from.slice(0, 8)}`)
    t.match(await network.run(visitor.request(target.id, 'who', null)), {
      data: `you are ${visitor.id.slice(0, 8)}`,
    })
  })

  t.test('to nobody, from nobody, is an error', async (t) => {
    const network = new VirtualNetwork({ seed: 1 })
    t.teardown(() => network.stop())
    const lonely = await network.addNode()
    await t.rejects(network.run(lonely.sendTo(Identity.generate().id, 'hello?')), { code: 'unreachable' })
    await t.rejects(lonely.sendTo('nobody', 'hello?'), { code: 'invalid-argument' })
    await t.rejects(lonely.sendTo(`01${'00'.repeat(31)}`, 'everybody'), { code: 'invalid-argument' })
    await t.rejects(lonely.sendTo(Identity.generate().id, 1, { connection: 'for ever' as never }), {
      code: 'invalid-argument',
    })
    await t.rejects(lonely.sendTo(Identity.generate().id, 1, { to: [] } as never), { code: 'invalid-option' })
  })

  t.test('by address', async (t) => {
    const { network, nodes, shown } = await line(t, 1)
    const [node] = nodes as [SecureNode]
    const visitor = await network.addNode({ advertise: false })
    const sent = await network.run(visitor.sendToAddress(network.address(node), 'knock', { expect: node.id }))
    t.match(sent, { way: 'address', to: node.id, peers: 1 })
    await network.settle()
    t.match(shown, [{ node, data: 'knock' }])
    t.equal(visitor.allNodes.size, 0)
    const bytes = Uint8Array.of(1, 2)
    const sending = visitor.sendToAddress(network.address(node), 'again', { bytes })
    bytes.fill(9)
    await network.run(sending)
    await network.settle()
    t.match(shown.at(-1), { data: 'again', message: { bytes: Uint8Array.of(1, 2) } }, 'as it was given')
    const wrong = visitor.sendToAddress(network.address(node), 'knock', { expect: Identity.generate().id })
    await t.rejects(network.run(wrong), { code: 'identity-mismatch' })
    await t.rejects(visitor.sendToAddress('no address', 1), {
      code: 'invalid-argument',
      message: /^an address must be "host:port"/,
    })
  })
})

t.test('requests', async (t) => {
  t.test('are answered through relays, by whoever was asked', async (t) => {
    const { network, nodes } = await line(t, 4)
    const [first, last] = [nodes[0]!, nodes.at(-1)!]
    last.handle('add', ({ data }) => (data as number) + 1)
    const answer = await network.run(first.request(last.id, 'add', 41))
    t.match(answer, { data: 42, from: last.id, bounces: [] })
  })

  t.test('may be passed on, and both are proven', async (t) => {
    const { network, nodes } = await line(t, 4)
    const [alice, bob, , carol] = nodes as [SecureNode, SecureNode, SecureNode, SecureNode]
    bob.handle('add', (incoming) => incoming.bounce(carol.id))
    carol.handle('add', ({ data }) => (data as number) + 1)
    t.match(await network.run(alice.request(bob.id, 'add', 1)), {
      data: 2,
      from: carol.id,
      bounces: [bob.id],
    })
  })

  t.test('stream any number of answers', async (t) => {
    const { network, nodes } = await line(t, 3)
    const [first, , last] = nodes as [SecureNode, SecureNode, SecureNode]
    last.handle('count', async function* ({ data }) {
      for (let at = 0; at < (data as number); at++) yield at
    })
    const got: Json[] = []
    const read = async (): Promise<void> => {
      for await (const { data } of first.requestStream(last.id, 'count', 100)) got.push(data)
    }
    await network.run(read())
    t.strictSame(
      got,
      Array.from({ length: 100 }, (_, at) => at),
    )
  })

  t.test('without a handler fail with a code, and a handler’s own failure is an event there', async (t) => {
    const { network, nodes } = await line(t, 2)
    const [first, second] = nodes as [SecureNode, SecureNode]
    await t.rejects(network.run(first.request(second.id, 'unknown', 1)), { code: 'request-failed' })
    const errors: unknown[] = []
    second.on('handlerError', (error, event) => void errors.push([(error as Error).message, event]))
    second.handle('fail', () => {
      throw new Error('a secret of the inside')
    })
    const error = await network.run(
      first.request(second.id, 'fail', 1).catch((cause: unknown) => cause as Error),
    )
    t.match(error, { code: 'request-failed' })
    t.notMatch((error as Error).message, /secret/)
    t.match(errors, [['a secret of the inside', /fail/]])
  })

  t.test('that nobody answers end with their time, and are let go when the node stops', async (t) => {
    const { network, nodes } = await line(t, 2)
    const [first, second] = nodes as [SecureNode, SecureNode]
    second.handle('never', () => new Promise(() => {}))
    await t.rejects(network.run(first.request(second.id, 'never', 1, { timeout: 5_000 })), {
      code: 'request-timeout',
    })
    const pending = first.request(second.id, 'never', 1).catch((error: unknown) => error)
    await network.advance(100)
    await network.run(first.stop())
    t.match(await pending, { code: 'not-started' })
  })
})

t.test('a visitor hears from whom its request was passed on to', async (t) => {
  const { network, nodes } = await line(t, 2)
  const [bob, carol] = nodes as [SecureNode, SecureNode]
  const visitor = await network.addNode({ advertise: false })
  await network.run(visitor.connectWithNode(bob.host, bob.port, { temporary: true }))
  bob.handle('where', (incoming) => incoming.bounce(carol.id))
  carol.handle('where', () => 'here')
  t.match(await network.run(visitor.request(bob.id, 'where', null)), { data: 'here', from: carol.id })
})

t.test('a node that was stopped and started again asks and answers as before', async (t) => {
  const { network, nodes } = await line(t, 2)
  const [first, second] = nodes as [SecureNode, SecureNode]
  second.handle('add', ({ data }) => (data as number) + 1)
  await network.run(first.request(second.id, 'add', 1))
  await network.run(first.stop())
  await network.run(second.stop())
  await first.start()
  await second.start()
  await network.connect(first, second)
  t.match(await network.run(first.request(second.id, 'add', 2)), { data: 3 })
  t.match(first.stats().requests, { pending: 0, dropped: {} })
})

t.test('what is sent is what was given, whatever becomes of it while a way is found', async (t) => {
  const { network, nodes, shown } = await line(t, 3)
  const payload = { words: ['first'] }
  const bytes = Uint8Array.of(1, 2)
  const sending = nodes[0]!.sendTo(nodes[2]!.id, payload, { bytes })
  payload.words[0] = 'changed'
  bytes.fill(9)
  await network.run(sending)
  await network.settle()
  t.match(shown, [{ data: { words: ['first'] }, message: { bytes: Uint8Array.of(1, 2) } }])
  await t.rejects(nodes[0]!.sendTo(nodes[2]!.id, { when: new Date() }), { code: 'invalid-payload' })
  await t.rejects(nodes[0]!.sendTo(nodes[2]!.id, 1, { relay: 'yes' as never }), { code: 'invalid-argument' })
})

t.test('a handler hears plain messages of its type, too', async (t) => {
  const { network, nodes, shown } = await line(t, 2)
  const [first, second] = nodes as [SecureNode, SecureNode]
  const heard: unknown[] = []
  second.handle('news', ({ data, from, isRequest }) => void heard.push([data, from, isRequest]))
  await network.run(first.sendToNodes('today', { type: 'news' }))
  await network.settle()
  t.strictSame(heard, [['today', first.id, false]])
  t.equal(shown.length, 1)
  t.ok(second.unhandle('news'))
  t.notOk(second.unhandle('news'))
})

t.test('bytes', async (t) => {
  t.test('travel beside the data, through relays', async (t) => {
    const { network, nodes, shown } = await line(t, 3)
    const bytes = Uint8Array.from({ length: 600_000 }, (_, at) => at % 251)
    await network.run(nodes[0]!.sendToNodes({ name: 'picture' }, { bytes }))
    await network.settle()
    t.equal(shown.length, 2)
    for (const { message } of shown) {
      t.strictSame(message.data, { name: 'picture' })
      t.ok(Buffer.from(message.bytes!).equals(bytes))
    }
  })

  t.test('alone are a message without data', async (t) => {
    const { network, nodes, shown } = await line(t, 2)
    await network.run(nodes[0]!.sendToNodes(Uint8Array.of(1, 2, 3)))
    await network.settle()
    t.match(shown, [{ data: null, message: { bytes: Uint8Array.of(1, 2, 3), attachment: { size: 3 } } }])
  })
})

t.test('what is sealed', async (t) => {
  t.test('is read by its addressees alone, and relayed by those who cannot', async (t) => {
    const { network, nodes, shown } = await line(t, 4)
    const [first, relay, , last] = nodes as [SecureNode, SecureNode, SecureNode, SecureNode]
    const secret = { word: 'swordfish' }
    await network.run(first.sendToNodes(secret, { seal: [last.id], bytes: Uint8Array.of(7) }))
    await network.settle()
    t.match(shown, [
      { node: last, data: secret, message: { sealed: true, bytes: Uint8Array.of(7), data: secret } },
    ])
    t.equal(shown.length, 1)
    t.notMatch(shown[0]!.message.document, /swordfish/)
    t.equal(relay.explain(shown[0]!.message.id)?.verdict, 'relayed')
  })

  t.test('works for one node, for a request and its answer', async (t) => {
    const { network, nodes, shown } = await line(t, 3)
    const [first, , last] = nodes as [SecureNode, SecureNode, SecureNode]
    await network.run(first.sendTo(last.id, 'psst', { seal: true }))
    await network.settle()
    t.match(shown, [{ node: last, data: 'psst', message: { sealed: true } }])
    last.handle('secret', ({ data, message }) => `${data as string} ${String(message.sealed)}`)
    const answer = await network.run(first.request(last.id, 'secret', 'hush', { seal: true }))
    t.equal(answer.data, 'hush true')
    t.notMatch(answer.document, /hush/)
  })

  t.test('needs somebody to be sealed for', async (t) => {
    const { nodes } = await line(t, 2)
    const [first, second] = nodes as [SecureNode, SecureNode]
    await t.rejects(first.sendToNodes(1, { seal: true }), { code: 'invalid-argument' })
    await t.rejects(first.sendToNodes(1, { seal: [] }), { code: 'invalid-argument' })
    await t.rejects(first.sendToNodes(1, { seal: [second.id], to: [second.id] }), {
      code: 'invalid-argument',
    })
    await t.rejects(first.sendToNodes(1, { seal: 'me' as never }), { code: 'invalid-argument' })
  })
})
