import { STREAM_CREDIT } from '../limits/direct-limits.ts'

/** What a part or an end comes to. `broken`: beyond what was allowed, or against what was said before. */
export type PartVerdict = 'taken' | 'doubled' | 'broken'

/**
 * The parts of an answer that wait for their reader, in the order of their numbers whatever order they come in.
 * It holds no more of them than it has given credit for.
 */
export class PartBuffer<T> {
  readonly #parts = new Map<number, T>()
  readonly #window: number
  #granted: number
  /** The number of the part that is read next. */
  #next = 0
  /** How many parts there are in all, once it is known. */
  #count: number | undefined

  /** @param window Parts that may be under way or wait at once. */
  constructor(window = STREAM_CREDIT) {
    this.#window = window
    this.#granted = window
  }

  /** Whether all parts have come. */
  get isComplete(): boolean {
    return this.#count === this.#next + this.#parts.size
  }

  /** Whether all parts have been read. */
  get isDrained(): boolean {
    return this.#count === this.#next
  }

  /** Whether everything that may be sent has come: the next move is the reader's. */
  get isFull(): boolean {
    return this.#next + this.#parts.size >= this.#granted
  }

  put(at: number, part: T): PartVerdict {
    if (at < this.#next || this.#parts.has(at)) return 'doubled'
    if (at >= this.#granted || at >= (this.#count ?? Infinity)) return 'broken'
    this.#parts.set(at, part)
    return 'taken'
  }

  /** There are `count` parts. */
  end(count: number): PartVerdict {
    if (this.#count !== undefined) return this.#count === count ? 'doubled' : 'broken'
    const highest = Math.max(this.#next - 1, ...this.#parts.keys())
    if (count > this.#granted || count <= highest) return 'broken'
    this.#count = count
    return 'taken'
  }

  /** The next part, if it is there. */
  take(): T | undefined {
    const part = this.#parts.get(this.#next)
    if (part !== undefined) this.#parts.delete(this.#next++)
    return part
  }

  /**
   * How many parts may be sent in all from now on; undefined where it is not worth telling. Told for half a window
   * at once: a word for each part would double the messages.
   */
  grant(): number | undefined {
    const upTo = this.#next + this.#window
    if (this.#count !== undefined || upTo - this.#granted < this.#window / 2) return undefined
    this.#granted = upTo
    return upTo
  }

  clear(): void {
    this.#parts.clear()
  }
}
