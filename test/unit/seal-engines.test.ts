import crypto from 'node:crypto'
import { bytesToHex } from '@noble/hashes/utils.js'
import t from 'tap'
import { chooseSealEngine, defaultSealEngine } from '../../lib/seal/default-engine.ts'
import { NodeSealEngine, type SealCrypto } from '../../lib/seal/engine-node.ts'
import { scriptEngine } from '../../lib/seal/engine-script.ts'
import { isSecret } from '../../lib/seal/seal-engine.ts'
import { Random } from '../../lib/testing/random.ts'

const node = new NodeSealEngine(crypto)
const random = new Random(25_519)
const some = (length: number): Uint8Array =>
  Uint8Array.from({ length }, () => Math.floor(random.next() * 256))

t.test('node:crypto is used where it is there, and it is always the same engine', async (t) => {
  t.equal(defaultSealEngine().name, 'node')
  t.equal(defaultSealEngine(), defaultSealEngine())
  t.equal(chooseSealEngine(undefined), scriptEngine)
})

t.test('a node:crypto that lacks something, or answers otherwise, is not used', async (t) => {
  const missing = (): never => {
    throw new Error('Unknown cipher')
  }
  const { privateKey } = crypto.generateKeyPairSync('x25519')
  const broken: Record<string, Partial<Record<keyof SealCrypto, unknown>>> = {
    'no cipher': { createCipheriv: missing, createDecipheriv: missing },
    'no curve': { createPrivateKey: missing },
    'another key': { createPrivateKey: () => privateKey },
    'zero is a secret': { diffieHellman: () => Buffer.alloc(32, 1) },
    'nothing is refused': {
      createDecipheriv: () => ({
        setAAD() {},
        setAuthTag() {},
        update: () => Buffer.alloc(32, 3),
        final: () => Buffer.alloc(0),
      }),
    },
  }
  for (const [name, parts] of Object.entries(broken)) {
    t.equal(chooseSealEngine({ ...crypto, ...parts } as SealCrypto).name, 'script', name)
  }
  t.equal(chooseSealEngine({ ...crypto }).name, 'node')
})

t.test('both engines give the same bytes', async (t) => {
  for (let round = 0; round < 20; round++) {
    const [secret, key, nonce] = [some(32), some(32), some(12)]
    const [plain, context] = [some(round * 37), some(round * 5)]
    const [one, other] = [node.agreement(secret), scriptEngine.agreement(secret)]
    t.strictSame(one.publicKey, other.publicKey)
    const peer = node.agreement().publicKey
    t.strictSame(one.sharedWith(peer), other.sharedWith(peer))
    const sealed = node.encrypt(key, nonce, plain, context)
    t.equal(bytesToHex(sealed), bytesToHex(scriptEngine.encrypt(key, nonce, plain, context)))
    t.strictSame(node.decrypt(key, nonce, sealed, context), plain)
    t.strictSame(scriptEngine.decrypt(key, nonce, sealed, context), plain)
  }
})

t.test('a shared secret of zeros is none, also where the platform lets it pass', async (t) => {
  const lenient = new NodeSealEngine({ ...crypto, diffieHellman: () => Buffer.alloc(32) })
  t.equal(lenient.agreement(some(32)).sharedWith(node.agreement().publicKey), undefined)
})

t.test('what is too short to have a tag is refused by both', async (t) => {
  for (const engine of [node, scriptEngine]) {
    for (let length = 0; length < 17; length++) {
      t.equal(engine.decrypt(some(32), some(12), some(length), some(3)), undefined, engine.name)
    }
  }
})

t.test('what comes out are plain arrays of their own', async (t) => {
  for (const engine of [node, scriptEngine]) {
    const sealed = engine.encrypt(some(32), new Uint8Array(12), some(10), some(0))
    const agreement = engine.agreement()
    const shared = agreement.sharedWith(node.agreement().publicKey)!
    for (const bytes of [sealed, agreement.publicKey, shared]) {
      t.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype)
    }
  }
})

t.test('a secret is one bit that is not zero', async (t) => {
  t.notOk(isSecret(new Uint8Array(32)))
  t.ok(isSecret(Uint8Array.of(...new Uint8Array(31), 1)))
  t.ok(isSecret(Uint8Array.of(0x80, ...new Uint8Array(31))))
})
