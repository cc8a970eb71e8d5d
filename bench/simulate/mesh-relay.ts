import type { MessageId } from '../../lib/wire/ids.ts'
import type { FrameKind, Relaying, SimFrame } from './relaying.ts'
import type { SimLink } from './sim-link.ts'
import type { SimNode } from './sim-node.ts'

/** Links of the mesh: wanted, fewest and most. */
const DEGREE = 6
const MIN_DEGREE = 4
const MAX_DEGREE = 12
/** Peers outside the mesh that are told IDs in each beat. */
const LAZY = 6
/** Beats of which IDs are told. */
const GOSSIP_BEATS = 3
/** How long a message that was asked for is waited for before another peer is asked, in ms. */
const PATIENCE = 3_000

/**
 * A model of a gossip mesh, as gossipsub 1.0 describes it: messages go over about 6 links, and once a second the IDs
 * of the last three seconds to 6 others, who ask for what they lack. No scores, no peer exchange, no opportunistic
 * grafting: none of them changes the number of copies where nobody lies.
 *
 * Source: libp2p specs, pubsub/gossipsub/gossipsub-v1.0.md.
 */
export class MeshRelay implements Relaying {
  readonly #node: SimNode
  readonly #relay: number
  readonly #mesh = new Set<SimLink>()
  /** IDs of the last beats, the newest first. */
  readonly #recent: MessageId[][] = [[]]
  readonly #asked = new Map<MessageId, number>()

  constructor(node: SimNode, relay: number) {
    this.#node = node
    this.#relay = relay
  }

  get entries(): number {
    return this.#mesh.size + this.#asked.size + this.#recent.reduce((sum, { length }) => sum + length, 0)
  }

  up(): void {}

  down(link: SimLink): void {
    this.#mesh.delete(link)
  }

  publish(id: MessageId): void {
    this.#pass(id, 0, undefined)
  }

  receive(link: SimLink, { kind, ids, hop }: SimFrame): void {
    if (kind === 'payload') this.#onPayload(link, ids[0]!, hop)
    else if (kind === 'have') this.#onHave(link, ids)
    else if (kind === 'want') this.#onWant(link, ids)
    else if (kind === 'prune') this.#mesh.delete(link)
    else if (this.#mesh.size < MAX_DEGREE) this.#mesh.add(link)
    else this.#send(link, 'prune')
  }

  /** Keeps the mesh at its degree, and tells others what there is. */
  beat(): void {
    const { links } = this.#node
    if (this.#mesh.size < MIN_DEGREE)
      for (const link of this.#some(DEGREE - this.#mesh.size, links)) {
        this.#mesh.add(link)
        this.#send(link, 'graft')
      }
    if (this.#mesh.size > MAX_DEGREE)
      for (const link of [...this.#mesh].slice(DEGREE)) {
        this.#mesh.delete(link)
        this.#send(link, 'prune')
      }
    this.#gossip()
  }

  #gossip(): void {
    const ids = this.#recent.flat()
    if (ids.length > 0) for (const link of this.#some(LAZY, this.#node.links)) this.#send(link, 'have', ids)
    if (ids.length > 0 || this.#recent.length < GOSSIP_BEATS) this.#recent.unshift([])
    if (this.#recent.length > GOSSIP_BEATS) this.#recent.pop()
    for (const [id, at] of this.#asked) if (this.#node.net.now - at > PATIENCE) this.#asked.delete(id)
  }

  #onPayload(link: SimLink, id: MessageId, hop: number): void {
    const { messages } = this.#node.net
    if (messages.has(this.#node, id)) return
    this.#asked.delete(id)
    messages.deliver(this.#node, id, hop)
    this.#pass(id, hop, link)
  }

  #onHave(link: SimLink, ids: readonly MessageId[]): void {
    const { messages, now } = this.#node.net
    const wanted = ids.filter((id) => !messages.has(this.#node, id) && !this.#asked.has(id))
    for (const id of wanted) this.#asked.set(id, now)
    if (wanted.length > 0) this.#send(link, 'want', wanted)
  }

  #onWant(link: SimLink, ids: readonly MessageId[]): void {
    const { messages } = this.#node.net
    for (const id of ids)
      if (messages.has(this.#node, id)) this.#send(link, 'payload', [id], messages.hopsTo(this.#node, id) + 1)
  }

  #pass(id: MessageId, hop: number, from: SimLink | undefined): void {
    this.#recent[0]!.push(id)
    const frame: SimFrame = { relay: this.#relay, kind: 'payload', ids: [id], hop: hop + 1 }
    for (const link of this.#mesh) if (link !== from) this.#node.net.send(link, frame)
  }

  #send(link: SimLink, kind: FrameKind, ids: readonly MessageId[] = [], hop = 0): void {
    this.#node.net.send(link, { relay: this.#relay, kind, ids, hop })
  }

  /** Some links outside the mesh, by lot. */
  #some(count: number, links: ReadonlySet<SimLink>): SimLink[] {
    const others = [...links].filter((link) => !this.#mesh.has(link))
    while (others.length > count) {
      others[this.#node.net.chance.below(others.length)] = others.at(-1)!
      others.pop()
    }
    return others
  }
}
