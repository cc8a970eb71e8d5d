import type * as NodeCrypto from 'node:crypto'
import { engineUnavailable } from '../errors.ts'
import type { Engine, Signer } from './engine.ts'
import { KeyCache } from './key-cache.ts'
import { KNOWN_ANSWERS } from './known-answers.ts'
import { pkcs8Of } from './seed.ts'

type KeyObject = NodeCrypto.KeyObject

/** What this engine needs of `node:crypto`. */
export type CryptoModule = Pick<typeof NodeCrypto, 'createPrivateKey' | 'createPublicKey' | 'sign' | 'verify'>

/** OpenSSL through `node:crypto`: verifies in the thread pool and keeps imported keys; signs at once. */
export class NodeEngine implements Engine {
  readonly name = 'node'
  readonly #crypto: CryptoModule
  readonly #keys: KeyCache<KeyObject>

  /**
   * @param crypto What does the work. @default node:crypto
   * @param limit Public keys held at most. @default MAX_CACHED_KEYS
   * @throws SecureNodeError `engine-unavailable` where there is no `node:crypto`, or one that judges differently
   */
  constructor(crypto: CryptoModule | undefined = findCrypto(), limit?: number) {
    if (crypto === undefined) throw engineUnavailable('node', 'there is no node:crypto; Node has it')
    this.#crypto = crypto
    this.#keys = new KeyCache(limit)
    if (!this.#givesKnownAnswers()) {
      throw engineUnavailable('node', 'node:crypto gives wrong answers for Ed25519, or none')
    }
  }

  /**
   * With a callback OpenSSL works in the thread pool, on copies of the bytes: the event loop stays free, and
   * all cores take part.
   */
  verify(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
    const key = this.#keys.get(publicKey) ?? this.#keys.set(publicKey, this.#import(publicKey))
    return new Promise((resolve, reject) => {
      this.#crypto.verify(null, bytes, key, signature, (error, isGood) => {
        if (error) reject(error)
        else resolve(isGood)
      })
    })
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

/** `node:crypto` without an import, which would keep the whole package out of browsers. */
function findCrypto(): CryptoModule | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }
  return process?.getBuiltinModule?.('node:crypto') as CryptoModule | undefined
}
