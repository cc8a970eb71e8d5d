import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { MAX_ATTACHMENT_BYTES } from '../../lib/limits/limits.ts'
import { sha256Hex } from '../../lib/message/digest.ts'
import {
  prepare,
  type SealedHead,
  signAlone,
  signDraft,
  signMessage,
  signTogether,
} from '../../lib/message/draft.ts'
import {
  attach,
  bodyOf,
  markMessage,
  openMessage,
  readDraft,
  verifyDraft,
} from '../../lib/message/message.ts'
import { bodyWith, forge, textOf } from '../fixtures/documents.ts'
import { bodyTexts, documentIn, signTexts } from '../fixtures/hand-batched.ts'
import { ALICE, NOW } from '../fixtures/hand-signed.ts'

const alice = Identity.generate()
const bob = Identity.generate()
const bytes = Uint8Array.of(1, 2, 3)

t.test('bytes beside a document', async (t) => {
  t.test('are signed by their hash and length, and opened with it', async (t) => {
    const document = await signMessage({ data: { name: 'three' }, bytes }, alice)
    t.match(JSON.parse(document), { body: { bytes: { sha256: sha256Hex(bytes), size: 3 } } })
    const verdict = await openMessage(document, { bytes })
    t.match(verdict, { ok: true, message: { attachment: { size: 3 }, data: { name: 'three' } } })
    if (verdict.ok) t.strictSame(verdict.message.bytes, bytes)
  })

  t.test('need not be there to verify what is said about them', async (t) => {
    const verdict = await openMessage(await signMessage({ data: 1, bytes }, alice))
    t.match(verdict, {
      ok: true,
      message: { attachment: { sha256: sha256Hex(bytes), size: 3 }, bytes: undefined },
    })
  })

  t.test('that are others are refused', async (t) => {
    const document = await signMessage({ data: 1, bytes }, alice)
    for (const wrong of [
      Uint8Array.of(1, 2, 4),
      Uint8Array.of(1, 2),
      Uint8Array.of(1, 2, 3, 0),
      new Uint8Array(0),
    ]) {
      t.strictSame(await openMessage(document, { bytes: wrong }), { ok: false, code: 'bad-attachment' })
    }
    const plain = await signMessage({ data: 1 }, alice)
    t.strictSame(await openMessage(plain, { bytes }), { ok: false, code: 'bad-attachment' }, 'none was named')
  })

  t.test('may be none at all, and as many as fit into a frame', async (t) => {
    const empty = await signDraft({ data: 1, bytes: new Uint8Array(0) }, alice)
    t.strictSame(empty.body.bytes, { sha256: sha256Hex(new Uint8Array(0)), size: 0 })
    const most = new Uint8Array(MAX_ATTACHMENT_BYTES)
    t.equal((await signDraft({ data: 1, bytes: most }, alice)).attachment?.length, MAX_ATTACHMENT_BYTES)
    const more = new Uint8Array(MAX_ATTACHMENT_BYTES + 1)
    await t.rejects(signDraft({ data: 1, bytes: more }, alice), { code: 'message-too-large' })
    await t.rejects(signDraft({ data: 1, bytes: 'text' as never }, alice), { code: 'invalid-argument' })
  })

  t.test('are copied: what is signed does not change with what was given', async (t) => {
    const given = bytes.slice()
    const signing = signDraft({ data: 1, bytes: given }, alice)
    given.fill(9)
    t.strictSame((await signing).attachment, bytes)
  })
})

t.test('what every node refuses about them', async (t) => {
  const good = { sha256: sha256Hex(bytes), size: 3 }
  const wrong: unknown[] = [
    null,
    [],
    {},
    { sha256: good.sha256 },
    { size: 3 },
    { ...good, name: 'x' },
    { ...good, size: -1 },
    { ...good, size: 1.5 },
    { ...good, size: '3' },
    { ...good, size: MAX_ATTACHMENT_BYTES + 1 },
    { ...good, sha256: good.sha256.toUpperCase() },
    { ...good, sha256: 'ab' },
  ]
  for (const value of wrong) {
    const document = await forge(await bodyWith(alice, { bytes: value }), alice)
    t.strictSame(await openMessage(document), { ok: false, code: 'bad-shape' }, JSON.stringify(value))
  }
})

t.test('an op', async (t) => {
  t.test('says what a message is in a request, and needs addressees', async (t) => {
    const verdict = await openMessage(await signMessage({ data: 1, op: 'ask', to: [bob.id] }, alice))
    t.match(verdict, { ok: true, message: { op: 'ask' } })
    await t.rejects(signMessage({ data: 1, op: 'ask' }, alice), { code: 'invalid-argument' })
    await t.rejects(signMessage({ data: 1, op: 'Ask', to: [bob.id] }, alice), { code: 'invalid-argument' })
  })

  t.test('that this version does not know is passed on', async (t) => {
    const document = await forge(await bodyWith(alice, { op: 'later', to: [bob.id] }), alice)
    t.match(await openMessage(document), { ok: true, message: { op: 'later' } })
  })

  t.test('of a wrong form, or for everyone, is refused', async (t) => {
    for (const members of [
      { op: '', to: [bob.id] },
      { op: 'a-b', to: [bob.id] },
      { op: 1, to: [bob.id] },
      { op: 'ask' },
      { op: 'a'.repeat(17), to: [bob.id] },
    ]) {
      const document = await forge(await bodyWith(alice, members), alice)
      t.strictSame(await openMessage(document), { ok: false, code: 'bad-shape' }, JSON.stringify(members))
    }
  })
})

