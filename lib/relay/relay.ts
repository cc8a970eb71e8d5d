import type { Clock } from '../clock.ts'
import type { Engine } from '../identity/engine.ts'
import {
  type Draft,
  idOfBytes,
  isSignedBy,
  judgeTime,
  readDraft,
  type SignedMessage,
  type Verdict,
  verifyDraft,
} from '../message/message.ts'
import { type IgnoreCode, type RejectCode, type VerdictCode } from '../message/verdict.ts'
import { encodeFrame, framePayload, Kind } from '../wire/frame.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import { Flood } from './flood.ts'
import { Intake, type IntakeLink, type IntakeOptions } from './intake.ts'
import { SeenCache } from './seen.ts'
import { type Explanation, Traces } from './traces.ts'

/** A message that was not delivered, and why. */
export interface Refusal {
  readonly code: VerdictCode
  /** Its ID, where it could be read. */
  readonly id: MessageId | undefined
  /** The author that it names: unproven. */
  readonly from: NodeId | undefined
  readonly type: string | undefined
}

/** A link, as far as relaying goes. */
export interface RelayLink extends IntakeLink {
  /** The peer at its other end. */
  readonly id: string
}

/** What relaying needs of its node. */
export interface RelayPort<L> {
  readonly self: NodeId
  readonly clock: Clock
  /** Links that are up. */
  links(): ReadonlySet<L>
  write(links: readonly L[], frame: Uint8Array): void
  /** Whether what comes over a link piles up before the others. */
  isBacklogged(link: L): boolean
  deliver(link: L, message: SignedMessage): unknown
  refuse(link: L, refusal: Refusal): void
  /** The link brought what no correct node passes on. */
  expel(link: L, code: RejectCode): void
}

/** What messages are judged by, and how many are remembered. */
export interface RelayOptions extends IntakeOptions {
  readonly net: string
  readonly windowPast: number
  readonly windowFuture: number
  readonly maxMessageIds: number
  readonly maxTraces: number
  /** What verifies signatures. @default the fastest of this platform */
  readonly engine?: Engine | undefined
}

/** What became of the messages of others. */
export interface RelayStats {
  /** Messages passed on, each counted once whatever the number of peers. */
  readonly relayed: number
  /** Further copies of messages that this node had already. */
  readonly duplicates: number
  /** Messages refused, by code. */
  readonly refused: Readonly<Partial<Record<VerdictCode, number>>>
  /** Message IDs remembered. */
  readonly messageIds: number
}

interface Incoming extends Draft {
  /** The frame that brought it, byte for byte: what is relayed. */
  readonly frame: Uint8Array
}

/**
 * What a node does with signed messages: verify, remember, deliver, pass on the original bytes to every peer
 * that does not have them. Whatever is wrong with a message, the author it names is not blamed: anyone can name
 * anyone. The link that brought it is, where every correct node would have refused it.
 */
export class Relay<L extends RelayLink> {
  readonly #port: RelayPort<L>
  readonly #options: RelayOptions
  readonly #seen: SeenCache
  readonly #flood = new Flood<L>()
  readonly #traces: Traces
  readonly #intake: Intake<L, Incoming, Verdict>
  readonly #refused = new Map<VerdictCode, number>()
  #startedAt = 0
  #relayed = 0
  #duplicates = 0

