import { Plumtree } from '../../lib/relay/plumtree.ts'
import type { MessageId } from '../../lib/wire/ids.ts'
import type { FrameKind, Relaying, SimFrame } from './relaying.ts'
import type { SimLink } from './sim-link.ts'
import type { SimNode } from './sim-node.ts'

/** The package's own relay: its tree, with frames as the protocol has them. */
export class TreeRelay implements Relaying {
  readonly #node: SimNode
  readonly #relay: number
  readonly #tree: Plumtree<SimLink>
  /** When the tree is to be looked after next. */
  #planned = Infinity

  /** @param floodLinks Links up to which a node floods. */
  constructor(node: SimNode, relay: number, floodLinks: number) {
    this.#node = node
    this.#relay = relay
    const { messages } = node.net
    this.#tree = new Plumtree<SimLink>(
      {
        isKnown: (id) => messages.has(node, id),
        announce: (link, ids) => this.#send(link, 'have', ids),
        request: (link, ids) => this.#send(link, 'want', ids),
        prune: (link) => this.#send(link, 'prune'),
        supply: (link, ids) => this.#supply(link, ids),
        expel: (link, code) => node.net.close(link, { code, text: '', by: 'us' }),
      },
      { floodLinks },
    )
  }

  get entries(): number {
    const { eager, lazy, missing } = this.#tree.stats
    return eager + lazy + missing
  }

  up(link: SimLink): void {
    this.#tree.up(link, this.#node.net.now)
    this.#plan()
  }

  down(link: SimLink): void {
    this.#tree.down(link)
    this.#plan()
  }

  isNeeded(link: SimLink): boolean {
    return this.#tree.hasLazyLinks && this.#tree.isEager(link)
  }

  publish(id: MessageId): void {
    this.#pass(id, undefined, 0)
  }

  receive(link: SimLink, { kind, ids, hop }: SimFrame): void {
    const { now } = this.#node.net
    if (kind === 'payload') this.#onPayload(link, ids[0]!, hop)
    else if (kind === 'have') this.#tree.onHave(link, ids, now)
    else if (kind === 'want') this.#tree.onWant(link, ids, now)
    else this.#tree.onPrune(link)
    this.#plan()
  }

  #onPayload(link: SimLink, id: MessageId, hop: number): void {
    const { messages, now } = this.#node.net
    if (!messages.has(this.#node, id)) {
      messages.deliver(this.#node, id, hop)
      this.#tree.heard(id, link)
      this.#pass(id, link, hop)
    } else if (link.isUp) this.#tree.duplicate(id, link, now)
  }

  #pass(id: MessageId, via: SimLink | undefined, hop: number): void {
    const { net, links } = this.#node
    const frame: SimFrame = { relay: this.#relay, kind: 'payload', ids: [id], hop: hop + 1 }
    for (const link of this.#tree.accept(id, links, via, net.now)) net.send(link, frame)
    this.#plan()
  }

  #supply(link: SimLink, ids: readonly MessageId[]): void {
    const { messages } = this.#node.net
    for (const id of ids)
      if (messages.has(this.#node, id)) this.#send(link, 'payload', [id], messages.hopsTo(this.#node, id) + 1)
  }

  #send(link: SimLink, kind: FrameKind, ids: readonly MessageId[] = [], hop = 0): void {
    this.#node.net.send(link, { relay: this.#relay, kind, ids: [...ids], hop })
  }

  #plan(): void {
    const { due } = this.#tree
    const { wheel } = this.#node.net
    if (due >= this.#planned) return
    this.#planned = due
    wheel.plan(due - wheel.now(), this, undefined)
  }

  /** The tree is due. */
  happen(): void {
    if (!this.#node.isAlive) return
    this.#planned = Infinity
    this.#tree.tick(this.#node.net.now)
    this.#plan()
  }
}
