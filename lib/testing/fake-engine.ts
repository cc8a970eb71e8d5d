import type * as NodeCrypto from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import { isStrictPublicKey } from '../identity/ed25519.ts'
import type { Engine, Signer } from '../identity/engine.ts'
import { copySeed } from '../identity/seed.ts'

const KEY_BYTES = 32
/** Bytes that are hashed without a new array: the key, and what is signed, which is never longer than a hash's input. */
const SCRATCH = new Uint8Array(512)

/**
 * Signatures that cost half a microsecond and prove nothing: a hash of the public key and of what is signed, in the
 * shape of an Ed25519 signature. A wrong one is found out as a real one would be, but whoever knows the public key
 * can make a right one. For simulations of thousands of nodes, and never for anything else.
 */
export class FakeEngine implements Engine {
  readonly name = 'fake'

  verify(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): boolean {
    const digest = digestOf(publicKey, bytes)
    for (let at = 0; at < KEY_BYTES; at++) {
      const byte = digest[at]!
      if (signature[at] !== (byte & HIGH[at]!) || signature[at + KEY_BYTES] !== (byte & LOW[at]!))
        return false
    }
    return true
  }

  /** Its public key is a hash of the seed. */
  signer(seed: Uint8Array): Signer {
    let publicKey = digestOf(copySeed(seed), LABEL)
    publicKey[31]! &= 0x7f
    // As good as impossible, but a node whose ID nobody accepts would be hard to find.
    while (!isStrictPublicKey(publicKey)) publicKey = digestOf(publicKey, LABEL)
    return { publicKey, sign: (bytes) => sign(publicKey, bytes) }
  }
}

const LABEL = new TextEncoder().encode('secure-node fake key')
/** What is left of each byte: R, whose y must be below p, and S, which must be below the order of the base point. */
const HIGH = new Uint8Array(KEY_BYTES).fill(0xff, 0, 31).fill(0x3f, 31)
const LOW = new Uint8Array(KEY_BYTES).fill(0xff, 0, 31).fill(0x0f, 31)

function sign(publicKey: Uint8Array, bytes: Uint8Array): Uint8Array {
  const digest = digestOf(publicKey, bytes)
  const signature = new Uint8Array(2 * KEY_BYTES)
  for (let at = 0; at < KEY_BYTES; at++) {
    signature[at] = digest[at]! & HIGH[at]!
    signature[at + KEY_BYTES] = digest[at]! & LOW[at]!
  }
  return signature
}

/** The hash of two arrays; the first has 32 bytes. */
function digestOf(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const length = key.length + bytes.length
  const joined = length <= SCRATCH.length ? SCRATCH.subarray(0, length) : new Uint8Array(length)
  joined.set(key)
  joined.set(bytes, key.length)
  return hash(joined)
}

const hash: (bytes: Uint8Array) => Uint8Array = nativeHash() ?? sha256

/** SHA-256 of Node itself, in one call: three times as fast, and as text faster than as a `Buffer`. */
function nativeHash(): ((bytes: Uint8Array) => Uint8Array) | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }
  const crypto = process?.getBuiltinModule?.('node:crypto') as Partial<typeof NodeCrypto> | undefined
  const native = crypto?.hash
  return native && ((bytes) => fromLatin1(native('sha256', bytes, 'latin1' as 'hex')))
}

function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}
