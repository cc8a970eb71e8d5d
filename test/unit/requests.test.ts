import t from 'tap'
import { SecureNodeError } from '../../lib/errors.ts'
import { MAX_PENDING_REQUESTS } from '../../lib/limits/direct-limits.ts'
import { openMessage } from '../../lib/message/message.ts'
import type { Incoming } from '../../lib/requests/incoming.ts'
import { RequestError } from '../../lib/requests/request-error.ts'
import { failure, RequestNet, type RequestNode } from '../fixtures/request-net.ts'

const number = ({ data }: Incoming) => data as number

function pair(): { net: RequestNet; a: RequestNode; b: RequestNode } {
  const net = new RequestNet()
  const [a, b] = net.nodes(2) as [RequestNode, RequestNode]
  return { net, a, b }
}

t.test('what a handler returns is the answer, and tells who gave it', async (t) => {
  const { net, a, b } = pair()
  b.requests.handle('add', (request) => number(request) + 1)
  const answer = await a.requests.request(b.id, 'add', 41)
  t.match(answer, { data: 42, from: b.id, bounces: [], way: 'link', proof: [] })
  t.strictSame(net.ops, ['ask', 'answer'])
  const [ask, reply] = net.sent
  t.equal(answer.id, reply!.draft.id)
  t.equal(reply!.draft.body.re, ask!.draft.id)
  t.strictSame(ask!.data, { data: 41, want: 0 })
  t.equal(ask!.draft.body.exp, net.clock.now() + 10_000, 'the deadline travels with the request')
  t.equal((await openMessage(answer.document, { window: false })).ok, true, 'the answer proves itself')
  t.strictSame(a.options[0]!.route, 'reach')
  t.strictSame(b.options[0]!.route, 'back')
  await net.settle()
  t.match(a.requests.stats, { pending: 0, dropped: {} })
  t.match(b.requests.stats, { incoming: 0, dropped: {} })
  t.equal(net.clock.pendingTimers, 0)
})

t.test('a handler answers at once, later, or with nothing, which is null', async (t) => {
  const { net, a, b } = pair()
  const ask = (type: string) => a.requests.request(b.id, type, null)
  b.requests.handle('later', async (request) => {
    await net.settle()
    await request.respond('later', { bytes: Uint8Array.of(1, 2) })
  })
  b.requests.handle('quick', (request) => request.respond('quick'))
  b.requests.handle('not-awaited', (request) => void request.respond('not awaited'))
  b.requests.handle('nothing', () => {})
  b.requests.handle('undefined', (request) => request.respond(undefined))
  const later = await ask('later')
  t.equal(later.data, 'later')
  t.strictSame([...later.bytes!], [1, 2])
  t.equal((await ask('quick')).data, 'quick')
  t.equal((await ask('not-awaited')).data, 'not awaited')
  t.equal((await ask('nothing')).data, null)
  t.equal((await ask('undefined')).data, null)
  t.strictSame(b.errors, [])
})

t.test('the handler sees the request, its bytes, its deadline and its author', async (t) => {
  const { net, a, b } = pair()
  let seen: Incoming | undefined
  b.requests.handle('look', (request) => void (seen = request))
  await a.requests.request(b.id, 'look', { x: 1 }, { bytes: Uint8Array.of(7), timeout: 2_000 })
  t.match(seen, { data: { x: 1 }, from: a.id, type: 'look', isRequest: true, isStream: false, bounces: [] })
  t.equal(seen!.id, net.sent[0]!.draft.id)
  t.equal(seen!.message.op, 'ask')
  t.equal(seen!.deadline, net.clock.now() + 2_000)
  t.strictSame([...seen!.bytes!], [7])
  t.equal(seen!.signal.aborted, false, 'an answered request was not left')
})

t.test('a plain message of the type reaches the handler too, and cannot be answered', async (t) => {
  const { net, a, b } = pair()
  const seen: Incoming[] = []
  b.requests.handle('add', (message) => void seen.push(message))
  const message = await net.open(await a.sign({ data: 5 }))
  t.equal(b.requests.receive(message!), false, 'it is no message of a request')
  t.equal(b.requests.deliverPlain(message!), true)
  t.match(seen[0], { data: 5, from: a.id, isRequest: false, isStream: false, deadline: Infinity })
  for (const call of ['respond', 'send', 'end', 'fail', 'bounce'] as const) {
    t.throws(() => void seen[0]![call](a.id), { code: 'invalid-argument' })
  }
  b.requests.deliverPlain(message!, 'checked')
  t.equal(seen[1]!.data, 'checked')
  b.requests.stop()
  t.equal(seen[0]!.signal.aborted, true)
  b.requests.unhandle('add')
  t.equal(b.requests.deliverPlain(message!), false)
})

