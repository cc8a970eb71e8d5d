import nacl from 'tweetnacl'
import { isStrictPublicKey } from '../identity/ed25519.ts'
import { MAX_SEAL_KEYS } from '../limits/direct-limits.ts'
import { RecentMap } from '../ground/recent-map.ts'
import { fromHex, toHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'

// A node's key signs. The same point of the curve, seen in its other form, agrees on secrets (RFC 7748): so nobody
// has to publish a second key, and a message can be sealed for a node that was never met.

/** p = 2^255 - 19. */
const PRIME = 2n ** 255n - 19n
/** The curve in its other form is v² = u³ + 486662 u² + u. */
const A = 486662n
const BYTES = 32

/** X25519 keys of nodes that were sealed for: a quarter of a millisecond each to work out. */
const known = new RecentMap<NodeId, Uint8Array>(MAX_SEAL_KEYS)

/**
 * The public key (X25519) of a node: u = (1 + y) / (1 - y), the birational map of RFC 7748, section 4.1. Undefined for
 * keys of small order, with which everybody would share the same secret, and for what is no point of the curve, so
 * that nobody has its other half. To be read alone: others get the same array.
 */
export function agreementKey(id: NodeId): Uint8Array | undefined {
  const found = known.get(id)
  if (found !== undefined) return found
  const key = convert(fromHex(id))
  if (key !== undefined) known.set(id, key)
  return key
}

/**
 * The secret key (X25519) that belongs to the seed of a node: the secret number of RFC 8032, section 5.1.5. It signs
 * too; what the labels of both uses keep apart are their hashes.
 */
export function agreementSecret(seed: Uint8Array): Uint8Array {
  // The library's own, which is there anyway. A copy made here, for its `instanceof Uint8Array`.
  const own = new Uint8Array(seed)
  const hash = nacl.hash(own)
  own.fill(0)
  const secret = hash.slice(0, BYTES)
  hash.fill(0)
  secret[0]! &= 0xf8
  secret[31] = (secret[31]! & 0x7f) | 0x40
  return secret
}

/** Public keys alone get here: how long it takes tells nothing. */
function convert(point: Uint8Array): Uint8Array | undefined {
  if (!isStrictPublicKey(point)) return undefined
  // Bit 255 is the sign of x, which the other form does without.
  const y = fromLittleEndian(point) & (2n ** 255n - 1n)
  const above = (1n + y) % PRIME
  const below = (PRIME + 1n - y) % PRIME
  // Never 0: y = 1 is of small order.
  const u = (above * power(below).inverse) % PRIME
  const square = (u * (u * u + A * u + 1n)) % PRIME
  return power(square).isSquare ? toLittleEndian(u) : undefined
}

/**
 * By Fermat and Euler: z^(p - 2) is the inverse of z, and z^((p - 1) / 2) is 1 for squares. Both exponents begin with
 * 250 ones; that power comes from short runs of ones that are put together.
 */
function power(z: bigint): { readonly inverse: bigint; readonly isSquare: boolean } {
  const z2 = (z * z) % PRIME
  const z9 = (shift(z2, 2) * z) % PRIME
  const z11 = (z9 * z2) % PRIME
  const ones5 = (shift(z11, 1) * z9) % PRIME
  const ones10 = (shift(ones5, 5) * ones5) % PRIME
  const ones20 = (shift(ones10, 10) * ones10) % PRIME
  const ones40 = (shift(ones20, 20) * ones20) % PRIME
  const ones50 = (shift(ones40, 10) * ones10) % PRIME
  const ones100 = (shift(ones50, 50) * ones50) % PRIME
  const ones200 = (shift(ones100, 100) * ones100) % PRIME
  const ones250 = (shift(ones200, 50) * ones50) % PRIME
  return {
    // (2^250 - 1) 2^5 + 11 = p - 2, and (2^250 - 1) 2^4 + 6 = (p - 1) / 2.
    inverse: (shift(ones250, 5) * z11) % PRIME,
    isSquare: (shift(ones250, 4) * ((z2 * z2 * z2) % PRIME)) % PRIME === 1n,
  }
}

/** z^(2^times): that many zeros behind the exponent. */
function shift(z: bigint, times: number): bigint {
  let result = z
  for (let time = 0; time < times; time++) result = (result * result) % PRIME
  return result
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.slice().reverse())}`)
}

function toLittleEndian(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(2 * BYTES, '0')).reverse()
}
