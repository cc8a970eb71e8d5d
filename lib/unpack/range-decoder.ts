import { readUint32 } from '../wire/bytes.ts'
import { corrupt } from './unpack.ts'

/** Below this the range gets its next byte. */
const TOP = 2 ** 24
/** Bits of a probability. */
const MODEL_BITS = 11
/** How fast probabilities change. */
const MOVE_BITS = 5
/** Bytes before the first bit: a zero, and the first four of the code. */
const START = 5

/** Reads the bits of one LZMA chunk, and learns how likely each was. */
export class RangeDecoder {
  readonly #bytes: Uint8Array
  readonly #probabilities: Uint16Array
  #at = START
  #range = 0xffff_ffff
  #code: number

  /** @throws UnpackError */
  constructor(bytes: Uint8Array, probabilities: Uint16Array) {
    if (bytes.length < START || bytes[0] !== 0) throw corrupt()
    this.#bytes = bytes
    this.#probabilities = probabilities
    this.#code = readUint32(bytes, 1)
  }

  /** Whether all was read, and it was right up to its end. */
  get isFinished(): boolean {
    return this.#at === this.#bytes.length && this.#code === 0
  }

  /** A bit whose probability stands at an index. */
  bit(index: number): number {
    const probability = this.#probabilities[index]!
    const bound = (this.#range >>> MODEL_BITS) * probability
    let bit = 0
    if (this.#code < bound) {
      this.#range = bound
      this.#probabilities[index] = probability + (((1 << MODEL_BITS) - probability) >> MOVE_BITS)
    } else {
      this.#range -= bound
      this.#code -= bound
      this.#probabilities[index] = probability - (probability >> MOVE_BITS)
      bit = 1
    }
    if (this.#range < TOP) this.#shift()
    return bit
  }

  /** A number of so many bits, the highest first; each has its own probability, by those before it. */
  tree(base: number, bits: number): number {
    let symbol = 1
    for (let left = bits; left > 0; left--) symbol = (symbol << 1) | this.bit(base + symbol)
    return symbol - (1 << bits)
  }

  /** The same, the lowest first. */
  reverseTree(base: number, bits: number): number {
    let symbol = 1
    let value = 0
    for (let place = 0; place < bits; place++) {
      const bit = this.bit(base + symbol)
      symbol = (symbol << 1) | bit
      value |= bit << place
    }
    return value
  }

  /** A number of so many bits that are as likely 0 as 1. */
  direct(bits: number): number {
    let value = 0
    for (let left = bits; left > 0; left--) {
      this.#range >>>= 1
      const bit = this.#code >= this.#range ? 1 : 0
      if (bit === 1) this.#code -= this.#range
      value = 2 * value + bit
      if (this.#range < TOP) this.#shift()
    }
    return value
  }

  #shift(): void {
    if (this.#at === this.#bytes.length) throw corrupt()
    this.#range = (this.#range << 8) >>> 0
    this.#code = ((this.#code << 8) | this.#bytes[this.#at++]!) >>> 0
  }
}
