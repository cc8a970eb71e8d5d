// Seals that no correct node makes, and what strangers do to those of correct ones. Nothing may throw, and all answers
// must look the same.
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { bodyOf, openMessage } from '../../lib/message/message.ts'
import { signDraft } from '../../lib/message/draft.ts'
import { defaultSealEngine } from '../../lib/seal/default-engine.ts'
import { scriptEngine } from '../../lib/seal/engine-script.ts'
import { seal, type SealHead, Unsealer } from '../../lib/seal/sealed.ts'
import { unseal } from '../../lib/seal/unseal.ts'
import { Random } from '../../lib/testing/random.ts'
import { encodeRaw, P } from '../fixtures/edwards.ts'
import { type HandSeal, headOf, padded, sealByHand } from '../fixtures/hand-sealed.ts'
import { ALICE, authorOf, BOB, CAROL, signBody } from '../fixtures/hand-signed.ts'

const MALLORY = authorOf('mallory', 9)
const ENGINES = [defaultSealEngine(), scriptEngine]
const [bob, carol] = [BOB, CAROL].map(({ seed }) =>
  ENGINES.map((engine) => new Unsealer(Identity.fromSeed(seed), engine)),
)
const ephemeral = new Uint8Array(32).fill(0x11)
const contentKey = new Uint8Array(32).fill(0x22)
const head = headOf(ALICE, [BOB, CAROL])
const given: HandSeal = { head, ephemeral, contentKey }
const good = sealByHand(given)
const bytes = Uint8Array.of(1, 2, 3)
const parcel = sealByHand({ ...given, bytes })

type Opened = readonly unknown[]

/** What both engines make of it, for bob and carol: one answer, or the test ends. */
function open(
  about: SealHead,
  sealed: { readonly seal: unknown; readonly data: unknown; readonly bytes?: Uint8Array },
): Opened {
  return [bob!, carol!].map((unsealers) => {
    const [one, other] = unsealers.map((unsealer) =>
      unsealer.open(about, sealed.seal as never, sealed.data as never, sealed.bytes),
    )
    if (JSON.stringify(one) !== JSON.stringify(other)) throw new Error('the engines differ')
    if (one!.ok) return one!.data
    // One answer for everything: no hint at what went wrong.
    if (JSON.stringify(one) !== '{"ok":false}') throw new Error('it says more than no')
    return undefined
  })
}

const NOBODY = [undefined, undefined]

t.test('what is made by hand is opened', async (t) => {
  t.strictSame(open(head, good), ['hush', 'hush'])
  t.strictSame(open(head, parcel), ['hush', 'hush'])
})

t.test('a thief who signs it in his own name has sealed nothing', async (t) => {
  const stolen = { ...head, from: MALLORY.id } as SealHead
  t.strictSame(open(stolen, good), NOBODY)
  const document = signBody({ seal: good.seal, data: good.data, to: head.to }, MALLORY)
  const verdict = await openMessage(document, { window: false })
  t.ok(verdict.ok, 'the message is a good one')
  if (verdict.ok) t.equal(unseal(verdict.message, bob![0]!), undefined, 'and nobody can read it')
})

t.test('it cannot be sent to others, to fewer, or in another order', async (t) => {
  const lists = [[CAROL, BOB], [BOB], [CAROL], [BOB, CAROL, MALLORY], [BOB, MALLORY]]
  for (const to of lists) {
    const other = headOf(ALICE, to)
    const { k } = good.seal
    const swapped = to.map(({ id }) => k[head.to.indexOf(id as never)] ?? k[0]!)
    for (const keys of [k, swapped]) {
      const sealed = { ...good, seal: { ...good.seal, k: keys } }
      t.strictSame(open(other, sealed), NOBODY, to.map(({ name }) => name).join())
    }
  }
})

