import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { MAX_BATCH_MESSAGES } from '../../lib/limits/limits.ts'
import { bodySlice } from '../../lib/message/document.ts'
import { HASH_DIGITS, pathLength } from '../../lib/message/merkle.ts'
import { isProof, proofLength, proofStart, writeProof } from '../../lib/message/proof.ts'
import { bodyTexts, documentIn, documentWith, proofIn, signTexts } from '../fixtures/hand-batched.ts'
import { GOOD_MESSAGES } from '../fixtures/good-messages.ts'
import { bytesOf } from '../fixtures/forged-documents.ts'
import { bodyTextOf, bodyWith, canonical, documentOf } from '../fixtures/hand-signed.ts'

const SIGNATURE = new Uint8Array(64).fill(0xab)
/** Bytes from the end of the proof to the end of the document. */
const TAIL = ',"sig":""}'.length + 2 * SIGNATURE.length
/** Places in trees of all sizes: the first, the last, and those around the middle. */
const PLACES = Array.from({ length: MAX_BATCH_MESSAGES - 1 }, (_, at) => at + 2).flatMap((size) =>
  [...new Set([0, 1, size >>> 1, size - 2, size - 1])].map((index) => ({ index, size })),
)
const pathOf = (index: number, size: number): string =>
  'c7'.repeat((pathLength(index, size) * HASH_DIGITS) / 2)

t.test('a proof is written as canonical JSON, between the body and the signature', (t) => {
  const proof = { index: 3, path: pathOf(3, 5), size: 5 }
  t.equal(writeProof(proof), `,"proof":${canonical(proof)}`)
  const text = documentWith('{}', proof, SIGNATURE)
  t.equal(canonical(JSON.parse(text)), text)
  t.end()
})

t.test('its length is known from the place alone', (t) => {
  for (const { index, size } of PLACES) {
    const { length } = writeProof({ index, size, path: pathOf(index, size) })
    if (proofLength({ index, size }) !== length) t.fail(`${index} of ${size}`)
  }
  t.equal(proofLength({ index: 255, size: 256 }), ',"proof":{"index":255,"path":"","size":256}'.length + 512)
  t.end()
})

t.test('a proof of every place is one', (t) => {
  for (const { index, size } of PLACES) {
    if (!isProof({ index, size, path: pathOf(index, size) })) t.fail(`${index} of ${size}`)
  }
  t.end()
})

t.test('what is no proof', (t) => {
  const good = { index: 1, path: pathOf(1, 5), size: 5 }
  t.equal(isProof(good), true)
  const faults: Record<string, unknown> = {
    null: null,
    'a text': 'proof',
    'a list': [good],
    'an empty object': {},
    'a key too many': { ...good, root: '00' },
    'no index': { path: good.path, size: 5 },
    'no path': { index: 1, size: 5 },
    'no size': { index: 1, path: good.path },
    'an index that is the size': { ...good, index: 5 },
    'an index beyond the size': { ...good, index: 9 },
    'a negative index': { ...good, index: -1 },
    'an index with a fraction': { ...good, index: 1.5 },
    'an index that is a text': { ...good, index: '1' },
    'an index that is null': { ...good, index: null },
    'an index of 2^32 + 1, which bit operations take for 1': { ...good, index: 2 ** 32 + 1, size: 256 },
    'a size of 0': { index: 0, path: '', size: 0 },
    'a size of 1: it was signed alone': { index: 0, path: '', size: 1 },
    'a size above the limit': {
      index: 0,
      path: pathOf(0, MAX_BATCH_MESSAGES + 1),
      size: MAX_BATCH_MESSAGES + 1,
    },
    'a size of 2^32 + 5': { ...good, size: 2 ** 32 + 5 },
    'a size with a fraction': { ...good, size: 5.5 },
    'a size that is a text': { ...good, size: '5' },
    'no hash': { ...good, path: '' },
    'a hash too few': { ...good, path: good.path.slice(HASH_DIGITS) },
    'a hash too many': { ...good, path: `${good.path}${'00'.repeat(32)}` },
    'a digit too few': { ...good, path: good.path.slice(1) },
    'a byte too many': { ...good, path: `${good.path}00` },
    'a path in upper case': { ...good, path: good.path.toUpperCase() },
    'a path with a line break': { ...good, path: `${good.path.slice(1)}\n` },
    'a path that is no hexadecimal': { ...good, path: `g${good.path.slice(1)}` },
    'a path that is a list': { ...good, path: good.path.match(/.{64}/g) },
    'a path that is a number': { ...good, path: 0 },
  }
  for (const [name, value] of Object.entries(faults)) t.equal(isProof(value as never), false, name)
  t.end()
})

