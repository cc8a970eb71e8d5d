import { HISTORY_SLICE } from '../limits/direct-limits.ts'
import { sha256Hex } from '../message/digest.ts'
import { fromHex } from '../wire/hex.ts'
import type { Bound, Range } from './range.ts'
import { isBefore } from './range.ts'
import type { Entry } from './store.ts'

/** Entries whose time falls into the same slice. */
interface Slice {
  entries: Entry[]
  /** Whether they are in order: sorted when somebody looks. */
  isSorted: boolean
  /** The hash of all of them, until one is added or removed. */
  hash: string | undefined
}

/** The part of a slice that is within a range. */
interface Piece {
  readonly slice: Slice
  readonly from: number
  readonly to: number
}

/** Hexadecimal digits of a fingerprint: 16 bytes. */
const PRINT_DIGITS = 32

/** Entries in the order of time and ID, with fingerprints of ranges that cost little more than what has changed. */
export class Timeline {
  /** By number. Times are within the history's age, so strangers choose among few numbers. */
  readonly #slices = new Map<number, Slice>()
  #numbers: number[] | undefined
  #size = 0
  #hashed = 0

  get size(): number {
    return this.#size
  }

  /** IDs that were hashed so far: what fingerprints have cost. */
  get hashed(): number {
    return this.#hashed
  }

  add(entry: Entry): void {
    const number = numberOf(entry.time)
    let slice = this.#slices.get(number)
    if (slice === undefined) {
      this.#slices.set(number, (slice = { entries: [], isSorted: true, hash: undefined }))
      this.#numbers = undefined
    }
    const last = slice.entries.at(-1)
    if (last !== undefined && compareEntries(last, entry) > 0) slice.isSorted = false
    slice.entries.push(entry)
    slice.hash = undefined
    this.#size++
  }

  /** Takes some entries out. */
  remove(entries: Iterable<Entry>): void {
    const gone = new Set(entries)
    for (const number of new Set(Array.from(gone, ({ time }) => numberOf(time)))) {
      const slice = this.#slices.get(number)
      if (slice !== undefined) this.#keep(number, slice, (entry) => !gone.has(entry))
    }
  }

  /** Takes out all entries that are older than a time, and returns them. */
  takeBefore(time: number): Entry[] {
    const taken: Entry[] = []
    const last = numberOf(time)
    for (const number of this.#order()) {
      if (number > last) break
      this.#keep(number, this.#slices.get(number)!, (entry) => {
        if (entry.time >= time) return true
        taken.push(entry)
        return false
      })
    }
    return taken
  }

  /** All entries, the oldest first. */
  *all(): Iterable<Entry> {
    for (const number of this.#order()) {
      const slice = this.#slices.get(number)
      if (slice !== undefined) yield* sorted(slice)
    }
  }

  count(range: Range): number {
    let count = 0
    for (const { from, to } of this.#pieces(range)) count += to - from
    return count
  }

  /** The entries of a range, in order. */
  list(range: Range): Entry[] {
    return Array.from(this.#pieces(range)).flatMap(({ slice, from, to }) => slice.entries.slice(from, to))
  }

  /**
   * 16 bytes in hexadecimal that are the same at two nodes which hold the same IDs in a range: a hash over the hashes
   * of its slices. Not a sum or an exclusive or of the IDs, which would be faster: authors can choose IDs, and make
   * different sets that come to the same (Wagner 2002).
   */
  fingerprint(range: Range): string {
    let hashes = ''
    for (const piece of this.#pieces(range)) hashes += this.#hash(piece)
    return sha256Hex(fromHex(hashes)).slice(0, PRINT_DIGITS)
  }

  /** The entries at which a range falls into parts of about equal number. */
  split(range: Range, parts: number): readonly (readonly [previous: Entry, next: Entry])[] {
    const count = this.count(range)
    const cuts: [Entry, Entry][] = []
    let passed = 0
    let previous: Entry | undefined
    for (const { slice, from, to } of this.#pieces(range)) {
      for (;;) {
        const cut = Math.floor((count * (cuts.length + 1)) / parts)
        const at = from + cut - passed
        if (at >= to || cuts.length === parts - 1) break
        cuts.push([at > from ? slice.entries[at - 1]! : previous!, slice.entries[at]!])
      }
      passed += to - from
      previous = slice.entries[to - 1]
    }
    return cuts
  }

  #hash({ slice, from, to }: Piece): string {
    const isWhole = from === 0 && to === slice.entries.length
    if (isWhole && slice.hash !== undefined) return slice.hash
    const ids = slice.entries.slice(from, to).map(({ id }) => id)
    const hash = sha256Hex(fromHex(ids.join('')))
    this.#hashed += ids.length
    if (isWhole) slice.hash = hash
    return hash
  }

  *#pieces({ start, end }: Range): Iterable<Piece> {
    const order = this.#order()
    const [first, last] = [numberOf(start.time), numberOf(end.time)]
    for (let at = search(order.length, (index) => order[index]! >= first); at < order.length; at++) {
      const number = order[at]!
      if (number > last) return
      const slice = this.#slices.get(number)!
      const entries = sorted(slice)
      const from = number === first ? search(entries.length, (index) => !isBefore(entries[index]!, start)) : 0
      const to =
        number === last ? search(entries.length, (index) => !isBefore(entries[index]!, end)) : entries.length
      if (from < to) yield { slice, from, to }
    }
  }

  #keep(number: number, slice: Slice, isKept: (entry: Entry) => boolean): void {
    const kept = slice.entries.filter(isKept)
    if (kept.length === slice.entries.length) return
    this.#size -= slice.entries.length - kept.length
    slice.entries = kept
    slice.hash = undefined
    if (kept.length > 0) return
    this.#slices.delete(number)
    this.#numbers = undefined
  }

  /** The numbers of the slices, ascending. */
  #order(): readonly number[] {
    return (this.#numbers ??= [...this.#slices.keys()].sort((left, right) => left - right))
  }
}

const numberOf = (time: number): number => Math.floor(time / HISTORY_SLICE)

function sorted(slice: Slice): readonly Entry[] {
  if (!slice.isSorted) slice.entries.sort(compareEntries)
  slice.isSorted = true
  return slice.entries
}

function compareEntries(left: Entry, right: Entry): number {
  if (left.time !== right.time) return left.time - right.time
  return left.id < right.id ? -1 : left.id > right.id ? 1 : 0
}

/** The first of so many indices for which something is so; it is so for all that follow. */
function search(length: number, isSo: (index: number) => boolean): number {
  let [low, high] = [0, length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isSo(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** A place between two entries that follow each other, with as few digits of the ID as tell them apart. */
export function boundBetween(previous: Entry, next: Entry): Bound {
  if (previous.time !== next.time) return { time: next.time, id: '' }
  let digits = 2
  while (previous.id.slice(0, digits) === next.id.slice(0, digits)) digits += 2
  return { time: next.time, id: next.id.slice(0, digits) }
}