t.test('nothing of the message around it can be changed', async (t) => {
  const changes: Partial<SealHead>[] = [
    { net: 'other' },
    { type: 'other' },
    { seq: head.seq + 1 },
    { time: head.time + 1 },
    { exp: head.time + 1 },
    { re: 'ab'.repeat(32) as never },
    { op: 'ask' },
    { v: 2 as never },
    { more: 1 } as never,
  ]
  for (const change of changes) {
    t.strictSame(open({ ...head, ...change }, good), NOBODY, JSON.stringify(change))
  }
})

t.test('what one message has, another cannot use', async (t) => {
  const fresh = { ephemeral: new Uint8Array(32).fill(0x55), contentKey: new Uint8Array(32).fill(0x33) }
  const other = sealByHand({ ...given, ...fresh, bytes: Uint8Array.of(9) })
  t.strictSame(open(head, { ...good, data: other.data }), NOBODY)
  t.strictSame(open(head, { ...good, seal: other.seal }), NOBODY)
  t.strictSame(open(head, { ...good, seal: { ...good.seal, m: other.seal.m } }), NOBODY)
  t.strictSame(open(head, { ...good, seal: { ...good.seal, e: other.seal.e } }), NOBODY)
  t.strictSame(open(head, { ...parcel, bytes: other.bytes! }), NOBODY, 'the attachment of another')
})

t.test('keys cannot be swapped between addressees', async (t) => {
  const [one, two] = good.seal.k
  for (const k of [
    [two, one],
    [one, one],
    [two, two],
  ]) {
    const opened = open(head, { ...good, seal: { ...good.seal, k } })
    t.strictSame(opened, [k[0] === one ? 'hush' : undefined, k[1] === two ? 'hush' : undefined])
  }
})

t.test('payload and attachment cannot take the place of each other', async (t) => {
  const long = sealByHand({ ...given, paddedPlain: padded(utf8ToBytes('"hush"'), 4_096), bytes })
  const data = hexToBytes(Buffer.from(long.data, 'base64').toString('hex'))
  t.strictSame(open(head, { ...long, bytes: data }), NOBODY)
  t.strictSame(open(head, { ...long, data: Buffer.from(long.bytes!).toString('base64') }), NOBODY)
})

t.test('an author cannot give two addressees two keys, and so two texts', async (t) => {
  const another = new Uint8Array(32).fill(0x44)
  const two = sealByHand({ ...given, wrappedKeys: [contentKey, another] })
  t.strictSame(open(head, two), ['hush', undefined], 'who gets another key can read nothing')
  const lie = sealByHand({ ...given, committedKey: another })
  t.strictSame(open(head, lie), NOBODY)
  const short = sealByHand({ ...given, wrappedKeys: [contentKey.slice(1), new Uint8Array(64)] })
  t.strictSame(open(head, short), NOBODY, 'a key of another length')
})

t.test('every flipped bit of a seal is noticed', async (t) => {
  const flips: unknown[] = []
  const hex = (text: string, bit: number): string => {
    const changed = hexToBytes(text)
    changed[bit >> 3]! ^= 1 << (bit & 7)
    return bytesToHex(changed)
  }
  const base64 = (text: string, bit: number): string => {
    const changed = Buffer.from(text, 'base64')
    changed[bit >> 3]! ^= 1 << (bit & 7)
    return changed.toString('base64')
  }
  for (let bit = 0; bit < 256; bit += 3) {
    flips.push({ ...good, seal: { ...good.seal, e: hex(good.seal.e, bit) } })
    flips.push({ ...good, seal: { ...good.seal, m: hex(good.seal.m, bit) } })
  }
  // The unused bit 255 of a key too: another spelling of the same key.
  flips.push({ ...good, seal: { ...good.seal, e: hex(good.seal.e, 255) } })
  for (let bit = 0; bit < 384; bit += 3) {
    const k = good.seal.k.map((key) => base64(key, bit))
    flips.push({ ...good, seal: { ...good.seal, k } })
  }
  const length = 8 * Buffer.from(good.data, 'base64').length
  for (let bit = 0; bit < length; bit += 7) flips.push({ ...good, data: base64(good.data, bit) })
  for (let bit = 0; bit < 8 * parcel.bytes!.length; bit += 811) {
    const changed = parcel.bytes!.slice()
    changed[bit >> 3]! ^= 1 << (bit & 7)
    flips.push({ ...parcel, bytes: changed })
  }
  const read = flips.filter((flip) => open(head, flip as never).some((result) => result !== undefined))
  t.strictSame(read, [])
  t.ok(flips.length > 600, `${flips.length} of them`)
})

