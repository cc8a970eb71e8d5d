import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { TOKEN_BYTES } from '../limits/status-limits.ts'

/** What clients of the status interface must show. */
export class Token {
  /** As it is written. */
  readonly text: string
  readonly #digest: Buffer

  /** @param text @default a random one */
  constructor(text = randomBytes(TOKEN_BYTES).toString('base64url')) {
    this.text = text
    this.#digest = digestOf(text)
  }

  /**
   * Whether it is this one. Hashes of equal length are compared, byte for byte whatever they are: how long it takes
   * tells nobody how much of a guess was right.
   */
  is(text: string): boolean {
    return timingSafeEqual(digestOf(text), this.#digest)
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
