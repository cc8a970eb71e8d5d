import { createHash } from 'node:crypto'
import type { MessageId } from '../../lib/wire/ids.ts'
import type { SimNode } from './sim-node.ts'

/** A node counts for a message if it has been there for so long before, in ms, and is there at the end. */
const SETTLED = 10_000

interface Tracked {
  readonly relay: number
  readonly sentAt: number
  lastAt: number
  /** By the index of the node: steps from the author and one; 0 for those who do not have it. */
  readonly hops: Uint8Array
}

/** What became of one message. */
export interface Fate {
  readonly due: number
  readonly delivered: number
  /** Steps to the node that was reached by the most. */
  readonly maxHops: number
  readonly meanHops: number
  /** From sending to the last delivery, in ms. */
  readonly lastAfter: number
}

/** Who has which message: the memory of all nodes in one place, a byte for each. */
export class MessageLog {
  readonly #capacity: number
  readonly #messages = new Map<MessageId, Tracked>()
  #count = 0
  readonly #deliveries: number[] = []

  /** @param capacity Nodes that there will ever be. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** Deliveries by one relay since they were asked for last, to whomever. */
  takeDeliveries(relay: number): number {
    const deliveries = this.#deliveries[relay] ?? 0
    this.#deliveries[relay] = 0
    return deliveries
  }

  /** A new message, which its author has, and which is to travel by one relay. */
  create(author: SimNode, relay: number): MessageId {
    const id = createHash('sha256').update(`${++this.#count}`).digest('hex') as MessageId
    const hops = new Uint8Array(this.#capacity)
    hops[author.index] = 1
    const now = author.net.now
    this.#messages.set(id, { relay, sentAt: now, lastAt: now, hops })
    return id
  }

  /** Whether a node has a message. What was judged already counts as known to all. */
  has(node: SimNode, id: MessageId): boolean {
    return this.#messages.get(id)?.hops[node.index] !== 0
  }

  /** Steps that a message has made to a node. */
  hopsTo(node: SimNode, id: MessageId): number {
    return (this.#messages.get(id)?.hops[node.index] ?? 1) - 1
  }

  deliver(node: SimNode, id: MessageId, hop: number): void {
    const message = this.#messages.get(id)
    if (message === undefined) return
    message.hops[node.index] = Math.min(255, hop + 1)
    message.lastAt = node.net.now
    this.#deliveries[message.relay] = (this.#deliveries[message.relay] ?? 0) + 1
  }

  /** Judges a message, and forgets it. */
  close(id: MessageId, nodes: readonly SimNode[]): Fate {
    const { sentAt, lastAt, hops } = this.#messages.get(id)!
    this.#messages.delete(id)
    let [due, delivered, maxHops, sum] = [0, 0, 0, 0]
    for (const { index, isAlive, bornAt } of nodes) {
      // The author has it anyway.
      if (!isAlive || bornAt > sentAt - SETTLED || hops[index] === 1) continue
      due++
      if (hops[index] === 0) continue
      delivered++
      const count = hops[index]! - 1
      maxHops = Math.max(maxHops, count)
      sum += count
    }
    return { due, delivered, maxHops, meanHops: sum / Math.max(1, delivered), lastAfter: lastAt - sentAt }
  }
}
