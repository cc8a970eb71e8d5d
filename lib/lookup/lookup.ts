import { BUCKET_SIZE, LOOKUP_PARALLEL, MAX_LOOKUP_ASKS, MAX_LOOKUP_GROUP } from '../limits/network-limits.ts'
import type { Address } from '../wire/address.ts'
import { compareDistance, type Place } from './place.ts'

/** A node that can be asked. */
export interface Candidate {
  readonly id: string
  readonly place: Place
  /** Where to dial it; none where there is a link already. */
  readonly addresses: readonly Address[]
  /** The group of its public address. */
  readonly group: string | undefined
}

/** What is known of a candidate in one search. */
interface Entry {
  readonly candidate: Candidate
  /** `slow`: asked, and somebody else is asked in its stead meanwhile. */
  state: 'new' | 'asked' | 'slow' | 'answered' | 'failed'
  /** Nodes that have to be asked one after another until this one has answered. */
  readonly depth: number
  /** Who told of it, those that came first. */
  readonly tellers: Entry[]
  /** Nodes of which this one told that have answered, and that have not. */
  hits: number
  misses: number
}

/** Tellers of a candidate that are remembered. */
const MAX_TELLERS = 4
/** Nodes that do not answer which a teller may name beyond those that do. Anybody's table has some of them. */
const MAX_MISSES = 2

/**
 * A search for the nodes nearest to a place: it says whom to ask next, and takes what became of it. It sends nothing
 * and has no timers. Three nodes are asked at once, always the nearest ones of which it has heard, until the 20
 * nearest of all have answered, or 60 have been asked.
 *
 * Whoever is asked can lie. So only every second question goes to the very nearest where that one was told by somebody
 * whose nodes do not answer, or is one of many in the same address group; the other ones go to the nearest of the
 * rest. A liar can waste half of a search in this way, and not all of it.
 */
export class Lookup {
  readonly #target: Place
  readonly #self: string
  readonly #byId = new Map<string, Entry>()
  /** All of them, the nearest one first. */
  readonly #entries: Entry[] = []
  /** Questions to each address group. */
  readonly #groups = new Map<string, number>()
  #asked = 0
  #asking = 0
  #slow = 0
  #answered = 0
  #hops = 0

  /** @param self The node that searches: it is nobody's business to tell of it. */
  constructor(target: Place, self: string) {
    this.#target = target
    this.#self = self
  }

  /** Nodes that were asked. */
  get asked(): number {
    return this.#asked
  }

  /** Nodes that have answered. */
  get answered(): number {
    return this.#answered
  }

  /** The longest chain of nodes that were asked one after another, each told by the one before. */
  get hops(): number {
    return this.#hops
  }

  /** Whether nothing more can come of it. */
  get isOver(): boolean {
    if (this.#asking > 0 || (this.#asked < MAX_LOOKUP_ASKS && this.#pick() !== undefined)) return false
    return this.#slow === 0 || this.#answered >= BUCKET_SIZE
  }

  /** Nodes that this one knew before. */
  begin(candidates: Iterable<Candidate>): void {
    for (const candidate of candidates) this.#add(candidate, undefined)
  }

  /** Whom to ask now; undefined while there is nothing to do but to wait. */
  next(): Candidate | undefined {
    if (this.#asking >= LOOKUP_PARALLEL || this.#asked >= MAX_LOOKUP_ASKS) return undefined
    const entry = this.#pick()
    if (entry === undefined) return undefined
    const { group } = entry.candidate
    if (group !== undefined) this.#groups.set(group, (this.#groups.get(group) ?? 0) + 1)
    entry.state = 'asked'
    this.#asked++
    this.#asking++
    return entry.candidate
  }

  /** A node has answered, and told of these. Returns how many hops it took to hear it. */
  answer(id: string, told: Iterable<Candidate>): number {
    const entry = this.#end(id, 'answered')
    if (entry === undefined) return 0
    this.#answered++
    this.#hops = Math.max(this.#hops, entry.depth)
    for (const teller of entry.tellers) teller.hits++
    for (const candidate of told) this.#add(candidate, entry)
    return entry.depth
  }

  /** A node has not answered yet: its place in the row is given to another. It may still answer. */
  slow(id: string): void {
    const entry = this.#byId.get(id)
    if (entry?.state !== 'asked') return
    entry.state = 'slow'
    this.#asking--
    this.#slow++
    for (const teller of entry.tellers) teller.misses++
  }

  /** A node does not answer. */
  fail(id: string): void {
    this.slow(id)
    this.#end(id, 'failed')
  }

  #end(id: string, state: 'answered' | 'failed'): Entry | undefined {
    const entry = this.#byId.get(id)
    if (entry?.state === 'asked') this.#asking--
    else if (entry?.state === 'slow') this.#slow--
    else return undefined
    if (entry.state === 'slow' && state === 'answered') for (const teller of entry.tellers) teller.misses--
    entry.state = state
    return entry
  }

  #add(candidate: Candidate, teller: Entry | undefined): void {
    const { id, place } = candidate
    const known = this.#byId.get(id)
    if (known === undefined && id !== this.#self) {
      const tellers = teller === undefined ? [] : [teller]
      const depth = (teller?.depth ?? 0) + 1
      const entry: Entry = { candidate, state: 'new', depth, tellers, hits: 0, misses: 0 }
      this.#byId.set(id, entry)
      this.#entries.splice(this.#rankOf(place), 0, entry)
    } else if (known?.state === 'new' && teller !== undefined && known.tellers.length < MAX_TELLERS) {
      // Nobody vouches for what this node knew itself; nor does one node vouch twice.
      if (known.tellers.length > 0 && !known.tellers.includes(teller)) known.tellers.push(teller)
    }
  }

  #rankOf(place: Place): number {
    let [low, high] = [0, this.#entries.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareDistance(this.#target, this.#entries[middle]!.candidate.place, place) <= 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #pick(): Entry | undefined {
    const [nearest, sound] = [this.#first(() => true), this.#first((entry) => this.#isSound(entry))]
    return this.#asked % 2 === 0 ? (nearest ?? sound) : (sound ?? nearest)
  }

  /** The nearest one that was not asked yet, unless 20 nearer ones have been. */
  #first(isWanted: (entry: Entry) => boolean): Entry | undefined {
    let nearer = 0
    for (const entry of this.#entries) {
      if (entry.state === 'failed' || entry.state === 'slow' || !isWanted(entry)) continue
      if (entry.state === 'new') return entry
      if (++nearer >= BUCKET_SIZE) return undefined
    }
    return undefined
  }

  #isSound({ state, candidate, tellers }: Entry): boolean {
    if (state !== 'new') return true
    if (candidate.group !== undefined && (this.#groups.get(candidate.group) ?? 0) >= MAX_LOOKUP_GROUP)
      return false
    return tellers.length === 0 || tellers.some(({ hits, misses }) => misses <= hits + MAX_MISSES)
  }
}
