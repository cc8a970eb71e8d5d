import t from 'tap'
import { engine as engineNamed, verifySignature } from '../../lib/identity/ed25519.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { CountingEngine, type Signatures } from '../../lib/testing/counting-engine.ts'

const seed = Uint8Array.from({ length: 32 }, (_, at) => at)
const bytes = new TextEncoder().encode('what is signed')

for (const kind of ['counted', 'real'] as const satisfies Signatures[]) {
  t.test(`${kind} signatures`, async (t) => {
    t.test('are counted, good and bad ones', async (t) => {
      const engine = new CountingEngine(kind)
      const signer = engine.signer(seed)
      t.same([engine.signed, engine.verified], [0, 0])
      const signature = await signer.sign(bytes)
      t.ok(await engine.verify(signature, bytes, signer.publicKey))
      t.notOk(await engine.verify(signature, bytes.subarray(1), signer.publicKey))
      t.same([engine.signed, engine.verified], [1, 2])
    })

    t.test('are made and judged at once, without the thread pool', async (t) => {
      const engine = new CountingEngine(kind)
      const signer = engine.signer(seed)
      const verdicts: boolean[] = []
      const signature = await signer.sign(bytes)
      void Promise.resolve(engine.verify(signature, bytes, signer.publicKey)).then((isGood) =>
        verdicts.push(isGood),
      )
      await new Promise((resolve) => process.nextTick(resolve))
      t.same(verdicts, [true], 'no turn of the event loop has passed')
    })

    t.test('serve an identity, and the one place that judges', async (t) => {
      const engine = new CountingEngine(kind)
      const identity = Identity.fromSeed(seed, engine)
      const signature = await identity.sign(bytes)
      t.ok(await verifySignature(signature, bytes, identity.publicKey, engine))
      t.notOk(await verifySignature(new Uint8Array(64), bytes, identity.publicKey, engine))
      t.equal(engine.signed, 1)
    })
  })
}

t.test('real ones are those of everybody else', async (t) => {
  const [ours, theirs] = [new CountingEngine('real'), engineNamed('tweetnacl')]
  const [our, their] = [ours.signer(seed), theirs.signer(seed)]
  t.equal(ours.name, 'node')
  t.same(our.publicKey, their.publicKey)
  t.same(await our.sign(bytes), await their.sign(bytes))
  t.ok(await ours.verify(await their.sign(bytes), bytes, their.publicKey))
})

t.test('fake ones are nobody else’s', async (t) => {
  const engine = new CountingEngine()
  t.equal(engine.name, 'fake')
  const signer = engine.signer(seed)
  t.notOk(await verifySignature(await signer.sign(bytes), bytes, signer.publicKey))
})
