import { FIRST_BUFFER_BYTES } from '../limits/python-limits.ts'
import { joinBytes } from '../wire/bytes.ts'

/** Ends a message. */
export const END = 0x04
const NOTHING = new Uint8Array(0)

/**
 * Turns bytes, however they were split, back into messages: each ends with 0x04. Empty ones are skipped, and what is
 * longer than allowed is found out before it is kept. One message at a time is taken out, so that whoever takes them
 * may pause in between.
 */
export class Splitter {
  readonly #maxBytes: number
  /** Bytes that have not been looked at. */
  #rest: Uint8Array = NOTHING
  /** The message whose end has not come: the first `#length` bytes of it are in use. */
  #buffer: Uint8Array = NOTHING
  #length = 0

  /** @param maxBytes Largest message without its end, in bytes. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Whether a message has begun whose end has not come, and there is nothing more to look at. */
  get isPartial(): boolean {
    return this.#length > 0
  }

  /** Whether bytes wait to be looked at. */
  get hasMore(): boolean {
    return this.#rest.length > 0
  }

  /** Adds bytes; what was added before should have been taken out. */
  push(bytes: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? bytes : joinBytes([this.#rest, bytes])
  }

  /** The next message; undefined when its end has not come; or that it is too large, after which nothing comes. */
  next(): Uint8Array | 'too-large' | undefined {
    while (this.#rest.length > 0) {
      const end = this.#rest.indexOf(END)
      const piece = end < 0 ? this.#rest : this.#rest.subarray(0, end)
      if (this.#length + piece.length > this.#maxBytes) return this.#giveUp()
      this.#rest = end < 0 ? NOTHING : this.#rest.subarray(end + 1)
      if (end < 0) this.#keep(piece)
      else if (this.#length > 0 || piece.length > 0) return this.#join(piece)
    }
    return undefined
  }

  #giveUp(): 'too-large' {
    this.#rest = this.#buffer = NOTHING
    this.#length = 0
    return 'too-large'
  }

  /** Copied into one buffer that doubles: a message that comes byte by byte must not become a million arrays. */
  #keep(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(
        Math.min(this.#maxBytes, Math.max(FIRST_BUFFER_BYTES, length, 2 * this.#buffer.length)),
      )
      larger.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = larger
    }
    this.#buffer.set(piece, this.#length)
    this.#length = length
  }

  #join(piece: Uint8Array): Uint8Array {
    if (this.#length === 0) return piece
    this.#keep(piece)
    const message = this.#buffer.subarray(0, this.#length)
    this.#buffer = NOTHING
    this.#length = 0
    return message
  }
}