t.test('what is cut off or longer is noticed', async (t) => {
  const ciphertext = Buffer.from(good.data, 'base64')
  const lengths = [0, 1, 15, 16, 17, 255, 256, 271]
  for (const length of lengths) {
    t.strictSame(open(head, { ...good, data: ciphertext.subarray(0, length).toString('base64') }), NOBODY)
    t.strictSame(open(head, { ...parcel, bytes: parcel.bytes!.slice(0, length) }), NOBODY)
  }
  const longer = Buffer.from(concatBytes(ciphertext, new Uint8Array(256))).toString('base64')
  t.strictSame(open(head, { ...good, data: longer }), NOBODY)
  t.strictSame(open(head, { ...parcel, bytes: concatBytes(parcel.bytes!, new Uint8Array(4_096)) }), NOBODY)
})

t.test('a ciphertext has one spelling', async (t) => {
  const { data } = good
  const spellings = [
    data.replace(/=+$/, ''),
    `${data}=`,
    `${data}\n`,
    ` ${data}`,
    `${data.slice(0, 8)}\n${data.slice(8)}`,
    data.replaceAll('+', '-').replaceAll('/', '_'),
    `${data}AAAA`,
  ]
  t.ok(data.endsWith('='), 'there is one bit more that no byte needs')
  const at = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const last = data.replace(/=+$/, '').length - 1
  spellings.push(data.slice(0, last) + at[at.indexOf(data[last]!) + 1]! + data.slice(last + 1))
  for (const spelling of spellings.filter((text) => text !== data)) {
    t.strictSame(open(head, { ...good, data: spelling }), NOBODY, JSON.stringify(spelling.slice(-8)))
  }
})

t.test('padding that is not the one is refused', async (t) => {
  const text = utf8ToBytes('"hush"')
  const wrong = {
    none: text,
    'to another step': padded(text, 128),
    'a step too much': concatBytes(padded(text, 256), new Uint8Array(256)),
    'no mark': concatBytes(text, new Uint8Array(250)),
    'zeros alone': new Uint8Array(256),
    nothing: new Uint8Array(0),
    'the mark alone, and so no text': padded(new Uint8Array(0), 256),
  }
  for (const [name, paddedPlain] of Object.entries(wrong)) {
    t.strictSame(open(head, sealByHand({ ...given, paddedPlain })), NOBODY, name)
    const paddedBytes = paddedPlain.length === 256 ? new Uint8Array(4_096) : paddedPlain
    t.strictSame(open(head, sealByHand({ ...given, bytes, paddedBytes })), NOBODY, `bytes: ${name}`)
  }
})

t.test('what is inside follows the rules of a payload', async (t) => {
  const texts = [
    ...['', ' ', '{', 'undefined', 'NaN', '"a" ', ' "a"', '{"b":1,"a":2}', '{"a":1,"a":2}', '1.0', '1e400'],
    ...['"\\u0041"', '"\\ud800"', '\ufeff1', '{"__proto__":1}', '[{"toJSON":1}]', '1\n', 'null null'],
    `${'['.repeat(33)}${']'.repeat(33)}`,
    '['.repeat(40_000),
  ]
  for (const text of texts) {
    const sealed = sealByHand({ ...given, plain: utf8ToBytes(text) })
    t.strictSame(open(head, sealed), NOBODY, text.slice(0, 30))
  }
  for (const plain of [Uint8Array.of(0x22, 0xff, 0x22), Uint8Array.of(0x22, 0xc0, 0x80, 0x22)]) {
    t.strictSame(open(head, sealByHand({ ...given, plain })), NOBODY, 'no UTF-8')
  }
  const deep = `${'['.repeat(32)}${']'.repeat(32)}`
  t.strictSame(JSON.stringify(open(head, sealByHand({ ...given, plain: utf8ToBytes(deep) }))[0]), deep)
})

