import { utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { MAX_ANSWER_BYTES, MAX_ANSWER_LINKS, MAX_TOLD_LATENCY } from '../../lib/limits/network-limits.ts'
import {
  type Answer,
  isGenuineAnswer,
  makeAnswer,
  readAnswer,
  tellLinks,
} from '../../lib/discovery/answer.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { FakeSigner } from '../fixtures/discovery-net.ts'
import { ALICE, BOB, CAROL, canonical } from '../fixtures/hand-signed.ts'
import { ANSWER, answerBody, QUESTION, state, UNKNOWN } from '../fixtures/questions.ts'

const NET = 'default'
const from = ALICE.id as NodeId
const sign = (bytes: Uint8Array): Promise<Uint8Array> => Promise.resolve(ALICE.sign(bytes))
const [first, second] = [BOB.id, CAROL.id].sort() as [string, string]
/** IDs in their order. */
const ids = Array.from({ length: 80 }, (_, index) => new FakeSigner(`peer ${index}`).id).sort()

/** The answer in these bytes, or the code they are refused with. */
function read(bytes: Uint8Array): Answer | string {
  const result = readAnswer(bytes, NET)
  return result.ok ? result.answer : result.code
}

t.test('an answer is what the protocol says, byte for byte', async (t) => {
  const links = [[first, 12.5] as const, [second, null] as const]
  const { statement } = await makeAnswer({ from, links, net: NET, re: UNKNOWN }, sign)
  const body = answerBody(ALICE.id, { links })
  t.equal(statement.text, Buffer.from(await state(ANSWER, body, ALICE)).toString())
})

t.test('an answer that is read is the one that was made, and genuine', async (t) => {
  const links = ids.slice(0, MAX_ANSWER_LINKS).map((id) => [id, 0.1] as const)
  for (const more of [undefined, 3]) {
    const told = { links, ...(more !== undefined && { more }) }
    const made = await makeAnswer({ from, ...told, net: NET, re: UNKNOWN }, sign)
    const answer = read(utf8ToBytes(made.statement.text)) as Answer
    t.same(answer, made)
    t.equal(await isGenuineAnswer(answer), true)
  }
})

t.test('an answer of somebody else is not genuine in this name, nor is a question', async (t) => {
  const body = answerBody(ALICE.id)
  t.equal(await isGenuineAnswer(read(await state(ANSWER, body, BOB)) as Answer), false)
  t.equal(await isGenuineAnswer(read(await state(QUESTION, body, ALICE)) as Answer), false)
})

t.test('links are told in the order of their IDs, with tenths of a millisecond', async (t) => {
  const links = [
    { id: second, latency: { smoothed: 3.14159 } },
    { id: first, latency: undefined },
  ]
  t.same(tellLinks(links), {
    links: [
      [first, null],
      [second, 3.1],
    ],
  })
  t.same(tellLinks([]), { links: [] })
})

t.test('two links to one node are told as one, and what cannot be told is left out', async (t) => {
  const odd = [NaN, -1, Infinity, MAX_TOLD_LATENCY + 1]
  const links = odd.map((smoothed) => ({ id: first, latency: { smoothed } }))
  for (const link of links) t.same(tellLinks([link, link]), { links: [[first, null]] })
  const slow = { id: first, latency: { smoothed: MAX_TOLD_LATENCY } }
  t.same(tellLinks([slow]), { links: [[first, MAX_TOLD_LATENCY]] })
})

t.test('of too many links the rest is counted, and the way back is always told', async (t) => {
  const links = ids.map((id) => ({ id, latency: undefined }))
  const origin = links.at(-1)!
  const { links: told, more } = tellLinks(links, origin)
  t.equal(told.length, MAX_ANSWER_LINKS)
  t.equal(more, ids.length - MAX_ANSWER_LINKS)
  t.equal(told.at(-1)![0], origin.id)
  const exact = tellLinks(links.slice(0, MAX_ANSWER_LINKS))
  t.notOk('more' in exact)
})

t.test('what is no answer is refused with a code', async (t) => {
  const full = ids.slice(0, MAX_ANSWER_LINKS).map((id) => [id, null])
  const small = `01${'00'.repeat(31)}`
  const cases: Record<string, readonly [Record<string, unknown> | string, string]> = {
    'a name that is none': [answerBody('alice'), 'bad-shape'],
    'a name that everybody can sign for': [answerBody(small), 'bad-shape'],
    'another version': [answerBody(ALICE.id, { v: 2 }), 'bad-shape'],
    'one thing more': [answerBody(ALICE.id, { hops: 3 }), 'bad-shape'],
    'no question': [answerBody(ALICE.id, { re: undefined }), 'bad-shape'],
    'a question that is none': [answerBody(ALICE.id, { re: '00' }), 'bad-shape'],
    'no links': [answerBody(ALICE.id, { links: undefined }), 'bad-shape'],
    'links that are no list': [answerBody(ALICE.id, { links: {} }), 'bad-shape'],
    'a link that is no list': [answerBody(ALICE.id, { links: [first] }), 'bad-shape'],
    'a link without its time': [answerBody(ALICE.id, { links: [[first]] }), 'bad-shape'],
    'a link with more': [answerBody(ALICE.id, { links: [[first, 1, 1]] }), 'bad-shape'],
    'a link to nobody': [answerBody(ALICE.id, { links: [['bob', 1]] }), 'bad-shape'],
    'a link to everybody': [answerBody(ALICE.id, { links: [[small, 1]] }), 'bad-shape'],
    'a link to itself': [answerBody(ALICE.id, { links: [[ALICE.id, 1]] }), 'bad-shape'],
    'a time in words': [answerBody(ALICE.id, { links: [[first, '1']] }), 'bad-shape'],
    'a time below zero': [answerBody(ALICE.id, { links: [[first, -1]] }), 'bad-shape'],
    'a time too long': [answerBody(ALICE.id, { links: [[first, MAX_TOLD_LATENCY + 1]] }), 'bad-shape'],
    'a link twice': [answerBody(ALICE.id, { links: [[first, 1], [first, 1]] }), 'bad-shape'], // prettier-ignore
    'links out of order': [answerBody(ALICE.id, { links: [[second, 1], [first, 1]] }), 'bad-shape'], // prettier-ignore
    'a link too many': [answerBody(ALICE.id, { links: ids.slice(0, 65).map((id) => [id, 1]) }), 'bad-shape'],
    'more, though there is room': [answerBody(ALICE.id, { links: full.slice(1), more: 1 }), 'bad-shape'],
    'no more': [answerBody(ALICE.id, { links: full, more: 0 }), 'bad-shape'],
    'half a link more': [answerBody(ALICE.id, { links: full, more: 0.5 }), 'bad-shape'],
    'another net': [answerBody(ALICE.id, { net: 'other' }), 'wrong-net'],
    'a number spelled otherwise': [
      canonical(answerBody(ALICE.id, { links: [[first, 1]] })).replace(',1]', ',1.0]'),
      'not-canonical',
    ],
    'a depth of hundreds': ['['.repeat(500) + ']'.repeat(500), 'too-deep'],
  }
  for (const [name, [body, code]] of Object.entries(cases)) {
    t.equal(read(await state(ANSWER, body, ALICE)), code, name)
  }
  t.equal(read(new Uint8Array(MAX_ANSWER_BYTES + 1)), 'too-large')
  t.equal(read(new Uint8Array(0)), 'bad-json')
})

t.test('the longest answer fits', async (t) => {
  const links = ids.slice(0, MAX_ANSWER_LINKS).map((id) => [id, 599_999.99999999] as const)
  const net = 'n'.repeat(64)
  const answer = { from, links, more: Number.MAX_SAFE_INTEGER, net, re: UNKNOWN }
  const { statement } = await makeAnswer(answer, sign)
  t.equal(readAnswer(utf8ToBytes(statement.text), net).ok, true)
  t.ok(statement.text.length < MAX_ANSWER_BYTES * 0.9)
})

t.test('no part of an answer is an answer', async (t) => {
  const bytes = await state(ANSWER, answerBody(ALICE.id, { links: [[first, 1]] }), ALICE)
  for (let length = 0; length < bytes.length; length++) t.type(read(bytes.subarray(0, length)), 'string')
})
