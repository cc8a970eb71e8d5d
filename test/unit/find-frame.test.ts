import t from 'tap'
import { MAX_FOUND_BYTES, MAX_FOUND_RECORDS } from '../../lib/limits/network-limits.ts'
import {
  decodeFind,
  decodeFound,
  encodeFind,
  encodeFound,
  splitDocuments,
} from '../../lib/lookup/find-frame.ts'
import { toHex } from '../../lib/wire/hex.ts'
import { paperRecord } from '../fixtures/records.ts'

const place = Uint8Array.from({ length: 32 }, (_, at) => at)
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

t.test('a question is 4 bytes number, big-endian, and 32 bytes place', async (t) => {
  const payload = encodeFind({ number: 0xfffefdfc, place })
  t.equal(toHex(payload), `fffefdfc${toHex(place)}`)
  t.strictSame(decodeFind(payload), { number: 0xfffefdfc, place })
  for (const length of [0, 4, 35, 37, 1_000]) t.equal(decodeFind(new Uint8Array(length)), undefined)
})

t.test('what is read of a question does not change with the chunk that it came in', async (t) => {
  const payload = encodeFind({ number: 1, place })
  const find = decodeFind(payload)!
  payload.fill(0xff)
  t.strictSame(find.place, place)
})

t.test('an answer is 4 bytes number and a JSON list', async (t) => {
  t.equal(toHex(encodeFound(1, [])), `00000001${toHex(bytesOf('[]'))}`)
  const records = await Promise.all([1, 2, 3].map((number) => paperRecord(number)))
  const documents = records.map(({ document }) => document)
  const { number, list } = decodeFound(encodeFound(0x80000000, documents))!
  t.equal(number, 0x80000000)
  t.strictSame(
    JSON.parse(new TextDecoder().decode(list)),
    documents.map((text) => JSON.parse(text) as unknown),
  )
  t.strictSame(splitDocuments(list), documents)
})

t.test('20 records fit, and 21 do not', async (t) => {
  const { document } = await paperRecord(1)
  const lists = [1, 19, 20, 21, 100].map((count) => new Array<string>(count).fill(document))
  const lengths = lists.map((documents) => splitDocuments(encodeFound(1, documents).subarray(4))?.length)
  t.strictSame(lengths, [1, 19, MAX_FOUND_RECORDS, undefined, undefined])
})

t.test('what is too short or too long is no answer', async (t) => {
  for (const length of [0, 3, MAX_FOUND_BYTES + 1]) t.equal(decodeFound(new Uint8Array(length)), undefined)
  t.ok(decodeFound(new Uint8Array(MAX_FOUND_BYTES)))
})

t.test('what is no list is none', async (t) => {
  const texts = ['', '[', ']', '{}', 'null', '"[]"', '[]\n', ' []', '[{}', '{"body":1}]']
  for (const text of texts) t.equal(splitDocuments(bytesOf(text)), undefined, text)
  t.equal(splitDocuments(Uint8Array.of(0x5b, 0xff, 0x5d)), undefined, 'not UTF-8')
})

t.test('pieces that are no records are left to whoever reads them', async (t) => {
  t.strictSame(splitDocuments(bytesOf('[1,2]')), ['1,2'])
  t.strictSame(splitDocuments(bytesOf('[ ]')), [' '])
  t.strictSame(splitDocuments(bytesOf('["},{"body":"},{"body":]')), ['"}', '{"body":"}', '{"body":'])
})