t.test('a sealer is given all of the body but the payload', async (t) => {
  const heads: SealedHead[] = []
  const payload = { seal: { e: 'a', k: ['b'], m: 'c', v: 1 } as const, data: 'AAAA', bytes: Uint8Array.of(7) }
  const fields = {
    data: { secret: 1 },
    bytes,
    to: [bob.id],
    type: 'note',
    time: 5_000,
    seq: 7,
    re: 'ab'.repeat(32),
  }
  const draft = await signDraft(fields, alice, (head, data, attachment) => {
    t.strictSame(data, { secret: 1 })
    t.strictSame(attachment, bytes)
    heads.push(head)
    return payload
  })
  const { data: _, bytes: _bytes, time, ...rest } = { ...fields, from: alice.id, net: 'default', v: 1 }
  t.strictSame(heads, [{ ...rest, time }])
  t.match(draft.body, { seal: payload.seal, data: 'AAAA', bytes: { size: 1 } })
  t.strictSame(draft.attachment, Uint8Array.of(7))
  await t.rejects(
    signDraft({ data: 1 }, alice, () => payload),
    { code: 'invalid-argument' },
    'for whom?',
  )
})

t.test('a message can be marked with what only its receiver knows', async (t) => {
  const draft = await signDraft({ data: 'cipher', bytes }, alice)
  const result = readDraft(draft.bytes, undefined, undefined, bytes)
  const verdict = result.ok && (await verifyDraft(result.draft))
  if (!verdict || !verdict.ok) throw new Error('it is genuine')
  const message = attach(verdict.message, bytes)!
  t.equal(attach(message, Uint8Array.of(1, 2, 4)), undefined)
  t.notOk('late' in message || 'sealed' in message || 'redelivered' in message)
  const late = markMessage(message, { late: true, redelivered: true })
  t.match(late, { id: message.id, data: 'cipher', late: true, redelivered: true, document: message.document })
  t.strictSame(late.bytes, bytes)
  const opened = markMessage(late, { opened: { data: { secret: 1 } } })
  t.match(opened, {
    data: { secret: 1 },
    sealed: true,
    late: true,
    bytes: undefined,
    document: message.document,
  })
  t.ok(Object.isFrozen(opened) && Object.isFrozen(opened.data))
  t.equal(bodyOf(opened).data, 'cipher', 'what was signed stays what it was')
})

t.test('messages that are signed together', async (t) => {
  const author = Identity.fromSeed(ALICE.seed)

  t.test('are what a second implementation signs, byte for byte', async (t) => {
    const hand = signTexts(bodyTexts(7))
    const fields = hand.bodies.map((_, data) => ({ data, time: NOW, seq: NOW * 1_000 + data }))
    const drafts = await signTogether(
      fields.map((one) => prepare(one, author)),
      author,
    )
    for (const [index, draft] of drafts.entries()) {
      t.equal(textOf(draft.bytes), documentIn(hand, index))
      t.equal(textOf(draft.bodyBytes), hand.bodies[index])
    }
  })

  t.test('have their own attachments', async (t) => {
    const drafts = await signTogether(
      [prepare({ data: 1, bytes }, author), prepare({ data: 2 }, author)],
      author,
    )
    t.strictSame(
      drafts.map(({ attachment }) => attachment),
      [bytes, undefined],
    )
    const verdict = await openMessage(textOf(drafts[0]!.bytes), { bytes })
    t.match(verdict, { ok: true, message: { data: 1, attachment: { size: 3 } } })
  })

  t.test('have the IDs that they have alone', async (t) => {
    const messages = [prepare({ data: 1 }, author), prepare({ data: 2 }, author)]
    const drafts = await signTogether(messages, author)
    for (const [index, message] of messages.entries()) {
      t.equal(drafts[index]!.id, message.id)
      t.equal((await signAlone(message, author)).id, message.id)
    }
  })
})

t.test('what is prepared does not change any more, and is checked before it waits', async (t) => {
  const data = { list: [1] }
  const message = prepare({ data }, alice)
  data.list.push(2)
  t.match(await openMessage((await signAlone(message, alice)).bytes), {
    ok: true,
    message: { data: { list: [1] } },
  })
  t.throws(() => prepare({ data: 'a'.repeat(2 ** 18) }, alice), { code: 'message-too-large' })
  t.throws(() => prepare({ data: 1n }, alice), { code: 'invalid-payload' })
})
