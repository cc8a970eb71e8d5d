import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { MAX_MESSAGE_BYTES, WINDOW_FUTURE, WINDOW_PAST } from '../../lib/limits/limits.ts'
import {
  Identity,
  type MessageFields,
  messageId,
  openMessage,
  type OpenOptions,
  type SignedMessage,
  signMessage,
} from '../../lib/message/index.ts'
import { signDraft } from '../../lib/message/draft.ts'
import { decodeBatch } from '../../lib/message/batch-frame.ts'
import { BatchPlace } from '../../lib/message/batch.ts'
import { isSignedBy, readBatched, readDraft, verifyDraft } from '../../lib/message/message.ts'
import { VerifiedRoots } from '../../lib/message/verified-roots.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { SMALL_ORDER_SPELLINGS } from '../fixtures/forge.ts'
import {
  bodyTexts,
  documentIn,
  documentWith,
  payloadIn,
  proofIn,
  signTexts,
} from '../fixtures/hand-batched.ts'
import * as hand from '../fixtures/hand-signed.ts'

const { ALICE, BOB, CAROL, NOW } = hand
const alice = Identity.fromSeed(ALICE.seed)
const RE = 'cd'.repeat(32)
const AT_NOW = { now: NOW }

/** The verdict's code, or `ok`. */
async function codeOf(document: unknown, options: OpenOptions = AT_NOW): Promise<string> {
  const verdict = await openMessage(document as string, options)
  return verdict.ok ? 'ok' : verdict.code
}

/** A verified message. */
async function messageOf(
  document: string | Uint8Array,
  options: OpenOptions = AT_NOW,
): Promise<SignedMessage> {
  const verdict = await openMessage(document, options)
  if (!verdict.ok) throw new Error(`refused: ${verdict.code}`)
  return verdict.message
}

/** What `{ ...value }` makes of an object. */
const spread = (value: object): Record<string, unknown> => ({ ...value })

const sign = (fields: Partial<MessageFields>): Promise<string> =>
  signMessage({ data: 'hello, network', time: NOW, seq: NOW * 1_000, ...fields }, alice)

t.test('what is signed is what a second implementation signs, byte for byte', async (t) => {
  t.equal(await sign({}), hand.signBody())
  const fields = {
    data: { b: [1, null], a: 'é😀\u0007' },
    type: 'chat/1',
    net: 'lab',
    to: [CAROL.id, BOB.id],
    re: RE,
    exp: NOW + 5,
  }
  t.equal(await sign(fields), hand.signBody(fields))
})

t.test('what was signed is opened again, with every field', async (t) => {
  const fields = { data: { a: [1] }, type: 'chat', net: 'lab', to: [BOB.id], re: RE, exp: NOW + 5 }
  const document = await sign(fields)
  const message = await messageOf(document)
  t.same(spread(message), { ...fields, id: messageId(document), from: alice.id, time: NOW, seq: NOW * 1_000 })
  t.equal(message.document, document)
})

t.test('a message has the fields that its author set, and no others', async (t) => {
  const message = await messageOf(await sign({}))
  t.same(Object.keys(message).sort(), ['data', 'from', 'id', 'net', 'seq', 'time', 'type'])
})

t.test('type, network, time and number have defaults', async (t) => {
  const before = Date.now()
  const identity = Identity.generate()
  const [first, second] = [await signMessage({ data: 1 }, identity), await signMessage({ data: 1 }, identity)]
  const message = await messageOf(first, {})
  t.match(message, { type: 'message', net: 'default', from: identity.id })
  t.ok(message.time >= before && message.time <= Date.now())
  t.ok((await messageOf(second, {})).seq > message.seq, 'numbers increase')
  t.not(messageId(first), messageId(second))
})

