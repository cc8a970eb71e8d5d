import { joinBytes } from '../wire/bytes.ts'
import { chacha20 } from './chacha20.ts'
import { poly1305 } from './poly1305.ts'

const TAG_BYTES = 16
const BLOCK_BYTES = 16

/**
 * Encrypts and authenticates with ChaCha20-Poly1305 (RFC 8439, section 2.8), in JavaScript alone. The tag of 16 bytes
 * stands at the end of the ciphertext.
 *
 * @param key 32 bytes
 * @param nonce 12 bytes, never twice with one key
 * @param context What is authenticated as well, without being part of it.
 */
export function encryptInScript(
  key: Uint8Array,
  nonce: Uint8Array,
  plain: Uint8Array,
  context: Uint8Array,
): Uint8Array {
  const ciphertext = chacha20(key, nonce, 1, plain)
  return joinBytes([ciphertext, tagOf(key, nonce, ciphertext, context)])
}

/** Undoes {@link encryptInScript}; undefined for what it did not make, before anything is decrypted. */
export function decryptInScript(
  key: Uint8Array,
  nonce: Uint8Array,
  sealed: Uint8Array,
  context: Uint8Array,
): Uint8Array | undefined {
  const length = sealed.length - TAG_BYTES
  if (length < 0) return undefined
  const ciphertext = sealed.subarray(0, length)
  const isGenuine = isEqual(tagOf(key, nonce, ciphertext, context), sealed.subarray(length))
  return isGenuine ? chacha20(key, nonce, 1, ciphertext) : undefined
}

/** The key of the authenticator is the first half of block 0, which encrypts nothing (section 2.6). */
function tagOf(key: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array, context: Uint8Array): Uint8Array {
  const oneTimeKey = chacha20(key, nonce, 0, new Uint8Array(32))
  const lengths = new DataView(new ArrayBuffer(16))
  lengths.setBigUint64(0, BigInt(context.length), true)
  lengths.setBigUint64(8, BigInt(ciphertext.length), true)
  const parts = [context, fill(context), ciphertext, fill(ciphertext), new Uint8Array(lengths.buffer)]
  const tag = poly1305(oneTimeKey, joinBytes(parts))
  oneTimeKey.fill(0)
  return tag
}

/** Zeros up to a whole number of blocks. */
function fill({ length }: Uint8Array): Uint8Array {
  return new Uint8Array(-length & (BLOCK_BYTES - 1))
}

/** Looks at all bytes: where the first difference is must not be seen in the time that this takes. */
function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  let difference = left.length ^ right.length
  for (let at = 0; at < left.length; at++) difference |= left[at]! ^ right[at]!
  return difference === 0
}
