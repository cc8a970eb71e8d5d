// Messages whose types are known: what does not fit is not sent, and reaches nobody; the network does not suffer from it.
import t, { type Test } from 'tap'
import { z } from 'zod'
import type { Clock } from '../../lib/ground/clock.ts'
import type { SecureNodeOptions } from '../../lib/options/options.ts'
import type { Refusal } from '../../lib/relay/relay-port.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { VirtualNetwork } from '../../lib/testing/index.ts'
import type { Schema } from '../../lib/typing/standard-schema.ts'
import type { TypeMap } from '../../lib/typing/type-map.ts'

const types = {
  chat: z.object({ text: z.string().max(20) }),
  add: { request: z.object({ n: z.number() }), answer: z.number().max(100) },
  since: z.string().transform((text) => new Date(text)),
  when: { request: z.null(), answer: z.string().transform((text) => new Date(text)) },
}
type Typed = SecureNode<typeof types>

/** What happened at one node. */
interface Seen {
  readonly shown: unknown[]
  readonly refused: Refusal[]
  readonly errors: unknown[]
}

/** A line of nodes, the last ones of which know the types; all of them look for no others. */
async function line(
  t: Test,
  untyped: number,
  typed: number,
  options: SecureNodeOptions = {},
  map: TypeMap = types,
) {
  const network = new VirtualNetwork({ seed: 21, signatures: 'real', node: { advertise: false, ...options } })
  t.teardown(() => network.stop())
  const plain = await network.addNodes(untyped)
  const strict = await network.addNodes(typed, { types: map })
  const nodes = [...plain, ...strict]
  for (let at = 1; at < nodes.length; at++) await network.connect(nodes[at]!, nodes[at - 1]!)
  const seen = new Map<unknown, Seen>(nodes.map((node) => [node, watch(node)]))
  return { network, plain, strict: strict as unknown as Typed[], seen: (node: unknown) => seen.get(node)! }
}

function watch(node: SecureNode): Seen {
  const seen: Seen = { shown: [], refused: [], errors: [] }
  node.on('nodeMessage', (_link, data) => void seen.shown.push(data))
  node.on('rejected', (_link, refusal) => void seen.refused.push(refusal))
  node.on('handlerError', (error) => void seen.errors.push(error))
  return seen
}

t.test('what does not fit is not signed, however it is sent', async (t) => {
  const { network, strict } = await line(t, 0, 2)
  const [alice, bob] = strict as [Typed, Typed]
  const [link] = alice.allNodes
  const { signed } = network.stats
  const wrong = { text: 42 } as never
  const refusal = { code: 'invalid-content', message: /"chat" does not fit its schema: data\.text: / }
  await t.rejects(alice.sendToNodes(wrong, { type: 'chat' }), refusal)
  await t.rejects(alice.sendToNode(link!, wrong, { type: 'chat' }), refusal)
  await t.rejects(alice.sendTo(bob.id, wrong, { type: 'chat' }), refusal)
  await t.rejects(alice.sendTo(bob.id, wrong, { type: 'chat', seal: true }), refusal)
  await t.rejects(alice.sendToPeerBook(wrong, { type: 'chat' }), refusal)
  await t.rejects(alice.request(bob.id, 'add', wrong), { code: 'invalid-content', message: /request.*"add"/ })
  await network.settle()
  t.equal(network.stats.signed, signed)
  // The connection comes first here, and with it signatures of its own.
  await t.rejects(network.run(alice.sendToAddress(network.address(bob), wrong, { type: 'chat' })), refusal)
  t.equal(alice.stats().sent, 0)
  t.match(await network.run(alice.sendToNodes({ text: 'right' }, { type: 'chat' })), { peers: 1 })
})

t.test(
  'what comes and does not fit is shown to nobody, counted, explained and relayed; nobody is blamed',
  async (t) => {
    const { network, plain, strict, seen } = await line(t, 2, 2)
    const [mallory, relay] = plain as [SecureNode, SecureNode]
    const [bob, carol] = strict as [Typed, Typed]
    const heard: unknown[] = []
    for (const node of [bob, carol]) node.handle('chat', ({ data }) => void heard.push(data))
    const { id } = await network.run(
      mallory.sendToNodes({ text: 'a text that is far too long' }, { type: 'chat' }),
    )
    await network.settle()
    t.same(seen(relay).shown.length, 1, 'who knows nothing of the type is shown it')
    for (const node of [bob, carol]) {
      t.strictSame(seen(node).shown, [])
      t.match(seen(node).refused, [
        { code: 'invalid-content', id, from: mallory.id, type: 'chat', text: /^data\.text: .*20/ },
      ])
      t.equal(seen(node).refused.length, 1)
      t.strictSame(node.stats().refused, { 'invalid-content': 1 })
      t.match(node.explain(id), { id, verdict: 'invalid-content', from: mallory.id, type: 'chat' })
    }
    t.match(bob.explain(id), { via: relay.id, relayedTo: [carol.id], relays: 1 })
    t.equal(bob.allNodes.size, 2, 'its links are all there')
    t.strictSame(heard, [])
    await network.run(mallory.sendToNodes({ text: 'short' }, { type: 'chat' }))
    await network.run(mallory.sendToNodes({ text: [] }, { type: 'other' }))
    await network.settle()
    t.strictSame(heard, [{ text: 'short' }, { text: 'short' }])
    for (const node of [bob, carol]) t.strictSame(seen(node).shown, [{ text: 'short' }, { text: [] }])
  },
)