t.test('a lone leaf at the end of a level has a shorter path', (t) => {
  t.equal(isProof({ index: 4, path: 'ab'.repeat(32), size: 5 }), true)
  t.equal(isProof({ index: 4, path: pathOf(0, 5), size: 5 }), false)
  t.end()
})

t.test('the proof is found from the end of a document', (t) => {
  for (const count of [2, 3, 7, 10, 101, 256]) {
    const batch = signTexts(bodyTexts(count, { data: ',"proof":{"index":0,"path":"","size":2}' }))
    for (const index of new Set([0, 1, count >>> 1, count - 1])) {
      const bytes = utf8ToBytes(documentIn(batch, index))
      const start = proofStart(bytes, bytes.length - TAIL)!
      t.equal(start, '{"body":'.length + batch.bodies[index]!.length, `${index} of ${count}`)
      t.equal(Buffer.from(bodySlice(bytes)!).toString(), batch.bodies[index])
    }
  }
  t.end()
})

t.test('a document without a proof has none, whatever its body holds', (t) => {
  const proof = canonical(proofIn(signTexts(bodyTexts(4)), 2))
  const contents = [`,"proof":${proof}`, proof, { proof: JSON.parse(proof) as unknown }, [`"proof":${proof}`]]
  for (const data of contents) {
    const document = utf8ToBytes(documentOf(canonical(bodyWith({ data })), SIGNATURE))
    t.equal(proofStart(document, document.length - TAIL), undefined)
  }
  for (const { name, form } of GOOD_MESSAGES) {
    const bytes = bytesOf(form)
    if (Buffer.from(bytes).includes('"proof":{')) continue
    t.equal(proofStart(bytes, bytes.length - TAIL), undefined, name)
    t.equal(Buffer.from(bodySlice(bytes)!).toString(), bodyTextOf(Buffer.from(bytes).toString()))
  }
  t.end()
})

t.test('a proof that is cut off in front, or spelled otherwise, is not found', (t) => {
  const text = documentIn(signTexts(bodyTexts(3)), 0)
  const end = text.length - TAIL
  const start = text.indexOf(',"proof"')
  for (let from = start + 1; from <= end; from++) {
    const cut = utf8ToBytes(text.slice(from))
    if (proofStart(cut, end - from) !== undefined) t.fail(`from ${from}`)
  }
  const spelled: readonly (readonly [string, string])[] = [
    [',"proof"', ', "proof"'],
    ['"index":0', '"index":0.0'],
    ['"index":0', '"index":0000'],
    ['"index":0', '"index":-0'],
    ['"path"', '"PATH"'],
    ['"size":3', '"size":"3"'],
    ['"size":3', '"size":3 '],
  ]
  for (const [from, to] of spelled) {
    const other = utf8ToBytes(text.replace(from, to))
    t.equal(proofStart(other, other.length - TAIL), undefined, to)
  }
  t.end()
})

t.test('nothing is read in front of the first byte', (t) => {
  t.equal(proofStart(new Uint8Array(0), 0), undefined)
  for (const text of ['}', '"size":2}', '","size":2}', 'abcdef","size":2}', '"path":"ab","size":2}']) {
    t.equal(proofStart(utf8ToBytes(text), text.length), undefined, text)
  }
  const digits = utf8ToBytes(`${'a'.repeat(100)}","size":2}`)
  t.equal(proofStart(digits, digits.length), undefined, bytesToHex(digits.subarray(0, 4)))
  t.end()
})
