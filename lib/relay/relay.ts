import type { Draft } from '../message/draft.ts'
import { isSignedBy, markMessage, type SignedMessage, type Verdict, verifyDraft } from '../message/message.ts'
import { idOfBytes } from '../message/message-id.ts'
import type { RejectCode, VerdictCode } from '../message/verdict.ts'
import { type Frame, framePayload, Kind } from '../wire/frame.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import { Flood } from './flood.ts'
import { documentIn, frameOf, type Incoming, readIncoming, whole } from './incoming.ts'
import { Intake } from './intake.ts'
import { MessageMemory } from './memory.ts'
import type { KeptMessage, RelayLink, RelayOptions, RelayPort, RelayStats } from './relay-port.ts'
import { type Explanation, Traces } from './traces.ts'

/**
 * What a node does with signed messages: verify, remember, deliver, pass on the original bytes to every peer
 * that does not have them. Whatever is wrong with a message, the author it names is not blamed: anyone can name
 * anyone. The link that brought it is, where every correct node would have refused it.
 */
export class Relay<L extends RelayLink> {
  readonly #port: RelayPort<L>
  readonly #options: RelayOptions
  readonly #memory: MessageMemory
  readonly #flood = new Flood<L>()
  readonly #traces: Traces
  readonly #intake: Intake<L, Incoming, Verdict>
  readonly #refused = new Map<VerdictCode, number>()
  #relayed = 0
  #duplicates = 0

