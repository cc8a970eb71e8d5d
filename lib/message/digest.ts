import type * as NodeCrypto from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import { toHex } from '../wire/hex.ts'

type Hash = (bytes: Uint8Array) => string

/** SHA-256 (FIPS 180-4) in lower-case hexadecimal: Node's own where there is one, which is three times as fast. */
export const sha256Hex: Hash = nativeHash() ?? ((bytes) => toHex(sha256(bytes)))

/** Without an import of `node:crypto`, which would keep the package out of browsers. */
function nativeHash(): Hash | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }
  const crypto = process?.getBuiltinModule?.('node:crypto') as Partial<typeof NodeCrypto> | undefined
  const hash = crypto?.hash
  return hash && ((bytes) => hash('sha256', bytes, 'hex'))
}
