import { runInNewContext } from 'node:vm'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { openWithPassword, sealWithPassword } from '../../lib/seal/password-box.ts'
import { checkBoxPassword, stretchInScript, stretchPassword } from '../../lib/seal/password-key.ts'
import { boxByHand, withChecksum } from '../fixtures/hand-sealed.ts'

const HEADER = 90
const CHUNK = 65_536
/** The least: a third of a second for each would cost minutes and prove nothing. */
const cheap = { cost: 14 }
const seal = (content: Uint8Array, password = 'secret'): Promise<Uint8Array> =>
  sealWithPassword(content, password, cheap)
const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (at * 7) % 253)
const byHand = (content: Uint8Array, changes: object = {}): Uint8Array => {
  const [salt, prefix] = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)]
  return boxByHand({ password: 'secret', cost: 14, salt, prefix, content, ...changes }).box
}

t.test('what was sealed comes back, for all lengths around a chunk', async (t) => {
  for (const length of [0, 1, 1_000, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 200_000]) {
    const content = bytes(length)
    const box = await seal(content)
    t.equal(box.length, HEADER + length + 16 * Math.max(1, Math.ceil(length / CHUNK)))
    t.strictSame(await openWithPassword(box, 'secret'), content, `${length} bytes`)
  }
})

t.test('the default cost is 128 MiB', async (t) => {
  const box = await sealWithPassword(bytes(3), 'secret')
  t.equal(box[17], 17)
  t.strictSame(await openWithPassword(box, 'secret'), bytes(3))
})

t.test('a box is made as the protocol says', async (t) => {
  for (const length of [0, 5, CHUNK + 5]) {
    const box = await seal(bytes(length), 'pässword 💌')
    const [salt, prefix] = [box.slice(18, 34), box.slice(34, 50)]
    const made = boxByHand({ password: 'pässword 💌', cost: 14, salt, prefix, content: bytes(length) })
    t.equal(bytesToHex(box), bytesToHex(made.box))
  }
})

t.test('two boxes of the same have nothing in common but the form', async (t) => {
  const [one, other] = [await seal(bytes(100)), await seal(bytes(100))]
  t.strictSame(one.slice(0, 18), other.slice(0, 18))
  t.strictNotSame(one.slice(18, 34), other.slice(18, 34))
  t.strictNotSame(one.slice(34, 50), other.slice(34, 50))
  t.strictNotSame(one.slice(HEADER), other.slice(HEADER))
})

t.test('scrypt is that of RFC 7914 with node:crypto and without', async (t) => {
  const salt = utf8ToBytes('SodiumChloride')
  // Section 12, third vector: N = 2^14, r = 8, p = 1.
  const expected =
    '7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2' +
    'd5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887'
  t.equal(bytesToHex(await stretchPassword('pleaseletmein', salt, 14, 64)), expected)
  t.equal(bytesToHex(await stretchInScript('pleaseletmein', salt, 14, 64)), expected)
})

t.test('another password is told as such', async (t) => {
  const box = await seal(bytes(10), 'secret')
  for (const password of ['Secret', 'secret ', 'secre', 'x'.repeat(1_024)]) {
    await t.rejects(openWithPassword(box, password), { code: 'sealed-password-wrong' })
  }
})

t.test('passwords are taken as they are: no form of Unicode is made of them', async (t) => {
  const box = await seal(bytes(10), 'caf\u00e9')
  await t.rejects(openWithPassword(box, 'cafe\u0301'), { code: 'sealed-password-wrong' })
})

t.test('what is no password is refused, and never shown', async (t) => {
  const wrong: unknown[] = [
    '',
    'abc\0',
    'x'.repeat(1_025),
    'é'.repeat(513),
    'abc\ud800',
    undefined,
    null,
    5,
    {},
  ]
  for (const password of [...wrong, Buffer.from('secret')]) {
    for (const call of [
      sealWithPassword(bytes(1), password as string, cheap),
      openWithPassword(byHand(bytes(1)), password as string),
    ]) {
      const error = await call.catch((cause: unknown) => cause as Error & { code: string })
      t.match(error, { code: 'invalid-argument' })
      t.notMatch((error as Error).message, /abc|xxx|ééé|secret/)
    }
  }
  checkBoxPassword('x'.repeat(1_024))
})

t.test('what is no Uint8Array is refused, of whatever realm it may be', async (t) => {
  for (const wrong of ['text', null, undefined, 5, [1], new Uint16Array(1), new ArrayBuffer(8)]) {
    await t.rejects(sealWithPassword(wrong as never, 'secret', cheap), { code: 'invalid-argument' })
    await t.rejects(openWithPassword(wrong as never, 'secret'), { code: 'invalid-argument' })
  }
  const foreign = runInNewContext('Uint8Array.of(1, 2, 3)') as Uint8Array
  t.strictSame(await openWithPassword(await seal(foreign), 'secret'), Uint8Array.of(1, 2, 3))
  const view = Buffer.from('xabcx').subarray(1, 4)
  t.equal(Buffer.from(await openWithPassword(Buffer.from(await seal(view)), 'secret')).toString(), 'abc')
})

