import { corrupt } from './unpack.ts'

/** Bits of an array, the highest of each byte first. */
export class BitReader {
  readonly #bytes: Uint8Array
  #at = 0
  /** Bits of the byte before `#at` that were not read. */
  #left = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Whether no whole byte is left. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** The next bits as a number; up to 24. @throws UnpackError at the end */
  bits(count: number): number {
    let value = 0
    for (let missing = count; missing > 0;) {
      if (this.#left === 0) {
        if (this.#at === this.#bytes.length) throw corrupt()
        this.#at++
        this.#left = 8
      }
      const taken = Math.min(missing, this.#left)
      this.#left -= taken
      missing -= taken
      value = (value << taken) | ((this.#bytes[this.#at - 1]! >> this.#left) & ((1 << taken) - 1))
    }
    return value
  }

  /** Goes on at the next whole byte. */
  align(): void {
    this.#left = 0
  }
}
