import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { MAX_ATTACHMENT_BYTES, MAX_MESSAGE_BYTES } from '../../lib/limits/limits.ts'
import { isSeal } from '../../lib/message/seal-shape.ts'
import { signDraft } from '../../lib/message/draft.ts'
import { defaultSealEngine } from '../../lib/seal/default-engine.ts'
import { scriptEngine } from '../../lib/seal/engine-script.ts'
import type { SealEngine } from '../../lib/seal/seal-engine.ts'
import { seal, type SealHead, Unsealer } from '../../lib/seal/sealed.ts'
import { decode, encode, encodeRaw, TORSION } from '../fixtures/edwards.ts'
import { sealByHand } from '../fixtures/hand-sealed.ts'

const ENGINES = [defaultSealEngine(), scriptEngine]
const author = Identity.generate()
const people = Array.from({ length: 64 }, () => Identity.generate())
const headFor = (count: number, changes: Partial<SealHead> = {}): SealHead => ({
  ...{ from: author.id, net: 'default', seq: 7, time: 5_000, type: 'note', v: 1 },
  to: people.slice(0, count).map(({ id }) => id),
  ...changes,
})
const DATA = { text: 'für dich 💌', list: [1, null, true] }

t.test('the key derivation of RFC 5869, test case 1', async (t) => {
  const salt = Uint8Array.from({ length: 13 }, (_, at) => at)
  const info = Uint8Array.from({ length: 10 }, (_, at) => 0xf0 + at)
  t.equal(
    bytesToHex(hkdf(sha256, new Uint8Array(22).fill(0x0b), salt, info, 42)),
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  )
})

t.test('each of 1, 3 and 64 addressees can read it, with either engine', async (t) => {
  for (const count of [1, 3, 64]) {
    const head = headFor(count)
    const sealed = seal(head, DATA, undefined)
    t.ok(isSeal(sealed.seal as never, count))
    t.notOk('bytes' in sealed)
    for (const identity of people.slice(0, count)) {
      const opened = new Unsealer(identity).open(head, sealed.seal, sealed.data, undefined)
      t.strictSame(opened, { ok: true, data: DATA })
    }
    const slow = new Unsealer(people[count - 1]!, scriptEngine)
    t.strictSame(slow.open(head, sealed.seal, sealed.data, undefined), { ok: true, data: DATA })
  }
})

t.test('nobody else can, the author included', async (t) => {
  const head = headFor(2)
  const sealed = seal(head, DATA, undefined)
  for (const identity of [author, people[2]!]) {
    t.strictSame(new Unsealer(identity).open(head, sealed.seal, sealed.data, undefined), { ok: false })
  }
})

t.test('the author can when he is an addressee', async (t) => {
  const head = headFor(1, { to: [people[0]!.id, author.id] })
  const sealed = seal(head, DATA, undefined)
  const opened = new Unsealer(author).open(head, sealed.seal, sealed.data, undefined)
  t.strictSame(opened, { ok: true, data: DATA })
})

t.test('an attachment is sealed with it', async (t) => {
  const head = headFor(3)
  for (const length of [0, 1, 4_095, 4_096, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => at % 251)
    for (const engine of ENGINES) {
      const sealed = seal(head, null, bytes, engine)
      t.equal(sealed.bytes!.length, (Math.floor(length / 4_096) + 1) * 4_096 + 16)
      const opened = new Unsealer(people[1]!).open(head, sealed.seal, sealed.data, sealed.bytes)
      t.strictSame(opened, { ok: true, data: null, bytes })
      const without = new Unsealer(people[1]!).open(head, sealed.seal, sealed.data, undefined)
      t.strictSame(without, { ok: true, data: null }, 'also before the attachment is there')
    }
  }
})

t.test('an opened attachment is a plain array without anything around it', async (t) => {
  const head = headFor(1)
  const sealed = seal(head, 1, Uint8Array.of(1, 2, 3))
  const opened = new Unsealer(people[0]!).open(head, sealed.seal, sealed.data, sealed.bytes)
  if (!opened.ok) throw new Error('not opened')
  t.equal(Object.getPrototypeOf(opened.bytes), Uint8Array.prototype)
  t.equal(opened.bytes!.buffer.byteLength, 3)
})

t.test('everything that JSON can hold comes back', async (t) => {
  const head = headFor(1)
  const deep = Array.from({ length: 31 }).reduce<unknown[]>((inner) => [inner], [])
  for (const data of [null, false, 0, -1.5e-7, '', 'x'.repeat(1_000), [], {}, { '': [{}] }, '\u2028', deep]) {
    const sealed = seal(head, data as never, undefined)
    const opened = new Unsealer(people[0]!).open(head, sealed.seal, sealed.data, undefined)
    t.strictSame(opened, { ok: true, data })
  }
})

t.test('lengths tell steps of 256 bytes', async (t) => {
  const head = headFor(1)
  const sizeOf = (length: number): number =>
    Buffer.from(seal(head, 'x'.repeat(length), undefined).data, 'base64').length
  // Two quotation marks, and the mark of the padding.
  t.strictSame([0, 1, 253, 254, 509, 510].map(sizeOf), [272, 272, 272, 528, 528, 784])
})

