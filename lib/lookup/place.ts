import { sha256 } from '@noble/hashes/sha2.js'
import { fromHex } from '../wire/hex.ts'

/** Bytes of a place. */
export const PLACE_BYTES = 32
/** Bits of a place. */
export const PLACE_BITS = 8 * PLACE_BYTES

/**
 * Where something stands in the space of all nodes: 32 bytes. How far two places are apart is their XOR, read as a
 * number (Maymounkov and Mazières, "Kademlia", 2002).
 */
export type Place = Uint8Array

/**
 * The place of a node: SHA-256 of its public key. So nobody chooses where he stands, except by making keys until one
 * falls near enough: each bit that it is to be nearer doubles the work.
 *
 * @param id A node ID; its form is not checked.
 */
export function placeOf(id: string): Place {
  return sha256(fromHex(id))
}

/** Which of two places is nearer to a target: below 0 for the first, above 0 for the second, 0 for equal ones. */
export function compareDistance(target: Place, one: Place, other: Place): number {
  for (let at = 0; at < PLACE_BYTES; at++) {
    const difference = (one[at]! ^ target[at]!) - (other[at]! ^ target[at]!)
    if (difference !== 0) return difference
  }
  return 0
}

/** How many bits two places have in common before the first one that differs: 0 to 256. */
export function commonPrefix(one: Place, other: Place): number {
  for (let at = 0; at < PLACE_BYTES; at++) {
    const difference = one[at]! ^ other[at]!
    if (difference !== 0) return 8 * at + Math.clz32(difference) - 24
  }
  return PLACE_BITS
}

/** A place by lot, among those that have exactly so many bits in common with another. */
export function placeNear(place: Place, bits: number, random: () => number): Place {
  const found = Uint8Array.from({ length: PLACE_BYTES }, () => Math.floor(random() * 256))
  const whole = bits >> 3
  found.set(place.subarray(0, whole))
  // The byte in which they part: the same up to the bit, another bit there, and chance behind it.
  const same = (0xff00 >> (bits & 7)) & 0xff
  const bit = 0x80 >> (bits & 7)
  const rest = bit - 1
  found[whole] = (place[whole]! & same) | (~place[whole]! & bit) | (found[whole]! & rest)
  return found
}
