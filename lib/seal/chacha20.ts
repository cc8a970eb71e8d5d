const BLOCK_BYTES = 64
/** "expand 32-byte k", as four words. */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const

/**
 * Encrypts, or decrypts, with ChaCha20 (RFC 8439, section 2.4). It authenticates nothing.
 *
 * For platforms without a cipher of their own. Its steps and its reads do not depend on the key.
 *
 * @param key 32 bytes
 * @param nonce 12 bytes
 * @param counter Number of the first block; with the blocks of `bytes` added it must stay below 2^32.
 */
export function chacha20(key: Uint8Array, nonce: Uint8Array, counter: number, bytes: Uint8Array): Uint8Array {
  const input = Uint32Array.of(...CONSTANTS, ...wordsOf(key), counter, ...wordsOf(nonce))
  const state = new Uint32Array(input.length)
  const output = new Uint8Array(bytes.length)
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    state.set(input)
    for (let round = 0; round < 20; round += 2) doubleRound(state)
    const end = Math.min(BLOCK_BYTES, bytes.length - start)
    for (let at = 0; at < end; at++) {
      const word = state[at >> 2]! + input[at >> 2]!
      output[start + at] = bytes[start + at]! ^ (word >>> (8 * (at & 3)))
    }
    input[12]!++
  }
  state.fill(0)
  input.fill(0)
  return output
}

/** Four columns, then four diagonals (section 2.3). */
function doubleRound(state: Uint32Array): void {
  quarterRound(state, 0, 4, 8, 12)
  quarterRound(state, 1, 5, 9, 13)
  quarterRound(state, 2, 6, 10, 14)
  quarterRound(state, 3, 7, 11, 15)
  quarterRound(state, 0, 5, 10, 15)
  quarterRound(state, 1, 6, 11, 12)
  quarterRound(state, 2, 7, 8, 13)
  quarterRound(state, 3, 4, 9, 14)
}

/** Section 2.1. The array cuts each sum to 32 bits. */
function quarterRound(state: Uint32Array, a: number, b: number, c: number, d: number): void {
  state[a]! += state[b]!
  state[d] = rotate(state[d]! ^ state[a]!, 16)
  state[c]! += state[d]
  state[b] = rotate(state[b]! ^ state[c]!, 12)
  state[a]! += state[b]
  state[d] = rotate(state[d] ^ state[a]!, 8)
  state[c]! += state[d]
  state[b] = rotate(state[b] ^ state[c]!, 7)
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

/** Bytes as words of 32 bits, the least significant byte first. */
function wordsOf({ buffer, byteOffset, byteLength }: Uint8Array): Uint32Array {
  const view = new DataView(buffer, byteOffset, byteLength)
  return Uint32Array.from({ length: byteLength / 4 }, (_, at) => view.getUint32(4 * at, true))
}
