import type { Happening } from './happening.ts'
import { CHUNK_HAPPENINGS, MAX_CHUNKS } from './page-limits.ts'
import { EMPTY, type Picture } from './picture.ts'
import { reduce } from './reduce.ts'

/** Happenings in a row, and the picture before the first of them. */
interface Chunk {
  readonly before: Picture
  readonly happenings: Happening[]
}

/** What happened in one column of a timeline. */
export interface Column {
  messages: number
  refused: number
  /** Nodes and links that came or went. */
  changes: number
}

/**
 * All that happened, as far back as there is room: the state at any moment is that before its chunk, and what
 * happened from there on. When there are too many chunks the oldest goes; the others stand on their own.
 */
export class Chronicle {
  readonly #chunks: Chunk[] = []
  #latest: Picture = EMPTY

  /** The state now. */
  get latest(): Picture {
    return this.#latest
  }

  /** The first moment that can be gone back to, in ms since the epoch; 0 while there is none. */
  get start(): number {
    return this.#chunks[0]?.happenings[0]?.at ?? 0
  }

  /** The last moment at which something happened, in ms since the epoch; 0 while there is none. */
  get end(): number {
    return this.#latest.at
  }

  /** Happenings that are kept. */
  get size(): number {
    const { length } = this.#chunks
    return length === 0 ? 0 : (length - 1) * CHUNK_HAPPENINGS + this.#chunks[length - 1]!.happenings.length
  }

  /** @param happenings In the order of their arrival; a moment before the last one counts as that one. */
  add(happenings: readonly Happening[]): void {
    let open: Happening[] = []
    let last = this.end
    for (const happening of happenings) {
      last = Math.max(last, happening.at)
      const timely = happening.at === last ? happening : { ...happening, at: last }
      const chunk = this.#chunks.at(-1)
      if (chunk === undefined || chunk.happenings.length >= CHUNK_HAPPENINGS) {
        this.#latest = reduce(this.#latest, open)
        open = []
        this.#chunks.push({ before: this.#latest, happenings: [] })
        if (this.#chunks.length > MAX_CHUNKS) this.#chunks.shift()
      }
      this.#chunks.at(-1)!.happenings.push(timely)
      open.push(timely)
    }
    this.#latest = reduce(this.#latest, open)
  }

  /** The state at a moment: all that happened then or before. */
  at(moment: number): Picture {
    if (moment >= this.end) return this.#latest
    const chunk = this.#chunks.findLast(({ happenings }) => happenings[0]!.at <= moment)
    if (chunk === undefined) return this.#chunks[0]?.before ?? EMPTY
    return reduce(chunk.before, chunk.happenings.slice(0, countUntil(chunk.happenings, moment)))
  }

  /** What happened after one moment and not after another. */
  between(after: number, until: number): Happening[] {
    return this.#chunks
      .filter(({ happenings }) => happenings[0]!.at <= until && happenings.at(-1)!.at > after)
      .flatMap(({ happenings }) =>
        happenings.slice(countUntil(happenings, after), countUntil(happenings, until)),
      )
  }

  /** The moment of the next happening, or of the one before; the moment itself where there is none. */
  neighbour(moment: number, direction: 1 | -1): number {
    if (direction === 1) return this.between(moment, this.end)[0]?.at ?? moment
    const earlier = this.#chunks.findLast(({ happenings }) => happenings[0]!.at < moment)?.happenings
    return earlier?.findLast(({ at }) => at < moment)?.at ?? moment
  }

  /** How much happened when, in columns of equal length from the start to the end. */
  columns(count: number): Column[] {
    const columns = Array.from({ length: count }, () => ({ messages: 0, refused: 0, changes: 0 }))
    const { start, end } = this
    const scale = count / Math.max(1, end - start)
    for (const { happenings } of this.#chunks) {
      for (const { at, kind } of happenings) {
        const column = columns[Math.min(count - 1, Math.floor((at - start) * scale))]!
        if (kind === 'message') column.messages++
        else if (kind === 'refused') column.refused++
        else if (kind !== 'figures') column.changes++
      }
    }
    return columns
  }

  /** All that is kept, and the state before it as happenings, so that a trace can be looked at without its past. */
  happenings(): Happening[] {
    return this.#chunks.flatMap(({ happenings }) => happenings)
  }

  /** The state before all that is kept. */
  get origin(): Picture {
    return this.#chunks[0]?.before ?? EMPTY
  }

  clear(): void {
    this.#chunks.length = 0
    this.#latest = EMPTY
  }
}

/** How many happenings, in the order of their times, are not after a moment. */
function countUntil(happenings: readonly Happening[], moment: number): number {
  let low = 0
  let high = happenings.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (happenings[middle]!.at <= moment) low = middle + 1
    else high = middle
  }
  return low
}
