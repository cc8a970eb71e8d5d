import type { Clock } from '../ground/clock.ts'
import type { Draft } from '../message/draft.ts'
import { judgeTime } from '../message/message.ts'
import type { IgnoreCode } from '../message/verdict.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import type { Incoming } from './incoming.ts'
import type { RelayHistory } from './relay-port.ts'
import { SeenCache } from './seen.ts'

/** What remembering messages needs of its node. */
export interface MemoryPort {
  readonly self: NodeId
  readonly clock: Clock
  /** From the start of the node, if it keeps one. */
  history(): RelayHistory | undefined
  /** Links that are up. */
  linkCount(): number
}

/** What messages are judged by besides their signature. */
export interface MemoryOptions {
  readonly windowPast: number
  readonly windowFuture: number
  readonly maxMessageIds: number
}

/**
 * What a node remembers of messages, so that it takes each once: the IDs of those within the window in a cache, those
 * before it in the history, if there is one. What neither of them would know is too old.
 */
export class MessageMemory {
  readonly #port: MemoryPort
  readonly #options: MemoryOptions
  readonly #seen: SeenCache
  #startedAt = 0

  constructor(port: MemoryPort, options: MemoryOptions) {
    this.#port = port
    this.#options = options
    this.#seen = new SeenCache({ capacity: options.maxMessageIds, windowPast: options.windowPast })
  }

  /** IDs in the cache. */
  get size(): number {
    return this.#seen.size
  }

  /** Begins at this time: what was signed before could be a replay of what an earlier run has delivered. */
  start(): void {
    this.#startedAt = this.#port.clock.now()
  }

  /** Whether one more message of this node's own can be remembered. */
  get hasRoom(): boolean {
    this.#horizon()
    return this.#seen.hasRoomFor(this.#port.self, 1)
  }

  /** Whether a message has this ID: for copies whose time has not been read yet. */
  isKnown(id: MessageId): boolean {
    this.#horizon()
    return this.#seen.has(id) || this.#port.history()?.has(id) === true
  }

  /** Whether a message comes at the wrong time, or there is no room for it. */
  judge(link: string, incoming: Incoming): IgnoreCode | undefined {
    // One time for all of it: asking the clock costs more than most of these checks.
    const now = this.#port.clock.now()
    const horizon = this.#seen.horizon(now)
    return this.#judgeTime(incoming, now, horizon) ?? this.#judgeShare(link, incoming, horizon)
  }

  #judgeTime({ body, isLate }: Incoming, now: number, horizon: number): IgnoreCode | undefined {
    const history = this.#port.history()
    const { windowPast: past, windowFuture: future } = this.#options
    const floor = history?.floor(now)
    // No history keeps requests. Taken from one, they could be brought again and again.
    if (isLate && body.op !== undefined) return 'stale'
    if (isLate) return judgeTime(body, now, { past: now - (floor ?? now), future })
    if (body.time < horizon) return 'stale'
    // What an earlier run has delivered is in the history, if there is one.
    const start = floor ?? this.#startedAt
    return judgeTime(body, now, { past, future }) ?? (body.time < start ? 'before-start' : undefined)
  }

  /** The history has bounds of its own; what is older than the window takes no place in the cache. */
  #judgeShare(link: string, { body }: Pick<Draft, 'body'>, horizon: number): 'overload' | undefined {
    if (body.time < horizon) return undefined
    return this.#seen.hasRoomFor(link, this.#port.linkCount()) ? undefined : 'overload'
  }

  /**
   * Judges once more, after the verification. While this copy was being verified, another one may have come through,
   * and others may have filled the cache. And time has passed: an ID behind the horizon would be forgotten at once,
   * and its next copy delivered again.
   */
  judgeAgain(link: string, incoming: Incoming): IgnoreCode | 'duplicate' | undefined {
    const { id, body, isLate } = incoming
    const { clock, self } = this.#port
    const history = this.#port.history()
    const horizon = this.#horizon()
    if (this.#seen.has(id) || history?.has(id) === true) return 'duplicate'
    // Only now, when it is known to be signed with our key: anyone can name us as the author. While catching up, a
    // node is told what it has said itself before it lost its memory.
    if (body.from === self && !isLate) return 'cloned-key'
    const floor = isLate ? (history?.floor(clock.now()) ?? Infinity) : horizon
    return body.time < floor ? 'stale' : this.#judgeShare(link, incoming, horizon)
  }

  /** Remembers a message that was judged. */
  add({ id, body }: Pick<Draft, 'id' | 'body'>, link: string): void {
    if (body.time >= this.#horizon()) this.#seen.add(id, body.time, link)
  }

  #horizon(): number {
    return this.#seen.horizon(this.#port.clock.now())
  }
}
