import type { Engine } from '../identity/engine.ts'
import { MAX_BOUNCED_ASKS, MAX_CLAIMS, MAX_REQUEST_TIMEOUT } from '../limits/direct-limits.ts'
import type { SignedMessage } from '../message/message.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import { followBounces, openBouncedAsk } from './bounce-chain.ts'
import { readAsk, readBounce } from './envelope.ts'
import type { ReceivedAsk } from './exchange-port.ts'
import type { RequestFault } from './request-faults.ts'

/** An ask that is for this node, or why it is none. */
export type AskResult = ReceivedAsk | RequestFault

/**
 * Reads an ask: it has one addressee and an end, and that not further away than a message lives.
 *
 * @param now In ms since the epoch.
 */
export function receivedAsk(
  ask: SignedMessage,
  now: number,
  by: readonly string[] = [],
  bounces: readonly NodeId[] = [],
): AskResult {
  const envelope = readAsk(ask.data)
  const { exp, time, to, re } = ask
  if (envelope === undefined || exp === undefined || to?.length !== 1 || re !== undefined) return 'malformed'
  if (exp - time > MAX_REQUEST_TIMEOUT) return 'malformed'
  if (exp <= now) return 'expired'
  // An asker whose clock is ahead gets no more time than any other.
  const deadline = Math.min(exp, now + MAX_REQUEST_TIMEOUT)
  return { message: ask, want: envelope.want, deadline, by, bounces }
}

/**
 * Asks that were for somebody else who has passed them on to this node. Each is taken once: the relay knows the
 * message that brings it, and not the ask inside, which a dishonest node could bring again and again.
 */
export class BouncedAsks {
  readonly #self: NodeId
  readonly #engine: Engine | undefined
  /** When each that was taken ends. */
  readonly #taken = new Map<MessageId, number>()
  #verifying = 0

  constructor(self: NodeId, engine: Engine | undefined) {
    this.#self = self
    this.#engine = engine
  }

  /** Verifies a bounce that names this node: the ask inside, and that the bounces lead here. */
  async open(bounce: SignedMessage, now: () => number): Promise<AskResult> {
    const envelope = readBounce(bounce.data)
    const { re, to, bytes } = bounce
    const isWhole = envelope !== undefined && re !== undefined && bytes !== undefined && to?.length === 2
    if (!isWhole) return 'malformed'
    if (envelope.to !== this.#self) return 'foreign'
    if (this.#taken.has(re)) return 'doubled'
    if (this.#verifying >= MAX_CLAIMS || !this.#hasRoom(now())) return 'overload'
    this.#verifying++
    try {
      const result = await this.#verify(bounce, [...envelope.by, bounce.document], now)
      return typeof result === 'string' ? result : this.#take(result)
    } finally {
      this.#verifying--
    }
  }

  async #verify(bounce: SignedMessage, by: readonly string[], now: () => number): Promise<AskResult> {
    const ask = await openBouncedAsk(bounce, this.#engine)
    const addressee = ask?.to?.[0]
    if (ask === undefined || addressee === undefined || bounce.to?.includes(ask.from) !== true)
      return 'bad-bounce'
    const { id, net, type, from: asker } = ask
    const thread = { id, net, type, asker, addressee }
    const bounces = await followBounces(thread, by, this.#self, this.#engine)
    return bounces === undefined ? 'bad-bounce' : receivedAsk(ask, now(), by, bounces)
  }

  /** While it was verified, the same one may have come again. */
  #take(ask: ReceivedAsk): AskResult {
    if (this.#taken.has(ask.message.id)) return 'doubled'
    this.#taken.set(ask.message.id, ask.message.exp!)
    return ask
  }

  /** None is forgotten before its end. */
  #hasRoom(now: number): boolean {
    if (this.#taken.size < MAX_BOUNCED_ASKS) return true
    for (const [id, end] of this.#taken) if (end <= now) this.#taken.delete(id)
    return this.#taken.size < MAX_BOUNCED_ASKS
  }
}
