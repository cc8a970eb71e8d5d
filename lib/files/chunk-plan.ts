import { FILE_PATIENCE, FILE_SILENCE } from '../limits/direct-limits.ts'

const MISSING = 0
const ASKED = 1
const DONE = 2

/** Sources that are asked for the same chunk at once, at most. */
const MAX_ASKERS = 2

/** One source was asked for a chunk. */
interface Ask {
  readonly source: string
  /** When, in ms. */
  readonly since: number
}

/**
 * Which chunks of a file are there, which were asked for and of whom. Pure: it neither asks nor waits.
 *
 * What was given to a source is given to another one too when it is long overdue and nothing else is left: so neither
 * the slowest source decides when a file is complete, nor one that has died.
 */
export class ChunkPlan {
  /** One byte per chunk. */
  readonly #states: Uint8Array
  readonly #asks = new Map<number, Ask[]>()
  /** When a source brought its last chunk, in ms. */
  readonly #heard = new Map<string, number>()
  /** Before it, nothing is missing. */
  #cursor = 0
  #left: number

  /** @param count Chunks of the file, at most half a million: see `MAX_FILE_BYTES`. */
  constructor(count: number) {
    this.#states = new Uint8Array(count)
    this.#left = count
  }

  /** Chunks that are not there yet. */
  get left(): number {
    return this.#left
  }

  /** Whether all chunks are there. */
  get isDone(): boolean {
    return this.#left === 0
  }

  /** Whether a chunk is there. */
  has(index: number): boolean {
    return this.#states[index] === DONE
  }

  /** Chunks to ask a source for, in ascending order; none if there is nothing for it now. */
  take(source: string, limit: number, now: number): number[] {
    const chunks: number[] = []
    for (let at = this.#next(0); at >= 0 && chunks.length < limit; at = this.#next(at + 1)) chunks.push(at)
    if (chunks.length === 0) chunks.push(...this.#overdue(source, limit, now))
    for (const index of chunks) {
      this.#states[index] = ASKED
      this.#asks.set(index, [...(this.#asks.get(index) ?? []), { source, since: now }])
    }
    return chunks
  }

  /** A source has brought something. */
  heard(source: string, now: number): void {
    this.#heard.set(source, now)
  }

  /** A chunk is there. @returns whether it was not there before */
  done(index: number): boolean {
    if (this.#states[index] === DONE) return false
    this.#states[index] = DONE
    this.#asks.delete(index)
    this.#left--
    return true
  }

  /** What a source was asked for and did not bring is missing again, unless another one was asked as well. */
  giveBack(source: string, chunks: readonly number[]): void {
    for (const index of chunks) {
      const asks = this.#asks.get(index)
      if (asks === undefined) continue
      const others = asks.filter((ask) => ask.source !== source)
      if (others.length > 0) this.#asks.set(index, others)
      else this.#miss(index)
    }
  }

  #miss(index: number): void {
    this.#asks.delete(index)
    this.#states[index] = MISSING
    this.#cursor = Math.min(this.#cursor, index)
  }

  /** The first missing chunk from there on, or -1. */
  #next(from: number): number {
    const at = this.#states.indexOf(MISSING, Math.max(from, this.#cursor))
    if (from === 0) this.#cursor = at < 0 ? this.#states.length : at
    return at
  }

  /** As few as are under way, so it may look at all of them. */
  #overdue(source: string, limit: number, now: number): number[] {
    const chunks: number[] = []
    for (const [index, asks] of this.#asks) {
      const isOpen = asks.length < MAX_ASKERS && asks.every((ask) => ask.source !== source)
      if (isOpen && asks.every((ask) => this.#isOverdue(ask, now))) chunks.push(index)
    }
    return chunks.sort((one, other) => one - other).slice(0, limit)
  }

  /** A slow source gets its time. One that was at work and has fallen silent has died, or its link has. */
  #isOverdue({ source, since }: Ask, now: number): boolean {
    const heard = this.#heard.get(source)
    if (now - since >= FILE_PATIENCE) return true
    return heard !== undefined && now - Math.max(since, heard) >= FILE_SILENCE
  }
}
