import { createHash } from 'node:crypto'
import t from 'tap'
import { commonPrefix, compareDistance, PLACE_BITS, placeNear, placeOf } from '../../lib/lookup/place.ts'
import { Random } from '../../lib/testing/random.ts'
import { fromHex, toHex } from '../../lib/wire/hex.ts'

const random = new Random(4)
const some = (): Uint8Array => random.bytes(32)
const distance = (one: Uint8Array, other: Uint8Array): bigint =>
  BigInt(`0x${toHex(one.map((byte, at) => byte ^ other[at]!))}`)

t.test('the place of a node is SHA-256 of the 32 bytes of its key', async (t) => {
  const id = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
  t.equal(toHex(placeOf(id)), createHash('sha256').update(fromHex(id)).digest('hex'))
  t.equal(toHex(placeOf(id)), '21fe31dfa154a261626bf854046fd2271b7bed4b6abe45aa58877ef47f9721b9')
})

t.test('the nearer one is that with the smaller XOR, read as a number', async (t) => {
  for (let round = 0; round < 200; round++) {
    const [target, one, other] = [some(), some(), some()]
    // Often alike at the beginning, so that later bytes count.
    other.set(one.subarray(0, random.below(32)))
    const [a, b] = [distance(target, one), distance(target, other)]
    t.equal(Math.sign(compareDistance(target, one, other)), a < b ? -1 : a > b ? 1 : 0)
  }
  const place = some()
  t.equal(compareDistance(some(), place, place.slice()), 0)
})

t.test('the common prefix is counted in bits', async (t) => {
  const place = some()
  t.equal(commonPrefix(place, place.slice()), PLACE_BITS)
  for (let bit = 0; bit < PLACE_BITS; bit++) {
    const other = place.slice()
    other[bit >> 3]! ^= 0x80 >> (bit & 7)
    t.equal(commonPrefix(place, other), bit)
  }
})

t.test('a place by lot has exactly so many bits in common', async (t) => {
  const place = some()
  for (let bits = 0; bits < PLACE_BITS; bits++) {
    const found = placeNear(place, bits, () => random.next())
    t.equal(commonPrefix(place, found), bits)
    t.equal(found.length, 32)
  }
  const two = [0, 1].map(() => toHex(placeNear(place, 8, () => random.next())))
  t.not(two[0], two[1], 'and differs each time behind them')
})
