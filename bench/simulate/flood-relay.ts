import { Flood } from './flood.ts'
import type { MessageId } from '../../lib/wire/ids.ts'
import type { Relaying, SimFrame } from './relaying.ts'
import type { SimLink } from './sim-link.ts'
import type { SimNode } from './sim-node.ts'

/** Everything over every link: the package's `Flood`. */
export class FloodRelay implements Relaying {
  readonly #node: SimNode
  readonly #relay: number
  readonly #flood = new Flood<SimLink>()

  constructor(node: SimNode, relay: number) {
    this.#node = node
    this.#relay = relay
  }

  /** It keeps nothing but the IDs of messages, which all relays need. */
  get entries(): number {
    return 0
  }

  up(): void {}

  down(): void {}

  publish(id: MessageId): void {
    this.#pass(id, 0)
  }

  receive(link: SimLink, { ids: [id], hop }: SimFrame): void {
    const { messages } = this.#node.net
    if (id === undefined || messages.has(this.#node, id)) return
    messages.deliver(this.#node, id, hop)
    this.#flood.heard(id, link)
    this.#pass(id, hop)
  }

  #pass(id: MessageId, hop: number): void {
    const frame: SimFrame = { relay: this.#relay, kind: 'payload', ids: [id], hop: hop + 1 }
    for (const link of this.#flood.accept(id, this.#node.links)) this.#node.net.send(link, frame)
  }
}
