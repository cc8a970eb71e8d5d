import { MAX_CACHED_KEYS } from '../limits/limits.ts'
import { RecentMap } from '../ground/recent-map.ts'

/**
 * Imported public keys, so that a peer's key is parsed once and not with each of its signatures. Bounded, and
 * what is in use stays: whoever floods us with fresh keys displaces other rare keys, not those of busy peers.
 */
export class KeyCache<Key> {
  readonly #keys: RecentMap<string, Key>

  /** @param limit Keys held at most, at least 2. @default MAX_CACHED_KEYS */
  constructor(limit: number = MAX_CACHED_KEYS) {
    this.#keys = new RecentMap(limit)
  }

  /** Keys held; never more than the limit. */
  get size(): number {
    return this.#keys.size
  }

  /** The imported form of a public key, if it is still held. */
  get(publicKey: Uint8Array): Key | undefined {
    return this.#keys.get(nameOf(publicKey))
  }

  /** Holds the imported form of a public key from now on, and returns it. */
  set(publicKey: Uint8Array, key: Key): Key {
    this.#keys.set(nameOf(publicKey), key)
    return key
  }
}

/**
 * One character a byte: cheaper than hexadecimal, and as unambiguous. Strangers choose these names, so it
 * matters that 32 characters are too long to be taken for a number: numbers are hashed without a secret.
 */
function nameOf(publicKey: Uint8Array): string {
  return String.fromCharCode.apply(undefined, publicKey as unknown as number[])
}
