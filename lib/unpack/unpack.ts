/** Expands compressed bytes to at most `maxBytes`. @throws UnpackError, or the platform's error */
export type Unpack = (bytes: Uint8Array, maxBytes: number) => Uint8Array

/** Why compressed bytes cannot be expanded. Stays inside the package: remote input is judged, not thrown about. */
export class UnpackError extends Error {
  readonly fault: 'too-large' | 'corrupt'

  constructor(fault: 'too-large' | 'corrupt') {
    super(fault)
    this.fault = fault
  }
}

/** Bytes that are not what they should be. */
export const corrupt = (): UnpackError => new UnpackError('corrupt')

const NOTHING = new Uint8Array(0)
/** Bytes that are set aside first. */
const FIRST = 4_096

/** What is expanded, while it grows: a bound, and no more memory than twice of what has come out. */
export class Output {
  readonly #maxBytes: number
  #bytes: Uint8Array = NOTHING
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get length(): number {
    return this.#length
  }

  /** @throws UnpackError `too-large` */
  push(byte: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.#length++] = byte
  }

  /** Adds the same byte so many times. @throws UnpackError `too-large` */
  fill(byte: number, count: number): void {
    if (this.#length + count > this.#bytes.length) this.#grow(count)
    this.#bytes.fill(byte, this.#length, (this.#length += count))
  }

  /** Adds bytes as they are. @throws UnpackError `too-large` */
  append(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /**
   * Repeats `count` bytes from `distance` back; they may overlap with what they become.
   *
   * @throws UnpackError `too-large`; `corrupt` for a distance beyond the beginning
   */
  repeat(distance: number, count: number): void {
    if (distance > this.#length || distance < 1) throw corrupt()
    if (this.#length + count > this.#bytes.length) this.#grow(count)
    const bytes = this.#bytes
    let to = this.#length
    for (let left = count; left > 0; left--, to++) bytes[to] = bytes[to - distance]!
    this.#length = to
  }

  /** The byte so many places back; 0 before the beginning. */
  back(distance: number): number {
    return distance > this.#length ? 0 : this.#bytes[this.#length - distance]!
  }

  /** What has come out from an offset on. */
  from(offset: number): Uint8Array {
    return this.#bytes.subarray(offset, this.#length)
  }

  #grow(more: number): void {
    const needed = this.#length + more
    if (needed > this.#maxBytes) throw new UnpackError('too-large')
    const larger = new Uint8Array(Math.min(this.#maxBytes, Math.max(FIRST, needed, 2 * this.#bytes.length)))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
