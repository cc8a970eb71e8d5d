const BLOCK_BYTES = 16
const TAG_BYTES = 16
/**
 * Numbers modulo 2^130 - 5 are ten limbs of 13 bits. Ten products of two limbs, one of them times 5, add up to less
 * than 2^34: far below 2^53, up to which a number of JavaScript is exact.
 */
const LIMBS = 10
const LIMB_BITS = 13
const LIMB_SIZE = 1 << LIMB_BITS
const LIMB_MASK = LIMB_SIZE - 1

/**
 * The authenticator Poly1305 (RFC 8439, section 2.5): 16 bytes.
 *
 * For platforms without a cipher of their own. Its steps and its reads do not depend on the key or the message.
 *
 * @param key 32 bytes, for this one message: two messages under one key give the key away
 */
export function poly1305(key: Uint8Array, message: Uint8Array): Uint8Array {
  const factors = factorsOf(key)
  const sum = new Float64Array(LIMBS)
  const block = new Uint8Array(BLOCK_BYTES + 1)
  for (let at = 0; at < message.length; at += BLOCK_BYTES) {
    const part = message.subarray(at, at + BLOCK_BYTES)
    block.fill(0)
    block.set(part)
    // A bit behind the end, so that zeros at the end of a message count.
    block[part.length] = 1
    for (let limb = 0; limb < LIMBS; limb++) sum[limb]! += limbOf(block, limb)
    multiply(sum, factors)
  }
  const tag = addSecret(reduce(sum), key.subarray(16))
  for (const secret of [factors, sum, block]) secret.fill(0)
  return tag
}

/**
 * The limbs of r, and in front of them five times the same: what overflows 2^130 comes in again times 5. Some bits of r
 * are always 0 (section 2.5, "clamp").
 */
function factorsOf(key: Uint8Array): Float64Array {
  const r = new Uint8Array(BLOCK_BYTES + 1)
  r.set(key.subarray(0, BLOCK_BYTES))
  for (const at of [3, 7, 11, 15]) r[at]! &= 0x0f
  for (const at of [4, 8, 12]) r[at]! &= 0xfc
  return Float64Array.from({ length: 2 * LIMBS }, (_, at) => limbOf(r, at % LIMBS) * (at < LIMBS ? 5 : 1))
}

/** 13 of the 130 bits that 17 bytes hold, the least significant first. */
function limbOf(bytes: Uint8Array, limb: number): number {
  const bit = limb * LIMB_BITS
  const at = bit >> 3
  return ((bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16)) >> (bit & 7)) & LIMB_MASK
}

const product = new Float64Array(LIMBS)

/** sum = sum * r, with limbs that exceed 13 bits by one at most. */
function multiply(sum: Float64Array, factors: Float64Array): void {
  for (let limb = 0; limb < LIMBS; limb++) {
    let total = 0
    for (let at = 0; at < LIMBS; at++) total += sum[at]! * factors[LIMBS + limb - at]!
    product[limb] = total
  }
  sum.set(product)
  product.fill(0)
  carry(sum)
  carry(sum)
}

function carry(sum: Float64Array): void {
  let over = 0
  for (let limb = 0; limb < LIMBS; limb++) {
    const total = sum[limb]! + over
    over = Math.floor(total / LIMB_SIZE)
    sum[limb] = total - over * LIMB_SIZE
  }
  sum[0]! += over * 5
}

/** The number below 2^130 - 5 that it stands for, modulo 2^128: 16 bytes, the least significant first. */
function reduce(sum: Float64Array): Uint8Array {
  // One pass is enough: where it overflows 2^130, the limbs that are left are 0, and the lowest is 4 at most.
  carry(sum)
  // sum + 5 reaches 2^130 exactly where sum is not below 2^130 - 5. Both are computed, and one is chosen by a mask.
  const other = new Uint32Array(LIMBS)
  let over = 5
  for (let limb = 0; limb < LIMBS; limb++) {
    over += sum[limb]!
    other[limb] = over & LIMB_MASK
    over >>= LIMB_BITS
  }
  const mask = -over
  const bytes = new Uint8Array(BLOCK_BYTES + 1)
  for (let limb = 0; limb < LIMBS; limb++) {
    const chosen = (sum[limb]! & ~mask) | (other[limb]! & mask)
    const bit = limb * LIMB_BITS
    const shifted = chosen << (bit & 7)
    for (let at = 0; at < 3; at++) bytes[(bit >> 3) + at]! |= shifted >> (8 * at)
  }
  return bytes
}

/** The second half of the key is added, modulo 2^128. */
function addSecret(bytes: Uint8Array, secret: Uint8Array): Uint8Array {
  const tag = new Uint8Array(TAG_BYTES)
  let over = 0
  for (let at = 0; at < TAG_BYTES; at++) {
    over += bytes[at]! + secret[at]!
    tag[at] = over
    over >>= 8
  }
  return tag
}
