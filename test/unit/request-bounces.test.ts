import t from 'tap'
import { MAX_BOUNCES } from '../../lib/limits/direct-limits.ts'
import { openMessage } from '../../lib/message/message.ts'
import type { Incoming } from '../../lib/requests/incoming.ts'
import { failure, RequestNet, type RequestNode } from '../fixtures/request-net.ts'

/** A node that asks, and some that pass the request on to the next; the last one answers. */
function chain(bounces: number): { net: RequestNet; asker: RequestNode; nodes: RequestNode[] } {
  const net = new RequestNet()
  const asker = net.node()
  const nodes = net.nodes(bounces + 1)
  for (const [at, node] of nodes.entries()) {
    const next = nodes[at + 1]
    node.requests.handle('add', (request) =>
      next === undefined ? (request.data as number) + 1 : request.bounce(next.id),
    )
  }
  return { net, asker, nodes }
}

t.test('another node answers, and the asker sees and can prove why', async (t) => {
  for (let bounces = 1; bounces <= MAX_BOUNCES; bounces++) {
    const { net, asker, nodes } = chain(bounces)
    const answer = await asker.requests.request(nodes[0]!.id, 'add', 1)
    t.match(answer, { data: 2, from: nodes.at(-1)!.id })
    t.strictSame(
      answer.bounces,
      nodes.slice(0, -1).map(({ id }) => id),
    )
    t.equal(answer.proof.length, bounces)
    for (const document of answer.proof) {
      t.equal((await openMessage(document, { now: net.clock.now() })).ok, true)
    }
    const { length } = net.sent.at(-1)!.draft.bytes
    t.ok(length < 48 * 1_024, `the answer has ${length} bytes after ${bounces}`)
    await net.settle()
    t.match(asker.requests.stats, { pending: 0, dropped: {} })
    for (const node of nodes) t.match(node.requests.stats, { incoming: 0, dropped: {} })
    t.equal(net.clock.pendingTimers, 0)
  }
})

t.test('a bounce names a node, and goes to it and to the asker', async (t) => {
  const { net, asker, nodes } = chain(1)
  await asker.requests.request(nodes[0]!.id, 'add', 1)
  const [ask] = net.sentAs('ask')
  const [bounce] = net.sentAs('bounce')
  t.strictSame(bounce!.data, { to: nodes[1]!.id })
  t.strictSame(bounce!.draft.body.to, [nodes[1]!.id, asker.id])
  t.equal(bounce!.draft.body.re, ask!.draft.id)
  t.equal(bounce!.draft.body.type, 'add')
  t.equal(bounce!.draft.body.exp, ask!.draft.body.exp)
})

t.test('the last of them sees the ask as it was, its bytes included', async (t) => {
  const { net, asker, nodes } = chain(1)
  let seen: Incoming | undefined
  nodes[1]!.requests.unhandle('add')
  nodes[1]!.requests.handle('add', (request) => void (seen = request))
  for (const bytes of [Uint8Array.of(1, 2, 3), new Uint8Array(0), undefined]) {
    await asker.requests.request(nodes[0]!.id, 'add', 1, bytes && { bytes })
    t.match(seen, { from: asker.id, data: 1, bounces: [nodes[0]!.id], type: 'add' })
    t.strictSame(seen!.bytes, bytes)
    t.equal(seen!.message.document, new TextDecoder().decode(net.sentAs('ask').at(-1)!.draft.bytes))
  }
})

t.test('a stream can be passed on', async (t) => {
  const { net, asker, nodes } = chain(2)
  nodes[2]!.requests.unhandle('add')
  nodes[2]!.requests.handle('add', async function* () {
    for (let at = 0; at < 20; at++) yield at
  })
  const seen: unknown[] = []
  for await (const part of asker.requests.requestStream(nodes[0]!.id, 'add', 1)) {
    t.equal(part.from, nodes[2]!.id)
    t.equal(part.bounces.length, 2)
    seen.push(part.data)
  }
  t.equal(seen.length, 20)
  t.ok(net.sentAs('more').length > 2)
  for (const { draft } of net.sentAs('more')) t.strictSame(draft.body.to, [nodes[2]!.id])
  t.ok(asker.engine.verified <= 4, 'its right is verified once')
})

t.test('who has it now is told that nobody listens any more', async (t) => {
  const { net, asker, nodes } = chain(1)
  let request: Incoming | undefined
  nodes[1]!.requests.unhandle('add')
  nodes[1]!.requests.handle('add', (incoming) => {
    request = incoming
    return new Promise(() => {})
  })
  const controller = new AbortController()
  const result = failure(asker.requests.request(nodes[0]!.id, 'add', 1, { signal: controller.signal }))
  await net.settle()
  controller.abort()
  await result
  await net.settle()
  t.equal(request!.signal.aborted, true)
})

t.test('a refusal after a bounce is proven as well', async (t) => {
  const { asker, nodes } = chain(1)
  nodes[1]!.requests.unhandle('add')
  const error = await failure(asker.requests.request(nodes[0]!.id, 'add', 1))
  t.equal(error.answer?.code, 'no-handler')
  t.match(error.message, nodes[1]!.id)
})

t.test('an answer before its bounce is as good as one after it', async (t) => {
  const { net, asker, nodes } = chain(2)
  net.carry = (carried) => {
    if (carried.op !== 'bounce') return void net.arrive(carried)
    // The asker's own copies are lost.
    const { draft } = carried
    const to = draft.body.to!.filter((id) => id !== asker.id)
    void net.arrive({ ...carried, draft: { ...draft, body: { ...draft.body, to } } })
  }
  t.equal((await asker.requests.request(nodes[0]!.id, 'add', 1)).data, 2)
})

t.test('too many bounces fail the request', async (t) => {
  const { asker, nodes } = chain(MAX_BOUNCES + 1)
  const error = await failure(asker.requests.request(nodes[0]!.id, 'add', 1))
  t.equal(error.answer?.code, 'too-many-bounces')
})

t.test('a bounce to a node that had it already fails the request', async (t) => {
  const { asker, nodes } = chain(2)
  nodes[2]!.requests.unhandle('add')
  nodes[2]!.requests.handle('add', (request) => request.bounce(nodes[0]!.id))
  const error = await failure(asker.requests.request(nodes[0]!.id, 'add', 1))
  t.equal(error.answer?.code, 'bounce-loop')
})

t.test('a bounce to oneself, to the asker or to nobody is refused at once', async (t) => {
  const net = new RequestNet()
  const [asker, node, other] = net.nodes(3) as [RequestNode, RequestNode, RequestNode]
  node.requests.handle('add', (request) => {
    for (const id of [node.id, asker.id, 'x', '0'.repeat(64), '127.0.0.1:80']) {
      t.throws(() => void request.bounce(id), { code: 'invalid-argument' }, id)
    }
    return 'unharmed'
  })
  t.equal((await asker.requests.request(node.id, 'add', 1)).data, 'unharmed')
  node.requests.handle('sealed', (request) => request.bounce(other.id))
  const error = await failure(asker.requests.request(node.id, 'sealed', 1, { seal: true }))
  t.equal(error.answer?.code, 'handler-error', 'what was sealed for one node is not for another')
})

t.test('a request too large to be passed on fails', async (t) => {
  const { asker, nodes } = chain(1)
  const bytes = new Uint8Array(785_000)
  const error = await failure(asker.requests.request(nodes[0]!.id, 'add', 'x'.repeat(1_000), { bytes }))
  t.equal(error.answer?.code, 'handler-error')
  t.match(nodes[0]!.errors, [{ error: { code: 'message-too-large' } }])
})
