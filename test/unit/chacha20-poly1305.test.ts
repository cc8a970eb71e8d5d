import { hexToBytes, bytesToHex, utf8ToBytes, concatBytes } from '@noble/hashes/utils.js'
import { createCipheriv } from 'node:crypto'
import t from 'tap'
import { chacha20 } from '../../lib/seal/chacha20.ts'
import { decryptInScript, encryptInScript } from '../../lib/seal/chacha20-poly1305.ts'
import { poly1305 } from '../../lib/seal/poly1305.ts'
import { Random } from '../../lib/testing/random.ts'
import { toBytes, toNumber } from '../fixtures/edwards.ts'
import { encrypt } from '../fixtures/hand-sealed.ts'

const SUNSCREEN = utf8ToBytes(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
    'sunscreen would be it.',
)
const counting = (from: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, at) => from + at)
const random = new Random(8_439)
const some = (length: number): Uint8Array =>
  Uint8Array.from({ length }, () => Math.floor(random.next() * 256))

t.test('the key stream of RFC 8439, section 2.3.2', async (t) => {
  const stream = chacha20(counting(0, 32), hexToBytes('000000090000004a00000000'), 1, new Uint8Array(64))
  t.equal(
    bytesToHex(stream),
    '10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e' +
      'd2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e',
  )
})

t.test('the encryption of RFC 8439, section 2.4.2', async (t) => {
  const nonce = hexToBytes('000000000000004a00000000')
  const ciphertext = chacha20(counting(0, 32), nonce, 1, SUNSCREEN)
  t.equal(
    bytesToHex(ciphertext),
    '6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b' +
      'f91b65c5524733ab8f593dabcd62b3571639d624e65152ab8f530c359f0861d8' +
      '07ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab7793736' +
      '5af90bbf74a35be6b40b8eedf2785e42874d',
  )
  t.strictSame(chacha20(counting(0, 32), nonce, 1, ciphertext), SUNSCREEN)
})

t.test('the counter counts blocks, up to the last', async (t) => {
  const [key, nonce] = [some(32), some(12)]
  for (const counter of [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 4]) {
    const first = new Uint8Array(4)
    new DataView(first.buffer).setUint32(0, counter, true)
    const cipher = createCipheriv('chacha20', key, concatBytes(first, nonce))
    const plain = some(256)
    t.equal(bytesToHex(chacha20(key, nonce, counter, plain)), cipher.update(plain).toString('hex'))
  }
})

t.test('the tag of RFC 8439, section 2.5.2', async (t) => {
  const key = hexToBytes('85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b')
  const tag = poly1305(key, utf8ToBytes('Cryptographic Forum Research Group'))
  t.equal(bytesToHex(tag), 'a8061dc1305136c6c22b8baf0c0127a9')
})

/** RFC 8439, appendix A.3, from vector 7 on: sums around 2^130 - 5 and 2^128. */
const EDGES = [
  ['02', '', 'ffffffffffffffffffffffffffffffff', '03'],
  ['02', 'ffffffffffffffffffffffffffffffff', '02000000000000000000000000000000', '03'],
  [
    '01',
    '',
    'fffffffffffffffffffffffffffffffff0ffffffffffffffffffffffffffffff11000000000000000000000000000000',
    '05',
  ],
  [
    '01',
    '',
    'fffffffffffffffffffffffffffffffffbfefefefefefefefefefefefefefefe01010101010101010101010101010101',
    '',
  ],
  ['02', '', 'fdffffffffffffffffffffffffffffff', 'faffffffffffffffffffffffffffffff'],
  [
    '0100000000000000040000000000000000',
    '',
    'e33594d7505e43b900000000000000003394d7505e4379cd01000000000000000000000000000000000000000000000001000000000000000000000000000000',
    '14000000000000005500000000000000',
  ],
  [
    '0100000000000000040000000000000000',
    '',
    'e33594d7505e43b900000000000000003394d7505e4379cd010000000000000000000000000000000000000000000000',
    '13',
  ],
] as const

t.test('the tags at the edges, of RFC 8439, appendix A.3', async (t) => {
  for (const [r, s, message, tag] of EDGES) {
    const key = hexToBytes(r.slice(0, 32).padEnd(32, '0') + s.padEnd(32, '0'))
    t.equal(bytesToHex(poly1305(key, hexToBytes(message))), tag.padEnd(32, '0'), message)
  }
})

