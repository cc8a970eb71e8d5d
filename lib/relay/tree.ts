import type { Clock, Timer } from '../ground/clock.ts'
import { BatchedDraft, type Draft } from '../message/draft.ts'
import type { CloseCode } from '../wire/close-code.ts'
import { encodeFrame, type Frame, Kind } from '../wire/frame.ts'
import type { MessageId } from '../wire/ids.ts'
import { HeldMessages } from './held.ts'
import { decodeIds, encodeIds } from './id-list.ts'
import { Plumtree } from './plumtree.ts'
import type { LinkTree } from './relay-tap.ts'
import type { TreeOptions, TreeStats } from './tree-port.ts'

/** What the relay tree needs of its relay. */
export interface RelayTreePort<L> {
  readonly clock: Clock
  /** Whether a message has been received and verified. */
  isKnown(id: MessageId): boolean
  /** Whether more may be queued for a link that can wait. */
  hasRoom(link: L): boolean
  write(link: L, frame: Uint8Array): void
  /** Sends a message that a peer wants. `frame` is what carries it alone, where that is there already. */
  send(link: L, draft: Draft, frame: Uint8Array | undefined): void
  expel(link: L, code: CloseCode): void
}

const EMPTY = new Uint8Array(0)

/** The relay tree of a node, with what belongs to it: its frames, its timer, and the messages that peers may want. */
export class RelayTree<L extends object> {
  readonly #port: RelayTreePort<L>
  readonly #tree: Plumtree<L>
  readonly #held = new HeldMessages()
  #timer: Timer | undefined
  #due = Infinity

  constructor(port: RelayTreePort<L>, options: TreeOptions) {
    this.#port = port
    this.#tree = new Plumtree<L>(
      {
        isKnown: (id) => port.isKnown(id),
        announce: (link, ids) => port.write(link, encodeFrame(Kind.have, encodeIds(ids))),
        request: (link, ids) => port.write(link, encodeFrame(Kind.want, encodeIds(ids))),
        prune: (link) => port.write(link, encodeFrame(Kind.prune, EMPTY)),
        supply: (link, ids) => this.#supply(link, ids),
        expel: (link, code) => port.expel(link, code),
      },
      options,
    )
  }

  get stats(): TreeStats {
    return this.#tree.stats
  }

  /** Whether messages run over a link, while they do not run over all. */
  isBranch(link: L): boolean {
    return this.#tree.hasLazyLinks && this.#tree.isEager(link)
  }

  isEager(link: L): boolean {
    return this.#tree.isEager(link)
  }

  stateOf(link: L): LinkTree | undefined {
    return this.#tree.stateOf(link)
  }

  up(link: L): void {
    this.#tree.up(link, this.#port.clock.now())
  }

  down(link: L): void {
    this.#tree.down(link)
    this.#schedule()
  }

  heard(id: MessageId, link: L): void {
    this.#tree.heard(id, link)
  }

  refuse(id: MessageId, link: L): void {
    this.#tree.refuse(id, link)
  }

  dismiss(id: MessageId, link: L): void {
    this.#tree.dismiss(id, link)
  }

  duplicate(id: MessageId, link: L): void {
    this.#tree.duplicate(id, link, this.#port.clock.now())
  }

  /** A message is good: the links that it goes to at once. Peers behind the others are told about it soon. */
  accept(draft: Draft, frame: Uint8Array | undefined, links: Iterable<L>, via: L | undefined): L[] {
    const now = this.#port.clock.now()
    const eager = this.#tree.accept(draft.id, links, via, now)
    if (this.#tree.hasLazyLinks) {
      this.#held.add(draft, frame, sizeOf(draft, frame), now)
      this.#schedule()
    }
    return eager
  }

  /** A frame arrived. `false` if it is none of the tree's. */
  receive(link: L, { kind, payload }: Frame): boolean {
    if (kind === Kind.prune) this.#onPrune(link, payload)
    else if (kind === Kind.have || kind === Kind.want) this.#onIds(link, kind, payload)
    else return false
    this.#schedule()
    return true
  }

  #onPrune(link: L, payload: Uint8Array): void {
    if (payload.length > 0) this.#port.expel(link, 'bad-payload')
    else this.#tree.onPrune(link)
  }

  #onIds(link: L, kind: number, payload: Uint8Array): void {
    const ids = decodeIds(payload)
    const now = this.#port.clock.now()
    if (ids === undefined) this.#port.expel(link, 'bad-payload')
    else if (kind === Kind.have) this.#tree.onHave(link, ids, now)
    else this.#tree.onWant(link, ids, now)
  }

  #supply(link: L, ids: readonly MessageId[]): void {
    for (const id of ids) {
      // Who asks for more than he reads must not lose the link by it.
      if (!this.#port.hasRoom(link)) return
      const held = this.#held.get(id)
      if (held !== undefined) this.#port.send(link, held.draft, held.frame)
    }
  }

  /** One timer for all that is due. It is not moved back: a tick too many costs less than a timer for each message. */
  #schedule(): void {
    const { due } = this.#tree
    if (due >= this.#due) return
    this.#timer?.cancel()
    this.#due = due
    this.#timer = this.#port.clock.setTimer(() => this.#tick(), Math.max(0, due - this.#port.clock.now()))
  }

  #tick(): void {
    this.#due = Infinity
    this.#tree.tick(this.#port.clock.now())
    this.#schedule()
  }
}

/** About how many bytes a message takes: for bounds, and for people. */
export function sizeOf(draft: Draft, frame: Uint8Array | undefined): number {
  if (frame !== undefined) return frame.length
  // A document of a batch is written only if somebody wants it.
  const length = draft instanceof BatchedDraft ? draft.bodyBytes.length : draft.bytes.length
  return length + (draft.attachment?.length ?? 0)
}
