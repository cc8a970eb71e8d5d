import nacl from 'tweetnacl'
import { decryptInScript, encryptInScript } from './chacha20-poly1305.ts'
import { type Agreement, isSecret, type SealEngine } from './seal-engine.ts'

/** JavaScript alone, for platforms without `node:crypto`: a millisecond for each agreement. */
export const scriptEngine: SealEngine = {
  name: 'script',

  agreement(secret = globalThis.crypto.getRandomValues(new Uint8Array(32))): Agreement {
    // Copies made here, for the library's `instanceof Uint8Array`: arrays of another realm are bytes too.
    const own = new Uint8Array(secret)
    return {
      publicKey: nacl.scalarMult.base(own),
      sharedWith: (publicKey) => {
        const shared = nacl.scalarMult(own, new Uint8Array(publicKey))
        return isSecret(shared) ? shared : undefined
      },
    }
  },

  encrypt: encryptInScript,
  decrypt: decryptInScript,
}
