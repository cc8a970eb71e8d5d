import { utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { decodeInScript, fromBase64, toBase64, toBase64InScript } from '../../lib/seal/base64.ts'

const VECTORS = { '': '', f: 'Zg==', fo: 'Zm8=', foo: 'Zm9v', foob: 'Zm9vYg==', foobar: 'Zm9vYmFy' }

t.test('the examples of RFC 4648, section 10', async (t) => {
  for (const [text, base64] of Object.entries(VECTORS)) {
    const bytes = utf8ToBytes(text)
    t.equal(toBase64(bytes), base64)
    t.equal(toBase64InScript(bytes), base64)
    t.strictSame(fromBase64(base64), bytes)
    t.strictSame(decodeInScript(base64), bytes)
  }
})

t.test('all bytes, long arrays and parts of arrays', async (t) => {
  const all = Uint8Array.from({ length: 50_000 }, (_, at) => (at * 31) % 256)
  for (const bytes of [all, all.subarray(1, 300), all.subarray(7, 8)]) {
    t.equal(toBase64(bytes), Buffer.from(bytes).toString('base64'))
    t.equal(toBase64InScript(bytes), toBase64(bytes))
    t.strictSame(fromBase64(toBase64(bytes)), bytes)
    t.strictSame(decodeInScript(toBase64(bytes)), bytes)
  }
})

t.test('every other spelling is refused', async (t) => {
  const spellings = [
    'Zg',
    'Zg=',
    'Zh==',
    'Zg==\n',
    ' Zg==',
    'Z g==',
    'Zg===',
    'Zm9=',
    'Zm8',
    '-_-_',
    'Zg==Zg==',
  ]
  for (const text of [...spellings, '=', '====', 'A', 'AAAAA', 'Zm9v!', 'Zm9\u0000', 'Zm9vé', '💥'])
    t.equal(fromBase64(text), undefined, JSON.stringify(text))
  t.equal(fromBase64(undefined), undefined)
})

t.test('without Buffer, what is no base64 is refused or comes out in another spelling', async (t) => {
  for (const text of ['Zg', 'Zh==', ' Zg==', 'A', '-_-_', 'Zm9vé']) {
    const bytes = decodeInScript(text)
    t.ok(bytes === undefined || toBase64InScript(bytes) !== text, JSON.stringify(text))
  }
})
