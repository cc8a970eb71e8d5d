import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { MAX_DEPTH } from '../../lib/limits/limits.ts'
import { encodeParcel } from '../../lib/message/parcel.ts'
import { verifyDraft } from '../../lib/message/message.ts'
import {
  type Arrived,
  entriesOf,
  frameOf,
  idOf,
  type Incoming,
  readIncoming,
  whole,
} from '../../lib/relay/incoming.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import {
  bodyTexts,
  documentIn,
  documentWith,
  entry,
  payloadIn,
  payloadOf,
  proofIn,
  signTexts,
} from '../fixtures/hand-batched.ts'
import { bodyWith, canonical, NET, nested, signBody } from '../fixtures/hand-signed.ts'

const HAND = signTexts(bodyTexts(4))
const [FIRST] = HAND.bodies
const ATTACHMENT = Uint8Array.of(1, 2, 3)
const NAMED = { sha256: bytesToHex(sha256(ATTACHMENT)), size: 3 }

const entries = (payload: Uint8Array) => entriesOf({ kind: Kind.batch, payload })
const message = (document: string): Arrived => ({ kind: Kind.message, payload: utf8ToBytes(document) })

function read(arrived: Arrived): Incoming {
  const result = readIncoming(arrived, NET)
  if (!result.ok) throw new Error(result.code)
  return result.incoming
}
const codeOf = (arrived: Arrived): string => {
  const result = readIncoming(arrived, NET)
  return result.ok ? 'ok' : result.code
}

t.test('a frame of a batch is as many messages as it holds bodies', (t) => {
  t.same(
    entries(payloadIn(HAND))!.map(({ index }) => index),
    [0, 1, 2, 3],
  )
  t.same(
    entries(payloadIn(HAND, (at) => at > 1))!.map(({ index }) => index),
    [2, 3],
  )
  t.equal(entries(payloadIn(HAND, () => false)), undefined)
  t.equal(entries(payloadIn(HAND).subarray(1)), undefined)
  t.end()
})

t.test('a message of it is the same as in a document of its own', async (t) => {
  for (const arrived of entries(payloadIn(HAND))!) {
    const { index } = arrived
    const document = documentIn(HAND, index)
    const [together, alone] = [read(arrived), read(message(document))]
    t.equal(together.id, bytesToHex(HAND.ids[index]!))
    t.equal(idOf(arrived), together.id)
    t.equal(idOf(message(document)), together.id)
    t.same(together.body, alone.body)
    t.equal(together.key, alone.key, 'and shares its verdict')
    t.equal(Buffer.from(together.draft.bytes).toString(), document)
    t.equal(together.frame, undefined, 'there is no frame that brings it alone')
    t.equal(together.isLate, false)
    t.match(await verifyDraft(together.draft), { ok: true, message: { id: together.id, document } })
  }
})

t.test('all messages of a batch share a key, and no other message does', (t) => {
  const keys = entries(payloadIn(HAND))!.map((arrived) => read(arrived).key)
  t.equal(new Set(keys).size, 1)
  const others = [
    message(signBody()),
    message(documentWith(FIRST!, proofIn(HAND, 0), new Uint8Array(64))),
    message(documentIn(HAND, 0, { path: '00'.repeat(64) })),
    message(documentIn(HAND, 0, { index: 1 })),
    message(documentIn(signTexts(bodyTexts(5)), 0)),
  ]
  const all = new Set([keys[0], ...others.map((arrived) => read(arrived).key)])
  t.equal(all.size, others.length + 1)
  t.end()
})

t.test('whoever keeps the buffer cannot change what was read from it', (t) => {
  const payload = payloadIn(HAND)
  const [arrived] = entries(payload)!
  const incoming = read(arrived!)
  payload.fill(0)
  t.equal(Buffer.from(incoming.draft.bytes).toString(), documentIn(HAND, 0))
  const own = encodeFrame(Kind.batch, payloadIn(HAND))
  const [view] = entriesOf({ kind: Kind.batch, payload: own.subarray(5), own })!
  t.equal(view!.parcel.bodies[0]!.buffer, own.buffer, 'and what is nobody else’s is not copied')
  t.end()
})

