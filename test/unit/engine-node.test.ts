import crypto, { type KeyObject } from 'node:crypto'
import t from 'tap'
import { checkSignature, verifySignature } from '../../lib/identity/ed25519.ts'
import { type CryptoModule, NodeEngine } from '../../lib/identity/engine-node.ts'
import { MAX_BYTES_VERIFIED_HERE, MAX_VERIFIED_HERE } from '../../lib/limits/limits.ts'
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

/** An engine that writes down what is verified here and what in the thread pool, by the first byte. */
function watchedEngine(): { engine: NodeEngine; here: number[]; away: number[]; endTurn: () => void } {
  const [here, away]: number[][] = [[], []]
  let ends: (() => void)[] = []
  const verify = ((...[algorithm, bytes, key, signature, callback]: VerifyInPool) => {
    ;(callback === undefined ? here! : away!).push((bytes as Uint8Array)[0]!)
    return crypto.verify(algorithm, bytes, key, signature, callback!)
  }) as CryptoModule['verify']
  const engine = new NodeEngine(cryptoWith({ verify }), 8, (end) => void ends.push(end))
  here!.length = 0
  const endTurn = (): void => {
    const ended = ends
    ends = []
    for (const end of ended) end()
  }
  return { engine, here: here!, away: away!, endTurn }
}

type VerifyInPool = [null, NodeJS.ArrayBufferView, KeyObject, NodeJS.ArrayBufferView, Callback | undefined]
type Callback = (error: Error | null, isGood: boolean) => void

/** What an engine says, sooner or later. */
const all = (answers: readonly (boolean | Promise<boolean>)[]): Promise<boolean[]> =>
  Promise.all(answers.map(async (answer) => answer))

/** Signatures of one signer over numbers. */
async function signed(count: number): Promise<{ parts: [Uint8Array, Uint8Array, Uint8Array]; n: number }[]> {
  const signer = new NodeEngine().signer(new Uint8Array(32))
  const numbers = Array.from({ length: count }, (_, n) => n)
  return Promise.all(
    numbers.map(async (n) => {
      const bytes = Uint8Array.of(n)
      return { n, parts: [await signer.sign(bytes), bytes, signer.publicKey] }
    }),
  )
}

t.test('a lone signature is judged at once, good or bad', async (t) => {
  const { engine, here, away, endTurn } = watchedEngine()
  const [first, second] = await signed(2)
  t.equal(engine.verify(...first!.parts), true)
  endTurn()
  t.equal(engine.verify(first!.parts[0], second!.parts[1], first!.parts[2]), false)
  t.same([here, away], [[0, 1], []])
})

t.test('a few are judged here when the turn ends, each with its own answer', async (t) => {
  const { engine, here, away, endTurn } = watchedEngine()
  const few = await signed(MAX_VERIFIED_HERE)
  few[2]!.parts[0] = few[1]!.parts[0]
  const answers = few.map(({ parts }) => engine.verify(...parts))
  t.equal(answers[0], true)
  t.same(here, [0])
  endTurn()
  t.same([here, away], [few.map(({ n }) => n), []])
  t.same(
    await all(answers),
    few.map(({ n }) => n !== 2),
  )
})

t.test('more than a few go to the thread pool, and the next does not once that is empty', async (t) => {
  const { engine, here, away, endTurn } = watchedEngine()
  const many = await signed(MAX_VERIFIED_HERE + 8)
  const answers = many.map(({ parts }) => engine.verify(...parts))
  t.same([here, away], [[0], many.slice(1).map(({ n }) => n)])
  t.ok((await all(answers)).every((isGood) => isGood))
  endTurn()
  t.equal(engine.verify(...many[0]!.parts), true)
  t.same(here, [0, 0])
})

t.test('long bytes go to the thread pool also when they come alone', async (t) => {
  const { engine, here, away } = watchedEngine()
  const signer = engine.signer(new Uint8Array(32))
  for (const length of [MAX_BYTES_VERIFIED_HERE, MAX_BYTES_VERIFIED_HERE + 1]) {
    const bytes = new Uint8Array(length).fill(length % 256)
    t.ok(await engine.verify(await signer.sign(bytes), bytes, signer.publicKey))
  }
  t.same([here, away], [[0], [1]])
})

