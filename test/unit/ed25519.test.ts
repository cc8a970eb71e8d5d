import { readFileSync, writeFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import {
  checkSignature,
  defaultEngine,
  type Engine,
  engine,
  type EngineName,
  isStrictPublicKey,
  passesStrictCheck,
  publicKeyOf,
  verifySignature,
} from '../../lib/identity/ed25519.ts'
import { KNOWN_ANSWERS } from '../../lib/identity/known-answers.ts'
import { encode, encodeRaw, L, multiply, NEUTRAL, P, toBytes, TORSION } from '../fixtures/edwards.ts'
import { SMALL_ORDER_SPELLINGS, type Vector } from '../fixtures/forge.ts'
import { universalForgery, VECTORS } from '../fixtures/torsion.ts'
import { writeVectors, type WrittenVector } from '../fixtures/vector-file.ts'

const NAMES: readonly EngineName[] = ['node', 'webcrypto', 'tweetnacl']
const ALL = [...VECTORS.values()].flat()
const [GOOD] = VECTORS.get('plain')!.slice(-1)

/** RFC 8032, 7.1: TEST 1, TEST 2, TEST 3, TEST SHA(abc). */
const RFC_8032 = [
  {
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
  {
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message:
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    signature:
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  },
]

t.test('the three engines judge every hostile signature alike, and as it was built', async (t) => {
  t.ok(ALL.length >= 1_000, 'there are enough of them')
  const wrong: string[] = []
  let accepted = 0
  for (const vector of ALL) {
    if (vector.valid) accepted++
    for (const name of NAMES) {
      const isGood = await verifySignature(vector.signature, vector.message, vector.publicKey, engine(name))
      if (isGood !== vector.valid) wrong.push(`${name} says ${isGood}: ${vector.name}`)
    }
  }
  const computed = ALL.filter(({ signature, publicKey }) => passesStrictCheck(signature, publicKey)).length
  t.comment(
    `${accepted} accepted, ${ALL.length - accepted} refused, ${ALL.length - computed} of them without an engine`,
  )
  t.same(wrong, [])
  t.ok(accepted >= 100 && computed - accepted >= 100, 'both answers come out, and the engines give both')
})

t.test(
  'the strict check lets pass what the engines must compute, and nothing that they could disagree on',
  (t) => {
    const refused = (kind: string): number =>
      VECTORS.get(kind)!.filter(({ signature, publicKey }) => !passesStrictCheck(signature, publicKey)).length
    for (const kind of ['forgery', 'small order', 'surplus', 'not canonical']) {
      t.equal(refused(kind), VECTORS.get(kind)!.length, `${kind}: every one is refused`)
    }
    for (const kind of ['plain', 'mixed order', 'challenge', 'off curve'])
      t.equal(refused(kind), 0, `${kind}: none is`)
    t.end()
  },
)

t.test('of the twelve classes that implementations disagree on, only mixed order is accepted', async (t) => {
  const vectors = VECTORS.get('classes')!
  t.equal(vectors.length, 12)
  const accepted: string[] = []
  for (const { name, signature, message, publicKey } of vectors) {
    if (await verifySignature(signature, message, publicKey)) accepted.push(name)
  }
  t.same(accepted, ['class 3: key and R of mixed order'])
})

t.test('nobody can sign with the key that everybody owns', async (t) => {
  for (const text of ['', 'a', 'pay 100 to M']) {
    const { signature, message, publicKey } = universalForgery(utf8ToBytes(text))
    for (const name of NAMES) {
      t.notOk(
        await verifySignature(signature, message, publicKey, engine(name)),
        `${name}: ${JSON.stringify(text)}`,
      )
    }
    // What the check is for: without it this is a good signature.
    t.ok(engine('tweetnacl').verify(signature, message, publicKey), 'the bare equation holds')
  }
})

t.test('every spelling of every point of small order is refused as a public key', (t) => {
  t.equal(SMALL_ORDER_SPELLINGS.length, 14)
  t.equal(new Set(TORSION.map((point) => bytesToHex(encode(point)))).size, 8)
  for (const point of TORSION) t.same(encode(multiply(point, 8n)), encode(NEUTRAL), 'its order divides 8')
  for (const { bytes } of SMALL_ORDER_SPELLINGS) t.notOk(isStrictPublicKey(bytes), bytesToHex(bytes))
  t.end()
})

t.test('a public key is refused from y = p on, and accepted below, whatever its sign', (t) => {
  for (const sign of [0n, 1n]) {
    for (let y = P; y < 2n ** 255n; y++) t.notOk(isStrictPublicKey(encodeRaw(y, sign)), `p + ${y - P}`)
    for (const y of [2n, 18n, P - 2n, P - 256n]) t.ok(isStrictPublicKey(encodeRaw(y, sign)), y.toString(16))
  }
  t.end()
})

t.test('a public key of another length is refused', (t) => {
  const key = GOOD!.publicKey
  t.ok(isStrictPublicKey(key))
  for (const length of [0, 1, 31, 33, 64]) {
    const other = new Uint8Array(length)
    other.set(key.subarray(0, length))
    t.notOk(isStrictPublicKey(other), `${length} bytes`)
  }
  t.end()
})

t.test('S is refused from L on', (t) => {
  const withS = (s: bigint): Uint8Array => Uint8Array.of(...GOOD!.signature.subarray(0, 32), ...toBytes(s))
  for (const s of [0n, 1n, L - 256n, L - 1n])
    t.ok(passesStrictCheck(withS(s), GOOD!.publicKey), s.toString(16))
  for (const s of [L, L + 1n, 2n * L, 2n ** 253n, 2n ** 256n - 1n]) {
    t.notOk(passesStrictCheck(withS(s), GOOD!.publicKey), s.toString(16))
  }
  t.end()
})

t.test('the vectors of RFC 8032 come out of every engine', async (t) => {
  for (const { seed, publicKey, message, signature } of RFC_8032) {
    for (const name of NAMES) {
      const signer = engine(name).signer(hexToBytes(seed))
      t.equal(bytesToHex(signer.publicKey), publicKey, `${name}: public key`)
      t.equal(bytesToHex(await signer.sign(hexToBytes(message))), signature, `${name}: signature`)
      const parts = [hexToBytes(signature), hexToBytes(message), hexToBytes(publicKey)] as const
      t.ok(await verifySignature(...parts, engine(name)), `${name}: verified`)
    }
    t.equal(bytesToHex(publicKeyOf(hexToBytes(seed))), publicKey)
  }
})

t.test('the engines make the same signature of the same seed and bytes', async (t) => {
  for (const length of [0, 1, 32, 58, 1_000, 70_000]) {
    const seed = new Uint8Array(32).fill(length % 251)
    const bytes = new Uint8Array(length).map((_, i) => i % 256)
    const made = await Promise.all(NAMES.map(async (name) => engine(name).signer(seed).sign(bytes)))
    t.same(made[1], made[0], `webcrypto, ${length} bytes`)
    t.same(made[2], made[0], `tweetnacl, ${length} bytes`)
    t.ok(await verifySignature(made[0]!, bytes, publicKeyOf(seed)), 'and it is good')
  }
})

t.test('a seed of another length is refused by every engine, and not quoted', (t) => {
  for (const name of NAMES) {
    for (const length of [0, 31, 33, 64]) {
      const seed = new Uint8Array(length).fill(0x61)
      t.throws(() => engine(name).signer(seed), { code: 'invalid-argument', message: /32 bytes, got \d+$/ })
    }
  }
  t.throws(() => publicKeyOf(new Uint8Array(31)), { code: 'invalid-argument' })
  t.end()
})

t.test('a signer keeps its own copy of the seed', async (t) => {
  for (const name of NAMES) {
    const seed = hexToBytes(RFC_8032[1]!.seed)
    const signer = engine(name).signer(seed)
    seed.fill(0)
    t.equal(bytesToHex(await signer.sign(Uint8Array.of(0x72))), RFC_8032[1]!.signature, name)
  }
})

t.test('bytes that lie inside other memory, or were made in another realm, are bytes', async (t) => {
  const { signature, message, publicKey } = GOOD!
  const pool = Buffer.concat([Buffer.from('x'), signature, message, publicKey, Buffer.from('x')])
  const inside = [
    pool.subarray(1, 65),
    pool.subarray(65, 65 + message.length),
    pool.subarray(65 + message.length, -1),
  ] as const
  const foreign = runInNewContext('Uint8Array') as typeof Uint8Array
  t.not(foreign, Uint8Array)
  const abroad = [foreign.from(signature), foreign.from(message), foreign.from(publicKey)] as const
  for (const name of NAMES) {
    t.ok(await verifySignature(...inside, engine(name)), `${name}: inside`)
    t.ok(await verifySignature(...abroad, engine(name)), `${name}: from another realm`)
  }
})

t.test('bytes that vanish have no good signature', async (t) => {
  const [signature, publicKey] = [new Uint8Array(GOOD!.signature), new Uint8Array(GOOD!.publicKey)]
  structuredClone(null, { transfer: [signature.buffer, publicKey.buffer] })
  t.notOk(await verifySignature(signature, GOOD!.message, GOOD!.publicKey))
  t.notOk(await verifySignature(GOOD!.signature, GOOD!.message, publicKey))
})

/** An engine that answers whatever `verify` does. */
function engineOf(verify: () => boolean | Promise<boolean>): Engine {
  return { name: 'node', verify, signer: (seed) => engine('node').signer(seed) }
}

t.test('an engine that throws, now or later, says no', async (t) => {
  const { signature, message, publicKey } = GOOD!
  const now = engineOf(() => {
    throw new Error('cannot read the key')
  })
  const later = engineOf(() => Promise.reject(new Error('cannot read the key')))
  t.equal(await verifySignature(signature, message, publicKey, now), false)
  t.equal(await verifySignature(signature, message, publicKey, later), false)
})

t.test('a verdict comes at once where the engine gives it at once, and never as an error', async (t) => {
  const { signature, message, publicKey } = GOOD!
  const check = (verify: () => boolean | Promise<boolean>): boolean | Promise<boolean> =>
    checkSignature(signature, message, publicKey, engineOf(verify))
  t.equal(
    check(() => true),
    true,
  )
  t.equal(
    check(() => false),
    false,
  )
  t.equal(
    check(() => {
      throw new Error('cannot read the key')
    }),
    false,
  )
  for (const isGood of [true, false]) t.equal(await check(() => Promise.resolve(isGood)), isGood)
  t.equal(await check(() => Promise.reject(new Error('cannot read the key'))), false)
  t.equal(
    checkSignature(signature.subarray(1), message, publicKey, engineOf(Promise.reject.bind(Promise))),
    false,
    'refused by the rule, and the engine is not asked',
  )
})

t.test('an engine is not asked about what fails the strict check', async (t) => {
  const gullible = engineOf(() => true)
  const isWhole = ({ signature, publicKey }: Vector): boolean =>
    signature.length === 64 && publicKey.length === 32
  const cut = VECTORS.get('length')!.filter((vector) => !isWhole(vector))
  t.ok(cut.length >= 15)
  for (const vector of [...cut, ...VECTORS.get('small order')!, ...VECTORS.get('surplus')!]) {
    if (await verifySignature(vector.signature, vector.message, vector.publicKey, gullible))
      t.fail(vector.name)
  }
  t.ok(await verifySignature(GOOD!.signature, GOOD!.message, GOOD!.publicKey, gullible))
})

t.test('the written vectors are the ones that the fixtures make, and they hold', async (t) => {
  const file = new URL('../vectors/ed25519.json', import.meta.url)
  // To write the file anew after a change of the fixtures: UPDATE_VECTORS=1 npx tap run test/unit/ed25519.test.ts
  if (process.env.UPDATE_VECTORS !== undefined) writeFileSync(file, writeVectors())
  const text = readFileSync(file, 'utf8')
  t.equal(text, writeVectors())
  const vectors = JSON.parse(text) as WrittenVector[]
  t.ok(vectors.length >= 60 && new Set(vectors.map(({ name }) => name)).size === vectors.length)
  for (const { name, publicKey, message, signature, valid } of vectors) {
    const parts = [hexToBytes(signature), hexToBytes(message), hexToBytes(publicKey)] as const
    t.equal(await verifySignature(...parts), valid, name)
  }
})

t.test('what engines are asked before they are trusted is right', async (t) => {
  for (const { signature, bytes, publicKey, isGood } of KNOWN_ANSWERS) {
    t.ok(passesStrictCheck(signature, publicKey), 'the equation decides')
    for (const name of NAMES) t.equal(await engine(name).verify(signature, bytes, publicKey), isGood, name)
  }
  const written = ALL.map(({ signature, valid }) => `${bytesToHex(signature)} ${valid}`)
  for (const { signature, isGood } of KNOWN_ANSWERS.slice(2)) {
    t.ok(written.includes(`${bytesToHex(signature)} ${isGood}`), 'it is one of the vectors')
  }
})

t.test('on Node the engine is node:crypto, and every engine is made once', (t) => {
  t.equal(defaultEngine().name, 'node')
  t.equal(defaultEngine(), engine('node'))
  for (const name of NAMES) {
    t.equal(engine(name).name, name)
    t.equal(engine(name), engine(name))
  }
  t.throws(() => engine('noble' as EngineName), {
    code: 'engine-unavailable',
    message: /"noble".*node, webcrypto/,
  })
  t.end()
})
