import type { Draft } from '../message/draft.ts'
import { isSignedBy, markMessage, type SignedMessage, type Verdict, verifyDraft } from '../message/message.ts'
import type { RejectCode, VerdictCode } from '../message/verdict.ts'
import { VerifiedRoots } from '../message/verified-roots.ts'
import { type Frame, framePayload, Kind } from '../wire/frame.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import {
  type Arrived,
  entriesOf,
  frameOf,
  idOf,
  type Incoming,
  isLate,
  readIncoming,
  whole,
} from './incoming.ts'
import { Intake } from './intake.ts'
import { MessageMemory } from './memory.ts'
import { Outgoing } from './outgoing.ts'
import type { KeptMessage, RelayLink, RelayOptions, RelayPort, RelayStats } from './relay-port.ts'
import type { Accepted, LinkTree, RelayTap } from './relay-tap.ts'
import { type Explanation, Traces } from './traces.ts'
import { RelayTree } from './tree.ts'

/**
 * What a node does with signed messages: verify, remember, deliver, pass on the original bytes to every peer
 * that does not have them. Whatever is wrong with a message, the author it names is not blamed: anyone can name
 * anyone. The link that brought it is, where every correct node would have refused it.
 */
export class Relay<L extends RelayLink> {
  /** Hears of every message that is sent or accepted; undefined while nobody watches, which costs nothing. */
  tap: RelayTap<L> | undefined
  readonly #port: RelayPort<L>
  readonly #options: RelayOptions
  readonly #memory: MessageMemory
  readonly #tree: RelayTree<L>
  readonly #traces: Traces
  readonly #intake: Intake<L, Arrived, Incoming, Verdict>
  readonly #roots = new VerifiedRoots()
  readonly #outgoing: Outgoing<L>
  readonly #refused = new Map<VerdictCode, number>()
  #relayed = 0
  #duplicates = 0

