import { Deferred } from '../ground/deferred.ts'
import { aborted } from '../errors.ts'
import { LOOKUP_TIMEOUT } from '../limits/network-limits.ts'
import { Asking } from './asking.ts'
import type { FindLinks } from './find-links.ts'
import type { FinderLink, FinderPort, LookupOptions, LookupResult } from './finder-port.ts'
import { type Candidate, Lookup } from './lookup.ts'
import type { Place } from './place.ts'
import type { ToldRecord, VerifiedRecord } from './verified-records.ts'

/** What a search is for. */
export interface Goal {
  readonly place: Place
  /** The node whose record ends it; undefined to get to know those near the place. */
  readonly id?: string | undefined
  /** Its record has to be newer than this. */
  readonly newerThan?: number | undefined
}

/** What a search needs. */
export interface SearchParts<L extends FinderLink> {
  readonly port: FinderPort<L>
  readonly links: FindLinks<L>
  /** Somebody has answered. */
  learn(link: L, told: readonly ToldRecord[]): void
  /** Somebody seems not to be there. */
  onFailure(id: string): void
}

/** One search while it lasts. Any number of callers may wait for it; it ends when none of them is left. */
export class Search<L extends FinderLink> {
  /** Called once, when it has ended. */
  onEnd = (_result: LookupResult | undefined): void => {}
  readonly #goal: Goal
  readonly #parts: SearchParts<L>
  readonly #lookup: Lookup
  readonly #askings = new Set<Asking<L>>()
  readonly #callers = new Set<Deferred<LookupResult>>()
  #isOver = false

  constructor(goal: Goal, parts: SearchParts<L>) {
    this.#goal = goal
    this.#parts = parts
    this.#lookup = new Lookup(goal.place, parts.port.self.id)
  }

  /** Nodes that have answered. */
  get answered(): number {
    return this.#lookup.answered
  }

  /** Starts with the nodes that are known. */
  begin(candidates: Iterable<Candidate>): void {
    this.#lookup.begin(candidates)
    this.#step()
  }

  /**
   * Waits for its result; after the timeout, that is that nobody was found.
   *
   * @throws SecureNodeError `aborted`
   */
  async wait({ timeout = LOOKUP_TIMEOUT, signal }: LookupOptions = {}): Promise<LookupResult> {
    const caller = new Deferred<LookupResult>()
    const onAbort = (): void => caller.reject(aborted('the lookup', signal?.reason))
    const timer = this.#parts.port.clock.setTimer(() => caller.resolve(this.#result()), timeout)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#callers.add(caller)
    try {
      return await caller.promise
    } finally {
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
      this.#callers.delete(caller)
      if (this.#callers.size === 0) this.#end(undefined)
    }
  }

  /** The node stops. */
  abort(): void {
    for (const caller of this.#callers) caller.reject(aborted('the lookup'))
    this.#end(undefined)
  }

  #step(): void {
    if (this.#isOver) return
    for (let next = this.#lookup.next(); next !== undefined; next = this.#lookup.next()) this.#ask(next)
    if (this.#lookup.isOver) this.#conclude(this.#result())
  }

  #ask(candidate: Candidate): void {
    const { id } = candidate
    const { port, links } = this.#parts
    const asking = new Asking<L>(port, this.#goal.place, {
      onSlow: () => {
        this.#lookup.slow(id)
        this.#step()
      },
      onAnswer: (link, told) => {
        this.#askings.delete(asking)
        this.#onAnswer(link, told)
      },
      onFailure: (isTheirs) => {
        this.#askings.delete(asking)
        this.#lookup.fail(id)
        if (isTheirs) this.#parts.onFailure(id)
        this.#step()
      },
    })
    this.#askings.add(asking)
    void asking.begin(candidate, (link) => links.ask(link, asking))
  }

  #onAnswer(link: L, told: readonly ToldRecord[]): void {
    this.#parts.learn(link, told)
    const hops = this.#lookup.answer(link.id, told.map(candidateOf))
    const found = told.find(({ verified }) => this.#isGoal(verified))
    if (found === undefined) return this.#step()
    const { verified, addresses } = found
    this.#conclude({ record: verified.record, addresses, hops, asked: this.#lookup.asked })
  }

  #isGoal({ record }: VerifiedRecord): boolean {
    return record.id === this.#goal.id && record.time > (this.#goal.newerThan ?? -Infinity)
  }

  #result(): LookupResult {
    return { record: undefined, addresses: [], hops: this.#lookup.hops, asked: this.#lookup.asked }
  }

  #conclude(result: LookupResult): void {
    for (const caller of this.#callers) caller.resolve(result)
    this.#end(result)
  }

  #end(result: LookupResult | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const asking of this.#askings) asking.cancel()
    this.#askings.clear()
    this.onEnd(result)
  }
}

function candidateOf({ verified: { record, place, group }, addresses }: ToldRecord): Candidate {
  return { id: record.id, place, addresses, group }
}