/** Poly1305 as section 2.5.1 says it, with whole numbers. */
function referenceTag(key: Uint8Array, message: Uint8Array): Uint8Array {
  const p = 2n ** 130n - 5n
  const r = toNumber(key.slice(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
  let sum = 0n
  for (let at = 0; at < message.length; at += 16) {
    const block = concatBytes(message.slice(at, at + 16), Uint8Array.of(1))
    sum = ((sum + toNumber(block)) * r) % p
  }
  return toBytes((sum + toNumber(key.slice(16))) & (2n ** 128n - 1n)).slice(0, 16)
}

t.test('tags are those of plain arithmetic, for extreme numbers as well', async (t) => {
  const bytes = [0x00, 0x01, 0x7f, 0x80, 0xfb, 0xff]
  const fill = (length: number): Uint8Array =>
    Uint8Array.from({ length }, () => bytes[Math.floor(random.next() * bytes.length)]!)
  const constant = bytes.flatMap((key) =>
    bytes.map((text) => [new Uint8Array(32).fill(key), new Uint8Array(160).fill(text)] as const),
  )
  const mixed = Array.from({ length: 1_000 }, (_, at) => [fill(32), fill(at % 100)] as const)
  const wrong = [...constant, ...mixed].filter(
    ([key, text]) => bytesToHex(poly1305(key, text)) !== bytesToHex(referenceTag(key, text)),
  )
  t.strictSame(wrong, [])
})

const KEY = counting(0x80, 32)
const NONCE = hexToBytes('070000004041424344454647')
const CONTEXT = hexToBytes('50515253c0c1c2c3c4c5c6c7')

t.test('the cipher of RFC 8439, section 2.8.2', async (t) => {
  const sealed = encryptInScript(KEY, NONCE, SUNSCREEN, CONTEXT)
  t.equal(
    bytesToHex(sealed),
    'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6' +
      '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
      '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
      '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
  )
  t.strictSame(decryptInScript(KEY, NONCE, sealed, CONTEXT), SUNSCREEN)
})

t.test('it gives the bytes that OpenSSL gives, for all lengths', async (t) => {
  const wrong: string[] = []
  for (let length = 0; length < 600; length++) {
    const [key, context] = [some(32), some(Math.floor(random.next() * 70))]
    const plain = some(length % 300)
    const sealed = encryptInScript(key, new Uint8Array(12), plain, context)
    const opened = decryptInScript(key, new Uint8Array(12), sealed, context)
    const isRight =
      bytesToHex(sealed) === bytesToHex(encrypt(key, 0, plain, context)) &&
      opened !== undefined &&
      bytesToHex(opened) === bytesToHex(plain)
    if (!isRight) wrong.push(`${plain.length} bytes`)
  }
  t.strictSame(wrong, [])
})

t.test('what was changed, cut or lengthened is not decrypted', async (t) => {
  const sealed = encryptInScript(KEY, NONCE, SUNSCREEN, CONTEXT)
  for (let bit = 0; bit < 8 * sealed.length; bit++) {
    const changed = sealed.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    if (decryptInScript(KEY, NONCE, changed, CONTEXT) !== undefined) t.fail(`bit ${bit}`)
  }
  for (let length = 0; length < sealed.length; length++) {
    if (decryptInScript(KEY, NONCE, sealed.slice(0, length), CONTEXT) !== undefined) t.fail(`${length} bytes`)
  }
  t.equal(decryptInScript(KEY, NONCE, concatBytes(sealed, Uint8Array.of(0)), CONTEXT), undefined)
  t.equal(decryptInScript(KEY, NONCE, sealed, CONTEXT.slice(1)), undefined)
  t.equal(decryptInScript(KEY, NONCE, sealed, concatBytes(CONTEXT, Uint8Array.of(0))), undefined)
  t.equal(decryptInScript(KEY, NONCE.slice().reverse(), sealed, CONTEXT), undefined)
  t.equal(decryptInScript(KEY.slice().reverse(), NONCE, sealed, CONTEXT), undefined)
})