t.test('the error of a plain handler is told', async (t) => {
  const { net, a, b } = pair()
  const error = new Error('oh')
  b.requests.handle('add', async () => Promise.reject(error))
  b.requests.deliverPlain((await net.open(await a.sign({})))!)
  await net.settle()
  t.strictSame(b.errors, [{ error, type: 'add' }])
})

t.test('without a handler there is a clear answer', async (t) => {
  const { a, b } = pair()
  const error = await failure(a.requests.request(b.id, 'add', 1))
  t.match(error, { code: 'request-failed', answer: { code: 'no-handler' } })
  b.requests.handle('add', () => 1)
  t.equal((await a.requests.request(b.id, 'add', 1)).data, 1)
  t.equal(b.requests.unhandle('add'), true)
  t.equal((await failure(a.requests.request(b.id, 'add', 1))).answer?.code, 'no-handler')
})

t.test('one handler for each type', async (t) => {
  const { a } = pair()
  a.requests.handle('add', () => 1)
  t.throws(() => a.requests.handle('add', () => 2), { code: 'invalid-argument' })
  t.throws(() => a.requests.handle('a b', () => 2), { code: 'invalid-argument' })
  t.throws(() => a.requests.handle('x', 5 as never), { code: 'invalid-argument' })
  t.equal(a.requests.unhandle('nothing'), false)
})

t.test('what a handler throws is told to its own application, and not to the asker', async (t) => {
  const { net, a, b } = pair()
  const error = new Error('password is 1234')
  b.requests.handle('throw', () => {
    throw error
  })
  b.requests.handle('reject', () => Promise.reject(error))
  b.requests.handle('nested', () => {
    throw new SecureNodeError('request-failed', 'from another node: 1234')
  })
  for (const type of ['throw', 'reject', 'nested']) {
    const { code, message, answer } = await failure(a.requests.request(b.id, type, 1))
    t.equal(code, 'request-failed')
    t.equal(answer?.code, 'handler-error')
    t.notMatch(message + answer!.text, /1234/)
  }
  t.equal(b.errors.length, 3)
  t.equal(b.errors[0]!.error, error)
  t.equal(b.errors[0]!.type, 'throw')
  await net.settle()
  t.equal(b.requests.stats.incoming, 0)
})

t.test('a handler fails on purpose, with a code and a text', async (t) => {
  const { a, b } = pair()
  b.requests.handle('throw', () => {
    throw new RequestError('sold-out', 'nothing is\nleft')
  })
  b.requests.handle('fail', (request) => request.fail('no'))
  const error = await failure(a.requests.request(b.id, 'throw', 1))
  t.match(error, { code: 'request-failed', answer: { code: 'sold-out', text: 'nothing is�left' } })
  t.match(error.message, /sold-out/)
  t.match(await failure(a.requests.request(b.id, 'fail', 1)), { answer: { code: 'no', text: '' } })
  t.strictSame(b.errors, [], 'that is no error')
  t.throws(() => new RequestError('a b'), { code: 'invalid-argument' })
  t.throws(() => new RequestError('a', 5 as never), { code: 'invalid-argument' })
})

t.test('a request is answered once', async (t) => {
  const { net, a, b } = pair()
  b.requests.handle('twice', (request) => {
    void request.respond(1)
    t.throws(() => void request.respond(2), { code: 'invalid-argument' })
    t.throws(() => void request.fail('late'), { code: 'invalid-argument' })
    t.throws(() => void request.bounce(a.id), { code: 'invalid-argument' })
    t.throws(() => void request.send(1), { code: 'invalid-argument' })
    t.throws(() => void request.end(), { code: 'invalid-argument' })
    return 3
  })
  t.equal((await a.requests.request(b.id, 'twice', 1)).data, 1)
  await net.settle()
  t.strictSame(b.errors, [], 'what it returns then is of no interest')
  t.strictSame(net.ops, ['ask', 'answer'])
})

t.test('an answer that cannot be sent is told to both', async (t) => {
  const { net, a, b } = pair()
  b.requests.handle('returned', () => 10n)
  b.requests.handle('responded', (request) => void request.respond('x', { bytes: 5 as never }))
  b.requests.handle('large', (request) => void request.respond('x'.repeat(300_000)))
  b.requests.handle('waited', async (request) => request.respond('x'.repeat(300_000)))
  for (const type of ['returned', 'responded', 'large', 'waited']) {
    const error = await failure(a.requests.request(b.id, type, 1))
    t.equal(error.answer?.code, 'handler-error', type)
  }
  t.strictSame(
    b.errors.map(({ error }) => (error as SecureNodeError).code),
    ['invalid-payload', 'invalid-argument', 'message-too-large', 'message-too-large'],
    'once each',
  )
  await net.settle()
  t.equal(b.requests.stats.incoming, 0)
})