t.test('options that are misspelt or out of bounds are refused', async (t) => {
  await t.rejects(sealWithPassword(bytes(1), 'secret', { costs: 14 } as never), { code: 'invalid-option' })
  for (const cost of [13, 19, 14.5, '14', null, NaN]) {
    await t.rejects(sealWithPassword(bytes(1), 'secret', { cost: cost as number }), {
      code: 'invalid-argument',
    })
  }
})

t.test('what the caller does with his bytes meanwhile does not get into the box', async (t) => {
  const content = bytes(100)
  const sealing = seal(content)
  content.fill(0)
  t.strictSame(await openWithPassword(await sealing, 'secret'), bytes(100))
})

const damaged = { code: 'sealed-corrupt' }

t.test('every flipped bit of a header is damage, not a wrong password', async (t) => {
  const box = byHand(bytes(20))
  for (let bit = 0; bit < 8 * HEADER; bit++) {
    const changed = box.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    const code = await openWithPassword(changed, 'secret').catch((cause: unknown) => cause)
    if ((code as { code?: string }).code !== 'sealed-corrupt') t.fail(`bit ${bit}`)
  }
})

t.test('flipped bits of the content are noticed', async (t) => {
  const box = byHand(bytes(20))
  for (let bit = 8 * HEADER; bit < 8 * box.length; bit += 11) {
    const changed = box.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    await t.rejects(openWithPassword(changed, 'secret'), damaged, `bit ${bit}`)
  }
})

t.test('what is cut off, wherever, is noticed', async (t) => {
  const box = byHand(bytes(2 * CHUNK + 100))
  const chunk = CHUNK + 16
  const ends = [0, 1, 15, 16, 17, 50, 89, 90, 91, 105, 106, 107]
  const inside = [1, 2].flatMap((count) =>
    [-1, 0, 1, 15, 16, 17].map((more) => HEADER + count * chunk + more),
  )
  for (const length of [...ends, ...inside, box.length - 1]) {
    await t.rejects(openWithPassword(box.slice(0, length), 'secret'), damaged, `${length} bytes`)
  }
})

t.test('chunks cannot be moved, repeated, left out or put behind the end', async (t) => {
  const chunk = CHUNK + 16
  const box = byHand(bytes(3 * CHUNK))
  const header = box.slice(0, HEADER)
  const [a, b, c] = [0, 1, 2].map((at) => box.slice(HEADER + at * chunk, HEADER + (at + 1) * chunk))
  const orders = {
    bac: [b, a, c],
    acb: [a, c, b],
    ac: [a, c],
    bc: [b, c],
    abcc: [a, b, c, c],
    aabc: [a, a, b, c],
  }
  for (const [name, order] of Object.entries({ ...orders, ab: [a, b], c: [c], abb: [a, b, b] })) {
    await t.rejects(
      openWithPassword(concatBytes(header, ...(order as Uint8Array[])), 'secret'),
      damaged,
      name,
    )
  }
  await t.rejects(openWithPassword(concatBytes(box, Uint8Array.of(0)), 'secret'), damaged, 'a byte')
  await t.rejects(openWithPassword(concatBytes(box, box.slice(HEADER)), 'secret'), damaged, 'twice')
})

t.test('chunks of another box with the same password do not fit', async (t) => {
  const [one, other] = [await seal(bytes(50)), await seal(bytes(50))]
  await t.rejects(openWithPassword(concatBytes(one.slice(0, HEADER), other.slice(HEADER)), 'secret'), damaged)
})

t.test('content is cut in one way only', async (t) => {
  // An empty chunk at the end, and a short one before it.
  await t.rejects(openWithPassword(byHand(bytes(CHUNK), { cuts: [CHUNK] }), 'secret'), damaged)
  await t.rejects(openWithPassword(byHand(bytes(100), { cuts: [50] }), 'secret'), damaged)
  await t.rejects(openWithPassword(byHand(bytes(0), { cuts: [0] }), 'secret'), damaged)
})

t.test('a header that was changed with care costs nothing beyond the bounds', async (t) => {
  const box = byHand(bytes(10))
  const change = (at: number, value: number): Uint8Array => {
    const header = box.slice(0, HEADER - 8)
    header[at] = value
    return concatBytes(withChecksum(header), box.slice(HEADER))
  }
  // 2^40 KiB would be asked for, and 2^255.
  for (const cost of [0, 1, 13, 19, 20, 40, 255]) {
    await t.rejects(openWithPassword(change(17, cost), 'secret'), { ...damaged, message: /its cost is/ })
  }
  for (const version of [0, 2, 255]) {
    await t.rejects(openWithPassword(change(16, version), 'secret'), { ...damaged, message: /version/ })
  }
  // Such damage passes for a wrong password: only whoever made it knows better.
  for (const at of [18, 34, 50]) {
    await t.rejects(openWithPassword(change(at, box[at]! ^ 1), 'secret'), { code: 'sealed-password-wrong' })
  }
  await t.rejects(openWithPassword(change(17, 15), 'secret'), { code: 'sealed-password-wrong' })
})

t.test('what is no box is told as such', async (t) => {
  for (const text of [
    '',
    'hello',
    '-----BEGIN PRIVATE KEY-----',
    'x'.repeat(200),
    'secure-node identity\n',
  ]) {
    await t.rejects(openWithPassword(utf8ToBytes(text), 'secret'), { ...damaged, message: /no box/ }, text)
  }
})