t.test('what the thread pool does not take is not counted as under way', async (t) => {
  let isFull = true
  const verify = ((...[algorithm, bytes, key, signature, callback]: VerifyInPool) => {
    if (callback !== undefined && isFull) throw new Error('out of memory')
    return crypto.verify(algorithm, bytes, key, signature, callback!)
  }) as CryptoModule['verify']
  const ends: (() => void)[] = []
  const engine = new NodeEngine(cryptoWith({ verify }), 8, (end) => void ends.push(end))
  const [first, ...others] = await signed(MAX_VERIFIED_HERE + 1)
  t.equal(engine.verify(...first!.parts), true)
  for (const answer of others.map(({ parts }) => engine.verify(...parts))) {
    await t.rejects(answer as Promise<boolean>, { message: 'out of memory' })
  }
  isFull = false
  ends.shift()!()
  t.equal(engine.verify(...first!.parts), true, 'a lone one again')
})

t.test('an error at the end of a turn ends one verification, and not the others', async (t) => {
  const verify = ((...[algorithm, bytes, key, signature, callback]: VerifyInPool) => {
    if ((bytes as Uint8Array)[0] === 1) throw new Error('out of memory')
    return crypto.verify(algorithm, bytes, key, signature, callback!)
  }) as CryptoModule['verify']
  const engine = new NodeEngine(cryptoWith({ verify }))
  const answers = (await signed(3)).map(({ parts }) => checkSignature(...parts, engine))
  t.same(await all(answers), [true, false, true])
})

t.test('asked for it, the engine judges any number at once', async (t) => {
  const { engine, here, away } = watchedEngine()
  const many = await signed(MAX_VERIFIED_HERE + 2)
  for (const { parts } of many) t.equal(engine.verifyNow(...parts), true)
  t.same([here.length, away.length], [many.length, 0])
})

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

t.test('few at once are judged also while the application’s own timers stand still', async (t) => {
  const few = await signed(2)
  const { setImmediate } = globalThis
  globalThis.setImmediate = (() => undefined) as unknown as typeof setImmediate
  t.teardown(() => (globalThis.setImmediate = setImmediate))
  const engine = new NodeEngine()
  t.same(await all(few.map(({ parts }) => engine.verify(...parts))), [true, true])
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
  const many = await signed(MAX_VERIFIED_HERE + 1)
  for (const count of [1, MAX_VERIFIED_HERE, MAX_VERIFIED_HERE + 1]) {
    const engine = new NodeEngine()
    const answers = many.slice(0, count).map(({ parts }) => {
      const own = parts.map((array) => new Uint8Array(array)) as typeof parts
      const answer = engine.verify(...own)
      for (const array of own) array.fill(0)
      return answer
    })
    t.ok(
      (await all(answers)).every((isGood) => isGood),
      `${count} in a turn`,
    )
  }
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
  const verify = ((...[algorithm, bytes, key, signature, callback]: VerifyInPool) => {
    if (callback === undefined) return crypto.verify(algorithm, bytes, key, signature)
    return setImmediate(callback, new Error('out of memory'), false)
  }) as CryptoModule['verify']
  const parts = [signature, message, publicKey] as const
  const engines = [0, 1].map(() => new NodeEngine(cryptoWith({ verify })))
  const many = Array.from({ length: MAX_VERIFIED_HERE + 1 })
  const [first, ...others] = many.map(() => engines[0]!.verify(...parts))
  t.equal(first, true)
  for (const answer of others) await t.rejects(answer as Promise<boolean>, { message: 'out of memory' })
  const verdicts = await all(many.map(() => checkSignature(...parts, engines[1])))
  t.same(
    verdicts,
    many.map((_, n) => n === 0),
  )
  t.equal(await verifySignature(...parts, engines[1]), true, 'the pool is empty again')
})
