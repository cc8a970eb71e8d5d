import crypto, { type KeyObject } from 'node:crypto'
import t from 'tap'
import { verifySignature } from '../../lib/identity/ed25519.ts'
import { type CryptoModule, NodeEngine } from '../../lib/identity/engine-node.ts'
import { VECTORS } from '../fixtures/torsion.ts'

/** `node:crypto` with some functions replaced. */
const cryptoWith = (changes: Partial<CryptoModule>): CryptoModule => ({ ...crypto, ...changes })

/** An engine that counts its imports of public keys. */
function countingEngine(limit: number): { engine: NodeEngine; imports: () => number } {
  let count = 0
  const createPublicKey: CryptoModule['createPublicKey'] = (key) => {
    count++
    return crypto.createPublicKey(key)
  }
  const engine = new NodeEngine(cryptoWith({ createPublicKey }), limit)
  count = 0
  return { engine, imports: () => count }
}

t.test('a key is imported once while it is in use', async (t) => {
  const { engine, imports } = countingEngine(8)
  const signer = engine.signer(new Uint8Array(32))
  const before = imports()
  for (let n = 0; n < 20; n++) {
    const bytes = Uint8Array.of(n)
    t.ok(await engine.verify(await signer.sign(bytes), bytes, signer.publicKey))
  }
  t.equal(imports(), before + 1)
})

t.test('answers stay right when keys were displaced and come back', async (t) => {
  const { engine, imports } = countingEngine(4)
  const signers = Array.from({ length: 20 }, (_, n) => engine.signer(new Uint8Array(32).fill(n)))
  const bytes = Uint8Array.of(1, 2, 3)
  const before = imports()
  for (let round = 0; round < 3; round++) {
    for (const [n, signer] of signers.entries()) {
      const signature = await signer.sign(bytes)
      if (!(await engine.verify(signature, bytes, signer.publicKey))) t.fail(`${n} is good`)
      const other = signers[(n + 1) % signers.length]!.publicKey
      if (await engine.verify(signature, bytes, other)) t.fail(`${n} is not good with another key`)
    }
  }
  t.ok(imports() - before >= 60, 'most were imported again: the others were not held')
})

t.test('many at once give each its own answer', async (t) => {
  const vectors = [...VECTORS.get('plain')!, ...VECTORS.get('mixed order')!, ...VECTORS.get('flipped')!]
  const engine = new NodeEngine()
  const answers = await Promise.all(
    vectors.map(({ signature, message, publicKey }) =>
      verifySignature(signature, message, publicKey, engine),
    ),
  )
  t.same(
    answers,
    vectors.map(({ valid }) => valid),
  )
})

t.test('the bytes may change as soon as verification has begun', async (t) => {
  const engine = new NodeEngine()
  const signer = engine.signer(new Uint8Array(32))
  const bytes = Uint8Array.of(1, 2, 3)
  const signature = await signer.sign(bytes)
  const key = new Uint8Array(signer.publicKey)
  const answer = engine.verify(signature, bytes, key)
  for (const array of [signature, bytes, key]) array.fill(0)
  t.ok(await answer)
})

t.test('signing answers at once, with a plain array of its own memory', (t) => {
  const signature = new NodeEngine().signer(new Uint8Array(32)).sign(Uint8Array.of(1))
  t.ok(signature instanceof Uint8Array && !Buffer.isBuffer(signature))
  t.equal((signature as Uint8Array).buffer.byteLength, 64)
  t.end()
})

t.test('a crypto module that judges differently, or cannot do Ed25519, is not used', (t) => {
  const saysYes = (() => true) as unknown as CryptoModule['verify']
  const saysNo = (() => false) as unknown as CryptoModule['verify']
  const throws = (): never => {
    throw new Error('unsupported')
  }
  for (const changes of [{ verify: saysYes }, { verify: saysNo }, { createPublicKey: throws }]) {
    t.throws(() => new NodeEngine(cryptoWith(changes)), { code: 'engine-unavailable' })
  }
  t.end()
})

t.test('an error in the thread pool is an error of the engine, and a no of the rule', async (t) => {
  const { signature, message, publicKey } = VECTORS.get('plain')![5]!
  type Callback = (error: Error) => void
  const verify = ((
    _: null,
    bytes: Uint8Array,
    key: KeyObject,
    signature: Uint8Array,
    callback?: Callback,
  ) => {
    if (callback === undefined) return crypto.verify(null, bytes, key, signature)
    return setImmediate(callback, new Error('out of memory'))
  }) as unknown as CryptoModule['verify']
  const engine = new NodeEngine(cryptoWith({ verify }))
  await t.rejects(engine.verify(signature, message, publicKey), { message: 'out of memory' })
  t.equal(await verifySignature(signature, message, publicKey, engine), false)
})
