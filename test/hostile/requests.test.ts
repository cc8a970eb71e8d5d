// Nodes that keep to no rules of requests. What they send is signed, and arrives: none of it may become an answer, an
// exception, or something that is kept.
import { utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import {
  MAX_INCOMING_PER_ASKER,
  MAX_REFUSALS,
  MAX_REQUEST_TIMEOUT,
  STREAM_CREDIT,
} from '../../lib/limits/direct-limits.ts'
import type { Draft } from '../../lib/message/draft.ts'
import { markMessage } from '../../lib/message/message.ts'
import { encodeParcel } from '../../lib/message/parcel.ts'
import type { Answer } from '../../lib/requests/answer.ts'
import type { Incoming } from '../../lib/requests/incoming.ts'
import type { MessageId } from '../../lib/wire/ids.ts'
import {
  type Carried,
  failure,
  RequestNet,
  type RequestNode,
  type SpokenFields,
} from '../fixtures/request-net.ts'

interface Scene {
  readonly net: RequestNet
  /** The asker, who is asked, and two strangers. */
  readonly a: RequestNode
  readonly b: RequestNode
  readonly x: RequestNode
  readonly y: RequestNode
}

function scene(): Scene {
  const net = new RequestNet()
  const [a, b, x, y] = net.nodes(4) as [RequestNode, RequestNode, RequestNode, RequestNode]
  return { net, a, b, x, y }
}

/** A request that nobody answers by himself. */
async function waiting(scene: Scene): Promise<{ answer: Promise<Answer>; id: MessageId; ask: Draft }> {
  const { net, a, b } = scene
  b.requests.handle('add', () => new Promise(() => {}))
  const answer = a.requests.request(b.id, 'add', 1)
  answer.catch(() => {})
  await net.settle()
  const ask = net.sentAs('ask').at(-1)!.draft
  return { answer, id: ask.id, ask }
}

const textOf = ({ draft }: Carried): string => new TextDecoder().decode(draft.bytes)
const parcelOf = ({ bytes, attachment = new Uint8Array(0) }: Draft): Uint8Array =>
  encodeParcel({ document: bytes, attachment })

/** The fields of a bounce. */
function bounceFields(ask: Draft, to: string, by?: string[]): SpokenFields {
  const { from, type, exp } = ask.body
  const data = by === undefined ? { to } : { to, by }
  return { op: 'bounce', type, to: [to, from], re: ask.id, exp, data, bytes: parcelOf(ask) }
}

t.test('guessed request IDs are dropped and counted', async (t) => {
  const scenery = scene()
  const { net, a, b, x } = scenery
  const { answer, id } = await waiting(scenery)
  for (const op of ['answer', 'part', 'end', 'fail', 'bounce', 'more', 'cancel']) {
    await x.say({ op, to: [a.id], re: 'ab'.repeat(32), data: { data: 1 } })
    await x.say({ op, to: [b.id], re: 'ab'.repeat(32), data: {} })
    await x.say({ op, to: [a.id], data: {} })
  }
  await net.settle()
  t.equal(a.dropped['unknown-request'], 12, 'and the bounces without what they bounce')
  t.equal(a.dropped['malformed'], 2)
  await b.say({ op: 'answer', to: [a.id], re: id, data: { data: 'genuine' } })
  t.equal((await answer).data, 'genuine')
})

t.test('an answer from the wrong node, or to somebody else, or in another type is none', async (t) => {
  const scenery = scene()
  const { net, a, b, x } = scenery
  const { answer, id } = await waiting(scenery)
  await x.say({ op: 'answer', to: [a.id], re: id, data: { data: 'x' } })
  await x.say({ op: 'fail', to: [a.id], re: id, data: { code: 'no', text: '' } })
  await b.say({ op: 'answer', type: 'sub', to: [a.id], re: id, data: { data: 'x' } })
  await net.settle()
  t.strictSame(a.dropped, { foreign: 3 })
  await b.say({ op: 'answer', to: [a.id, x.id], re: id, data: { data: 'x' } })
  await net.settle()
  t.strictSame(a.dropped, { foreign: 3, malformed: 1 })
  await b.say({ op: 'answer', to: [a.id], re: id, data: { data: 'genuine' } })
  await b.say({ op: 'answer', to: [a.id], re: id, data: { data: 'doubled' } })
  t.equal((await answer).data, 'genuine')
  await net.settle()
  t.equal(a.dropped['unknown-request'], 1)
})

t.test('envelopes of every odd shape are malformed', async (t) => {
  const scenery = scene()
  const { net, a, b } = scenery
  const { answer, id } = await waiting(scenery)
  const odd: [op: string, data: unknown][] = [
    ...['answer', 'part', 'end', 'fail'].flatMap((op) =>
      [null, 5, 'x', [], {}, { x: 1 }, { constructor: 1 }].map((data): [string, unknown] => [op, data]),
    ),
    ['answer', { data: 1, more: 1 }],
    ['answer', { data: 1, by: [] }],
    ['answer', { data: 1, by: 'x' }],
    ['answer', { data: 1, by: [1] }],
    ['answer', { data: 1, by: Array(5).fill('x') }],
    ['part', { at: -1, data: 1 }],
    ['part', { at: 0.5, data: 1 }],
    ['part', { at: '0', data: 1 }],
    ['end', { at: null }],
    ['fail', { code: 'a b', text: '' }],
    ['fail', { code: 'no', text: 5 }],
    ['fail', { code: '', text: '' }],
  ]
  for (const [op, data] of odd) await b.say({ op, to: [a.id], re: id, data })
  await net.settle()
  t.strictSame(a.dropped, { malformed: odd.length })
  const asks = [null, {}, { data: 1 }, { data: 1, want: -1 }, { data: 1, want: 0, x: 1 }, { want: 0 }, []]
  const exp = net.clock.now() + 1_000
  for (const data of asks) await a.say({ op: 'ask', to: [b.id], exp, data })
  const data = { data: 1, want: 0 }
  await a.say({ op: 'ask', to: [b.id], data })
  await a.say({ op: 'ask', to: [b.id, a.id], exp, data })
  await a.say({ op: 'ask', to: [b.id], exp, re: id, data })
  await a.say({ op: 'unheard', to: [b.id], data })
  for (const words of [null, {}, { upTo: -1 }, { upTo: 1, x: 1 }]) await a.say({ op: 'more', to: [b.id], re: id, data: words }) // prettier-ignore
  await a.say({ op: 'cancel', to: [b.id], re: id, data: { x: 1 } })
  await net.settle()
  t.strictSame(b.dropped, { malformed: asks.length + 9 })
  t.equal(b.requests.stats.incoming, 1)
  b.requests.stop()
  a.requests.stop()
  await failure(answer)
})

t.test('the words of a failure cannot forge a line of a log', async (t) => {
  const scenery = scene()
  const { a, b } = scenery
  const { answer, id } = await waiting(scenery)
  await b.say({
    op: 'fail',
    to: [a.id],
    re: id,
    data: { code: 'no', text: `\u001b[2J\n\u202e${'x'.repeat(9_000)}` },
  })
  const error = await failure(answer)
  t.notMatch(error.message, /[\p{Cc}\p{Cf}]/u)
  t.ok(error.message.length < 300)
})

t.test('forged chains of bounces give nobody the right to answer', async (t) => {
  const scenery = scene()
  const { net, a, b, x, y } = scenery
  const { answer, id, ask } = await waiting(scenery)
  const byX = textOf(await x.sign(bounceFields(ask, y.id)))
  const toX = textOf(await b.sign(bounceFields(ask, x.id)))
  const other = textOf(await b.sign({ ...bounceFields(ask, y.id), re: 'ab'.repeat(32) }))
  const otherType = textOf(await b.sign({ ...bounceFields(ask, y.id), type: 'sub' }))
  const otherNet = textOf(await b.sign({ ...bounceFields(ask, y.id), net: 'other' }))
  const notToAsker = textOf(await b.sign({ ...bounceFields(ask, y.id), to: [y.id, x.id] }))
  const onlyTo = textOf(await b.sign({ ...bounceFields(ask, y.id), to: [y.id] }))
  const notToY = textOf(await b.sign({ ...bounceFields(ask, y.id), to: [x.id, a.id] }))
  const notBounce = textOf(await b.sign({ ...bounceFields(ask, y.id), op: 'answer' }))
  const toAsker = textOf(await b.sign({ ...bounceFields(ask, a.id), to: [a.id, y.id] }))
  const good = textOf(await b.sign(bounceFields(ask, y.id)))
  const broken = `${good.slice(0, -10)}${good.at(-10) === '0' ? '1' : '0'}${good.slice(-9)}`
  const renamed = good.replaceAll(y.id, x.id)
  const chains: string[][] = [[byX], [toX], [toX, toX], [byX, byX], [other], [otherType], [otherNet], [notToAsker], [onlyTo], [notToY], [notBounce], [toAsker], [broken], [renamed], [good, good], [good, byX], ['{}'], [''], ['\ud800'.toWellFormed()]] // prettier-ignore
  for (const by of chains) {
    await y.say({ op: 'answer', to: [a.id], re: id, data: { data: 'forged', by } })
    await net.settle()
  }
  t.strictSame(a.dropped, { 'bad-bounce': chains.length })
  await x.say({ op: 'answer', to: [a.id], re: id, data: { data: 'stolen', by: [good] } })
  await b.say({ op: 'answer', to: [a.id], re: id, data: { data: 'odd', by: [good] } })
  await net.settle()
  t.strictSame(a.dropped, { 'bad-bounce': chains.length + 2 })
  await y.say({ op: 'answer', to: [a.id], re: id, data: { data: 'rightful', by: [good] } })
  t.match(await answer, { data: 'rightful', from: y.id, bounces: [b.id] })
})

t.test('many strangers with forged chains do not silence the rightful one', async (t) => {
  const scenery = scene()
  const { net, a, b, x, y } = scenery
  const { answer, id, ask } = await waiting(scenery)
  const forged = textOf(await x.sign(bounceFields(ask, y.id)))
  for (const node of net.nodes(100))
    await node.say({ op: 'answer', to: [a.id], re: id, data: { data: 0, by: [forged] } })
  await net.settle()
  const by = [textOf(await b.sign(bounceFields(ask, y.id)))]
  await y.say({ op: 'answer', to: [a.id], re: id, data: { data: 1, by } })
  t.equal((await answer).data, 1)
})

t.test('verifications of chains at once are bounded', async (t) => {
  const scenery = scene()
  const { net, a, b, x, y } = scenery
  const { answer, id, ask } = await waiting(scenery)
  let open = (): void => {}
  a.engine.gate = new Promise((resolve) => (open = resolve))
  const by = [textOf(await b.sign(bounceFields(ask, y.id)))]
  for (let count = 0; count < 50; count++) await y.say({ op: 'fail', to: [a.id], re: id, data: { code: `c${count}`, text: '', by } }) // prettier-ignore
  await x.say({ op: 'answer', to: [a.id], re: id, data: { data: 1, by } })
  await net.settle()
  t.equal(a.dropped['overload'], 19)
  t.equal(a.engine.verified, 1, 'one for all of a node')
  open()
  t.equal((await failure(answer)).answer?.code, 'c0')
  await net.settle()
  t.equal(a.dropped['unknown-request'], 31)
})

t.test('bounces that lead nobody anywhere are not taken by whom they name', async (t) => {
  const scenery = scene()
  const { net, a, b, x, y } = scenery
  const { answer, ask } = await waiting(scenery)
  let calls = 0
  y.requests.handle('add', () => ++calls)
  const good = bounceFields(ask, y.id)
  const altered = utf8ToBytes(new TextDecoder().decode(ask.bytes).replace('"data":1,', '"data":9,'))
  const parcel = (document: Uint8Array, attachment = new Uint8Array(0)) =>
    encodeParcel({ document, attachment })
  const otherAsk = (await a.sign({ op: 'ask', to: [b.id], exp: ask.body.exp, data: { data: 2, want: 0 } }))
    .draft
  const toMany = (
    await a.sign({ op: 'ask', to: [b.id, x.id], exp: ask.body.exp, data: { data: 2, want: 0 } })
  ).draft
  const sealedLike = (
    await a.sign({ op: 'answer', to: [b.id], exp: ask.body.exp, data: { data: 2, want: 0 } })
  ).draft
  const bad: [who: RequestNode, fields: SpokenFields][] = [
    [x, good],
    [b, { ...good, bytes: parcel(altered) }],
    [b, { ...good, bytes: parcel(ask.bytes, Uint8Array.of(1)) }],
    [b, { ...good, bytes: parcel(utf8ToBytes('{}')) }],
    [b, { ...good, bytes: new Uint8Array(3) }],
    [b, { ...good, bytes: Uint8Array.of(255, 255, 255, 255, 0) }],
    [b, { ...good, bytes: parcelOf(otherAsk) }],
    [b, { ...good, bytes: parcelOf(toMany), re: toMany.id }],
    [b, { ...good, bytes: parcelOf(sealedLike), re: sealedLike.id }],
    [b, { ...good, type: 'sub' }],
    [b, { ...good, to: [y.id, x.id] }],
    [x, { ...good, data: { to: y.id, by: [textOf(await x.sign(bounceFields(ask, x.id)))] } }],
    [b, { ...good, data: { to: y.id, by: [textOf(await b.sign(bounceFields(ask, x.id)))] } }],
  ]
  for (const [who, fields] of bad) await who.say(fields)
  await net.settle()
  t.strictSame(y.dropped, { 'bad-bounce': bad.length })
  const shapes: SpokenFields[] = [
    { ...good, bytes: undefined },
    { ...good, re: undefined },
    { ...good, to: [y.id] },
    { ...good, to: [y.id, a.id, x.id] },
    { ...good, data: { to: 'x' } },
    { ...good, data: { to: y.id, by: Array(4).fill('x') } },
    { ...good, data: { to: y.id, address: '10.0.0.1:80' } },
  ]
  for (const fields of shapes) await b.say(fields)
  await b.say({ ...good, data: { to: x.id } })
  await net.settle()
  t.match(y.dropped, { malformed: shapes.length, foreign: 1 })
  t.equal(calls, 0)
  await b.say(good)
  t.equal((await answer).data, 1)
})

t.test('an ask is answered once, however often and by whatever way it is bounced', async (t) => {
  const scenery = scene()
  const { net, b, y } = scenery
  const { answer, ask } = await waiting(scenery)
  let calls = 0
  y.requests.handle('add', () => ++calls)
  for (let count = 0; count < 20; count++) await b.say(bounceFields(ask, y.id))
  await net.settle()
  t.equal(calls, 1)
  t.equal(y.dropped['doubled'], 19)
  t.equal((await answer).data, 1)
})

t.test('a loop of bounces comes to its end', async (t) => {
  const { net, a, b, x } = scene()
  b.requests.handle('add', (request) => request.bounce(x.id))
  // It does what the handler of an honest node cannot.
  x.requests.handle('add', async ({ message }) => {
    const { draft } = net.sentAs('ask')[0]!
    const first = textOf(net.sentAs('bounce')[0]!)
    t.equal(message.id, draft.id)
    await x.say(bounceFields(draft, b.id, [first]))
    return new Promise(() => {})
  })
  const result = failure(a.requests.request(b.id, 'add', 1))
  await net.settle()
  t.strictSame(b.dropped, { 'bad-bounce': 1 })
  t.equal(net.sentAs('bounce').length, 2)
  await net.pass(10_000)
  t.equal((await result).code, 'request-timeout')
})

t.test('a bounce back to the asker is nothing', async (t) => {
  const scenery = scene()
  const { net, a, b, x } = scenery
  let calls = 0
  a.requests.handle('add', () => ++calls)
  const { answer, ask } = await waiting(scenery)
  await b.say({ ...bounceFields(ask, a.id), to: [a.id, x.id] })
  await b.say({ ...bounceFields(ask, a.id), to: [a.id] })
  await net.settle()
  t.strictSame(a.dropped, { 'bad-bounce': 2 })
  t.equal(calls, 0)
  a.requests.stop()
  await failure(answer)
  // Nor when the request is over.
  await b.say({ ...bounceFields(ask, a.id), to: [a.id, x.id] })
  await net.settle()
  t.equal(a.dropped['bad-bounce'], 3)
  t.equal(calls, 0)
})

t.test('an expired ask is not answered, whatever brings it', async (t) => {
  const scenery = scene()
  const { net, a, b, y } = scenery
  let calls = 0
  y.requests.handle('add', () => ++calls)
  const { answer, ask } = await waiting(scenery)
  await net.pass(10_000)
  t.equal((await failure(answer)).code, 'request-timeout')
  const time = net.clock.now()
  await b.say({ ...bounceFields(ask, y.id), exp: time + 10_000 })
  await net.settle()
  t.strictSame(y.dropped, { expired: 1 })
  const far = await a.sign({ op: 'ask', to: [y.id], exp: time + MAX_REQUEST_TIMEOUT, time: time - 1, data: { data: 1, want: 0 } }).catch(() => undefined) // prettier-ignore
  t.equal(far, undefined, 'no honest node signs a longer one')
  const late = await a.sign({ op: 'ask', to: [y.id], exp: time + 10_000, data: { data: 1, want: 0 } })
  const message = (await net.open(late))!
  y.requests.receive(markMessage(message, { late: true }))
  t.strictSame(y.dropped, { expired: 2 }, 'what comes out of a history was asked long ago')
  t.equal(calls, 0)
})

t.test('more and cancel of strangers change nothing', async (t) => {
  const { net, a, b, x } = scene()
  let request: Incoming | undefined
  let sent = 0
  b.requests.handle('count', async (incoming) => {
    request = incoming
    for (; await incoming.send(sent); sent++);
  })
  const parts = a.requests.requestStream(b.id, 'count', 1)
  await parts.next()
  await net.settle()
  const { id } = request!
  await x.say({ op: 'cancel', type: 'count', to: [b.id], re: id, data: {} })
  await x.say({ op: 'more', type: 'count', to: [b.id], re: id, data: { upTo: 50 } })
  await a.say({ op: 'more', type: 'other', to: [b.id], re: id, data: { upTo: 50 } })
  await net.settle()
  t.strictSame(b.dropped, { foreign: 3 })
  t.equal(sent, STREAM_CREDIT)
  t.equal(request!.signal.aborted, false)
  await parts.return()
})

t.test('parts beyond the credit, with huge gaps, or against their end fail the request', async (t) => {
  const broken: [op: string, data: unknown][][] = [
    [['part', { at: STREAM_CREDIT, data: 1 }]],
    [['part', { at: Number.MAX_SAFE_INTEGER, data: 1 }]],
    [['end', { at: STREAM_CREDIT + 1 }]],
    [['part', { at: 3, data: 1 }], ['end', { at: 2 }]], // prettier-ignore
    [['end', { at: 2 }], ['part', { at: 2, data: 1 }]], // prettier-ignore
    [['end', { at: 2 }], ['end', { at: 3 }]], // prettier-ignore
    [['part', { at: 1, data: 1 }], ['answer', { data: 1 }]], // prettier-ignore
  ]
  for (const messages of broken) {
    const { net, a, b } = scene()
    b.requests.handle('count', () => new Promise(() => {}))
    const parts = a.requests.requestStream(b.id, 'count', 1)
    const result = failure(parts.next())
    await net.settle()
    const { id } = net.sentAs('ask')[0]!.draft
    for (const [op, data] of messages) await b.say({ op, type: 'count', to: [a.id], re: id, data })
    const error = await result
    t.equal(error.code, 'request-failed', JSON.stringify(messages))
    t.equal(error.answer, undefined, 'it said nothing, it broke the rules')
    await net.settle()
    t.equal(net.sentAs('cancel').length, 1)
    t.equal(b.requests.stats.incoming, 1, 'its handler never ends')
    t.equal(net.clock.pendingTimers, 1)
    await net.pass(MAX_REQUEST_TIMEOUT)
    t.equal(b.requests.stats.incoming, 0)
  }
})

t.test('many parts for who asked for one answer fail the request', async (t) => {
  for (const [op, data] of [
    ['part', { at: 0, data: 1 }],
    ['end', { at: 0 }],
  ] as const) {
    const scenery = scene()
    const { answer, id } = await waiting(scenery)
    await scenery.b.say({ op, to: [scenery.a.id], re: id, data })
    t.equal((await failure(answer)).code, 'request-failed')
  }
})

t.test('doubled parts are dropped; nobody else may go on where one has begun', async (t) => {
  const { net, a, b, x } = scene()
  b.requests.handle('count', () => new Promise(() => {}))
  const parts = a.requests.requestStream(b.id, 'count', 1)
  const first = parts.next()
  await net.settle()
  const ask = net.sentAs('ask')[0]!.draft
  const say = (who: RequestNode, data: unknown) =>
    who.say({ op: 'part', type: 'count', to: [a.id], re: ask.id, data })
  await say(b, { at: 0, data: 'first' })
  t.equal(((await first).value as Answer).data, 'first')
  await say(b, { at: 0, data: 'again' })
  await say(b, { at: 2, data: 'third' })
  await say(b, { at: 2, data: 'again' })
  const by = [textOf(await b.sign(bounceFields(ask, x.id)))]
  await say(x, { at: 1, data: 'of another', by })
  await net.settle()
  t.strictSame(a.dropped, { doubled: 2, foreign: 1 })
  await parts.return()
})

t.test('a flood of asks gets its share of handlers and of answers, and no more', async (t) => {
  const { net, a, b, x } = scene()
  let calls = 0
  b.requests.handle('slow', () => {
    calls++
    return new Promise(() => {})
  })
  b.beforePost = () => new Promise(() => {})
  const flood = async (from: RequestNode, type: string, count: number): Promise<void> => {
    const data = { data: 1, want: 0 }
    const exp = net.clock.now() + 10
    for (let at = 0; at < count; at++) await from.say({ op: 'ask', type, to: [b.id], exp, data })
    await net.settle()
  }
  await flood(x, 'slow', 200)
  t.equal(calls, MAX_INCOMING_PER_ASKER)
  t.equal(b.options.length, MAX_REFUSALS)
  t.equal(b.dropped['overload'], 200 - MAX_INCOMING_PER_ASKER - MAX_REFUSALS)
  await flood(a, 'slow', 1)
  t.equal(calls, MAX_INCOMING_PER_ASKER + 1, 'others still get theirs')
  await net.pass(10)
  await flood(x, 'slow', 10)
  t.equal(
    calls,
    MAX_INCOMING_PER_ASKER + 1,
    'short deadlines do not make room: the handlers are still at work',
  )
  await net.pass(MAX_REQUEST_TIMEOUT)
  t.equal(b.requests.stats.incoming, 0, 'but one that never ends does not hold its place for ever')
  t.equal(net.clock.pendingTimers, 0)
})

t.test('prototype names are types like any other', async (t) => {
  const { net, a, b } = scene()
  for (const type of ['constructor', 'toString', 'hasOwnProperty', 'valueOf']) {
    t.equal((await failure(a.requests.request(b.id, type, 1))).answer?.code, 'no-handler')
    t.equal(b.requests.deliverPlain((await net.open(await a.sign({ type })))!), false)
  }
  t.equal(
    (await failure(a.requests.request(b.id, '__proto__', 1))).code,
    'invalid-argument',
    'which is no name',
  )
  for (const op of ['constructor', 'tostring', 'valueof']) {
    await a.say({ op, to: [b.id], data: {} })
  }
  await net.settle()
  t.strictSame(b.dropped, { malformed: 3 })
  b.requests.handle('constructor', () => 'fine')
  t.equal((await a.requests.request(b.id, 'constructor', 1)).data, 'fine')
})
