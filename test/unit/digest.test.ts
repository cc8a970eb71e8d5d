import { sha256 } from '@noble/hashes/sha2.js'
import t from 'tap'
import { labelledHash, sha256Hex } from '../../lib/message/digest.ts'
import { Random } from '../../lib/testing/random.ts'
import { joinBytes, utf8 } from '../../lib/wire/bytes.ts'
import { toHex } from '../../lib/wire/hex.ts'

/** FIPS 180-4, the examples of NIST. */
const EXAMPLES: readonly [string, string][] = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
]

t.test('the examples of the standard', async (t) => {
  for (const [text, hash] of EXAMPLES) t.equal(sha256Hex(utf8(text)), hash)
})

t.test('a label and bytes are hashed as one array of both, however long they are', async (t) => {
  const random = new Random(1)
  const label = utf8('label\0')
  const hash = labelledHash(label)
  // Short after long as well: nothing of what was hashed before may be left over.
  for (const length of [0, 1, 8_191, 8_192, 8_193, 3, 50_000, 0, 200, 199]) {
    const bytes = random.bytes(length)
    t.equal(hash(bytes), toHex(sha256(joinBytes([label, bytes]))), `${length} bytes`)
  }
})

t.test('each label has its own hash, used in turns or not', async (t) => {
  const one = labelledHash(utf8('one\0'))
  const other = labelledHash(utf8('another\0'))
  const bytes = utf8('text')
  const first = one(bytes)
  t.not(other(bytes), first)
  t.equal(one(bytes), first)
  t.equal(labelledHash(new Uint8Array(0))(bytes), sha256Hex(bytes))
})

t.test('the label is copied: whoever gave it may change it', async (t) => {
  const label = utf8('label\0')
  const hash = labelledHash(label)
  const before = hash(utf8('text'))
  label.fill(0)
  t.equal(hash(utf8('text')), before)
  t.equal(hash(new Uint8Array(9_000)), sha256Hex(joinBytes([utf8('label\0'), new Uint8Array(9_000)])))
})
