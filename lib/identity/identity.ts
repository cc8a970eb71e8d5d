import { toHex } from '../wire/hex.ts'
import { sha256 } from '@noble/hashes/sha2.js'
import { invalidArgument, keyUnreadable, keyWriteFailed, unknownOption } from '../errors.ts'
import type { NodeId } from '../wire/ids.ts'
import { defaultEngine } from './ed25519.ts'
import type { Engine, Signer } from './engine.ts'
import type { ReadKeyOptions, WriteKeyOptions } from './key-file.ts'
import { SEED_BYTES } from './seed.ts'

let seedOf: (identity: Identity) => Uint8Array

/**
 * A node's key pair (Ed25519, RFC 8032). Who holds its seed *is* the node, so nothing here shows it: not
 * printing, not JSON, not a copy. Use one identity in one running node at a time: two would number their
 * messages independently, and of two messages with one number others see a node that contradicts itself.
 */
export class Identity {
  /** The public key as 64 lower-case hexadecimal digits: the name of the node in the whole network. */
  readonly id: NodeId
  readonly #seed: Uint8Array
  readonly #signer: Signer
  #lastSeq = 0

  static {
    // The one way to the seed from outside: out of reach of who has only the object.
    seedOf = (identity) => {
      const given: unknown = identity
      if (!(given instanceof Object && #seed in given)) {
        throw invalidArgument('the identity', 'an Identity', given)
      }
      return given.#seed.slice()
    }
  }

  private constructor(seed: Uint8Array, engine: Engine) {
    this.#seed = seed
    this.#signer = engine.signer(seed)
    this.id = toHex(this.#signer.publicKey) as NodeId
    // `id` is trusted everywhere; a plain JavaScript assignment must not change it.
    Object.freeze(this)
  }

  /**
   * Makes a new identity from 32 random bytes.
   *
   * @param engine what signs. @default the fastest of this platform
   */
  static generate(engine: Engine = defaultEngine()): Identity {
    return new Identity(globalThis.crypto.getRandomValues(new Uint8Array(SEED_BYTES)), engine)
  }

  /**
   * Makes the identity that belongs to a seed.
   *
   * @param seed 32 bytes, copied; from a random source, never from a text that people can remember
   * @param engine what signs. @default the fastest of this platform
   * @throws SecureNodeError `invalid-argument` unless the seed is a Uint8Array of 32 bytes
   */
  static fromSeed(seed: Uint8Array, engine: Engine = defaultEngine()): Identity {
    const given: unknown = seed
    // Only its kind and length are told: a seed given as text must not end up in a log.
    const rule = 'a Uint8Array of 32 bytes'
    if (!isBytes(given)) throw invalidArgument('the seed', rule, `a value of type ${typeof given}`)
    const copy = new Uint8Array(given)
    if (copy.length !== SEED_BYTES) throw invalidArgument('the seed', rule, `${copy.length} bytes`)
    return new Identity(copy, engine)
  }

  /**
   * Reads the identity of a key file: one of {@link Identity.save}, or one that
   * `openssl genpkey -algorithm ed25519` wrote. Node.js only.
   *
   * @throws SecureNodeError `key-missing`, `key-not-a-file`, `key-unreadable`, `key-unprotected`,
   *   `key-not-a-key`, `key-corrupt`, `key-password-missing`, `key-password-wrong`, `invalid-option`,
   *   `invalid-argument`
   */
  static async load(file: string | URL, options: ReadKeyOptions = {}): Promise<Identity> {
    const unknown = Object.keys(options).find((name) => name !== 'password')
    if (unknown !== undefined) throw unknownOption(unknown, ['password'])
    if (!hasFiles()) throw keyUnreadable(String(file), NO_FILES)
    const { readKeyFile } = await import('./key-file.ts')
    const seed = readKeyFile(file, options.password)
    try {
      return Identity.fromSeed(seed)
    } finally {
      seed.fill(0)
    }
  }

  /**
   * Writes a key file that only this user can read. A file that exists is left alone unless `overwrite` is
   * set. Node.js only.
   *
   * @throws SecureNodeError `key-exists`, `key-write-failed`, `key-not-a-file`, `invalid-option`,
   *   `invalid-argument`
   */
  async save(file: string | URL, options: WriteKeyOptions = {}): Promise<void> {
    if (!hasFiles()) throw keyWriteFailed(String(file), NO_FILES)
    const { writeKeyFile } = await import('./key-file.ts')
    await writeKeyFile(file, this.#seed, options)
  }

  /** The 32 bytes of the public key: a copy. */
  get publicKey(): Uint8Array {
    return new Uint8Array(this.#signer.publicKey)
  }

  /** `SHA256:` and the hash of the public key in base64 without padding: short enough to compare by eye. */
  get fingerprint(): string {
    const base64 = btoa(String.fromCharCode(...sha256(this.#signer.publicKey)))
    return `SHA256:${base64.replace('=', '')}`
  }

  /**
   * Signs bytes as they are; 64 bytes come back. They must begin with a label of their purpose, or what was
   * signed for one purpose is valid for another.
   *
   * @throws SecureNodeError `invalid-argument` for what is no Uint8Array
   */
  async sign(bytes: Uint8Array): Promise<Uint8Array> {
    const given: unknown = bytes
    if (!isBytes(given)) throw invalidArgument('the bytes to sign', 'a Uint8Array', given)
    return this.#signer.sign(given)
  }

  /**
   * The number of this identity's next message: larger than every one before, and through the clock also
   * larger than those before the last restart, without a file that remembers them. A clock that goes back
   * does not matter while the process lives.
   *
   * @param now milliseconds since the epoch, from 0 to 9,007,199,254,740 (the year 2255)
   * @throws SecureNodeError `invalid-argument` for another time; it changes nothing
   */
  nextSeq(now: number): number {
    const seq = Math.max(this.#lastSeq + 1, Math.floor(now * 1_000))
    if (!(now >= 0) || !Number.isSafeInteger(seq)) {
      throw invalidArgument('the time', 'milliseconds since the epoch, before the year 2255', now)
    }
    this.#lastSeq = seq
    return seq
  }

  /** `Identity` and the ID; also what `console.log` shows. */
  toString(): string {
    return `Identity ${this.id}`
  }

  /** The ID, in JSON. */
  toJSON(): NodeId {
    return this.id
  }

  /** What `util.inspect` and `console.log` of Node.js show, whatever their options ask for. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }
}

/**
 * A copy of an identity's seed: the whole of its private key. For key files and certificates; the package
 * does not export it.
 *
 * @throws SecureNodeError `invalid-argument` for what is no Identity
 */
export function secretSeed(identity: Identity): Uint8Array {
  return seedOf(identity)
}

/** Not `instanceof`: test runners and frames bring their own Uint8Array. */
function isBytes(value: unknown): value is Uint8Array {
  return ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Uint8Array]'
}

const NO_FILES = new Error(
  'key files need Node.js; elsewhere keep the seed yourself and use Identity.fromSeed()',
)

function hasFiles(): boolean {
  return (globalThis as { process?: { getBuiltinModule?: unknown } }).process?.getBuiltinModule !== undefined
}