t.test(
  'what a schema makes of a content is what the application gets; what was signed stays as it was',
  async (t) => {
    const { network, plain, strict } = await line(t, 1, 1)
    const [bob] = strict as [Typed]
    const date = new Date('2026-01-02T03:04:05Z')
    const heard: unknown[] = []
    bob.handle('since', ({ data, message }) => void heard.push(data, message.data))
    bob.on('nodeMessage', (_link, data, message) => void heard.push(data, message.data))
    await network.run(plain[0]!.sendToNodes('2026-01-02T03:04:05Z', { type: 'since' }))
    await network.settle()
    const pair = [date, '2026-01-02T03:04:05Z']
    t.strictSame(heard, [...pair, ...pair])
  },
)

t.test('requests and answers', async (t) => {
  t.test('are checked at both ends', async (t) => {
    const { network, strict } = await line(t, 0, 3)
    const [alice, , carol] = strict as [Typed, Typed, Typed]
    carol.handle('add', ({ data }) => data.n + 1)
    carol.handle('when', () => '2026-01-02T03:04:05Z')
    t.equal((await network.run(alice.request(carol.id, 'add', { n: 41 }))).data, 42)
    t.strictSame(
      (await network.run(alice.request(carol.id, 'when', null))).data,
      new Date('2026-01-02T03:04:05Z'),
      'the asker gets what its schema makes of the answer',
    )
  })

  t.test('a question that does not fit reaches no handler, and its asker is told', async (t) => {
    const { network, plain, strict, seen } = await line(t, 1, 1)
    const [mallory] = plain as [SecureNode]
    const [bob] = strict as [Typed]
    const asked: unknown[] = []
    bob.handle('add', ({ data }) => asked.push(data))
    for (const data of [null, { n: '41' }, [41], 'x'.repeat(1_000)]) {
      await t.rejects(network.run(mallory.request(bob.id, 'add', data)), {
        code: 'request-failed',
        answer: { code: 'invalid-content' },
      })
    }
    const stream = mallory.requestStream(bob.id, 'add', {})[Symbol.asyncIterator]()
    await t.rejects(network.run(stream.next()), { code: 'request-failed' })
    t.strictSame(asked, [])
    t.strictSame(seen(bob).errors, [], 'that is no error of the application')
    t.equal(bob.allNodes.size, 1)
    t.equal((await network.run(mallory.request(bob.id, 'add', { n: 0 }))).data, 1)
    t.strictSame(asked, [{ n: 0 }])
  })

  t.test(
    'an answer that does not fit is the fault of who gives it, and is told to its own application',
    async (t) => {
      const { network, strict, seen } = await line(t, 0, 2)
      const [alice, bob] = strict as [Typed, Typed]
      bob.handle('add', ({ data }) => data.n + 1)
      await t.rejects(network.run(alice.request(bob.id, 'add', { n: 100 })), {
        code: 'request-failed',
        answer: { code: 'handler-error' },
      })
      t.match(seen(bob).errors, [{ code: 'invalid-content', message: /answer.*"add"/ }])
    },
  )

  t.test(
    'an answer of somebody without types is checked where it arrives, each part of it too',
    async (t) => {
      const { network, plain, strict } = await line(t, 1, 1)
      const [mallory] = plain as [SecureNode]
      const [bob] = strict as [Typed]
      mallory.handle('add', async function* ({ data }) {
        yield* [1, 2, (data as { n: number }).n]
      })
      mallory.handle('when', () => 5)
      await t.rejects(network.run(bob.request(mallory.id, 'when', null)), {
        code: 'invalid-content',
        message: /answer.*"when"/,
      })
      const parts: number[] = []
      const read = async (n: number): Promise<void> => {
        for await (const { data } of bob.requestStream(mallory.id, 'add', { n })) parts.push(data)
      }
      await network.run(read(3))
      await t.rejects(network.run(read(101)), { code: 'invalid-content' })
      t.strictSame(parts, [1, 2, 3, 1, 2])
    },
  )

  t.test('that are passed on are checked by whoever answers', async (t) => {
    const { network, plain, strict } = await line(t, 1, 2)
    const [mallory] = plain as [SecureNode]
    const [bob, carol] = strict as [Typed, Typed]
    mallory.handle('add', (incoming) => incoming.bounce(carol.id))
    carol.handle('add', ({ data }) => data.n + 1)
    t.match(await network.run(bob.request(mallory.id, 'add', { n: 1 })), { data: 2, from: carol.id })
  })
})

