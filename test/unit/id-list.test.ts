import t from 'tap'
import { decodeIds, encodeIds } from '../../lib/relay/id-list.ts'
import { Random } from '../../lib/testing/random.ts'
import { MAX_LISTED_IDS } from '../../lib/limits/tree-limits.ts'
import { toHex } from '../../lib/wire/hex.ts'
import type { MessageId } from '../../lib/wire/ids.ts'

const random = new Random(5)
const makeIds = (count: number): MessageId[] =>
  Array.from({ length: count }, () => toHex(random.bytes(32)) as MessageId)

t.test('a list of IDs is their bytes, one behind the other', async (t) => {
  const ids = ['00'.repeat(31) + '01', 'ff'.repeat(32)] as MessageId[]
  t.equal(toHex(encodeIds(ids)), ids.join(''))
  t.same(decodeIds(encodeIds(ids)), ids)
})

t.test('one ID and the most that fit are read as they were written', async (t) => {
  for (const count of [1, 2, MAX_LISTED_IDS]) {
    const ids = makeIds(count)
    t.same(decodeIds(encodeIds(ids)), ids)
  }
})

t.test('what is read does not depend on the buffer any more', async (t) => {
  const ids = makeIds(2)
  const payload = encodeIds(ids)
  const read = decodeIds(payload)
  payload.fill(0)
  t.same(read, ids)
})

t.test('a list in the middle of a larger buffer is read', async (t) => {
  const ids = makeIds(3)
  const buffer = new Uint8Array(200).fill(7)
  buffer.set(encodeIds(ids), 11)
  t.same(decodeIds(buffer.subarray(11, 11 + 96)), ids)
})

t.test('nothing else is a list', async (t) => {
  t.equal(decodeIds(new Uint8Array(0)), undefined, 'no ID')
  for (const length of [1, 31, 33, 63, 65, 32 * MAX_LISTED_IDS - 1, 32 * MAX_LISTED_IDS + 1]) {
    t.equal(decodeIds(new Uint8Array(length)), undefined, `${length} bytes`)
  }
  t.equal(decodeIds(new Uint8Array(32 * (MAX_LISTED_IDS + 1))), undefined, 'one too many')
})
