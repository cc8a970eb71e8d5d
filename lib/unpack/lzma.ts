import { RangeDecoder } from './range-decoder.ts'
import { corrupt, type Output } from './unpack.ts'

// Where each kind of probability begins in the one table of them.
const IS_MATCH = 0
const IS_REP = 192
const IS_REP_G0 = 204
const IS_REP_G1 = 216
const IS_REP_G2 = 228
const IS_REP0_LONG = 240
const POS_SLOT = 432
const POS_SPECIAL = 688
const ALIGN = 803
const MATCH_LENGTH = 819
const REP_LENGTH = 1_333
const LITERAL = 1_847
/** Probabilities of the bits of one literal. */
const LITERAL_SIZE = 0x300
/** Most significant bits of the last byte, and least significant ones of the place, that choose those of a literal. */
const MAX_CONTEXT_BITS = 4
/** Inside the table of a length: after the two choices come 16 trees of 3 bits, 16 more, and one of 8. */
const LOW = 2
const MID = LOW + 128
const HIGH = MID + 128
/** A distance from this slot on has bits that are as likely 0 as 1. */
const FIRST_DIRECT_SLOT = 14
/** The last 4 bits of such a distance are modelled again. */
const ALIGN_BITS = 4

/** What LZMA remembers between two chunks: its probabilities, the last distances, and what came last. */
export class LzmaState {
  readonly #output: Output
  readonly #probabilities = new Uint16Array(LITERAL + (LITERAL_SIZE << MAX_CONTEXT_BITS))
  /** Where the dictionary begins in the output. */
  #base: number
  #lc = 0
  #lp = 0
  #pb = 0
  #state = 0
  #reps: [number, number, number, number] = [0, 0, 0, 0]

  constructor(output: Output) {
    this.#output = output
    this.#base = output.length
  }

  /** From here on nothing refers to what came before. */
  resetDictionary(): void {
    this.#base = this.#output.length
  }

  /** Takes new parameters, in one byte. @throws UnpackError */
  setProperties(byte: number): void {
    this.#lc = byte % 9
    this.#lp = Math.floor(byte / 9) % 5
    this.#pb = Math.floor(byte / 45)
    if (this.#pb > 4 || this.#lc + this.#lp > MAX_CONTEXT_BITS) throw corrupt()
  }

  /** Begins anew: all bits are as likely 0 as 1. */
  reset(): void {
    this.#probabilities.fill(1_024)
    this.#state = 0
    this.#reps = [0, 0, 0, 0]
  }

  /** Expands one chunk to exactly `size` bytes. @throws UnpackError */
  decode(chunk: Uint8Array, size: number): void {
    const decoder = new RangeDecoder(chunk, this.#probabilities)
    const end = this.#output.length + size
    while (this.#output.length < end) {
      const place = this.#output.length - this.#base
      const posState = place & ((1 << this.#pb) - 1)
      if (decoder.bit(IS_MATCH + 16 * this.#state + posState) === 0) this.#readLiteral(decoder, place)
      else this.#readMatch(decoder, posState, end)
    }
    if (!decoder.isFinished) throw corrupt()
  }

  #readLiteral(decoder: RangeDecoder, place: number): void {
    const last = place === 0 ? 0 : this.#output.back(1)
    const context = ((place & ((1 << this.#lp) - 1)) << this.#lc) + (last >> (8 - this.#lc))
    const base = LITERAL + LITERAL_SIZE * context
    let symbol = 1
    if (this.#state >= 7) {
      // After a match, the byte that it would have gone on with is a hint as long as it is right.
      let hint = this.#output.back(this.#reps[0] + 1)
      for (let isRight = true; isRight && symbol < 0x100; hint <<= 1) {
        const expected = (hint >> 7) & 1
        const bit = decoder.bit(base + ((1 + expected) << 8) + symbol)
        symbol = (symbol << 1) | bit
        isRight = bit === expected
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | decoder.bit(base + symbol)
    this.#output.push(symbol & 0xff)
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6
  }

  #readMatch(decoder: RangeDecoder, posState: number, end: number): void {
    const isRep = decoder.bit(IS_REP + this.#state) === 1
    let length = 1
    if (isRep && this.#readRep(decoder, posState)) this.#state = this.#state < 7 ? 9 : 11
    else if (isRep) {
      length = this.#readLength(decoder, REP_LENGTH, posState)
      this.#state = this.#state < 7 ? 8 : 11
    } else {
      length = this.#readLength(decoder, MATCH_LENGTH, posState)
      this.#state = this.#state < 7 ? 7 : 10
      const [rep0, rep1, rep2] = this.#reps
      this.#reps = [this.#readDistance(decoder, length), rep0, rep1, rep2]
    }
    const [distance] = this.#reps
    const { length: at } = this.#output
    // Nothing refers to what was before the dictionary began, and no match leaves its chunk.
    if (distance >= at - this.#base || at + length > end) throw corrupt()
    this.#output.repeat(distance + 1, length)
  }

  /** Which of the last distances it is: that one becomes the first. Says whether it is for one byte only. */
  #readRep(decoder: RangeDecoder, posState: number): boolean {
    const state = this.#state
    if (decoder.bit(IS_REP_G0 + state) === 0) return decoder.bit(IS_REP0_LONG + 16 * state + posState) === 0
    const [rep0, rep1, rep2, rep3] = this.#reps
    if (decoder.bit(IS_REP_G1 + state) === 0) this.#reps = [rep1, rep0, rep2, rep3]
    else if (decoder.bit(IS_REP_G2 + state) === 0) this.#reps = [rep2, rep0, rep1, rep3]
    else this.#reps = [rep3, rep0, rep1, rep2]
    return false
  }

  #readLength(decoder: RangeDecoder, base: number, posState: number): number {
    if (decoder.bit(base) === 0) return 2 + decoder.tree(base + LOW + 8 * posState, 3)
    if (decoder.bit(base + 1) === 0) return 10 + decoder.tree(base + MID + 8 * posState, 3)
    return 18 + decoder.tree(base + HIGH, 8)
  }

  #readDistance(decoder: RangeDecoder, length: number): number {
    const slot = decoder.tree(POS_SLOT + 64 * Math.min(length - 2, 3), 6)
    if (slot < 4) return slot
    const bits = (slot >> 1) - 1
    const distance = ((2 | (slot & 1)) << bits) >>> 0
    if (slot < FIRST_DIRECT_SLOT) return distance + decoder.reverseTree(POS_SPECIAL + distance - slot, bits)
    // Multiplied, not shifted: a distance has up to 32 bits.
    const direct = decoder.direct(bits - ALIGN_BITS) * 2 ** ALIGN_BITS
    return distance + direct + decoder.reverseTree(ALIGN, ALIGN_BITS)
  }
}