  constructor(port: RelayPort<L>, options: RelayOptions) {
    this.#port = port
    this.#options = options
    this.#memory = new MessageMemory({ ...port, linkCount: () => port.links().size }, options)
    this.#traces = new Traces(options.maxTraces)
    this.#tree = new RelayTree<L>(
      {
        clock: port.clock,
        isKnown: (id) => this.#memory.isKnown(id),
        hasRoom: (link) => !link.isBacklogged,
        write: (link, frame) => port.write([link], frame),
        send: (link, draft, frame) => this.#outgoing.add([link], draft, frame),
        expel: (link, code) => port.expel(link, code),
      },
      options,
    )
    this.#outgoing = new Outgoing((links, frame) => port.write(links, frame))
    this.#intake = new Intake<L, Arrived, Incoming, Verdict>(
      {
        clock: port.clock,
        judge: (link, arrived) => this.#judge(link, arrived),
        verify: ({ draft }) => verifyDraft(draft, options.engine, this.#roots),
        conclude: (link, incoming, verdict) => void this.#conclude(link, incoming, verdict),
        isBacklogged: (link) => port.isBacklogged(link),
      },
      options,
    )
  }

  get stats(): RelayStats {
    const { size: messageIds } = this.#memory
    const refused = Object.fromEntries(this.#refused)
    const { stats: tree } = this.#tree
    return { relayed: this.#relayed, duplicates: this.#duplicates, refused, messageIds, tree }
  }

  /** Begins at this time: what was signed before could be a replay of what an earlier run has delivered. */
  start(): void {
    this.#memory.start()
  }

  /** A link is up that messages are relayed over. */
  up(link: L): void {
    this.#tree.up(link)
  }

  /** It has ended. */
  down(link: L): void {
    this.#tree.down(link)
  }

  /** Whether messages run over a link, while they do not run over all. */
  isBranch(link: L): boolean {
    return this.#tree.isBranch(link)
  }

  treeOf(link: L): LinkTree | undefined {
    return this.#tree.stateOf(link)
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
    this.#memory.add(draft, this.#port.self)
    const eager = this.#spread(draft, undefined, links, undefined)
    this.#settle(draft, undefined, 'sent', eager)
    return this.#keep(draft, undefined, false)
  }

  /** A frame arrived: with messages, what their author has just sent or a peer's history holds, or about them. */
  receive(link: L, frame: Frame): void {
    if (this.#tree.receive(link, frame)) return
    const arrived = frame.kind === Kind.batch ? entriesOf(frame) : [frame]
    if (arrived === undefined) this.#reject(link, 'bad-shape', undefined)
    else this.#intake.receive(link, arrived)
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
    const draft = result.ok ? result.incoming.draft : undefined
    const verdict = draft && (await verifyDraft(draft, this.#options.engine))
    const message = verdict?.ok === true && whole(verdict.message, draft!)
    if (message) this.#port.deliver(link, markMessage(message, { late: true, redelivered: true }), undefined)
  }

  /** Every check before the signature, the cheapest first. */
  #judge(link: L, arrived: Arrived): Incoming | undefined {
    const id = idOf(arrived)
    if (id === 'lost') return this.#reject(link, 'bad-attachment', undefined)
    if (id !== undefined && this.#memory.isKnown(id)) return this.#duplicate(link, id, isLate(arrived))
    const result = readIncoming(arrived, this.#options.net, id)
    if (!result.ok) return this.#reject(link, result.code, id)
    const { incoming } = result
    const code = this.#memory.judge(link.id, incoming)
    if (code !== undefined) {
      this.#tree.dismiss(incoming.id, link)
      return this.#refuse(link, code, incoming)
    }
    if (!incoming.isLate) this.#tree.heard(incoming.id, link)
    return incoming
  }

  async #conclude(link: L, incoming: Incoming, verdict: Verdict): Promise<void> {
    const { id, body, isLate } = incoming
    if (!verdict.ok) {
      this.#tree.refuse(id, link)
      // At once: what else it brought must neither get through nor be judged while this is looked into.
      this.#drop(link)
      const isForged =
        body.from !== link.id && (await isSignedBy(incoming.draft, link.id as NodeId, this.#options.engine))
      this.#reject(link, isForged ? 'forged-author' : 'bad-signature', id, incoming)
      return
    }
    const code = this.#memory.judgeAgain(link.id, incoming)
    if (code === undefined) {
      const message = whole(verdict.message, incoming.draft)
      if (message === undefined) {
        this.#tree.refuse(id, link)
        this.#reject(link, 'bad-attachment', id, incoming)
        return
      }
      this.#memory.add(incoming, link.id)
      if (isLate) this.#acceptLate(link, incoming, message)
      else this.#accept(link, incoming, message)
      return
    }
    if (code === 'duplicate') {
      this.#tree.refuse(id, link)
      this.#duplicate(link, id, isLate)
      return
    }
    this.#tree.dismiss(id, link)
    this.#refuse(link, code, incoming)
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
    const { to } = message
    const isForUs = to === undefined || to.includes(this.#port.self)
    // Addressed to this node alone, it has arrived.
    const links = isForUs && to?.length === 1 ? [] : this.#links(to)
    const eager = this.#spread(incoming.draft, incoming.frame, links, link)
    this.#settle(incoming.draft, link, isForUs ? 'delivered' : 'relayed', eager)
    if (eager.length > 0) this.#relayed++
    const kept = this.#keep(incoming.draft, incoming.frame, isForUs)
    if (isForUs) this.#port.deliver(link, message, kept)
  }

  /** Sends a message on its way. Returns the links that it goes to at once. */
  #spread(draft: Draft, frame: Uint8Array | undefined, links: Iterable<L>, via: L | undefined): readonly L[] {
    const eager = this.#tree.accept(draft, frame, links, via)
    const { to } = draft.body
    if (to !== undefined) {
      // Whom it is for need not wait for what others tell.
      for (const link of links) {
        const isLeftOut = link !== via && !this.#tree.isEager(link) && !eager.includes(link)
        if (isLeftOut && to.includes(link.id as NodeId)) eager.push(link)
      }
    }
    this.#outgoing.add(eager, draft, frame)
    return eager
  }

  /** It goes no further from here: the histories of the other peers are compared with ours. */
  #acceptLate(link: L, incoming: Incoming, message: SignedMessage): void {
    const { to, from } = message
    const isForUs = from !== this.#port.self && (to === undefined || to.includes(this.#port.self))
    this.#settle(incoming.draft, link, isForUs ? 'delivered' : 'relayed', [])
    const kept = this.#keep(incoming.draft, incoming.frame, isForUs)
    if (isForUs) this.#port.deliver(link, markMessage(message, { late: true }), kept)
  }

  /** Requests and their answers are of use for a moment only, and nothing for the history. */
  #keep(draft: Draft, frame: Uint8Array | undefined, needsDelivery: boolean): Promise<void> | undefined {
    const history = this.#port.history()
    const { id, body } = draft
    if (history === undefined || body.op !== undefined) return undefined
    const { from, time, exp } = body
    const parcel = framePayload(frame ?? frameOf(draft))
    return history.add(
      { id, from, time, exp, parcel, hasAttachment: body.bytes !== undefined },
      needsDelivery,
    )
  }

  /** A message is good: what becomes of it is remembered, and told to who watches. */
  #settle(draft: Draft, via: L | undefined, verdict: Accepted, to: readonly L[]): void {
    this.#record(draft, via?.id ?? this.#port.self, verdict, to, this.#port.clock.now())
    this.tap?.(draft, via, verdict, to)
  }

  #record(
    { id, body }: Pick<Draft, 'id' | 'body'>,
    via: string,
    verdict: Explanation['verdict'],
    links: readonly L[],
    now: number,
  ): void {
    const trace = { id, firstSeen: now, via, from: body.from, type: body.type, verdict }
    this.#traces.record(
      trace,
      links.map((link) => link.id),
    )
  }

  #duplicate(link: L, id: MessageId, isLate: boolean): undefined {
    this.#duplicates++
    this.#traces.duplicate(id)
    if (!isLate) this.#tree.duplicate(id, link)
  }

  /** Refuses a message; nothing happens to the link. */
  #refuse(
    link: L,
    code: VerdictCode,
    draft: Pick<Draft, 'id' | 'body'> | undefined,
    id = draft?.id,
  ): undefined {
    this.#count(code)
    if (draft !== undefined) this.#record(draft, link.id, code, [], this.#port.clock.now())
    this.#port.refuse(link, { code, id, from: draft?.body.from, type: draft?.body.type })
  }

  #count(code: VerdictCode): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1)
  }

  /** Refuses a message that no correct node passes on, and everything else that the link has brought. */
  #reject(link: L, code: RejectCode, id: MessageId | undefined, draft?: Incoming): undefined {
    this.#drop(link)
    this.#refuse(link, code, draft, id)
    this.#port.expel(link, code)
  }

  #drop(link: L): void {
    for (const { id } of this.#intake.drop(link)) this.#tree.refuse(id, link)
  }
}
