import { engineUnavailable } from '../errors.ts'
import type { Engine, EngineName } from './engine.ts'
import { NodeEngine } from './engine-node.ts'
import { tweetnaclEngine } from './engine-tweetnacl.ts'
import { WebCryptoEngine } from './engine-webcrypto.ts'

export type { Engine, EngineName, Signer } from './engine.ts'

// The one place that decides whether a signature is good.
//
// RFC 8032 leaves open what to do with keys and points of small order, with points that are not written in
// their one canonical form, and with the cofactor, and implementations have used that freedom: Node 20 and 24,
// browsers and JavaScript libraries disagree about signatures that an attacker can make at will. In a network
// where every node judges every message, such a signature makes honest nodes drop each other. So there is one
// rule, called strict-v1: what they could disagree about is refused before any of them is asked.

const POINT_BYTES = 32
const SIGNATURE_BYTES = 64

/** The order L of the base point, 2^252 + 27742317777372353535851937790883648493, least significant byte first. */
const ORDER = Uint8Array.of(
  ...[0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14],
  ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10],
)

/**
 * The y of every point whose order divides 8, least significant byte first; the sign of x does not matter.
 * In this order: 1 (the neutral point), -1 (order 2), 0 (order 4), and the two of order 8. The spellings p and
 * p + 1 of 0 and 1 need no entry: a y that is not below p is refused anyway.
 */
const SMALL_ORDER = [
  Uint8Array.of(1, ...new Uint8Array(31)),
  Uint8Array.of(0xec, ...new Uint8Array(30).fill(0xff), 0x7f),
  new Uint8Array(32),
  Uint8Array.of(
    ...[0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f],
    ...[0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a],
  ),
  Uint8Array.of(
    ...[0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0],
    ...[0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05],
  ),
]

/**
 * Whether a public key may be somebody's identity: 32 bytes, y below p = 2^255 - 19, and not of small order
 * (everybody can sign for a key of small order). To be asked wherever a key or a node ID enters.
 *
 * Whether the point lies on the curve is left to the verifier: nobody can sign for one that does not.
 */
export function isStrictPublicKey(key: Uint8Array): boolean {
  return key.length === POINT_BYTES && isStrictPoint(key)
}

/**
 * What strict-v1 asks of a signature before its equation is computed: 64 bytes, R and the public key as in
 * {@link isStrictPublicKey}, and S below L (otherwise S + L would be a second signature). Takes 0.1 µs.
 */
export function passesStrictCheck(signature: Uint8Array, publicKey: Uint8Array): boolean {
  return (
    signature.length === SIGNATURE_BYTES &&
    isStrictPublicKey(publicKey) &&
    isStrictPoint(signature) &&
    isBelowOrder(signature)
  )
}

/** For the point in the first 32 bytes: of a public key, or of a signature (R). */
function isStrictPoint(bytes: Uint8Array): boolean {
  return isBelowPrime(bytes) && !SMALL_ORDER.some((y) => hasY(bytes, y))
}

/** Whether y is below p, which is ed ff … ff 7f in this order of bytes. */
function isBelowPrime(bytes: Uint8Array): boolean {
  if ((bytes[31]! & 0x7f) !== 0x7f) return true
  for (let i = 30; i > 0; i--) if (bytes[i] !== 0xff) return true
  return bytes[0]! < 0xed
}

function hasY(bytes: Uint8Array, y: Uint8Array): boolean {
  // Bit 255 is the sign of x. It is left out, so that -0 and other unusual spellings are caught as well.
  for (let i = 0; i < 31; i++) if (bytes[i] !== y[i]) return false
  return (bytes[31]! & 0x7f) === y[31]
}

/** Whether S, the second half of a signature, is below L. */
function isBelowOrder(signature: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) {
    const difference = signature[POINT_BYTES + i]! - ORDER[i]!
    if (difference !== 0) return difference < 0
  }
  return false
}

/**
 * Whether a signature is good under strict-v1. It never fails, whatever the bytes are: a key that the engine
 * cannot read has no good signatures.
 *
 * @param judge The engine that computes the equation. @default defaultEngine()
 */
export async function verifySignature(
  signature: Uint8Array,
  bytes: Uint8Array,
  publicKey: Uint8Array,
  judge: Engine = defaultEngine(),
): Promise<boolean> {
  return checkSignature(signature, bytes, publicKey, judge)
}

/**
 * The same, for those who verify thousands in a second: at once where the engine answers at once, and otherwise with
 * a promise that is never rejected.
 *
 * @param judge The engine that computes the equation. @default defaultEngine()
 */
export function checkSignature(
  signature: Uint8Array,
  bytes: Uint8Array,
  publicKey: Uint8Array,
  judge: Engine = defaultEngine(),
): boolean | Promise<boolean> {
  if (!passesStrictCheck(signature, publicKey)) return false
  try {
    const isGood = judge.verify(signature, bytes, publicKey)
    return typeof isGood === 'boolean' ? isGood : isGood.catch(sayNo)
  } catch {
    return false
  }
}

function sayNo(): false {
  return false
}

/**
 * The public key of a seed, 32 bytes each.
 *
 * @throws SecureNodeError `invalid-argument` for a seed of another length
 */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return defaultEngine().signer(seed).publicKey
}

/** Engines that a platform may have, the faster one first. tweetnacl is always there. */
const NATIVE: readonly EngineName[] = ['node', 'webcrypto']
const engines = new Map<string, Engine>()
let fastest: Engine | undefined

/** The fastest engine of this platform: `node:crypto`, else WebCrypto, else tweetnacl. Always the same one. */
export function defaultEngine(): Engine {
  return (fastest ??= findFastest())
}

function findFastest(): Engine {
  for (const name of NATIVE) {
    try {
      return engine(name)
    } catch {
      // Not here; on to the next.
    }
  }
  return tweetnaclEngine
}

/**
 * One engine by its name; the same object each time, so that all share its imported keys.
 *
 * @throws SecureNodeError `engine-unavailable` where the platform does not have it
 */
export function engine(name: EngineName): Engine {
  let found = engines.get(name)
  if (found === undefined) engines.set(name, (found = createEngine(name)))
  return found
}

function createEngine(name: EngineName): Engine {
  switch (name) {
    case 'node':
      return new NodeEngine()
    case 'webcrypto':
      return new WebCryptoEngine(tweetnaclEngine)
    case 'tweetnacl':
      return tweetnaclEngine
    default:
      throw engineUnavailable(String(name), `the engines are ${NATIVE.join(', ')} and tweetnacl`)
  }
}
