import t from 'tap'
import { copyBytes, joinBytes, readUint32, utf8, writeUint32 } from '../../lib/wire/bytes.ts'

t.test('parts become one array, in their order', async (t) => {
  t.same(joinBytes([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)]), Uint8Array.of(1, 2, 3))
  t.same(joinBytes([]), new Uint8Array(0))
})

t.test('there may be more parts than a call takes', async (t) => {
  const parts = Array.from({ length: 300_000 }, (_, n) => Uint8Array.of(n))
  const whole = joinBytes(parts)
  t.equal(whole.length, 300_000)
  t.equal(whole[299_999], 299_999 % 256)
})

t.test('numbers of 4 bytes are big-endian and unsigned', async (t) => {
  const cases: [number, string][] = [
    [0, '00000000'],
    [1, '00000001'],
    [0x01020304, '01020304'],
    [2 ** 31, '80000000'],
    [2 ** 32 - 1, 'ffffffff'],
  ]
  for (const [number, hex] of cases) {
    const bytes = new Uint8Array(6)
    writeUint32(bytes, 1, number)
    t.equal(Buffer.from(bytes).toString('hex'), `00${hex}00`)
    t.equal(readUint32(bytes, 1), number)
  }
})

t.test('a text becomes its UTF-8, in an array of its own', async (t) => {
  const bytes = utf8('aé€😀')
  t.equal(Buffer.from(bytes).toString('hex'), '61c3a9e282acf09f9880')
  t.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype)
  t.equal(bytes.buffer.byteLength, bytes.length)
  t.equal(utf8('').length, 0)
})

t.test('a copy of bytes is their own', async (t) => {
  const given = Uint8Array.of(1, 2, 3, 4)
  const copy = copyBytes(given.subarray(1, 3))!
  given.fill(9)
  t.same(copy, Uint8Array.of(2, 3))
  t.equal(copy.buffer.byteLength, 2)
  t.same(copyBytes(new Uint16Array([0x0101])), Uint8Array.of(1, 1), 'whatever they are a view of')
  t.equal(copyBytes(undefined), undefined)
  for (const value of [null, 'text', 7, [1], {}, new ArrayBuffer(2)]) {
    t.throws(() => copyBytes(value), {
      code: 'invalid-argument',
      message: /^bytes must be a Uint8Array, got /,
    })
  }
})