t.test('no two seals of the same have anything in common', async (t) => {
  const head = headFor(2)
  const [one, other] = [seal(head, DATA, undefined), seal(head, DATA, undefined)]
  const parts = [one, other].flatMap(({ seal: { e, k, m }, data }) => [e, ...k, m, data])
  t.equal(new Set(parts).size, parts.length)
})

t.test('with the same secrets both engines make the same, and so does the protocol by hand', async (t) => {
  const head = headFor(3, { re: 'ab'.repeat(32) as never, exp: 6_000, op: 'ask' })
  const bytes = Uint8Array.of(1, 2, 3)
  const [secret, key] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  const made = ENGINES.map((engine) =>
    seal(head, DATA, bytes, engine, { ephemeral: engine.agreement(secret), contentKey: key.slice() }),
  )
  t.strictSame(made[0], made[1])
  const plain = utf8ToBytes('{"list":[1,null,true],"text":"für dich 💌"}')
  const { seal: byHand, data, bytes: ciphertext } = sealByHand({ head, ephemeral: secret, contentKey: key, plain, bytes }) // prettier-ignore
  t.strictSame(made[0], { seal: byHand, data, bytes: ciphertext })
})

t.test('every key that encrypts or decrypts is wiped after its use', async (t) => {
  const keys = new Set<Uint8Array>()
  const watching: SealEngine = {
    ...scriptEngine,
    encrypt: (key, ...rest) => {
      keys.add(key)
      return scriptEngine.encrypt(key, ...rest)
    },
    decrypt: (key, ...rest) => {
      keys.add(key)
      return scriptEngine.decrypt(key, ...rest)
    },
  }
  const head = headFor(2)
  const sealed = seal(head, DATA, Uint8Array.of(1), watching)
  t.equal(keys.size, 3, 'two that wrap, and one that is wrapped')
  t.match(new Unsealer(people[0]!, watching).open(head, sealed.seal, sealed.data, sealed.bytes), { ok: true })
  t.equal(keys.size, 5)
  for (const key of keys) t.strictSame(key, new Uint8Array(32))
})

t.test('the content key is wiped', async (t) => {
  const contentKey = new Uint8Array(32).fill(2)
  seal(headFor(1), 1, undefined, scriptEngine, { ephemeral: scriptEngine.agreement(), contentKey })
  t.strictSame(contentKey, new Uint8Array(32))
})

t.test('an addressee that is no key of anybody is refused', async (t) => {
  const none = [2n, 3n, 4n, 5n, 6n, 7n].filter((y) => decode(y, 0n) === undefined)
  const weak = [...TORSION.map(encode), ...none.map((y) => encodeRaw(y, 0n))]
  t.ok(none.length > 0)
  for (const engine of ENGINES) {
    for (const key of weak) {
      const to = [people[0]!.id, bytesToHex(key) as never]
      t.throws(() => seal(headFor(1, { to }), 1, undefined, engine), { code: 'invalid-argument' })
    }
  }
})

t.test('a payload that fits into no message is refused before it is encrypted', async (t) => {
  const large = 'x'.repeat(MAX_MESSAGE_BYTES)
  t.throws(() => seal(headFor(1), large, undefined), { code: 'message-too-large' })
})

t.test('sealed messages have limits of their own', async (t) => {
  const fields = { to: [people[0]!.id] }
  const send = (data: string, bytes?: Uint8Array) => signDraft({ ...fields, data, bytes }, author, seal)
  await send('x'.repeat(190_000))
  await t.rejects(send('x'.repeat(200_000)), { code: 'message-too-large' })
  await send('', new Uint8Array(782_335))
  await t.rejects(send('', new Uint8Array(782_336)), { code: 'message-too-large' })
  t.ok(782_336 < MAX_ATTACHMENT_BYTES)
})

t.test('an identity opens as often as it is asked, with a key that is imported once', async (t) => {
  let imports = 0
  const engine = {
    ...scriptEngine,
    agreement: (secret?: Uint8Array) => {
      imports++
      return scriptEngine.agreement(secret)
    },
  }
  const unsealer = new Unsealer(people[0]!, engine)
  t.equal(imports, 0)
  for (let round = 0; round < 3; round++) {
    const head = headFor(1, { seq: round })
    const sealed = seal(head, round, undefined)
    t.match(unsealer.open(head, sealed.seal, sealed.data, undefined), { ok: true, data: round })
  }
  t.equal(imports, 1)
})

t.test('the labels end with a zero byte and begin with the protocol', async (t) => {
  const head = headFor(1)
  const secrets = { ephemeral: scriptEngine.agreement(hexToBytes('05'.repeat(32))), contentKey: hexToBytes('06'.repeat(32)) } // prettier-ignore
  const { m } = seal(head, 1, undefined, scriptEngine, secrets).seal
  const label = utf8ToBytes('secure-node/1 seal commit\0')
  t.equal(m, bytesToHex(sha256(Uint8Array.of(...label, ...hexToBytes('06'.repeat(32))))))
})
