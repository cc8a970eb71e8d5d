import { webcrypto } from 'node:crypto'
import { bytesToHex } from '@noble/hashes/utils.js'
import t from 'tap'
import { engine, verifySignature } from '../../lib/identity/ed25519.ts'
import type { Engine } from '../../lib/identity/engine.ts'
import { type Subtle, WebCryptoEngine } from '../../lib/identity/engine-webcrypto.ts'
import { VECTORS } from '../fixtures/torsion.ts'

const real = webcrypto.subtle as unknown as Subtle
const [good] = VECTORS.get('plain')!.slice(-1)
const [flipped] = VECTORS.get('flipped')!

/** The platform's WebCrypto with some functions replaced, and a count of every call. */
function subtleWith(changes: Partial<Subtle>): { subtle: Subtle; calls: string[] } {
  const calls: string[] = []
  const count = <Name extends keyof Subtle>(name: Name): Subtle[Name] =>
    ((...args: never[]) => {
      calls.push(name)
      const method = (changes[name] ?? real[name].bind(real)) as unknown as (...args: never[]) => unknown
      return method(...args)
    }) as unknown as Subtle[Name]
  return { subtle: { importKey: count('importKey'), sign: count('sign'), verify: count('verify') }, calls }
}

/** A fallback that counts what it is asked. */
function countingFallback(): { fallback: Engine; asked: () => number } {
  const inner = engine('tweetnacl')
  let count = 0
  const verify: Engine['verify'] = (...parts) => {
    count++
    return inner.verify(...parts)
  }
  return { fallback: { name: 'tweetnacl', verify, signer: (seed) => inner.signer(seed) }, asked: () => count }
}

const notSupported = (): Promise<never> =>
  Promise.reject(new DOMException('Unrecognized algorithm name', 'NotSupportedError'))

t.test('where WebCrypto has no Ed25519 the fallback takes over, for good', async (t) => {
  const { subtle, calls } = subtleWith({ importKey: notSupported })
  const { fallback, asked } = countingFallback()
  const tested = new WebCryptoEngine(fallback, subtle)
  t.equal(tested.name, 'webcrypto')
  t.ok(await verifySignature(good!.signature, good!.message, good!.publicKey, tested))
  t.notOk(await verifySignature(flipped!.signature, flipped!.message, flipped!.publicKey, tested))
  t.equal(asked(), 2)
  t.same(calls, ['importKey'], 'WebCrypto was asked once')
  t.equal(tested.name, 'tweetnacl', 'the name tells who does the work')
  const seed = new Uint8Array(32).fill(7)
  const signer = tested.signer(seed)
  t.same(await signer.sign(good!.message), await engine('node').signer(seed).sign(good!.message))
  t.same(calls, ['importKey'])
})

t.test('where WebCrypto has Ed25519 the fallback is never asked', async (t) => {
  const { subtle, calls } = subtleWith({})
  const { fallback, asked } = countingFallback()
  const tested = new WebCryptoEngine(fallback, subtle)
  for (const vector of [...VECTORS.get('mixed order')!, ...VECTORS.get('off curve')!]) {
    const { signature, message, publicKey, valid, name } = vector
    if ((await verifySignature(signature, message, publicKey, tested)) !== valid) t.fail(name)
  }
  t.equal(asked(), 0)
  t.equal(tested.name, 'webcrypto')
  const imports = calls.filter((name) => name === 'importKey').length
  t.ok(imports < 60, `${imports} imports: keys are kept`)
})

t.test('a WebCrypto that judges differently is not believed', async (t) => {
  const answers: Partial<Subtle>[] = [
    { verify: async () => true },
    { verify: async () => false },
    { verify: () => Promise.reject(new DOMException('no', 'OperationError')) },
    { importKey: () => Promise.reject(new TypeError('not a function')) },
  ]
  for (const changes of answers) {
    const { fallback, asked } = countingFallback()
    const tested = new WebCryptoEngine(fallback, subtleWith(changes).subtle)
    t.ok(await tested.verify(good!.signature, good!.message, good!.publicKey))
    t.notOk(await tested.verify(flipped!.signature, flipped!.message, flipped!.publicKey))
    t.equal(asked(), 2)
  }
})

t.test('a key that WebCrypto cannot read costs its owner the signature, and nobody the engine', async (t) => {
  const bad = VECTORS.get('off curve')![0]!
  const importKey: Subtle['importKey'] = (format, bytes, ...rest) =>
    bytesToHex(bytes) === bytesToHex(bad.publicKey) ? notSupported() : real.importKey(format, bytes, ...rest)
  const { fallback, asked } = countingFallback()
  const tested = new WebCryptoEngine(fallback, subtleWith({ importKey }).subtle)
  t.equal(await verifySignature(bad.signature, bad.message, bad.publicKey, tested), false)
  t.ok(await verifySignature(good!.signature, good!.message, good!.publicKey, tested))
  t.equal(tested.name, 'webcrypto')
  t.equal(asked(), 0)
})

t.test('a key whose import failed is imported again the next time', async (t) => {
  let failures = 1
  const importKey: Subtle['importKey'] = (format, bytes, ...rest) =>
    bytesToHex(bytes) === bytesToHex(good!.publicKey) && failures-- > 0
      ? Promise.reject(new DOMException('busy', 'OperationError'))
      : real.importKey(format, bytes, ...rest)
  const tested = new WebCryptoEngine(engine('tweetnacl'), subtleWith({ importKey }).subtle)
  t.notOk(await verifySignature(good!.signature, good!.message, good!.publicKey, tested))
  t.ok(await verifySignature(good!.signature, good!.message, good!.publicKey, tested))
})

t.test('a signer that WebCrypto cannot make signs all the same', async (t) => {
  const seed = new Uint8Array(32).fill(9)
  const expected = await engine('node').signer(seed).sign(good!.message)
  const importKey: Subtle['importKey'] = (format, ...rest) =>
    format === 'pkcs8' ? notSupported() : real.importKey(format, ...rest)
  for (const changes of [{ importKey }, { sign: notSupported }]) {
    const signer = new WebCryptoEngine(engine('tweetnacl'), subtleWith(changes).subtle).signer(seed)
    t.same(await signer.sign(good!.message), expected)
    t.same(await signer.sign(good!.message), expected, 'and again')
  }
})

t.test('the bytes may change as soon as the call has returned', async (t) => {
  const tested = new WebCryptoEngine(engine('tweetnacl'))
  const [signature, bytes, key] = [good!.signature, good!.message, good!.publicKey].map(
    (a) => new Uint8Array(a),
  )
  const answer = tested.verify(signature!, bytes!, key!)
  for (const array of [signature!, bytes!, key!]) array.fill(0)
  t.ok(await answer)
  const seed = new Uint8Array(32).fill(9)
  const text = Uint8Array.of(1, 2, 3)
  const signing = tested.signer(seed).sign(text)
  const expected = await engine('node')
    .signer(seed)
    .sign(Uint8Array.of(1, 2, 3))
  text.fill(0)
  t.same(await signing, expected)
})
