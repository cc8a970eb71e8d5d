import type { Clock, Timer } from '../ground/clock.ts'
import { Deferred } from '../ground/deferred.ts'
import { aborted } from '../errors.ts'
import { LinkGraph } from './link-graph.ts'
import {
  isWhole,
  type NetworkNode,
  NetworkMap,
  nodeOf,
  type NodeLink,
  type NodeReport,
} from './network-map.ts'
import type { ToldLinks } from './answer.ts'

/** What a survey is made of. */
export interface SurveyInit {
  /** The node that asks. */
  readonly self: string
  readonly clock: Clock
  /** How long answers are waited for, in ms. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/**
 * One search while it lasts: takes the answers, knows when all have come, and makes the map. It ends exactly once:
 * complete, by its timeout, by whoever wants no more of it, or with an error.
 */
export class Survey {
  /** What it comes to. */
  readonly result: Promise<NetworkMap>
  /** Called once, when it has ended: with the map, unless it failed or somebody left it early. */
  onEnd = (_map: NetworkMap | undefined): void => {}
  readonly #init: SurveyInit
  readonly #graph: LinkGraph
  readonly #result = new Deferred<NetworkMap>()
  readonly #reports: NodeReport[] = []
  /** Nodes that left links out, not all of which were told by their other ends yet. */
  readonly #hubs: NodeReport[] = []
  readonly #timer: Timer
  #changed = new Deferred<void>()
  #askedAt = 0
  #isOver = false
  #failure: Error | undefined

  constructor(init: SurveyInit) {
    this.#init = init
    this.#graph = new LinkGraph(init.self)
    this.result = this.#result.promise
    // Whoever only iterates, or does not wait at all, must not lose the process to a rejection nobody handles.
    this.result.catch(() => {})
    this.#timer = init.clock.setTimer(() => this.end(), init.timeout)
    if (init.signal?.aborted === true) this.#onAbort()
    else init.signal?.addEventListener('abort', this.#onAbort)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Why it failed, if it did. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Nodes that have answered, the one that asks among them. */
  get count(): number {
    return this.#reports.length
  }

  /** Resolves with the next answer, or the end. */
  get changed(): Promise<void> {
    return this.#changed.promise
  }

  /** The node that was the so many-th to answer; its distance as far as it is known by now. */
  node(at: number): NetworkNode {
    return nodeOf(this.#reports[at]!, this.#graph)
  }

  /** The question is asked now, over these links. */
  begin(told: ToldLinks): void {
    if (this.#isOver) return
    this.#askedAt = this.#init.clock.now()
    this.#add(this.#init.self, told, 0)
  }

  /** A node has answered; it does so once. */
  answer(id: string, told: ToldLinks): void {
    if (this.#isOver) return
    // A clock that was set back must not make an answer come before its question.
    this.#add(id, told, Math.max(0, this.#init.clock.now() - this.#askedAt))
  }

  /** Its time is over, or all have answered. */
  end(): void {
    this.#conclude(true)
  }

  /** No more is wanted: what has come is the result. */
  leave(): void {
    this.#conclude(false)
  }

  fail(error: Error): void {
    if (this.#isOver) return
    this.#failure = error
    this.#result.reject(error)
    this.#close(undefined)
  }

  #conclude(isWhole: boolean): void {
    if (this.#isOver) return
    const [first, ...others] = this.#reports
    // Before anything was asked there is the node itself, and nothing else.
    const own = first ?? { id: this.#init.self, links: Object.freeze([]), more: 0, latency: 0 }
    const map = new NetworkMap([own, ...others])
    this.#result.resolve(map)
    this.#close(isWhole ? map : undefined)
  }

  #onAbort = (): void => this.fail(aborted('the discovery', this.#init.signal?.reason))

  #add(id: string, { links, more = 0 }: ToldLinks, latency: number): void {
    for (const [other] of links) this.#graph.connect(id, other)
    this.#graph.reach(id)
    const own = links.map(([other, ms]): NodeLink => {
      return Object.freeze({ id: this.#graph.id(other), latency: ms ?? undefined })
    })
    const report = { id: this.#graph.id(id), links: Object.freeze(own), more, latency }
    this.#reports.push(report)
    if (more > 0) this.#hubs.push(report)
    if (this.#isComplete()) this.end()
    else this.#tell()
  }

  #isComplete(): boolean {
    // The cheap question first: hubs are looked at only when nobody else is missing, and those done with no more.
    if (this.#graph.size > this.#reports.length) return false
    for (let hub = this.#hubs.at(-1); hub !== undefined; hub = this.#hubs.at(-1)) {
      if (!isWhole(hub, this.#graph)) return false
      this.#hubs.pop()
    }
    return true
  }

  #tell(): void {
    const changed = this.#changed
    this.#changed = new Deferred()
    changed.resolve()
  }

  #close(map: NetworkMap | undefined): void {
    this.#isOver = true
    this.#timer.cancel()
    this.#init.signal?.removeEventListener('abort', this.#onAbort)
    this.#tell()
    this.onEnd(map)
  }
}
