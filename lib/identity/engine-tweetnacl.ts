import nacl from 'tweetnacl'
import type { Engine, Signer } from './engine.ts'
import { copySeed } from './seed.ts'

/**
 * Plain JavaScript, for browsers without Ed25519. It runs everywhere and is slow: 9 ms for a verification,
 * 4 ms for a signature, in which the event loop stands still. Never the default on Node.
 */
export const tweetnaclEngine: Engine = {
  name: 'tweetnacl',

  verify(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): boolean {
    return nacl.sign.detached.verify(own(bytes), own(signature), own(publicKey))
  },

  signer(seed: Uint8Array): Signer {
    const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(copySeed(seed))
    return { publicKey, sign: (bytes) => nacl.sign.detached(own(bytes), secretKey) }
  },
}

/**
 * A copy made here, for the library's `instanceof Uint8Array`: arrays of another realm (an iframe, the sandbox
 * of a test runner) are bytes too, and a verdict must not depend on where they were made.
 */
function own(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
