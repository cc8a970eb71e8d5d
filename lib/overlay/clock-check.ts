import { MAX_CLOCK_OFFSET } from '../limits/network-limits.ts'

/**
 * Compares this machine's clock with those of the peers. The median counts: one peer with a wrong clock, or one
 * that lies, cannot move it.
 */
export class ClockCheck {
  #isOff = false

  /** How far the clocks of the peers are ahead of ours, in ms: the median; undefined without peers. */
  static offset(peers: Iterable<{ readonly clockOffset: number }>): number | undefined {
    const offsets = [...peers].map(({ clockOffset }) => clockOffset).sort((one, other) => one - other)
    if (offsets.length === 0) return undefined
    const middle = offsets.length >> 1
    // Of an even number the smaller of the two in the middle: what is nearer to our own clock.
    const [low, high] = [offsets[offsets.length % 2 === 0 ? middle - 1 : middle]!, offsets[middle]!]
    return Math.abs(low) < Math.abs(high) ? low : high
  }

  /** Judges the clock by the peers; the offset where it has just become too large, and is to be told. */
  check(peers: Iterable<{ readonly clockOffset: number }>): number | undefined {
    const offset = ClockCheck.offset(peers)
    const isOff = offset !== undefined && Math.abs(offset) > MAX_CLOCK_OFFSET
    const isNew = isOff && !this.#isOff
    this.#isOff = isOff
    return isNew ? offset : undefined
  }
}
