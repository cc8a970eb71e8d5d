import type { VerdictCode } from '../message/verdict.ts'
import type { MessageId } from '../wire/ids.ts'

/** What happened to a message at this node. */
export interface Explanation {
  readonly id: MessageId
  /** When the first copy was seen, in ms since the epoch. */
  readonly firstSeen: number
  /** The peer that brought the first copy; the node's own ID for a message of its own. */
  readonly via: string
  /** The author that the message names; proven only where the verdict is no refusal. */
  readonly from: string | undefined
  readonly type: string | undefined
  /**
   * `sent` by this node, `delivered` to its application, only `relayed` because it is addressed to others, or
   * the code it was refused with.
   */
  readonly verdict: 'sent' | 'delivered' | 'relayed' | VerdictCode
  /** Peers that it was sent on to; the first 64 of {@link relays}. */
  readonly relayedTo: readonly string[]
  /** To how many peers it was sent on. */
  readonly relays: number
  /** Further copies that arrived. */
  readonly duplicates: number
}

type Trace = { -readonly [K in keyof Explanation]: Explanation[K] }

const MAX_NAMED = 64

/** The last messages of a node and what became of them: a ring, so it can always be on. */
export class Traces {
  readonly #capacity: number
  readonly #traces = new Map<MessageId, Trace>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** The message was judged. A later verdict on the same ID replaces an earlier refusal, not the other way. */
  record(
    trace: Pick<Explanation, 'id' | 'firstSeen' | 'via' | 'from' | 'type' | 'verdict'>,
    relayedTo: string[],
  ): void {
    const earlier = this.#traces.get(trace.id)
    if (earlier !== undefined) this.#traces.delete(trace.id)
    const { firstSeen = trace.firstSeen, duplicates = 0 } = earlier ?? {}
    const relays = relayedTo.length
    this.#traces.set(trace.id, {
      ...trace,
      firstSeen,
      duplicates,
      relays,
      relayedTo: relayedTo.slice(0, MAX_NAMED),
    })
    if (this.#traces.size > this.#capacity) this.#traces.delete(this.#traces.keys().next().value!)
  }

  /** One more copy arrived. */
  duplicate(id: MessageId): void {
    const trace = this.#traces.get(id)
    if (trace !== undefined) trace.duplicates++
  }

  explain(id: MessageId): Explanation | undefined {
    const trace = this.#traces.get(id)
    return trace && { ...trace }
  }
}
