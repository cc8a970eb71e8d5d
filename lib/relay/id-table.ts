import { readUint32 } from '../wire/bytes.ts'
import { readHexWord } from '../wire/hex.ts'
import type { MessageId } from '../wire/ids.ts'

/** IDs that are forgotten together. */
export interface IdGroup {
  readonly number: number
  /** IDs in it. */
  size: number
}

/** Words of 32 bits in an ID. */
const WORDS = 8
/** The last of the words beside the head: the number of the group, and 0 where there is no ID. */
const GROUP = WORDS - 1
/** Slots of the smallest table. */
const MIN_SLOTS = 32
/** Of ten slots, so many may be in use: then the next ID is found within a few steps. */
const MAX_TENTHS = 7
/** Slots of a new table for each ID that is in it. */
const GROWTH = 2.4
const NOTHING = new Uint32Array(0)

/**
 * An odd number that nobody outside of this process knows. IDs are hashes, and whoever tries enough messages can choose
 * a part of them: were the places known, he could have thousands of IDs at the same one, and each look-up take them all.
 */
const SECRET = readUint32(globalThis.crypto.getRandomValues(new Uint8Array(4)), 0) | 1

/**
 * A set of message IDs, for very many: each takes 50 to 90 bytes, and the garbage collector has nothing to look at. In a
 * `Set` of texts it is 100 bytes and more.
 *
 * A hash table with linear probing. The first word of each ID stands in an array of its own, so that nearly every look-up
 * is one access to memory. What is forgotten stays where it is until the table is made anew.
 */
export class IdTable {
  /** The first word of each ID. */
  #heads = NOTHING
  /** The other words of each ID, and its group. */
  #rest = NOTHING
  /** Slots that are not empty, forgotten IDs included. */
  #used = 0
  #size = 0
  readonly #groups = new Map<number, IdGroup>()
  #lastGroup = 0

  /** IDs in the table. */
  get size(): number {
    return this.#size
  }

  /** Bytes that the table takes. */
  get bytes(): number {
    return this.#heads.byteLength + this.#rest.byteLength
  }

  /** Begins a new group. */
  group(): IdGroup {
    const group = { number: ++this.#lastGroup, size: 0 }
    this.#groups.set(group.number, group)
    return group
  }

  has(id: MessageId): boolean {
    if (this.#size === 0) return false
    const group = this.#rest[this.#find(id) * WORDS + GROUP]!
    return group !== 0 && this.#groups.has(group)
  }

  /** Adds an ID to a group; `false` if it is in one already. */
  add(id: MessageId, group: IdGroup): boolean {
    if ((this.#used + 1) * 10 > this.#heads.length * MAX_TENTHS) this.#remake()
    const slot = this.#find(id)
    const at = slot * WORDS
    const earlier = this.#rest[at + GROUP]!
    if (earlier === 0) {
      this.#heads[slot] = readHexWord(id, 0)
      for (let word = 1; word < WORDS; word++) this.#rest[at + word - 1] = readHexWord(id, word * 8)
      this.#used++
    } else if (this.#groups.has(earlier)) return false
    this.#rest[at + GROUP] = group.number
    group.size++
    this.#size++
    return true
  }

  /** Forgets the IDs of a group. */
  forget(group: IdGroup): void {
    if (!this.#groups.delete(group.number)) return
    this.#size -= group.size
    // After a flood, its memory is given back.
    if (this.#size * 8 < this.#heads.length && this.#heads.length > MIN_SLOTS) this.#remake()
  }

  /** The slot of an ID, or the empty one where it would be. */
  #find(id: MessageId): number {
    const heads = this.#heads
    const head = readHexWord(id, 0)
    for (let slot = placeOf(head, heads.length); ; slot = slot + 1 === heads.length ? 0 : slot + 1) {
      const found = heads[slot]!
      if (found !== head && found !== 0) continue
      // An empty slot has the head 0, and an ID may have it too.
      if (this.#rest[slot * WORDS + GROUP] === 0) return slot
      if (found === head && this.#isAt(slot, id)) return slot
    }
  }

  #isAt(slot: number, id: MessageId): boolean {
    const at = slot * WORDS
    for (let word = 1; word < WORDS; word++) {
      if (this.#rest[at + word - 1] !== readHexWord(id, word * 8)) return false
    }
    return true
  }

  /** A new table with room for more, without those that are forgotten. */
  #remake(): void {
    const slots = Math.max(MIN_SLOTS, Math.ceil(this.#size * GROWTH))
    const oldHeads = this.#heads
    const oldRest = this.#rest
    const heads = new Uint32Array(slots)
    const rest = new Uint32Array(slots * WORDS)
    // The places of both tables are in the same order, so this runs through the memory of both from end to end.
    for (let slot = 0; slot < oldHeads.length; slot++) {
      const from = slot * WORDS
      if (!this.#groups.has(oldRest[from + GROUP]!)) continue
      let to = placeOf(oldHeads[slot]!, slots)
      while (rest[to * WORDS + GROUP] !== 0) to = to + 1 === slots ? 0 : to + 1
      heads[to] = oldHeads[slot]!
      for (let word = 0; word < WORDS; word++) rest[to * WORDS + word] = oldRest[from + word]!
    }
    this.#heads = heads
    this.#rest = rest
    this.#used = this.#size
  }
}

/** Where the search for an ID begins: multiplied by a secret number, all words are spread evenly over all slots. */
function placeOf(head: number, slots: number): number {
  return Math.floor(((Math.imul(head, SECRET) >>> 0) * slots) / 2 ** 32)
}