t.test('a key of small order in the seal opens nothing', async (t) => {
  for (const u of [0n, 1n, P - 1n, P, P + 1n]) {
    for (const sign of [0n, 1n]) {
      const e = bytesToHex(encodeRaw(u, sign))
      t.strictSame(open(head, { ...good, seal: { ...good.seal, e } }), NOBODY, e)
    }
  }
})

t.test('what has not the shape of a seal opens nothing, and nothing is thrown', async (t) => {
  const seals = [
    ...[null, undefined, 1, 'seal', [], {}],
    { ...good.seal, k: [] },
    { ...good.seal, k: good.seal.k.slice(1) },
    { ...good.seal, k: [...good.seal.k, good.seal.k[0]] },
    { ...good.seal, k: null },
    { ...good.seal, e: 'x' },
    { ...good.seal, e: good.seal.e.toUpperCase() },
    { ...good.seal, m: good.seal.m.slice(2) },
    { ...good.seal, v: 2 },
    { ...good.seal, x: 1 },
  ]
  for (const wrong of seals) {
    t.strictSame(open(head, { ...good, seal: wrong }), NOBODY, JSON.stringify([wrong]).slice(0, 20))
  }
  for (const data of [null, undefined, 1, {}, [good.data], '', '💥', 'AAAA']) {
    t.strictSame(open(head, { ...good, data }), NOBODY)
  }
})

t.test('noise of the right shape opens nothing', async (t) => {
  const random = new Random(64)
  const some = (length: number): Buffer => Buffer.from(Array.from({ length }, () => random.uint32() & 0xff))
  for (let round = 0; round < 100; round++) {
    const k = [some(48), some(48)].map((key) => key.toString('base64'))
    const noise = { e: some(32).toString('hex'), k, m: some(32).toString('hex'), v: 1 }
    const data = some(272).toString('base64')
    t.strictSame(open(head, { seal: noise, data, bytes: some(4_112) }), NOBODY)
  }
})

t.test('a relay learns nothing from the lengths within a step', async (t) => {
  const sizes = ['', 'yes', 'no', 'x'.repeat(200)].map((text) => {
    const { data, seal: made } = seal(head, text, undefined)
    return data.length + JSON.stringify(made).length
  })
  t.equal(new Set(sizes).size, 1)
})

t.test('a whole message: signed, verified, opened; and neither text stands in it', async (t) => {
  const author = Identity.fromSeed(ALICE.seed)
  const fields = { data: { secret: 'SWORDFISH' }, bytes: utf8ToBytes('SWORDFISH'), to: [BOB.id] }
  const draft = await signDraft(fields, author, seal)
  const document = Buffer.from(draft.bytes).toString()
  t.notMatch(document, /SWORDFISH/)
  t.notMatch(Buffer.from(draft.attachment!).toString('latin1'), /SWORDFISH/)
  const verdict = await openMessage(document, { bytes: draft.attachment })
  if (!verdict.ok) throw new Error(verdict.code)
  t.ok(bodyOf(verdict.message).seal)
  const opened = unseal(verdict.message, bob![0]!)
  t.match(opened, { data: { secret: 'SWORDFISH' }, sealed: true, bytes: utf8ToBytes('SWORDFISH') })
  t.equal(unseal(verdict.message, carol![0]!), undefined)
})