  constructor(port: RelayPort<L>, options: RelayOptions) {
    this.#port = port
    this.#options = options
    this.#seen = new SeenCache({ capacity: options.maxMessageIds, windowPast: options.windowPast })
    this.#traces = new Traces(options.maxTraces)
    this.#intake = new Intake<L, Incoming, Verdict>(
      {
        clock: port.clock,
        judge: (link, payload) => this.#judge(link, payload),
        verify: (incoming) => verifyDraft(incoming, options.engine),
        conclude: (link, incoming, verdict) => void this.#conclude(link, incoming, verdict),
        isBacklogged: (link) => port.isBacklogged(link),
      },
      options,
    )
  }

  get stats(): RelayStats {
    const { size: messageIds } = this.#seen
    const refused = Object.fromEntries(this.#refused)
    return { relayed: this.#relayed, duplicates: this.#duplicates, refused, messageIds }
  }

  /** Begins at this time: what was signed before could be a replay of what an earlier run has delivered. */
  start(): void {
    this.#startedAt = this.#port.clock.now()
  }

  /** Peers have read what was queued for them. */
  wake(): void {
    this.#intake.wake()
  }

  explain(id: MessageId): Explanation | undefined {
    return this.#traces.explain(id)
  }

  /** Whether one more message of this node's own can be remembered. */
  get hasRoom(): boolean {
    this.#seen.horizon(this.#port.clock.now())
    return this.#seen.hasRoomFor(this.#port.self, 1)
  }

  /** Sends a message of this node's own to some links. */
  send(draft: Draft, links: readonly L[]): void {
    const { self, clock } = this.#port
    const { id, body } = draft
    this.#seen.add(id, body.time, self)
    this.#record(draft, self, 'sent', links, clock.now())
    this.#port.write(links, encodeFrame(Kind.message, draft.bytes))
  }

  /** A document arrived. */
  receive(link: L, payload: Uint8Array): void {
    this.#intake.receive(link, payload)
  }

  /** Every check before the signature, the cheapest first. */
  #judge(link: L, payload: Uint8Array): Incoming | undefined {
    const id = idOfBytes(payload)
    const now = this.#port.clock.now()
    const horizon = this.#seen.horizon(now)
    if (id !== undefined && this.#seen.hasAnywhere(id)) return this.#duplicate(id)
    // One copy: what is verified, shown and relayed are the same bytes, whoever owns the buffer they came in.
    const frame = encodeFrame(Kind.message, payload)
    const result = readDraft(framePayload(frame), this.#options.net, id)
    if (!result.ok) return this.#reject(link, result.code, id)
    const incoming = { ...result.draft, frame }
    const code = this.#judgeTime(incoming, now, horizon) ?? this.#judgeShare(link)
    if (code !== undefined) return this.#refuse(link, code, incoming)
    this.#flood.heard(incoming.id, link)
    return incoming
  }

  #judgeTime({ body }: Draft, now: number, horizon: number): IgnoreCode | undefined {
    if (body.time < horizon) return 'stale'
    const { windowPast: past, windowFuture: future } = this.#options
    return (
      judgeTime(body, now, { past, future }) ?? (body.time < this.#startedAt ? 'before-start' : undefined)
    )
  }

  #judgeShare(link: L): 'overload' | undefined {
    return this.#seen.hasRoomFor(link.id, this.#port.links().size) ? undefined : 'overload'
  }

  async #conclude(link: L, incoming: Incoming, verdict: Verdict): Promise<void> {
    const { id, body } = incoming
    if (!verdict.ok) {
      this.#flood.refuse(id, link)
      // At once: what else it brought must neither get through nor be judged while this is looked into.
      this.#drop(link)
      const isForged =
        body.from !== link.id && (await isSignedBy(incoming, link.id as NodeId, this.#options.engine))
      this.#reject(link, isForged ? 'forged-author' : 'bad-signature', id, incoming)
      return
    }
    const code = this.#judgeAgain(link, incoming)
    if (code === undefined) {
      this.#seen.add(id, body.time, link.id)
      this.#accept(link, incoming, verdict.message)
      return
    }
    this.#flood.refuse(id, link)
    if (code === 'duplicate') this.#duplicate(id)
    else this.#refuse(link, code, incoming)
    // Told once; further copies are duplicates.
    if (code === 'cloned-key') this.#seen.add(id, body.time, link.id)
  }

  /**
   * While this copy was being verified, another one may have come through, and others may have filled the cache.
   * And time has passed: an ID behind the horizon would be forgotten at once, and its next copy delivered again.
   */
  #judgeAgain(link: L, { id, body }: Draft): IgnoreCode | 'duplicate' | undefined {
    const horizon = this.#seen.horizon(this.#port.clock.now())
    if (this.#seen.has(id, body.time)) return 'duplicate'
    // Only now, when it is known to be signed with our key: anyone can name us as the author.
    if (body.from === this.#port.self) return 'cloned-key'
    return body.time < horizon ? 'stale' : this.#judgeShare(link)
  }

  #accept(link: L, incoming: Incoming, message: SignedMessage): void {
    const { self, clock } = this.#port
    const { id, to } = message
    const isForUs = to === undefined || to.includes(self)
    // Addressed to this node alone, it has arrived.
    const links = this.#flood.accept(id, isForUs && to?.length === 1 ? [] : this.#port.links())
    this.#record(incoming, link.id, isForUs ? 'delivered' : 'relayed', links, clock.now())
    if (links.length > 0) this.#relayed++
    this.#port.write(links, incoming.frame)
    if (isForUs) this.#port.deliver(link, message)
  }

  #record(
    draft: Draft,
    via: string,
    verdict: Explanation['verdict'],
    links: readonly L[],
    now: number,
  ): void {
    const { id, body } = draft
    const trace = { id, firstSeen: now, via, from: body.from, type: body.type, verdict }
    this.#traces.record(
      trace,
      links.map((link) => link.id),
    )
  }

  #duplicate(id: MessageId): undefined {
    this.#duplicates++
    this.#traces.duplicate(id)
  }

  /** Refuses a message; nothing happens to the link. */
  #refuse(link: L, code: VerdictCode, draft: Draft | undefined, id = draft?.id): undefined {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
    if (draft !== undefined) this.#record(draft, link.id, code, [], this.#port.clock.now())
    this.#port.refuse(link, { code, id, from: draft?.body.from, type: draft?.body.type })
  }

  /** Refuses a message that no correct node passes on, and everything else that the link has brought. */
  #reject(link: L, code: RejectCode, id: MessageId | undefined, draft?: Draft): undefined {
    this.#drop(link)
    this.#refuse(link, code, draft, id)
    this.#port.expel(link, code)
  }

  #drop(link: L): void {
    for (const { id } of this.#intake.drop(link)) this.#flood.refuse(id, link)
  }
}