t.test('a request ends by its timeout, and a late answer is dropped', async (t) => {
  const { net, a, b } = pair()
  let request: Incoming | undefined
  b.requests.handle('add', (incoming) => {
    request = incoming
    return new Promise(() => {})
  })
  const result = failure(a.requests.request(b.id, 'add', 1, { timeout: 500 }))
  await net.pass(499)
  t.equal(request!.signal.aborted, false)
  t.equal(a.requests.stats.pending, 1)
  await net.pass(1)
  t.equal((await result).code, 'request-timeout')
  t.equal(request!.signal.aborted, true, 'the handler knows')
  t.equal(await request!.respond(2), false, 'an answer after the deadline goes nowhere')
  t.strictSame(net.ops, ['ask'], 'and no cancel: the other node knows the deadline')
  await b.say({ op: 'answer', to: [a.id], re: request!.id, data: { data: 2 } })
  await net.settle()
  t.strictSame(a.dropped, { 'unknown-request': 1 })
})

t.test('a signal ends a request, and the other node is told', async (t) => {
  const { net, a, b } = pair()
  let request: Incoming | undefined
  b.requests.handle('add', async (incoming) => {
    request = incoming
    await new Promise((_, reject) => incoming.signal.addEventListener('abort', () => reject(incoming.signal.reason as Error))) // prettier-ignore
  })
  const controller = new AbortController()
  const result = failure(a.requests.request(b.id, 'add', 1, { signal: controller.signal }))
  await net.settle()
  controller.abort(new Error('enough'))
  const error = await result
  t.match(error, { code: 'aborted', cause: { message: 'enough' } })
  await net.settle()
  t.strictSame(net.ops, ['ask', 'cancel'])
  t.equal(request!.signal.aborted, true)
  t.strictSame(b.errors, [], 'a handler that ends by its signal has not failed')
  t.equal(b.requests.stats.incoming, 0)
  t.equal((await failure(a.requests.request(b.id, 'add', 1, { signal: controller.signal }))).code, 'aborted')
  t.equal(net.sentAs('ask').length, 1, 'nothing is sent for who wants nothing')
  t.equal(net.clock.pendingTimers, 0)
})

t.test('a wrong request is refused before anything is sent', async (t) => {
  const { net, a, b } = pair()
  const { requests } = a
  const code = async (...args: unknown[]) =>
    (await failure(requests.request(...(args as Parameters<typeof requests.request>)))).code
  t.equal(await code(a.id, 'add', 1), 'invalid-argument', 'a request to itself')
  t.equal(await code('x', 'add', 1), 'invalid-argument')
  t.equal(await code('0'.repeat(64), 'add', 1), 'invalid-argument', 'a key that everybody can sign for')
  t.equal(await code(b.id, 'a b', 1), 'invalid-argument')
  t.equal(await code(b.id, 'add', 1n), 'invalid-payload')
  for (const timeout of [0, -1, NaN, 300_001, '5']) {
    t.equal(await code(b.id, 'add', 1, { timeout }), 'invalid-argument')
  }
  t.equal(await code(b.id, 'add', 1, { signal: {} }), 'invalid-argument')
  t.equal(await code(b.id, 'add', 1, { seal: 1 }), 'invalid-argument')
  t.equal(await code(b.id, 'add', 1, { bytes: 'x' }), 'invalid-argument')
  t.equal(await code(b.id, 'add', 1, { timeOut: 5 }), 'invalid-option')
  t.throws(() => requests.requestStream(a.id, 'add', 1), { code: 'invalid-argument' })
  t.equal(await code(b.id, 'add', 'x'.repeat(300_000)), 'message-too-large')
  t.equal(net.sent.length, 0)
  t.equal(requests.stats.pending, 0)
  t.equal(net.clock.pendingTimers, 0)
})

t.test('what sending fails with is the error of the request', async (t) => {
  const { net, a } = pair()
  const stranger = new RequestNet().node()
  const reach = { connection: 'lasting' }
  t.equal((await failure(a.requests.request(stranger.id, 'add', 1, { reach }))).code, 'unreachable')
  t.equal(a.options[0]!.reach, reach, 'handed on as it is')
  t.equal(a.requests.stats.pending, 0)
  t.equal(net.clock.pendingTimers, 0)
})

