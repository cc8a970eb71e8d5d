import { invalidArgument } from '../errors.ts'

/** Bytes of a seed: the private key of Ed25519 (RFC 8032, 5.1.5). */
export const SEED_BYTES = 32

/** PKCS#8 DER of an Ed25519 private key, up to the seed (RFC 8410, 7). */
const PKCS8_PREFIX = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32)

/**
 * A copy of a seed, so that the caller may wipe his.
 *
 * @throws SecureNodeError `invalid-argument` unless it has 32 bytes
 */
export function copySeed(seed: Uint8Array): Uint8Array {
  checkSeed(seed)
  // Not `slice()`: that of a Buffer shares the memory.
  return new Uint8Array(seed)
}

/**
 * The seed as a PKCS#8 document, 48 bytes of DER: the form in which platforms take a private key. It is the
 * only copy made, so that wiping it leaves none behind.
 *
 * @throws SecureNodeError `invalid-argument` unless the seed has 32 bytes
 */
export function pkcs8Of(seed: Uint8Array): Uint8Array {
  checkSeed(seed)
  const document = new Uint8Array(PKCS8_PREFIX.length + SEED_BYTES)
  document.set(PKCS8_PREFIX)
  document.set(seed, PKCS8_PREFIX.length)
  return document
}

function checkSeed(seed: Uint8Array): void {
  // Only the length is quoted: an error's text ends up in logs, and this is a private key.
  if (seed.length !== SEED_BYTES)
    throw invalidArgument('the length of a seed', `${SEED_BYTES} bytes`, seed.length)
}
