/**
 * Random numbers that are the same for the same seed: sfc32 (Chris Doty-Humphrey's small fast counting
 * generator). For simulations and tests. Never for anything that must not be guessed.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param seed a whole number; only its low 32 bits count */
  constructor(seed = 1) {
    this.#a = seed | 0
    this.#b = ~seed
    this.#c = 0x9e3779b9 | 0
    // Neighbouring seeds give unrelated numbers only after their bits have spread.
    for (let round = 0; round < 16; round++) this.uint32()
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** A number from 0 to below 1. */
  next(): number {
    return this.uint32() / 2 ** 32
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** As many bytes as asked for. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.uint32() & 0xff)
  }

  /** A generator of its own, so that how often one part draws does not change what another part gets. */
  fork(): Random {
    return new Random(this.uint32())
  }
}