t.test('what is wrong with a body has the code that its document has', (t) => {
  const bodies: Record<string, string> = {
    'bad-json': FIRST!.slice(0, -1),
    'not-canonical': FIRST!.replace('"v":1', '"v":1.0'),
    'bad-shape': canonical({ ...bodyWith(), hops: 1 }),
    'bad-key': canonical(bodyWith({ from: `01${'00'.repeat(31)}` })),
    'too-deep': canonical(bodyWith({ data: nested(MAX_DEPTH + 1) })),
    'wrong-net': canonical(bodyWith({ net: 'lab' })),
    'bad-attachment': canonical(bodyWith({ bytes: NAMED })),
  }
  for (const [code, body] of Object.entries(bodies)) {
    const hand = signTexts([FIRST!, body])
    t.equal(codeOf(entries(payloadIn(hand))![1]!), code, code)
    t.equal(codeOf(message(documentIn(hand, 1))), code, `${code}, alone`)
    t.equal(codeOf(entries(payloadIn(hand))![0]!), 'ok', 'the other one is as good as it was')
  }
  const noise = payloadOf(HAND.signature, [entry(Buffer.from([0xc0]).toString('latin1')), entry(FIRST!)])
  noise[70] = 0xff
  t.equal(codeOf(entries(noise)![0]!), 'bad-utf8')
  const marked = signTexts([`\ufeff${FIRST!}`, FIRST!])
  t.equal(codeOf(entries(payloadIn(marked))![0]!), 'bad-json', 'a byte order mark')
  t.equal(codeOf(message(documentIn(marked, 0))), 'bad-json')
  t.end()
})

t.test('a payload nests as deep in a batch as in a document', (t) => {
  const hand = signTexts([canonical(bodyWith({ data: nested(MAX_DEPTH) })), FIRST!])
  t.equal(codeOf(entries(payloadIn(hand))![0]!), 'ok')
  t.equal(codeOf(message(documentIn(hand, 0))), 'ok')
  t.end()
})

t.test('a message of a batch with an attachment travels alone, as others do', async (t) => {
  const hand = signTexts([canonical(bodyWith({ bytes: NAMED })), FIRST!])
  const document = utf8ToBytes(documentIn(hand, 0))
  for (const kind of [Kind.parcel, Kind.lateParcel]) {
    const payload = encodeParcel({ document, attachment: ATTACHMENT })
    const incoming = read({ kind, payload })
    t.equal(incoming.isLate, kind === Kind.lateParcel)
    t.same(frameOf(incoming.draft), encodeFrame(Kind.parcel, payload))
    t.same(incoming.frame, encodeFrame(Kind.parcel, payload), 'the late one becomes an ordinary one')
    const verdict = await verifyDraft(incoming.draft)
    if (!verdict.ok) throw new Error(verdict.code)
    t.same(whole(verdict.message, incoming.draft)?.bytes, ATTACHMENT)
    const other = { ...incoming.draft, attachment: Uint8Array.of(1, 2, 4) }
    t.equal(whole(verdict.message, other), undefined)
  }
  t.equal(idOf({ kind: Kind.parcel, payload: hexToBytes('000000') }), 'lost')
  t.equal(codeOf({ kind: Kind.message, payload: document }), 'bad-attachment')
  t.end()
})

t.test('a message of a batch is framed alone as its document', (t) => {
  const [arrived] = entries(payloadIn(HAND))!
  const frame = encodeFrame(Kind.message, utf8ToBytes(documentIn(HAND, 0)))
  t.equal(bytesToHex(frameOf(read(arrived!).draft)), bytesToHex(frame))
  t.end()
})

t.test('bytes that are no document have an ID or none, and are refused', (t) => {
  for (const payload of [
    new Uint8Array(0),
    utf8ToBytes('{}'),
    concatBytes(utf8ToBytes('{"body":'), new Uint8Array(200)),
  ]) {
    const arrived = { kind: Kind.message, payload }
    t.equal(idOf(arrived), undefined)
    t.not(codeOf(arrived), 'ok')
  }
  t.end()
})