  constructor(port: RelayPort<L>, options: RelayOptions) {
    this.#port = port
    this.#options = options
    this.#memory = new MessageMemory({ ...port, linkCount: () => port.links().size }, options)
    this.#traces = new Traces(options.maxTraces)
    this.#intake = new Intake<L, Incoming, Verdict>(
      {
        clock: port.clock,
        judge: (link, frame) => this.#judge(link, frame),
        verify: (incoming) => verifyDraft(incoming, options.engine),
        conclude: (link, incoming, verdict) => void this.#conclude(link, incoming, verdict),
        isBacklogged: (link) => port.isBacklogged(link),
      },
      options,
    )
  }

  get stats(): RelayStats {
    const { size: messageIds } = this.#memory
    const refused = Object.fromEntries(this.#refused)
    return { relayed: this.#relayed, duplicates: this.#duplicates, refused, messageIds }
  }

  /** Begins at this time: what was signed before could be a replay of what an earlier run has delivered. */
  start(): void {
    this.#memory.start()
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
    return this.#memory.hasRoom
  }

  /** Sends a message of this node's own to some links. */
  send(draft: Draft, links: readonly L[]): Promise<void> | undefined {
    const { self, clock } = this.#port
    this.#memory.add(draft, self)
    this.#record(draft, self, 'sent', links, clock.now())
    const frame = frameOf(draft)
    this.#port.write(links, frame)
    return this.#keep({ ...draft, frame }, false)
  }

  /** A frame with a document arrived: what its author has just sent, or a piece of a peer's history. */
  receive(link: L, frame: Frame): void {
    this.#intake.receive(link, frame)
  }

  /** A message that was delivered turned out to be nothing for the application. */
  refuseContent(
    link: L,
    { id, from, type }: SignedMessage,
    code: 'unreadable' | 'invalid-content',
    text: string,
  ): void {
    this.#count(code)
    this.#traces.revise(id, code)
    this.#port.refuse(link, { code, id, from, type, text })
  }

  /** Delivers what the history holds and the application may not have heard of: the process was killed at that. */
  async redeliver(
    link: L,
    { parcel, hasAttachment }: Pick<KeptMessage, 'parcel' | 'hasAttachment'>,
  ): Promise<void> {
    const frame = { kind: hasAttachment ? Kind.parcel : Kind.message, payload: parcel }
    const result = readIncoming(frame, this.#options.net)
    const verdict = result.ok && (await verifyDraft(result.incoming, this.#options.engine))
    const message = verdict && verdict.ok && whole(verdict.message, result.incoming)
    if (message) this.#port.deliver(link, markMessage(message, { late: true, redelivered: true }), undefined)
  }

  /** Every check before the signature, the cheapest first. */
  #judge(link: L, frame: Frame): Incoming | undefined {
    const document = documentIn(frame)
    if (document === undefined) return this.#reject(link, 'bad-attachment', undefined)
    const id = idOfBytes(document)
    if (id !== undefined && this.#memory.isKnown(id)) return this.#duplicate(id)
    const result = readIncoming(frame, this.#options.net, id)
    if (!result.ok) return this.#reject(link, result.code, id)
    const { incoming } = result
    const code = this.#memory.judge(link.id, incoming)
    if (code !== undefined) return this.#refuse(link, code, incoming)
    if (!incoming.isLate) this.#flood.heard(incoming.id, link)
    return incoming
  }

  async #conclude(link: L, incoming: Incoming, verdict: Verdict): Promise<void> {
    const { id, body, isLate } = incoming
    if (!verdict.ok) {
      this.#flood.refuse(id, link)
      // At once: what else it brought must neither get through nor be judged while this is looked into.
      this.#drop(link)
      const isForged =
        body.from !== link.id && (await isSignedBy(incoming, link.id as NodeId, this.#options.engine))
      this.#reject(link, isForged ? 'forged-author' : 'bad-signature', id, incoming)
      return
    }
    const code = this.#memory.judgeAgain(link.id, incoming)
    if (code === undefined) {
      const message = whole(verdict.message, incoming)
      if (message === undefined) {
        this.#flood.refuse(id, link)
        this.#reject(link, 'bad-attachment', id, incoming)
        return
      }
      this.#memory.add(incoming, link.id)
      if (isLate) this.#acceptLate(link, incoming, message)
      else this.#accept(link, incoming, message)
      return
    }
    if (!isLate) this.#flood.refuse(id, link)
    if (code === 'duplicate') this.#duplicate(id)
    else this.#refuse(link, code, incoming)
    // Told once; further copies are duplicates.
    if (code === 'cloned-key') this.#memory.add(incoming, link.id)
  }

  /** Where a message goes: to all peers, and to those of its addressees who are here for a moment only. */
  #links(to: readonly NodeId[] | undefined): Iterable<L> {
    const links = this.#port.links()
    const direct = to?.map((id) => this.#port.linkTo(id)).filter((one) => one !== undefined) ?? []
    return direct.length === 0 ? links : new Set([...links, ...direct])
  }

  #accept(link: L, incoming: Incoming, message: SignedMessage): void {
    const { self, clock } = this.#port
    const { id, to } = message
    const isForUs = to === undefined || to.includes(self)
    // Addressed to this node alone, it has arrived.
    const links = this.#flood.accept(id, isForUs && to?.length === 1 ? [] : this.#links(to))
    this.#record(incoming, link.id, isForUs ? 'delivered' : 'relayed', links, clock.now())
    if (links.length > 0) this.#relayed++
    this.#port.write(links, incoming.frame)
    const kept = this.#keep(incoming, isForUs)
    if (isForUs) this.#port.deliver(link, message, kept)
  }

  /** It goes no further from here: the histories of the other peers are compared with ours. */
  #acceptLate(link: L, incoming: Incoming, message: SignedMessage): void {
    const { self, clock } = this.#port
    const { to, from } = message
    const isForUs = from !== self && (to === undefined || to.includes(self))
    this.#record(incoming, link.id, isForUs ? 'delivered' : 'relayed', [], clock.now())
    const kept = this.#keep(incoming, isForUs)
    if (isForUs) this.#port.deliver(link, markMessage(message, { late: true }), kept)
  }

  /** Requests and their answers are of use for a moment only, and nothing for the history. */
  #keep(
    { id, body, frame }: Pick<Incoming, 'id' | 'body' | 'frame'>,
    needsDelivery: boolean,
  ): Promise<void> | undefined {
    if (body.op !== undefined) return undefined
    const { from, time, exp } = body
    const parcel = framePayload(frame)
    return this.#port.history?.add(
      { id, from, time, exp, parcel, hasAttachment: body.bytes !== undefined },
      needsDelivery,
    )
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
    this.#count(code)
    if (draft !== undefined) this.#record(draft, link.id, code, [], this.#port.clock.now())
    this.#port.refuse(link, { code, id, from: draft?.body.from, type: draft?.body.type })
  }

  #count(code: VerdictCode): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
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