t.test('what no receiver would accept is not signed', async (t) => {
  const wrong: Record<string, readonly unknown[]> = {
    type: ['', 'a b', 'x'.repeat(65), '-a', 123, null, ['chat'], {}, 'a\n'],
    net: ['', 'a b', 'x'.repeat(65), 7, null, ['default'], true],
    time: [-1, 0.5, NaN, Infinity, 2 ** 53, '0', null],
    seq: [-1, 0.5, NaN, 2 ** 53, '0', true],
    re: ['', 'cd', RE.toUpperCase(), 5, null, [RE]],
    exp: [NOW, NOW - 1, NOW + WINDOW_PAST + 1, NOW + 0.5, NaN, String(NOW + 1), null],
    to: [
      [],
      '',
      BOB.id,
      null,
      [''],
      [BOB.id, BOB.id],
      [BOB.id.toUpperCase()],
      [undefined],
      { length: 1, 0: BOB.id },
      new Array(1),
    ],
  }
  for (const [key, values] of Object.entries(wrong)) {
    for (const value of values) {
      await t.rejects(sign({ [key]: value }), { code: 'invalid-argument' }, `${key}: ${inspect(value)}`)
    }
  }
  const many = Array.from({ length: 65 }, (_, i) => hand.authorOf('', i + 1).id)
  await t.rejects(sign({ to: many }), { code: 'invalid-argument', message: /1 to 64/ })
  t.equal(await codeOf(await sign({ to: many.slice(1) })), 'ok', '64 addressees')
})

t.test('keys that everybody can sign for are not addressed: receivers would blame the link', async (t) => {
  for (const { bytes } of SMALL_ORDER_SPELLINGS) {
    const id = Buffer.from(bytes).toString('hex')
    await t.rejects(sign({ to: [BOB.id, id] }), { code: 'invalid-argument', message: /node ID/ }, id)
  }
})

t.test('addressees that change while they are read are those that were checked', async (t) => {
  let reads = 0
  const to = new Proxy([BOB.id], {
    get: (target, key) => (key === '0' && reads++ > 0 ? 'not an ID' : (Reflect.get(target, key) as unknown)),
  })
  t.same((await messageOf(await sign({ to }))).to, [BOB.id])
})

t.test('a payload that is no JSON is refused with the path to it, and uses up no number', async (t) => {
  const identity = Identity.fromSeed(BOB.seed)
  for (const data of [undefined, NaN, { a: [new Date()] }, 10n]) {
    await t.rejects(signMessage({ data, time: NOW }, identity), { code: 'invalid-payload', message: /^data/ })
  }
  t.equal((await messageOf(await signMessage({ data: 1, time: NOW }, identity))).seq, NOW * 1_000)
})

t.test('a document may have 256 KiB and no more', async (t) => {
  const rest = (await sign({ data: '' })).length
  const document = await sign({ data: 'a'.repeat(MAX_MESSAGE_BYTES - rest) })
  t.equal(document.length, MAX_MESSAGE_BYTES)
  t.equal(await codeOf(document), 'ok')
  const data = 'a'.repeat(MAX_MESSAGE_BYTES - rest + 1)
  await t.rejects(sign({ data }), { code: 'message-too-large', message: /262145 bytes, the limit is 262144/ })
  t.equal(await codeOf(hand.signBody({ data })), 'too-large')
  t.equal(await codeOf('\ud800'.repeat(MAX_MESSAGE_BYTES + 1)), 'too-large', 'size comes first')
})

t.test(
  'a message is valid for 300 s, and from 60 s before our clock says so: both ends are inside',
  async (t) => {
    const document = await sign({})
    const cases: [number, string][] = [
      [NOW + WINDOW_PAST, 'ok'],
      [NOW + WINDOW_PAST + 1, 'stale'],
      [NOW - WINDOW_FUTURE, 'ok'],
      [NOW - WINDOW_FUTURE - 1, 'early'],
      [0, 'early'],
      [Number.MAX_SAFE_INTEGER, 'stale'],
    ]
    for (const [now, code] of cases) t.equal(await codeOf(document, { now }), code, `${now - NOW} ms later`)
    t.equal(await codeOf(document, {}), 'stale', 'by the clock of the machine')
  },
)

t.test('the window can be set, each end of it, or left out', async (t) => {
  const document = await sign({ exp: NOW + 1 })
  const window = { past: 10, future: 5 }
  const at = (now: number, options: OpenOptions): Promise<string> => codeOf(document, { now, ...options })
  t.equal(await at(NOW + 10, { window }), 'expired')
  t.equal(await at(NOW + 11, { window }), 'stale')
  t.equal(await at(NOW - 5, { window }), 'ok')
  t.equal(await at(NOW - 6, { window }), 'early')
  t.equal(await at(NOW - 6, { window: { past: 10 } }), 'ok', 'the other end stays as it is')
  t.equal(await at(NOW + 1e12, { window: false }), 'ok', 'the age of a stored document does not matter')
})

