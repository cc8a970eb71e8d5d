import t from 'tap'
import { MAX_STREAM_AHEAD, STREAM_CREDIT, STREAM_IDLE } from '../../lib/limits/direct-limits.ts'
import type { Answer } from '../../lib/requests/answer.ts'
import type { Incoming } from '../../lib/requests/incoming.ts'
import { failure, RequestNet, type RequestNode } from '../fixtures/request-net.ts'

function pair(): { net: RequestNet; a: RequestNode; b: RequestNode } {
  const net = new RequestNet()
  const [a, b] = net.nodes(2) as [RequestNode, RequestNode]
  return { net, a, b }
}

async function* countTo(end: number): AsyncGenerator<number> {
  for (let at = 0; at < end; at++) yield at
}

async function collect(parts: AsyncIterable<Answer>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const { data } of parts) all.push(data)
  return all
}

const upTo = (end: number): number[] => Array.from({ length: end }, (_, at) => at)

t.test('an iterable is answered part by part, and ends', async (t) => {
  const { net, a, b } = pair()
  b.requests.handle('count', ({ data }) => countTo(data as number))
  for (const end of [0, 1, STREAM_CREDIT, 100]) {
    t.strictSame(await collect(a.requests.requestStream(b.id, 'count', end)), upTo(end))
  }
  await net.settle()
  t.match(
    [a.requests.stats, b.requests.stats],
    [
      { pending: 0, dropped: {} },
      { incoming: 0, dropped: {} },
    ],
  )
  t.equal(net.clock.pendingTimers, 0)
  t.notOk(net.ops.includes('cancel'))
})

t.test('parts are sent one by one, with bytes, and ended by the return of the handler', async (t) => {
  const { a, b } = pair()
  b.requests.handle('send', async (request) => {
    t.equal(request.isStream, true)
    await request.send('a', { bytes: Uint8Array.of(1) })
    await request.send('b')
    if (request.data === 'explicit') await request.end()
  })
  for (const data of ['explicit', 'implicit']) {
    const parts: Answer[] = []
    for await (const part of a.requests.requestStream(b.id, 'send', data)) parts.push(part)
    t.match(parts, [
      { data: 'a', from: b.id, way: 'link' },
      { data: 'b', from: b.id },
    ])
    t.strictSame([...parts[0]!.bytes!], [1])
  }
})

t.test('nothing is asked before the first part is wanted', async (t) => {
  const { net, a, b } = pair()
  a.requests.requestStream(b.id, 'count', 3)
  await net.settle()
  t.equal(net.sent.length, 0)
  t.equal(a.requests.stats.pending, 0)
})

t.test('one answer is a stream of one', async (t) => {
  const { a, b } = pair()
  b.requests.handle('one', () => 'only')
  t.strictSame(await collect(a.requests.requestStream(b.id, 'one', 1)), ['only'])
})

t.test('who expects one answer is not sent many', async (t) => {
  const { a, b } = pair()
  b.requests.handle('count', () => countTo(3))
  b.requests.handle('send', (request) => void request.send(1))
  for (const type of ['count', 'send']) {
    t.equal((await failure(a.requests.request(b.id, type, 1))).answer?.code, 'stream-only')
  }
  t.strictSame(b.errors, [], 'it is the mistake of the asker')
})

t.test('parts that overtake each other come in order', async (t) => {
  const { net, a, b } = pair()
  b.requests.handle('count', () => countTo(6))
  const held: (() => unknown)[] = []
  net.carry = (carried) => {
    if (carried.from === a.id) void net.arrive(carried)
    else held.push(() => net.arrive(carried))
  }
  const result = collect(a.requests.requestStream(b.id, 'count', 1))
  await net.settle()
  t.equal(held.length, 7)
  for (const arrive of held.reverse()) await arrive()
  t.strictSame(await result, upTo(6))
})

t.test('no more is sent than the reader has room for', async (t) => {
  const { net, a, b } = pair()
  let sent = 0
  b.requests.handle('count', async (request) => {
    for (; await request.send(sent); sent++);
  })
  const parts = a.requests.requestStream(b.id, 'count', 1)
  const read = async (): Promise<unknown> => ((await parts.next()).value as Answer).data
  t.equal(await read(), 0)
  await net.settle()
  t.equal(sent, STREAM_CREDIT)
  for (let at = 1; at < 4; at++) t.equal(await read(), at)
  await net.settle()
  t.equal(sent, STREAM_CREDIT + 4)
  t.strictSame(net.sentAs('more').at(-1)!.data, { upTo: STREAM_CREDIT + 4 })
  await parts.return()
  await net.settle()
  t.equal(net.sentAs('cancel').length, 1, 'who leaves early says so')
  t.match([a.requests.stats, b.requests.stats], [{ pending: 0 }, { incoming: 0 }])
  t.equal(sent, STREAM_CREDIT + 4, 'and the handler stops')
  t.equal(net.clock.pendingTimers, 0)
})

