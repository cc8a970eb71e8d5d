import { TOUCHSTONE_INTERVAL } from '../limits/tree-limits.ts'
import type { MessageId } from '../wire/ids.ts'

/** Hexadecimal digits of an ID that decide: 2^32 messages in an interval are more than there are. */
const DIGITS = 8
/** Messages of an interval that are to be chosen, at least. */
const CANDIDATES = 2

/**
 * The message whose copies show which links are needless. One message cuts every circle of links in one place; two
 * that are under way at once would cut it in two, and what is cut off has to be grafted again. So only a few prune,
 * about one in {@link TOUCHSTONE_INTERVAL}, and all nodes choose the same: by how many zeros an ID ends with, since
 * all see about as many messages.
 */
export class Touchstone {
  #id: MessageId | undefined = undefined
  #since = -Infinity
  /** An ID is chosen if none of these bits is set in it. */
  #mask = 0
  #count = 0
  #countedSince = -Infinity

  /** A message was accepted. */
  add(id: MessageId, now: number): void {
    this.#measure(now)
    this.#count++
    const age = now - this.#since
    // A clock that was set back ends the turn of the last one.
    if (age >= 0 && age < TOUCHSTONE_INTERVAL) return
    if (this.#mask !== 0 && (parseInt(id.slice(-DIGITS), 16) & this.#mask) !== 0) return
    this.#id = id
    this.#since = now
  }

  /** Whether links are judged by this message. */
  is(id: MessageId): boolean {
    return id === this.#id
  }

  #measure(now: number): void {
    const passed = now - this.#countedSince
    if (passed >= 0 && passed < TOUCHSTONE_INTERVAL) return
    // Of all messages of an interval, two to four are to be chosen, the first of which gets its turn. After a silence,
    // that is the very first one.
    const perInterval = passed >= 0 && passed < 2 * TOUCHSTONE_INTERVAL ? this.#count : 0
    this.#mask = perInterval < CANDIDATES ? 0 : 2 ** Math.floor(Math.log2(perInterval / CANDIDATES)) - 1
    this.#count = 0
    this.#countedSince = now
  }
}