t.test('the time to find a way counts', async (t) => {
  const { net, a, b } = pair()
  b.requests.handle('add', () => 1)
  let goOn = (): void => {}
  a.beforePost = () => new Promise<void>((resolve) => (goOn = resolve))
  const result = failure(a.requests.request(b.id, 'add', 1, { timeout: 500 }))
  await net.pass(500)
  t.equal((await result).code, 'request-timeout')
  t.equal(a.options[0]!.signal!.aborted, true, 'the search is ended')
  goOn()
  await net.settle()
  t.equal(a.requests.stats.pending, 0, 'what is signed too late waits for nothing')
})

t.test('so many requests wait at once, and no more', async (t) => {
  const { net, a, b } = pair()
  net.carry = () => {}
  const results = Array.from({ length: MAX_PENDING_REQUESTS }, () =>
    failure(a.requests.request(b.id, 'x', 1)),
  )
  t.equal(a.requests.stats.pending, MAX_PENDING_REQUESTS)
  t.equal((await failure(a.requests.request(b.id, 'x', 1))).code, 'overload')
  await net.pass(10_000)
  t.strictSame(new Set((await Promise.all(results)).map(({ code }) => code)), new Set(['request-timeout']))
  t.equal(net.clock.pendingTimers, 0)
})

t.test('sealed asks get sealed answers, and no others are taken', async (t) => {
  const { net, a, b } = pair()
  b.requests.handle('add', (request) => number(request) + 1)
  t.equal((await a.requests.request(b.id, 'add', 1, { seal: true })).data, 2)
  t.strictSame(
    net.sent.map(({ isSealed }) => isSealed),
    [true, true],
  )
  b.requests.unhandle('add')
  const result = failure(a.requests.request(b.id, 'add', 1, { seal: true }))
  await result
  t.equal(net.sent.at(-1)!.isSealed, true, 'refusals as well')
  b.requests.handle('add', () => new Promise(() => {}))
  const waiting = failure(a.requests.request(b.id, 'add', 1, { seal: true }))
  await net.settle()
  await b.say({ op: 'answer', to: [a.id], re: net.sent.at(-1)!.draft.id, data: { data: 2 } })
  await net.pass(10_000)
  t.equal((await waiting).code, 'request-timeout')
  t.strictSame(a.dropped, { unsealed: 1 })
})

t.test('contents are checked on both sides', async (t) => {
  const { a, b } = pair()
  const refuse = (side: string) => (_type: string, here: string, data: unknown) => {
    if (here === side) throw new SecureNodeError('invalid-content', 'the secret of the schema')
    return data as number
  }
  let calls = 0
  b.requests.handle('add', (request) => {
    calls++
    return number(request) + 1
  })
  a.check = refuse('request')
  t.equal((await failure(a.requests.request(b.id, 'add', 1))).code, 'invalid-content', 'before it is sent')
  a.check = refuse('answer')
  t.equal((await failure(a.requests.request(b.id, 'add', 1))).code, 'invalid-content', 'and what comes back')
  a.check = undefined
  calls = 0
  b.check = refuse('request')
  const { answer, message } = await failure(a.requests.request(b.id, 'add', 1))
  t.equal(answer?.code, 'invalid-content')
  t.notMatch(message, /secret/)
  t.equal(calls, 0)
  b.check = refuse('answer')
  t.equal((await failure(a.requests.request(b.id, 'add', 1))).answer?.code, 'handler-error')
  t.match(b.errors, [{ error: { code: 'invalid-content' } }])
  b.check = async (_type, side, data) => (side === 'request' ? (data as number) * 10 : data)
  a.check = (_type, side, data) => (side === 'answer' ? (data as number) * 2 : data)
  t.equal((await a.requests.request(b.id, 'add', 1)).data, 22, 'what arrives is what the check makes of it')
})

t.test('the end of a node ends its requests, and its handlers know', async (t) => {
  const { net, a, b } = pair()
  let request: Incoming | undefined
  b.requests.handle('add', (incoming) => {
    request = incoming
    return new Promise(() => {})
  })
  const result = failure(a.requests.request(b.id, 'add', 1))
  await net.settle()
  a.requests.stop()
  b.requests.stop()
  t.equal((await result).code, 'not-started')
  t.equal(request!.signal.aborted, true)
  t.equal(await request!.respond(1), false)
  t.match([a.requests.stats, b.requests.stats], [{ pending: 0 }, { incoming: 0 }])
  t.equal(net.clock.pendingTimers, 0)
  b.requests.unhandle('add')
  b.requests.handle('add', () => 2)
  t.equal((await a.requests.request(b.id, 'add', 1)).data, 2, 'and it can begin again')
})
