import type { VerdictCode } from '../message/verdict.ts'
import { RecentMap } from '../ground/recent-map.ts'
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

/** The last messages of a node and what became of them: bounded, so it can always be on. */
export class Traces {
  readonly #traces: RecentMap<MessageId, Trace>

  /** @param limit Messages remembered at most; the last half of that number always are. */
  constructor(limit: number) {
    this.#traces = new RecentMap(limit)
  }

  /**
   * The message was judged. A later verdict replaces an earlier refusal: a genuine copy may follow a broken one.
   * Not the other way: whoever sends a broken copy afterwards would change what became of the genuine one.
   */
  record(
    trace: Pick<Explanation, 'id' | 'firstSeen' | 'via' | 'from' | 'type' | 'verdict'>,
    relayedTo: string[],
  ): void {
    const { id, via, from, type, verdict } = trace
    const earlier = this.#traces.get(id)
    if (earlier !== undefined && !isRefusal(earlier.verdict) && isRefusal(verdict)) return
    // Field by field: a spread would cost more than all the rest, and this runs for every message.
    this.#traces.set(id, {
      id,
      firstSeen: earlier?.firstSeen ?? trace.firstSeen,
      via,
      from,
      type,
      verdict,
      relayedTo: relayedTo.slice(0, MAX_NAMED),
      relays: relayedTo.length,
      duplicates: earlier?.duplicates ?? 0,
    })
  }

  /** What was delivered, or taken for it, turned out to be nothing for the application. */
  revise(id: MessageId, verdict: VerdictCode): void {
    const trace = this.#traces.get(id)
    if (trace !== undefined) trace.verdict = verdict
  }

  /** One more copy arrived. */
  duplicate(id: MessageId): void {
    const trace = this.#traces.get(id)
    if (trace !== undefined) trace.duplicates++
  }

  explain(id: MessageId): Explanation | undefined {
    const trace = this.#traces.get(id)
    return trace && { ...trace, relayedTo: [...trace.relayedTo] }
  }
}

function isRefusal(verdict: Explanation['verdict']): boolean {
  return verdict !== 'delivered' && verdict !== 'relayed' && verdict !== 'sent'
}
