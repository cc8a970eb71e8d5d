import { MAX_CACHED_KEYS } from '../limits.ts'

/**
 * Imported public keys, so that a peer's key is parsed once and not with each of its signatures. Bounded, and
 * what is in use stays: whoever floods us with fresh keys displaces other rare keys, not those of busy peers.
 *
 * Two generations instead of a list in order of use: a hit in the young one changes nothing, which is what
 * nearly every call is. When the young one is full it becomes the old one, and the old one is forgotten.
 */
export class KeyCache<Key> {
  readonly #half: number
  #young = new Map<string, Key>()
  #old = new Map<string, Key>()

  /** @param limit Keys held at most, at least 2. @default MAX_CACHED_KEYS */
  constructor(limit: number = MAX_CACHED_KEYS) {
    this.#half = Math.max(1, Math.floor(limit / 2))
  }

  /** Keys held; never more than the limit. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** The imported form of a public key, if it is still held. */
  get(publicKey: Uint8Array): Key | undefined {
    const name = nameOf(publicKey)
    const key = this.#young.get(name)
    if (key !== undefined) return key
    const found = this.#old.get(name)
    if (found !== undefined) {
      this.#old.delete(name)
      this.#add(name, found)
    }
    return found
  }

  /** Holds the imported form of a public key from now on, and returns it. */
  set(publicKey: Uint8Array, key: Key): Key {
    const name = nameOf(publicKey)
    this.#old.delete(name)
    this.#add(name, key)
    return key
  }

  #add(name: string, key: Key): void {
    if (this.#young.size >= this.#half && !this.#young.has(name)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, key)
  }
}

/**
 * One character a byte: cheaper than hexadecimal, and as unambiguous. Strangers choose these names, so it
 * matters that 32 characters are too long to be taken for a number: numbers are hashed without a secret.
 */
function nameOf(publicKey: Uint8Array): string {
  return String.fromCharCode.apply(undefined, publicKey as unknown as number[])
}
