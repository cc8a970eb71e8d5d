import { engineUnavailable } from '../errors.ts'
import type { Engine, Signer } from './engine.ts'
import { KeyCache } from './key-cache.ts'
import { KNOWN_ANSWERS } from './known-answers.ts'
import { pkcs8Of } from './seed.ts'

/** What this engine needs of `SubtleCrypto`. Keys are opaque. */
export interface Subtle {
  importKey(
    format: 'raw' | 'pkcs8',
    bytes: Uint8Array,
    algorithm: { name: string },
    isExtractable: boolean,
    usages: ('sign' | 'verify')[],
  ): Promise<unknown>
  sign(algorithm: { name: string }, key: unknown, bytes: Uint8Array): Promise<ArrayBuffer>
  verify(
    algorithm: { name: string },
    key: unknown,
    signature: Uint8Array,
    bytes: Uint8Array,
  ): Promise<boolean>
}

const ALGORITHM = { name: 'Ed25519' }

/**
 * The browser's own Ed25519. Whether it has one shows only when it is used: where it has none (an older browser
 * answers `NotSupportedError`), or one that judges differently, the fallback does the work from then on.
 */
export class WebCryptoEngine implements Engine {
  readonly #subtle: Subtle
  readonly #fallback: Engine
  readonly #keys = new KeyCache<{ readonly key: unknown }>()
  #trial: Promise<boolean> | undefined
  #hasFailed = false

  /**
   * @param fallback What does the work where WebCrypto cannot.
   * @param subtle What does it where it can. @default crypto.subtle
   * @throws SecureNodeError `engine-unavailable` where there is no `crypto.subtle`
   */
  constructor(fallback: Engine, subtle: Subtle | undefined = findSubtle()) {
    if (subtle === undefined) {
      throw engineUnavailable('webcrypto', 'there is no crypto.subtle (browsers have it on https pages only)')
    }
    this.#subtle = subtle
    this.#fallback = fallback
  }

  /** `webcrypto`, or the name of the fallback once that does the work. */
  get name(): Engine['name'] {
    return this.#hasFailed ? this.#fallback.name : 'webcrypto'
  }

  async verify(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
    // Copies, because of the awaits: bytes that change in between would be judged as what nobody checked.
    const copies = [new Uint8Array(signature), new Uint8Array(bytes), new Uint8Array(publicKey)] as const
    if (await this.#isUsable()) return this.#verify(...copies)
    return this.#fallback.verify(...copies)
  }

  async #verify(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): Promise<boolean> {
    const { key } =
      this.#keys.get(publicKey) ?? this.#keys.set(publicKey, { key: await this.#import(publicKey) })
    return this.#subtle.verify(ALGORITHM, key, signature, bytes)
  }

  #import(publicKey: Uint8Array): Promise<unknown> {
    return this.#subtle.importKey('raw', publicKey, ALGORITHM, false, ['verify'])
  }

  signer(seed: Uint8Array): Signer {
    // WebCrypto does not tell the public key of a private one it imports, and tells nothing at once.
    const fallback = this.#fallback.signer(seed)
    const document = pkcs8Of(seed)
    let imported: Promise<unknown> | undefined
    return {
      publicKey: fallback.publicKey,
      sign: async (bytes) => {
        const copy = new Uint8Array(bytes)
        if (!(await this.#isUsable())) return fallback.sign(copy)
        try {
          imported ??= this.#subtle.importKey('pkcs8', document, ALGORITHM, false, ['sign'])
          return new Uint8Array(await this.#subtle.sign(ALGORITHM, await imported, copy))
        } catch {
          // Verifies, but does not sign (or not from PKCS#8). A signature is a signature, whoever makes it.
          return fallback.sign(copy)
        }
      },
    }
  }

  /**
   * Judged once, with signatures whose answers are known, and not by what a stranger's key brings about: no
   * input can talk an engine into its slow fallback.
   */
  #isUsable(): Promise<boolean> {
    return (this.#trial ??= this.#try())
  }

  async #try(): Promise<boolean> {
    try {
      for (const { publicKey, bytes, signature, isGood } of KNOWN_ANSWERS) {
        if ((await this.#verify(signature, bytes, publicKey)) !== isGood) throw new Error('a wrong answer')
      }
    } catch {
      this.#hasFailed = true
    }
    return !this.#hasFailed
  }
}

function findSubtle(): Subtle | undefined {
  const { crypto } = globalThis as { crypto?: { subtle?: Subtle } }
  return crypto?.subtle
}
