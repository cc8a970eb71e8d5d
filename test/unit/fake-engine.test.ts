import t from 'tap'
import { isStrictPublicKey, passesStrictCheck, verifySignature } from '../../lib/identity/ed25519.ts'
import { FakeEngine } from '../../lib/testing/fake-engine.ts'
import { Random } from '../../lib/testing/random.ts'

const random = new Random(11)
const engine = new FakeEngine()

t.test('keys and signatures have the shape of real ones', async (t) => {
  for (let trial = 0; trial < 500; trial++) {
    const signer = engine.signer(random.bytes(32))
    const bytes = random.bytes(random.below(200))
    const signature = await signer.sign(bytes)
    const isSound =
      isStrictPublicKey(signer.publicKey) &&
      passesStrictCheck(signature, signer.publicKey) &&
      (await verifySignature(signature, bytes, signer.publicKey, engine))
    if (!isSound) t.fail(`trial ${trial}`)
  }
  t.pass('all of them')
})

t.test('the same seed gives the same key and the same signatures, another one others', async (t) => {
  const seed = random.bytes(32)
  const [one, same] = [engine.signer(seed), new FakeEngine().signer(seed.slice())]
  const other = engine.signer(random.bytes(32))
  const bytes = random.bytes(57)
  t.same(same.publicKey, one.publicKey)
  t.same(await same.sign(bytes), await one.sign(bytes))
  t.notSame(other.publicKey, one.publicKey)
  t.notSame(await other.sign(bytes), await one.sign(bytes))
})

t.test('a signature is bad when any byte of it, of what was signed or of the key is another', async (t) => {
  const signer = engine.signer(random.bytes(32))
  const { publicKey } = signer
  const bytes = random.bytes(57)
  const signature = await signer.sign(bytes)
  t.ok(engine.verify(signature, bytes, publicKey))
  const change = (original: Uint8Array, at: number): Uint8Array => {
    const copy = original.slice()
    copy[at]! ^= 1 << random.below(8)
    return copy
  }
  for (let at = 0; at < 64; at++) {
    t.notOk(engine.verify(change(signature, at), bytes, publicKey), `byte ${at} of the signature`)
  }
  for (let at = 0; at < 57; at++) t.notOk(engine.verify(signature, change(bytes, at), publicKey))
  for (let at = 0; at < 32; at++) t.notOk(engine.verify(signature, bytes, change(publicKey, at)))
  t.notOk(engine.verify(signature, bytes.subarray(1), publicKey))
  t.notOk(engine.verify(new Uint8Array(64), bytes, publicKey))
})

t.test('what is signed may be long, or nothing', async (t) => {
  const signer = engine.signer(new Uint8Array(32))
  const { publicKey } = signer
  for (const length of [0, 479, 480, 481, 100_000]) {
    const bytes = random.bytes(length)
    t.ok(engine.verify(await signer.sign(bytes), bytes, publicKey), `${length} bytes`)
  }
})

t.test('a seed of another length is refused', async (t) => {
  t.throws(() => engine.signer(new Uint8Array(31)), { code: 'invalid-argument' })
})