t.test('a message ends when its author says so', async (t) => {
  const document = await sign({ exp: NOW + 1_000 })
  t.equal(await codeOf(document, { now: NOW + 999 }), 'ok')
  t.equal(await codeOf(document, { now: NOW + 1_000 }), 'expired')
  t.equal(await codeOf(document, { now: NOW + 999_999 }), 'stale', 'in the end it is stale as well')
  t.equal(await codeOf(await sign({ exp: NOW + WINDOW_PAST })), 'ok', 'as far as the window allows')
})

t.test('a message of another network is none', async (t) => {
  const document = await sign({ net: 'lab' })
  t.equal(await codeOf(document, { now: NOW, net: 'lab' }), 'ok')
  t.equal(await codeOf(document, { now: NOW, net: 'default' }), 'wrong-net')
  t.equal(await codeOf(document), 'ok', 'unless nobody asks')
})

t.test('the cheaper check decides', async (t) => {
  const broken = hand.documentOf(hand.canonical(hand.bodyWith({ net: 'lab' })), new Uint8Array(64))
  t.equal(await codeOf(broken, { now: 0, net: 'default' }), 'wrong-net')
  t.equal(await codeOf(broken, { now: 0 }), 'early')
  t.equal(await codeOf(broken), 'bad-signature')
})

t.test('a signature of somebody else, or of something else, is refused', async (t) => {
  const body = hand.canonical(hand.bodyWith())
  const signatures = {
    'of another key': BOB.sign(hand.signedBytesOf(body)),
    'of another body': ALICE.sign(hand.signedBytesOf(body.replace('hello', 'jello'))),
    'of the ID without its label': ALICE.sign(hand.idOfBody(body)),
    'of the body itself': ALICE.sign(utf8ToBytes(body)),
    'of nothing': new Uint8Array(64),
  }
  for (const [name, signature] of Object.entries(signatures)) {
    t.equal(await codeOf(hand.documentOf(body, signature)), 'bad-signature', name)
  }
  t.equal(await codeOf(hand.signBody().replace('hello', 'jello')), 'bad-signature', 'an altered payload')
})

t.test('it can be found out whether the one who brought a forgery made it', async (t) => {
  const forged = hand.signText(hand.canonical(hand.bodyWith()), BOB)
  const result = readDraft(utf8ToBytes(forged), undefined)
  if (!result.ok) throw new Error(result.code)
  t.ok(await isSignedBy(result.draft, BOB.id as NodeId))
  t.notOk(await isSignedBy(result.draft, ALICE.id as NodeId))
  t.notOk(await isSignedBy(result.draft, CAROL.id as NodeId))
})

t.test('a second good signature makes another document, and the same message', async (t) => {
  const document = hand.signBody()
  const body = hand.bodyTextOf(document)
  const again = hand.documentOf(body, hand.signAgain(ALICE, hand.signedBytesOf(body)))
  t.not(again, document)
  const [first, second] = [await messageOf(document), await messageOf(again)]
  t.equal(second.id, first.id)
  t.equal(messageId(again), messageId(document))
  t.equal(second.document, again, 'each keeps its own bytes')
})

t.test('the ID can be asked for before anything is verified', async (t) => {
  const document = await sign({})
  t.equal(messageId(document), (await messageOf(document)).id)
  t.equal(messageId(document), Buffer.from(hand.idOfBody(hand.bodyTextOf(document))).toString('hex'))
  t.equal(messageId(document.replace(/[0-9a-f]{128}/, '0'.repeat(128))), messageId(document))
  for (const other of [
    '',
    '{}',
    'hello',
    document.slice(1),
    '\ud800',
    5,
    undefined,
    'x'.repeat(MAX_MESSAGE_BYTES + 1),
  ]) {
    t.throws(() => messageId(other as string), { code: 'invalid-argument' }, inspect(other).slice(0, 40))
  }
})

