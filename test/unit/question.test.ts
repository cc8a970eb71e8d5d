import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { MAX_QUESTION_BYTES } from '../../lib/limits/network-limits.ts'
import { isGenuineQuestion, makeQuestion, type Question, readQuestion } from '../../lib/discovery/question.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { ALICE, BOB, canonical, NOW } from '../fixtures/hand-signed.ts'
import { ANSWER, QUESTION, questionBody, state } from '../fixtures/questions.ts'

const NET = 'default'
const from = ALICE.id as NodeId
const sign = (bytes: Uint8Array): Promise<Uint8Array> => Promise.resolve(ALICE.sign(bytes))
const zero = (): number => 0

/** The question in these bytes, or the code they are refused with. */
function read(bytes: Uint8Array, net = NET): Question | string {
  const result = readQuestion(bytes, net)
  return result.ok ? result.question : result.code
}

t.test('a question is what the protocol says, byte for byte', async (t) => {
  const question = await makeQuestion({ from, net: NET, time: NOW }, zero, sign)
  const body = questionBody(ALICE.id)
  t.equal(question.statement.text, Buffer.from(await state(QUESTION, body, ALICE)).toString())
  t.equal(question.id, bytesToHex(sha256(utf8ToBytes(canonical(body)))))
})

t.test('a question that is read is the one that was made, and genuine', async (t) => {
  const made = await makeQuestion({ from, net: NET, time: NOW }, Math.random, sign)
  const question = read(utf8ToBytes(made.statement.text)) as Question
  t.same(question, made)
  t.equal(await isGenuineQuestion(question), true)
})

t.test('two questions of one moment are two', async (t) => {
  let count = 0
  const random = (): number => (count++ % 256) / 256
  const ask = () => makeQuestion({ from, net: NET, time: NOW }, random, sign)
  const [one, other] = [await ask(), await ask()]
  t.equal(one.body.nonce, '000102030405060708090a0b0c0d0e0f')
  t.not(one.id, other.id)
})

t.test('a question of somebody else is not genuine in this name', async (t) => {
  const bytes = await state(QUESTION, questionBody(ALICE.id), BOB)
  t.equal(await isGenuineQuestion(read(bytes) as Question), false)
})

t.test('what was signed as an answer is no question', async (t) => {
  const bytes = await state(ANSWER, questionBody(ALICE.id), ALICE)
  t.equal(await isGenuineQuestion(read(bytes) as Question), false)
})

t.test('what is no question is refused with a code', async (t) => {
  const cases: Record<string, readonly [Record<string, unknown> | string, string]> = {
    'a name that is none': [questionBody('alice'), 'bad-shape'],
    'a name that everybody can sign for': [questionBody(`01${'00'.repeat(31)}`), 'bad-shape'],
    'a name in capitals': [questionBody(ALICE.id.toUpperCase()), 'bad-shape'],
    'no name': [questionBody(ALICE.id, { from: undefined }), 'bad-shape'],
    'another version': [questionBody(ALICE.id, { v: 2 }), 'bad-shape'],
    'one thing more': [questionBody(ALICE.id, { ttl: 7 }), 'bad-shape'],
    'a short nonce': [questionBody(ALICE.id, { nonce: '00' }), 'bad-shape'],
    'a number for a nonce': [questionBody(ALICE.id, { nonce: 0 }), 'bad-shape'],
    'no time': [questionBody(ALICE.id, { time: undefined }), 'bad-shape'],
    'half a millisecond': [questionBody(ALICE.id, { time: NOW + 0.5 }), 'bad-shape'],
    'a time before all': [questionBody(ALICE.id, { time: -1 }), 'bad-shape'],
    'a net that is no name': [questionBody(ALICE.id, { net: '' }), 'bad-shape'],
    'a list': ['[]', 'bad-shape'],
    null: ['null', 'bad-shape'],
    'another net': [questionBody(ALICE.id, { net: 'other' }), 'wrong-net'],
    'blanks between': [JSON.stringify(questionBody(ALICE.id)).replace(',', ', '), 'not-canonical'],
    'a key twice': [canonical(questionBody(ALICE.id)).replace('"v":1', '"v":1,"v":1'), 'not-canonical'],
    'a depth of hundreds': ['['.repeat(60) + ']'.repeat(60), 'too-deep'],
    'no JSON': ['{', 'bad-json'],
  }
  for (const [name, [body, code]] of Object.entries(cases)) {
    t.equal(read(await state(QUESTION, body, ALICE)), code, name)
  }
  t.equal(read(new Uint8Array(0)), 'bad-json')
  t.equal(read(Uint8Array.of(0xff)), 'bad-utf8')
  t.equal(read(new Uint8Array(MAX_QUESTION_BYTES + 1)), 'too-large')
  t.equal(read(utf8ToBytes('{"body":{}}')), 'bad-shape', 'no signature')
})

t.test('the longest question fits', async (t) => {
  const net = 'n'.repeat(64)
  const { statement } = await makeQuestion({ from, net, time: Number.MAX_SAFE_INTEGER }, zero, sign)
  const bytes = utf8ToBytes(statement.text)
  t.equal(bytes.length, 367, 'as lib/limits/limits.ts says')
  t.type(read(bytes, net), 'object')
})

t.test('no part of a question is a question', async (t) => {
  const bytes = await state(QUESTION, questionBody(ALICE.id), ALICE)
  for (let length = 0; length < bytes.length; length++) t.type(read(bytes.subarray(0, length)), 'string')
})
