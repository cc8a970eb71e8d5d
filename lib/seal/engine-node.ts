import type * as NodeCrypto from 'node:crypto'
import { joinBytes } from '../wire/bytes.ts'
import { type Agreement, isSecret, type SealEngine } from './seal-engine.ts'

type KeyObject = NodeCrypto.KeyObject

/** What this engine needs of `node:crypto`. */
export type SealCrypto = Pick<
  typeof NodeCrypto,
  | 'createCipheriv'
  | 'createDecipheriv'
  | 'createPrivateKey'
  | 'createPublicKey'
  | 'diffieHellman'
  | 'generateKeyPairSync'
>

const CIPHER = 'chacha20-poly1305'
const TAG_BYTES = 16
/** PKCS#8 DER of an X25519 private key, up to its 32 bytes (RFC 8410, section 7). */
const PKCS8_PREFIX = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32)

/** OpenSSL through `node:crypto`. */
export class NodeSealEngine implements SealEngine {
  readonly name = 'node'
  readonly #crypto: SealCrypto

  constructor(crypto: SealCrypto) {
    this.#crypto = crypto
  }

  /** A given key takes 0.6 ms to import, ten times as long as making a new one: so it is done once, not each time. */
  agreement(secret?: Uint8Array): Agreement {
    const privateKey =
      secret === undefined ? this.#crypto.generateKeyPairSync('x25519').privateKey : this.#import(secret)
    const { x } = this.#crypto.createPublicKey(privateKey).export({ format: 'jwk' })
    return {
      publicKey: new Uint8Array(Buffer.from(x!, 'base64url')),
      sharedWith: (publicKey) => this.#share(privateKey, publicKey),
    }
  }

  encrypt(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, context: Uint8Array): Uint8Array {
    const cipher = this.#crypto.createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(context, { plaintextLength: plain.length })
    const ciphertext = cipher.update(plain)
    return joinBytes([ciphertext, cipher.final(), cipher.getAuthTag()])
  }

  decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array,
    context: Uint8Array,
  ): Uint8Array | undefined {
    const length = sealed.length - TAG_BYTES
    // Node takes shorter tags where it is not told a length; with fewer bytes a forgery is found by trying.
    if (length < 0) return undefined
    const decipher = this.#crypto.createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(context, { plaintextLength: length })
    decipher.setAuthTag(sealed.subarray(length))
    const plain = decipher.update(sealed.subarray(0, length))
    try {
      // Only now is it known to be genuine: nothing of it may be looked at before.
      decipher.final()
    } catch {
      return undefined
    }
    // A plain array: the `slice` of a Buffer would share its memory.
    return new Uint8Array(plain.buffer, plain.byteOffset, plain.length)
  }

  #import(secret: Uint8Array): KeyObject {
    const document = joinBytes([PKCS8_PREFIX, secret])
    const key = this.#crypto.createPrivateKey({
      key: Buffer.from(document.buffer),
      format: 'der',
      type: 'pkcs8',
    })
    // The KeyObject has its own copy, in memory that OpenSSL wipes.
    document.fill(0)
    return key
  }

  /** OpenSSL throws for a secret that would be zero; other libraries behind `node:crypto` may not. */
  #share(privateKey: KeyObject, bytes: Uint8Array): Uint8Array | undefined {
    const x = Buffer.from(bytes).toString('base64url')
    try {
      const publicKey = this.#crypto.createPublicKey({
        key: { kty: 'OKP', crv: 'X25519', x },
        format: 'jwk',
      })
      const shared = new Uint8Array(this.#crypto.diffieHellman({ privateKey, publicKey }))
      return isSecret(shared) ? shared : undefined
    } catch {
      return undefined
    }
  }
}