/** A schema that takes its time: as many ms as the content says. Odd ones do not fit. */
function slow(clock: () => Clock): Schema<number, string> {
  const validate = (value: unknown): Promise<{ value: string } | { issues: [{ message: string }] }> =>
    new Promise((resolve) => {
      const result =
        (value as number) % 2 === 0
          ? { value: `${String(value)} ms` }
          : { issues: [{ message: 'odd' }] as [{ message: string }] }
      clock().setTimer(() => resolve(result), value as number)
    })
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

t.test('schemas that take their time keep the order, also with types that have none', async (t) => {
  const time: { clock?: Clock } = {}
  const map = { slow: slow(() => time.clock!) }
  const { network, plain, strict, seen } = await line(t, 1, 2, {}, map)
  time.clock = network.clock
  const [alice] = plain as [SecureNode]
  for (const ms of [800, 2, 401, 40, 0, 301, 200]) {
    await network.run(alice.sendToNodes(ms, { type: 'slow' }))
    await network.run(alice.sendToNodes(`after ${ms}`))
  }
  await network.advance(3_000)
  const expected = [800, 2, 401, 40, 0, 301, 200].flatMap((ms) =>
    ms % 2 === 0 ? [`${ms} ms`, `after ${ms}`] : [`after ${ms}`],
  )
  for (const node of strict) {
    t.strictSame(seen(node).shown, expected)
    t.match(seen(node).refused, [
      { code: 'invalid-content', text: 'data: odd' },
      { code: 'invalid-content', text: 'data: odd' },
    ])
  }
})

t.test('a schema that throws, or gives nonsense, lets nothing pass, and costs nobody a link', async (t) => {
  const validate = (value: unknown): never => {
    if (value === 'throw') throw new Error('a secret of the inside\n')
    return (value === 'reject' ? Promise.reject(new Error('no')) : {}) as never
  }
  const map: TypeMap = { odd: { '~standard': { version: 1, vendor: 'test', validate } } }
  const { network, plain, strict, seen } = await line(t, 1, 2, {}, map)
  for (const data of ['throw', 'reject', 'nonsense']) {
    await network.run(plain[0]!.sendToNodes(data, { type: 'odd' }))
  }
  await network.run(plain[0]!.sendToNodes('after it'))
  await network.settle()
  for (const node of strict) {
    t.strictSame(seen(node).shown, ['after it'])
    t.equal(node.stats().refused['invalid-content'], 3)
    t.ok(seen(node).refused.every(({ text }) => !text!.includes('\n')))
  }
  t.equal(strict[0]!.allNodes.size, 2)
})

t.test('what is sealed is checked when it was opened', async (t) => {
  const { network, plain, strict, seen } = await line(t, 2, 1)
  const [mallory] = plain as [SecureNode]
  const [bob] = strict as [Typed]
  const { id } = await network.run(mallory.sendToNodes({ text: 5 }, { type: 'chat', seal: [bob.id] }))
  await network.run(mallory.sendToNodes({ text: 'psst' }, { type: 'chat', seal: [bob.id] }))
  await network.settle()
  t.strictSame(seen(bob).shown, [{ text: 'psst' }])
  t.match(seen(bob).refused, [{ id, code: 'invalid-content', text: /^data\.text: / }])
})

t.test('what comes late is checked too, and refused once', async (t) => {
  const history = { history: { maxAge: 3_600_000 } }
  const { network, plain } = await line(t, 2, 0, history)
  const [alice, bob] = plain as [SecureNode, SecureNode]
  await network.run(alice.sendToNodes({ text: 1 }, { type: 'chat' }))
  await network.advance(1)
  await network.run(alice.sendToNodes({ text: 'two' }, { type: 'chat' }))
  await network.advance(400_000)
  const carol = await network.addNode({ ...history, types })
  const { shown, refused } = watch(carol)
  await network.connect(carol, bob)
  await network.until(() => shown.length > 0)
  await network.advance(300_000)
  t.strictSame(shown, [{ text: 'two' }])
  t.match(refused, [{ code: 'invalid-content' }])
  t.equal(refused.length, 1)
  t.equal(carol.allNodes.size, 1)
  t.test('and told to the next one, who may know nothing of the type', async (t) => {
    const dave = await network.addNode(history)
    const late = watch(dave)
    await network.connect(dave, carol)
    await network.until(() => late.shown.length === 2)
    t.strictSame(late.shown, [{ text: 1 }, { text: 'two' }])
  })
})
