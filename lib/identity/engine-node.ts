import type * as NodeCrypto from 'node:crypto'
import { engineUnavailable } from '../errors.ts'
import { MAX_BYTES_VERIFIED_HERE, MAX_VERIFIED_HERE } from '../limits/limits.ts'
import type { Engine, Signer } from './engine.ts'
import { KeyCache } from './key-cache.ts'
import { KNOWN_ANSWERS } from './known-answers.ts'
import { pkcs8Of } from './seed.ts'
import { WorkSplit } from './work-split.ts'

type KeyObject = NodeCrypto.KeyObject

/** What this engine needs of `node:crypto`. */
export type CryptoModule = Pick<typeof NodeCrypto, 'createPrivateKey' | 'createPublicKey' | 'sign' | 'verify'>

type TurnEnd = (callBack: () => void) => void
type Timers = Readonly<{ setImmediate: TurnEnd }>

/** A verification that was not done at once. */
interface Job {
  readonly signature: Uint8Array
  readonly bytes: Uint8Array
  readonly key: KeyObject
  readonly resolve: (isGood: boolean) => void
  readonly reject: (error: unknown) => void
}

/**
 * OpenSSL through `node:crypto`. It keeps imported keys; it signs at once; it verifies a few signatures at once, and
 * many in the thread pool, so that all cores take part.
 *
 * There are no workers. Measured with one and two (`node bench/verify.js`), they saved 3 % of a verification's time at
 * the most, in batches of 64; a lone one took twice as long, and through shared memory all took longer than in the
 * pool. For that each worker would take megabytes, and a file of its own in everybody's bundle.
 */
export class NodeEngine implements Engine {
  readonly name = 'node'
  readonly #crypto: CryptoModule
  readonly #keys: KeyCache<KeyObject>
  readonly #split: WorkSplit<Job>

  /**
   * @param crypto What does the work. @default node:crypto
   * @param limit Public keys held at most. @default MAX_CACHED_KEYS
   * @param atTurnEnd Calls back when what came in this turn of the event loop has been read. @default setImmediate
   * @throws SecureNodeError `engine-unavailable` where there is no `node:crypto`, or one that judges differently
   */
  constructor(
    crypto: CryptoModule | undefined = findModule('node:crypto') as CryptoModule | undefined,
    limit?: number,
    // Not the global: an application's tests may put a clock in its place that stands still.
    atTurnEnd: TurnEnd | undefined = (findModule('node:timers') as Timers | undefined)?.setImmediate,
  ) {
    if (crypto === undefined || atTurnEnd === undefined) {
      throw engineUnavailable('node', 'there is no node:crypto; Node has it')
    }
    this.#crypto = crypto
    this.#keys = new KeyCache(limit)
    const doHere = (job: Job): void => this.#doHere(job)
    const handOver = (job: Job): void => this.#handOver(job)
    this.#split = new WorkSplit({ doHere, handOver, atTurnEnd }, MAX_VERIFIED_HERE)
    if (!this.#givesKnownAnswers()) {
      throw engineUnavailable('node', 'node:crypto gives wrong answers for Ed25519, or none')
    }
  }

  /** At once for a lone signature, which is cheapest and soonest; otherwise see {@link WorkSplit}. */
  verify(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): boolean | Promise<boolean> {
    const isShort = bytes.length <= MAX_BYTES_VERIFIED_HERE
    if (isShort && this.#split.begins()) return this.verifyNow(signature, bytes, publicKey)
    const key = this.#keyOf(publicKey)
    return new Promise((resolve, reject) => {
      if (!isShort) this.#split.handOver({ signature, bytes, key, resolve, reject })
      else {
        // Copies: bytes that change while they wait would be judged as what nobody asked about.
        const copies = { signature: new Uint8Array(signature), bytes: new Uint8Array(bytes) }
        this.#split.add({ ...copies, key, resolve, reject })
      }
    })
  }

  /** At once, however many there are: for simulations, in which a thread pool would be another clock. */
  verifyNow(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): boolean {
    return this.#crypto.verify(null, bytes, this.#keyOf(publicKey), signature)
  }

  #doHere({ signature, bytes, key, resolve, reject }: Job): void {
    try {
      resolve(this.#crypto.verify(null, bytes, key, signature))
    } catch (error) {
      reject(error)
    }
  }

  /** With a callback OpenSSL works in the thread pool, on copies of the bytes. */
  #handOver({ signature, bytes, key, resolve, reject }: Job): void {
    try {
      this.#crypto.verify(null, bytes, key, signature, (error, isGood) => {
        this.#split.landed()
        if (error) reject(error)
        else resolve(isGood)
      })
    } catch (error) {
      this.#split.landed()
      reject(error)
    }
  }

  signer(seed: Uint8Array): Signer {
    const document = pkcs8Of(seed)
    const der = Buffer.from(document.buffer)
    const key = this.#crypto.createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    // The KeyObject has its own copy, in memory that OpenSSL wipes.
    document.fill(0)
    const { x } = this.#crypto.createPublicKey(key).export({ format: 'jwk' })
    return {
      publicKey: new Uint8Array(Buffer.from(x!, 'base64url')),
      sign: (bytes) => new Uint8Array(this.#crypto.sign(null, bytes, key)),
    }
  }

  #keyOf(publicKey: Uint8Array): KeyObject {
    return this.#keys.get(publicKey) ?? this.#keys.set(publicKey, this.#import(publicKey))
  }

  /**
   * As JWK: Node reads that ten times faster than the same key in DER (12 against 117 µs), and it refuses a key
   * with bytes behind it, which DER lets pass.
   */
  #import(publicKey: Uint8Array): KeyObject {
    // `Buffer` is a global wherever `node:crypto` is.
    const x = Buffer.from(publicKey).toString('base64url')
    return this.#crypto.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  }

  /** Other platforms have a `node:crypto` of their own, and Node's changes with OpenSSL. Takes 1 ms, once. */
  #givesKnownAnswers(): boolean {
    try {
      return KNOWN_ANSWERS.every(
        ({ publicKey, bytes, signature, isGood }) =>
          this.#crypto.verify(null, bytes, this.#import(publicKey), signature) === isGood,
      )
    } catch {
      return false
    }
  }
}

/** A module of Node without an import, which would keep the whole package out of browsers. */
function findModule(id: string): unknown {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }
  return process?.getBuiltinModule?.(id)
}