t.test('text and bytes of any kind are opened; everything else is refused without an error', async (t) => {
  const document = hand.signBody({ data: 'é😀' })
  const bytes = utf8ToBytes(document)
  const padded = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('xx')])
  const foreign = runInNewContext('bytes => Uint8Array.from(bytes)') as (bytes: Uint8Array) => Uint8Array
  const { buffer, byteOffset } = padded
  const accepted = {
    text: document,
    bytes,
    'a Buffer': Buffer.from(document),
    'a part of a Buffer': padded.subarray(2, -2),
    'bytes of another realm': foreign(bytes),
    'a view of them': new DataView(buffer, byteOffset + 2, bytes.length),
  }
  for (const [name, input] of Object.entries(accepted)) {
    t.equal((await messageOf(input as Uint8Array)).document, document, name)
  }
  const refused: unknown[] = [
    null,
    undefined,
    0,
    5,
    10n,
    true,
    Symbol('x'),
    {},
    [],
    { length: 3 },
    [1, 2],
    () => document,
    bytes.buffer,
    new Map(),
    Object(document),
    '\ud800',
    `${document}\udc00`,
    new Uint8Array(0),
    '',
  ]
  for (const input of refused) t.match(await codeOf(input), /^bad-(utf8|json)$/, inspect(input).slice(0, 40))
})

t.test('the parts of a draft are those of its document', async (t) => {
  const draft = await signDraft({ data: { a: 1 }, time: NOW, seq: 5 }, alice)
  const document = Buffer.from(draft.bytes).toString()
  t.equal(draft.id, messageId(document))
  t.equal(hand.documentOf(hand.canonical(draft.body), hexToBytes(draft.signature)), document)
})

t.test('a message that was signed with others', async (t) => {
  const batch = signTexts(bodyTexts(6))
  const parcel = decodeBatch(payloadIn(batch))!
  const draftAt = (index: number, bytes = parcel.bodies[index]!) => {
    const result = readBatched(new BatchPlace(parcel.batch, index), bytes, 'default')
    if (!result.ok) throw new Error(result.code)
    return result.draft
  }

  t.test('opens alone, and is the same as from a frame with the others', async (t) => {
    for (const index of [0, 3, 5]) {
      const document = documentIn(batch, index)
      const alone = await messageOf(document)
      t.equal(alone.document, document)
      t.equal(alone.id, messageId(document))
      const verdict = await verifyDraft(draftAt(index))
      if (!verdict.ok) throw new Error(verdict.code)
      t.same(spread(verdict.message), spread(alone))
      t.equal(verdict.message.document, document)
    }
  })

  t.test('holds its proof, and nothing that it came with', async (t) => {
    const verdict = await verifyDraft(draftAt(2))
    if (!verdict.ok) throw new Error(verdict.code)
    const shown = inspect(verdict.message, { showHidden: true, depth: 5 })
    t.notMatch(shown, 'Batch')
    t.notMatch(shown, 'Uint8Array')
  })

  t.test('is at once what it is where its root is known, and only then', async (t) => {
    const roots = new VerifiedRoots()
    t.match(await verifyDraft(draftAt(0), undefined, roots), { ok: true })
    for (const index of [1, 2, 3]) t.match(verifyDraft(draftAt(index), undefined, roots), { ok: true })
    const proof = { ...proofIn(batch, 4), path: proofIn(batch, 5).path }
    const wrong = readDraft(utf8ToBytes(documentWith(batch.bodies[4]!, proof, batch.signature)), 'default')
    if (!wrong.ok) throw new Error(wrong.code)
    t.match(await verifyDraft(wrong.draft, undefined, roots), { ok: false, code: 'bad-signature' })
    const other = documentWith(batch.bodies[4]!, proofIn(batch, 4), new Uint8Array(64).fill(9))
    const unsigned = readDraft(utf8ToBytes(other), 'default')
    if (!unsigned.ok) throw new Error(unsigned.code)
    t.match(await verifyDraft(unsigned.draft, undefined, roots), { ok: false, code: 'bad-signature' })
  })

  t.test('is the work of whoever signed the root', async (t) => {
    t.equal(await isSignedBy(draftAt(1), ALICE.id as NodeId), true)
    t.equal(await isSignedBy(draftAt(1), BOB.id as NodeId), false)
  })

  t.test('belongs to its network in a frame as well', (t) => {
    const place = new BatchPlace(parcel.batch, 0)
    t.match(readBatched(place, parcel.bodies[0]!, 'lab'), { ok: false, code: 'wrong-net' })
    t.match(readBatched(place, parcel.bodies[0]!, undefined), { ok: true })
    t.end()
  })
})
