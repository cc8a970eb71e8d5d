import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { Random } from '../../lib/testing/random.ts'
import { fromHex, readHexWord, toHex, writeHex } from '../../lib/wire/hex.ts'

t.test('every byte has one spelling, in lower case', async (t) => {
  const all = Uint8Array.from({ length: 256 }, (_, byte) => byte)
  t.equal(toHex(all), bytesToHex(all))
  t.strictSame([...fromHex(toHex(all))], [...all])
  t.equal(toHex(new Uint8Array(0)), '')
  t.equal(fromHex('').length, 0)
})

t.test('it agrees with the way that browsers take', async (t) => {
  const random = new Random(1)
  for (let length = 0; length < 100; length++) {
    const bytes = random.bytes(length)
    t.equal(toHex(bytes), bytesToHex(bytes))
    t.strictSame([...fromHex(toHex(bytes))], [...hexToBytes(toHex(bytes))])
  }
})

t.test('a part of a larger buffer is that part, and what comes back is a plain array', async (t) => {
  const large = Uint8Array.of(1, 2, 0xfe, 0xff, 5)
  t.equal(toHex(large.subarray(2, 4)), 'feff')
  t.equal(toHex(Buffer.from(large).subarray(2, 4)), 'feff')
  const bytes = fromHex('feff')
  t.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype)
  t.equal(bytes.buffer.byteLength, 2, 'not a view of a pool that others use')
})

t.test('bytes are written into an array that is there, and nowhere else in it', async (t) => {
  const random = new Random(2)
  for (let length = 0; length < 70; length++) {
    const part = random.bytes(length)
    const bytes = new Uint8Array(length + 3).fill(0xaa)
    writeHex(bytes, 2, toHex(part))
    t.equal(toHex(bytes), `aaaa${toHex(part)}aa`)
  }
})

t.test('8 digits are one word, big-endian and unsigned', async (t) => {
  const cases: [string, number][] = [
    ['00000000', 0],
    ['00000001', 1],
    ['0a0b0c0d', 0x0a0b0c0d],
    ['80000000', 2 ** 31],
    ['ffffffff', 2 ** 32 - 1],
  ]
  for (const [hex, word] of cases) {
    t.equal(readHexWord(hex, 0), word, hex)
    t.equal(readHexWord(`12345678${hex}9`, 8), word, hex)
  }
})
