import type { Engine } from '../identity/engine.ts'
import { MAX_CLAIMS } from '../limits/direct-limits.ts'
import type { NodeId } from '../wire/ids.ts'
import type { Warrant } from './answer.ts'
import { followBounces, type Thread } from './bounce-chain.ts'
import type { RequestFault } from './request-faults.ts'

/** The right to answer, or why there is none. */
export type WarrantResult = Warrant | RequestFault

/**
 * Who may answer one request: the node that was asked, or whoever its bounces lead to. As soon as one has begun to
 * answer, nobody else may.
 */
export class Warrants {
  readonly #thread: Thread
  readonly #engine: Engine | undefined
  /** Of nodes whose bounces are being verified: one verification for all that they have sent meanwhile. */
  readonly #claims = new Map<NodeId, Promise<WarrantResult>>()
  #waiting = 0
  #chosen: Warrant | undefined

  constructor(thread: Thread, engine: Engine | undefined) {
    this.#thread = thread
    this.#engine = engine
  }

  /** Who answers, once somebody does. */
  get chosen(): Warrant | undefined {
    return this.#chosen
  }

  /** Whether this one may answer; if so, it alone does from now on. */
  choose(warrant: Warrant): boolean {
    this.#chosen ??= warrant
    return this.#chosen.from === warrant.from
  }

  /** The right of a node, which it has shown with these bounces. */
  of(from: NodeId, by: readonly string[] | undefined): WarrantResult | Promise<WarrantResult> {
    if (this.#chosen !== undefined) return this.#chosen.from === from ? this.#chosen : 'foreign'
    const isAddressee = from === this.#thread.addressee
    if (by === undefined) return isAddressee ? { from, bounces: [], proof: [] } : 'foreign'
    // No bounces lead back to where they began.
    if (isAddressee) return 'bad-bounce'
    if (this.#waiting >= MAX_CLAIMS) return 'overload'
    return this.#verify(from, by)
  }

  async #verify(from: NodeId, by: readonly string[]): Promise<WarrantResult> {
    let claim = this.#claims.get(from)
    if (claim === undefined) {
      claim = this.#follow(from, by)
      this.#claims.set(from, claim)
    }
    this.#waiting++
    try {
      return await claim
    } finally {
      this.#waiting--
      this.#claims.delete(from)
    }
  }

  async #follow(from: NodeId, by: readonly string[]): Promise<WarrantResult> {
    const bounces = await followBounces(this.#thread, by, from, this.#engine)
    return bounces === undefined
      ? 'bad-bounce'
      : { from, bounces: Object.freeze(bounces), proof: Object.freeze([...by]) }
  }
}
