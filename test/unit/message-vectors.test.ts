import { readFileSync, writeFileSync } from 'node:fs'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { engine, type EngineName } from '../../lib/identity/ed25519.ts'
import { Identity, messageId, openMessage, signMessage } from '../../lib/message/index.ts'
import { prepare, signTogether } from '../../lib/message/draft.ts'
import { judgeTime, readDraft, verifyDraft } from '../../lib/message/message.ts'
import type { VerdictCode } from '../../lib/message/verdict.ts'
import { bytesOf, type WrittenDocument } from '../fixtures/forged-documents.ts'
import { documentWith } from '../fixtures/hand-batched.ts'
import { documentOf } from '../fixtures/hand-signed.ts'
import { type MessageFile, writeMessageFile } from '../fixtures/message-file.ts'

const FILE = new URL('../vectors/messages.json', import.meta.url)
// To write the file anew after a change: UPDATE_VECTORS=1 npx tap run test/unit/message-vectors.test.ts
if (process.env.UPDATE_VECTORS !== undefined) writeFileSync(FILE, writeMessageFile())
const TEXT = readFileSync(FILE, 'utf8')
const { keys, labels, valid, invalid, smallOrder } = JSON.parse(TEXT) as MessageFile
const ENGINES: readonly EngineName[] = ['node', 'webcrypto', 'tweetnacl']

/** What `openMessage` can answer. The other codes take a node, its peers and their past. */
const CODES: readonly VerdictCode[] = [
  ...(['too-large', 'too-deep', 'bad-utf8', 'bad-json', 'not-canonical', 'bad-shape', 'bad-key'] as const),
  ...(['wrong-net', 'stale', 'early', 'expired', 'bad-signature'] as const),
]

function read(written: WrittenDocument): Uint8Array {
  if ('document' in written) return utf8ToBytes(written.document)
  if ('documentHex' in written) return hexToBytes(written.documentHex)
  return bytesOf(written.documentParts)
}

t.test('the file is the one that the fixtures make', (t) => {
  t.equal(TEXT, writeMessageFile())
  const names = [...valid, ...invalid].map(({ name }) => name)
  t.equal(new Set(names).size, names.length, 'every vector has a name of its own')
  t.ok(valid.length >= 20 && invalid.length >= 120, `${valid.length} valid, ${invalid.length} invalid`)
  t.end()
})

t.test('every code that a document can be refused with is there, most of them several times', (t) => {
  const counts = new Map(CODES.map((code) => [code, invalid.filter((vector) => vector.code === code).length]))
  for (const [code, count] of counts) t.ok(count >= 2, `${code}: ${count}`)
  t.same(new Set(invalid.map(({ code }) => code)), new Set(CODES))
  t.end()
})

t.test('the keys are those of their seeds', (t) => {
  for (const { seed, id, name } of keys) t.equal(Identity.fromSeed(hexToBytes(seed)).id, id, name)
  t.equal(smallOrder.length, 7)
  t.end()
})

t.test('valid messages are accepted, and their parts are what is written', async (t) => {
  for (const vector of valid) {
    const { name, net, now, id, signed, signature } = vector
    const bytes = read(vector)
    const verdict = await openMessage(bytes, { net, now })
    if (!verdict.ok) {
      t.fail(`${name}: ${verdict.code}`)
      continue
    }
    const document = Buffer.from(bytes).toString()
    t.equal(verdict.message.id, id, name)
    t.equal(messageId(document), id)
    const { proof } = JSON.parse(document) as { proof?: { size: number } }
    const size = proof?.size.toString(16).padStart(4, '0')
    t.equal(signed, size ? labels['batch']! + size + vector.root! : labels['signature']! + id)
    if (vector.body === undefined) continue
    const text = Buffer.from(vector.body, 'hex').toString()
    const sig = hexToBytes(signature)
    t.equal(proof ? documentWith(text, proof, sig) : documentOf(text, sig), document)
  }
})

t.test('what the package signs is what is written', async (t) => {
  let count = 0
  for (const vector of valid) {
    const document = Buffer.from(read(vector)).toString()
    const { body, sig } = JSON.parse(document) as { body: Record<string, unknown>; sig: string }
    const author = keys.find(({ id }) => id === body['from'])
    const isOdd = body['exp'] === Number.MAX_SAFE_INTEGER || vector.name.includes('another good signature')
    // What seals hold is compared with vectors of their own.
    if (author === undefined || isOdd || 'seal' in body || vector.root !== undefined) continue
    count++
    const { from: _from, v: _v, bytes, ...rest } = body
    const fields = bytes === undefined ? rest : { ...rest, bytes: Uint8Array.of(1, 2, 3) }
    const made = await signMessage(fields as never, Identity.fromSeed(hexToBytes(author.seed)))
    t.equal(made, document, vector.name)
    t.equal(vector.signature, sig)
  }
  t.ok(count >= 15, `${count} of ${valid.length}`)
})

t.test('what the package signs together is what is written', async (t) => {
  const [author] = keys
  const identity = Identity.fromSeed(hexToBytes(author!.seed))
  const first = valid.find(({ name }) => name === 'number 0 of 256 that were signed together')!
  const { time, seq } = JSON.parse(Buffer.from(first.body!, 'hex').toString()) as {
    time: number
    seq: number
  }
  const fields = Array.from({ length: 256 }, (_, index) => ({ data: index, time, seq: seq + index }))
  for (const size of [2, 3, 5, 7, 8, 17, 100, 129, 255, 256]) {
    const messages = fields.slice(0, size).map((one) => prepare(one, identity))
    const drafts = await signTogether(messages, identity)
    const vectors = valid.filter(({ name }) => name.endsWith(` of ${size} that were signed together`))
    t.ok(vectors.length > 0)
    for (const { name, document, root, signature } of vectors as (typeof first & { document: string })[]) {
      const draft = drafts[Number(/\d+/.exec(name)![0])]!
      t.equal(Buffer.from(draft.bytes).toString(), document, name)
      t.equal(draft.place.root, root)
      t.equal(draft.signature, signature)
    }
  }
})

t.test('invalid messages are refused with their codes', async (t) => {
  for (const vector of invalid) {
    const { name, code, net, now } = vector
    t.same(await openMessage(read(vector), { net, now }), { ok: false, code }, name)
  }
})

/** `openMessage` with an engine of choice. */
async function judge(bytes: Uint8Array, net: string, now: number, name: EngineName): Promise<string> {
  const result = readDraft(bytes, net)
  if (!result.ok) return result.code
  const code = judgeTime(result.draft.body, now, {})
  if (code !== undefined) return code
  const verdict = await verifyDraft(result.draft, engine(name))
  return verdict.ok ? verdict.message.id : verdict.code
}

t.test('the three engines agree on every vector', async (t) => {
  const expected = [
    ...valid.map((vector) => ({ vector, is: vector.id })),
    ...invalid.map((vector) => ({ vector, is: vector.code })),
  ]
  for (const name of ENGINES) {
    const wrong: string[] = []
    for (const { vector, is } of expected) {
      const found = await judge(read(vector), vector.net, vector.now, name)
      if (found !== is) wrong.push(`${vector.name}: ${found} instead of ${is}`)
    }
    t.same(wrong, [], `${name}: ${expected.length} vectors`)
  }
})

t.test('two messages of the file differ in nothing but their signatures, and are one', (t) => {
  const [first, second] = valid.filter(({ name }) => name.startsWith('a text'))
  t.equal(first!.id, second!.id)
  t.not(first!.signature, second!.signature)
  t.equal(bytesToHex(hexToBytes(first!.id)), first!.id)
  t.end()
})
