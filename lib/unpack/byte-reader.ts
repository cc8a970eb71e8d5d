import { corrupt } from './unpack.ts'

/** Bytes of a variable number: 63 bits, 7 in each. We read no larger ones than JavaScript counts exactly. */
const MAX_NUMBER_BYTES = 7

/** Reads an array from its beginning to its end. Each method throws an UnpackError where there is too little. */
export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Bytes that were read. */
  get at(): number {
    return this.#at
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  take(count: number): Uint8Array {
    const taken = this.slice(this.#at, this.#at + count)
    this.#at += count
    return taken
  }

  /** What stands somewhere else; nothing is read by it. */
  slice(from: number, to: number): Uint8Array {
    if (to > this.#bytes.length) throw corrupt()
    return this.#bytes.subarray(from, to)
  }

  byte(): number {
    return this.take(1)[0]!
  }

  /** 2 bytes, big-endian, as LZMA2 has them. */
  uint16(): number {
    const [high, low] = this.take(2) as unknown as [number, number]
    return (high << 8) | low
  }

  /** 4 bytes, little-endian, as the container has them. */
  uint32(): number {
    const [first, second, third, fourth] = this.take(4) as unknown as [number, number, number, number]
    return (first | (second << 8) | (third << 16) | (fourth << 24)) >>> 0
  }

  /** A number of variable length, the lowest 7 bits first. */
  number(): number {
    let value = 0
    for (let place = 0; place < MAX_NUMBER_BYTES; place++) {
      const byte = this.byte()
      value += (byte & 0x7f) * 2 ** (7 * place)
      if (byte < 0x80) return value
    }
    throw corrupt()
  }
}