t.test('to leave the loop ends the iterable of the handler', async (t) => {
  const { net, a, b } = pair()
  let isClosed = false
  b.requests.handle('count', async function* () {
    try {
      for (let at = 0; ; at++) yield at
    } finally {
      isClosed = true
    }
  })
  for await (const { data } of a.requests.requestStream(b.id, 'count', 1)) if (data === 20) break
  await net.settle()
  t.equal(isClosed, true)
  t.strictSame(b.errors, [])
})

t.test('the timeout is for the first part, and then for each', async (t) => {
  const { net, a, b } = pair()
  let request: Incoming | undefined
  b.requests.handle('slow', (incoming) => {
    request = incoming
    return new Promise(() => {})
  })
  const parts = a.requests.requestStream(b.id, 'slow', 1, { timeout: 1_000 })
  for (let at = 0; at < 5; at++) {
    const next = parts.next()
    await net.pass(900)
    await request!.send(at)
    t.equal(((await next).value as Answer).data, at)
    t.equal(request!.deadline, net.clock.now() + 1_000)
  }
  const last = failure(parts.next())
  await net.pass(1_000)
  t.equal((await last).code, 'request-timeout')
  await net.settle()
  t.equal(net.sentAs('cancel').length, 1)
  t.equal(await request!.send(6), false)
})

t.test('what has come in order is read before the failure', async (t) => {
  const { net, a, b } = pair()
  b.requests.handle('fail', async (request) => {
    await request.send(1)
    await request.send(2)
    await request.fail('broken', 'half way')
  })
  const parts = a.requests.requestStream(b.id, 'fail', 1)
  t.equal(((await parts.next()).value as Answer).data, 1)
  await net.settle()
  t.equal(((await parts.next()).value as Answer).data, 2)
  t.match(await failure(parts.next()), {
    code: 'request-failed',
    answer: { code: 'broken', text: 'half way' },
  })
  t.strictSame(await parts.next(), { done: true, value: undefined })
})

t.test('a failing iterable ends the stream with handler-error', async (t) => {
  const { a, b } = pair()
  b.requests.handle('throw', async function* () {
    yield 1
    throw new Error('inside')
  })
  b.requests.handle('unsendable', async function* () {
    yield 1
    yield 5n
  })
  for (const type of ['throw', 'unsendable']) {
    t.equal((await failure(collect(a.requests.requestStream(b.id, type, 1)))).answer?.code, 'handler-error')
  }
  t.equal(b.errors.length, 2)
})

t.test('a part that cannot be sent ends the stream', async (t) => {
  const { a, b } = pair()
  b.requests.handle('large', (request) => {
    void request.send('x'.repeat(300_000))
    return new Promise(() => {})
  })
  t.equal((await failure(collect(a.requests.requestStream(b.id, 'large', 1)))).answer?.code, 'handler-error')
  t.match(b.errors, [{ error: { code: 'message-too-large' } }])
})

t.test('an aborted stream ends at once', async (t) => {
  const { net, a, b } = pair()
  const controller = new AbortController()
  b.requests.handle('count', () => countTo(1_000))
  const parts = a.requests.requestStream(b.id, 'count', 1, { signal: controller.signal })
  await parts.next()
  await net.settle()
  controller.abort()
  t.equal((await failure(parts.next())).code, 'aborted', 'whatever else is there')
  await net.settle()
  t.equal(net.sentAs('cancel').length, 1)
  t.equal(net.clock.pendingTimers, 0)
})

t.test('a reader that takes nothing loses the stream, at both ends', async (t) => {
  const { net, a, b } = pair()
  let request: Incoming | undefined
  b.requests.handle('count', async (incoming) => {
    request = incoming
    for (let at = 0; await incoming.send(at); at++);
  })
  const parts = a.requests.requestStream(b.id, 'count', 1)
  await parts.next()
  await net.pass(STREAM_IDLE)
  t.equal(request!.signal.aborted, true)
  t.match([a.requests.stats, b.requests.stats], [{ pending: 0 }, { incoming: 0 }])
  t.equal(net.clock.pendingTimers, 0)
})

t.test('an asker that is gone does not keep a stream alive', async (t) => {
  const { net, a, b } = pair()
  let sent = 0
  let isOver = false
  b.requests.handle('count', async (incoming) => {
    for (; await incoming.send(sent); sent++);
    isOver = true
  })
  const envelope = { data: 1, want: Number.MAX_SAFE_INTEGER }
  await a.say({ op: 'ask', type: 'count', to: [b.id], exp: net.clock.now() + 5_000, data: envelope })
  await net.settle()
  t.equal(sent, MAX_STREAM_AHEAD, 'whatever it allows')
  await net.pass(STREAM_IDLE - 1)
  t.equal(isOver, false)
  await net.pass(1)
  t.equal(isOver, true)
  t.equal(b.requests.stats.incoming, 0)
})

t.test('contents of parts are checked', async (t) => {
  const { a, b } = pair()
  b.requests.handle('count', () => countTo(3))
  a.check = (_type, side, data) => (side === 'answer' ? (data as number) * 2 : data)
  t.strictSame(await collect(a.requests.requestStream(b.id, 'count', 1)), [0, 2, 4])
})
