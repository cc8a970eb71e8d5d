import { utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { Identity, openMessage, type SignedMessage, signMessage } from '../../lib/message/index.ts'
import { signDraft } from '../../lib/message/draft.ts'
import { SignedMessage as MessageClass } from '../../lib/message/message.ts'
import { ALICE, BOB, CAROL, NOW, signBody } from '../fixtures/hand-signed.ts'

const alice = Identity.fromSeed(ALICE.seed)
const AT_NOW = { now: NOW }

/** A verified message. */
async function messageOf(document: string | Uint8Array): Promise<SignedMessage> {
  const verdict = await openMessage(document, AT_NOW)
  if (!verdict.ok) throw new Error(`refused: ${verdict.code}`)
  return verdict.message
}

/** What `{ ...value }` makes of an object. */
const spread = (value: object): Record<string, unknown> => ({ ...value })

t.test('a document keeps the bytes that were verified, whatever its owner does with his', async (t) => {
  const document = signBody()
  const bytes = utf8ToBytes(document)
  const opening = openMessage(bytes, AT_NOW)
  bytes.fill(0x20)
  const verdict = await opening
  t.ok(verdict.ok && verdict.message.document === document, 'changed while it is verified')
  const later = Buffer.from(document)
  const message = await messageOf(later)
  later.fill(0x20)
  t.equal(message.document, document, 'changed afterwards')
})

t.test('a message is frozen through and through', async (t) => {
  const document = await signMessage({ data: { list: [{ a: 1 }] }, to: [BOB.id], time: NOW }, alice)
  const message = await messageOf(document)
  const attempts: (() => unknown)[] = [
    () => ((message as { id: unknown }).id = 'x'),
    () => ((message as { data: unknown }).data = 'x'),
    () => ((message as unknown as { extra: number }).extra = 1),
    () => ((message.data as { list: unknown }).list = []),
    () => ((message.data as { list: { a: number }[] }).list[0]!.a = 2),
    () => (message.data as { list: unknown[] }).list.push(1),
    () => (message.to as unknown as string[]).push(CAROL.id),
    () => delete (message as { to?: unknown }).to,
    () => Object.setPrototypeOf(message, null),
    () => Object.defineProperty(message, 'document', { value: 'x' }),
  ]
  for (const attempt of attempts) t.throws(attempt, TypeError)
  t.same(message.data, { list: [{ a: 1 }] })
  t.equal(message.document, document)
})

t.test('a copy of a message is no message: the verdict does not travel', async (t) => {
  const message = await messageOf(signBody())
  const copy = { ...spread(message), data: 'something else' }
  t.notOk(copy instanceof MessageClass)
  // Nor for the compiler: what has all its fields, and not its private bytes, is not assignable to it.
  const isAssignable: Omit<SignedMessage, never> extends SignedMessage ? true : false = false
  t.notOk(isAssignable)
  t.notOk('document' in copy)
  const dressed = Object.assign(Object.create(MessageClass.prototype) as SignedMessage, copy)
  t.throws(() => dressed.document, TypeError, 'not with the prototype of one either')
  t.equal(structuredClone(message) instanceof MessageClass, false)
})

t.test('nobody else can make a message', async (t) => {
  const { bytes, id, body } = await signDraft({ data: 1, time: NOW }, alice)
  const Made = MessageClass as unknown as new (...args: unknown[]) => SignedMessage
  for (const key of [undefined, Symbol('made by message.ts'), 'made by message.ts', null, {}]) {
    t.throws(() => new Made(key, id, body, bytes), { code: 'invalid-argument', message: /openMessage/ })
  }
  const message = await messageOf(signBody())
  const { constructor } = message as unknown as { constructor: typeof Made }
  t.throws(() => new constructor(undefined, id, body, bytes), { code: 'invalid-argument' })
  // @ts-expect-error -- the key is a symbol that the module keeps to itself
  t.throws(() => new MessageClass(Symbol('x'), id, body, bytes), { code: 'invalid-argument' })
})
