import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import type { SealEngine } from '../seal/seal-engine.ts'
import { joinBytes } from '../wire/bytes.ts'

// The objects of the Noise Protocol Framework (revision 34), sections 5.1 and 5.2, for ChaCha20-Poly1305 and SHA-256.

const EMPTY = new Uint8Array(0)

/** Encrypts, or decrypts, one message after the other under one key: the `CipherState`. */
export class NoiseCipher {
  readonly #engine: SealEngine
  readonly #key: Uint8Array
  #count = 0

  constructor(engine: SealEngine, key: Uint8Array) {
    this.#engine = engine
    this.#key = key
  }

  encrypt(plain: Uint8Array, context: Uint8Array = EMPTY): Uint8Array {
    return this.#engine.encrypt(this.#key, this.#nonce(), plain, context)
  }

  /** Undefined for what was not encrypted as the next message; nothing more is to be read then. */
  decrypt(sealed: Uint8Array, context: Uint8Array = EMPTY): Uint8Array | undefined {
    return this.#engine.decrypt(this.#key, this.#nonce(), sealed, context)
  }

  /**
   * 32 zero bits and the count in 64 bits, the lowest byte first (section 12.3). The count stays exact up to 2^53: a
   * million messages a second for 285 years.
   */
  #nonce(): Uint8Array {
    const nonce = new Uint8Array(12)
    new DataView(nonce.buffer).setBigUint64(4, BigInt(this.#count++), true)
    return nonce
  }
}

/** What a handshake mixes all that was said into: the `SymmetricState`. */
export class NoiseSecrets {
  readonly #engine: SealEngine
  #chainingKey: Uint8Array
  #hash: Uint8Array
  #cipher: NoiseCipher | undefined

  /** @param name The protocol's name, of at most 32 bytes. */
  constructor(engine: SealEngine, name: Uint8Array, prologue: Uint8Array) {
    this.#engine = engine
    this.#hash = new Uint8Array(32)
    this.#hash.set(name)
    this.#chainingKey = this.#hash
    this.mixHash(prologue)
  }

  /** The hash of all that was said: the same at both ends, and in no other handshake. */
  get hash(): Uint8Array {
    return this.#hash
  }

  mixHash(bytes: Uint8Array): void {
    this.#hash = sha256(joinBytes([this.#hash, bytes]))
  }

  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = this.#derive(secret)
    this.#chainingKey = chainingKey
    this.#cipher = new NoiseCipher(this.#engine, key)
  }

  /** As it is, as long as there is no key. */
  encryptAndHash(plain: Uint8Array): Uint8Array {
    const bytes = this.#cipher === undefined ? plain : this.#cipher.encrypt(plain, this.#hash)
    this.mixHash(bytes)
    return bytes
  }

  /** Undoes {@link encryptAndHash}; undefined for a forgery. */
  decryptAndHash(bytes: Uint8Array): Uint8Array | undefined {
    const plain = this.#cipher === undefined ? bytes : this.#cipher.decrypt(bytes, this.#hash)
    this.mixHash(bytes)
    return plain
  }

  /** The ciphers of what comes after the handshake: that of the initiator, and that of the responder. */
  split(): [initiator: NoiseCipher, responder: NoiseCipher] {
    const [first, second] = this.#derive(EMPTY)
    return [new NoiseCipher(this.#engine, first), new NoiseCipher(this.#engine, second)]
  }

  /** HKDF with two outputs (section 4.3): that of RFC 5869, with nothing as its info. */
  #derive(secret: Uint8Array): [Uint8Array, Uint8Array] {
    const both = hkdf(sha256, secret, this.#chainingKey, EMPTY, 64)
    return [both.subarray(0, 32), both.subarray(32)]
  }
}
