import type { MessageId } from '../../lib/wire/ids.ts'
import type { Fate } from './message-log.ts'
import type { SimNet } from './sim-net.ts'
import type { SimNode } from './sim-node.ts'

/** Between two messages of one relay, in ms. */
const INTERVAL = 250

/** What some messages have cost, and whom they have reached. */
export interface Figures {
  readonly messages: number
  /** Deliveries that were due, and those that were not made. */
  readonly due: number
  readonly lost: number
  /** Messages that have reached everybody. */
  readonly complete: number
  /** Payloads written to links, for each delivery. */
  readonly copies: number
  /** Bytes of have, want, graft and prune frames, for each delivery. */
  readonly controlBytes: number
  /** Frames sent and received by a node for each message, on average, and by the busiest node. */
  readonly frames: number
  readonly maxFrames: number
  readonly meanHops: number
  readonly maxHops: number
  /** From sending to the last delivery, in ms: the median of the messages, and the longest. */
  readonly lastAfter: number
  readonly maxLastAfter: number
}

/** One of the relays that are compared. */
export interface Contender {
  readonly name: string
  /** Its place in the relays of each node. */
  readonly relay: number
  /** Messages for one measurement. */
  readonly messages: number
}

/** Sends messages of nodes by lot, and sees what becomes of them. */
export class Measurement {
  readonly #net: SimNet
  readonly #contenders: readonly Contender[]
  readonly #sent: { readonly contender: Contender; readonly id: MessageId }[] = []

  constructor(net: SimNet, contenders: readonly Contender[]) {
    this.#net = net
    this.#contenders = contenders
    net.traffic.reset()
    for (const { relay } of contenders) net.messages.takeDeliveries(relay)
  }

  /**
   * Sends the messages of all contenders, one of each every 250 ms.
   *
   * @param between What else happens, once before each.
   */
  async send(onStep: () => void, between: () => void = () => {}): Promise<void> {
    const rounds = Math.max(0, ...this.#contenders.map(({ messages }) => messages))
    for (let round = 0; round < rounds; round++) {
      between()
      for (const contender of this.#contenders) if (round < contender.messages) this.#publish(contender)
      await this.#net.pass(INTERVAL, onStep)
    }
  }

  /** What has become of them until now; by the name of the contender. */
  end(): Record<string, Figures> {
    const { nodes, messages } = this.#net
    const fates = this.#sent.map(({ contender, id }) => ({ contender, fate: messages.close(id, nodes) }))
    return Object.fromEntries(
      this.#contenders.map((contender) => {
        const own = fates.filter((one) => one.contender === contender).map(({ fate }) => fate)
        return [contender.name, this.#figures(contender, own)]
      }),
    )
  }

  #publish(contender: Contender): void {
    const author = this.#author()
    const id = this.#net.messages.create(author, contender.relay)
    this.#sent.push({ contender, id })
    author.relays[contender.relay]!.publish(id)
  }

  /** Somebody who is in the network: a message of a node without links is nobody's loss. */
  #author(): SimNode {
    const { nodes, chance } = this.#net
    for (;;) {
      const node = nodes[chance.below(nodes.length)]!
      if (node.isAlive && node.links.size > 0) return node
    }
  }

  #figures({ relay }: Contender, fates: readonly Fate[]): Figures {
    const { traffic, messages, nodes } = this.#net
    const { payloads, controlBytes, perNode } = traffic.relays[relay]!
    const deliveries = Math.max(1, messages.takeDeliveries(relay))
    const count = Math.max(1, fates.length)
    const sum = (one: (fate: Fate) => number): number => fates.reduce((all, fate) => all + one(fate), 0)
    const max = (one: (fate: Fate) => number): number => Math.max(0, ...fates.map(one))
    const alive = nodes.reduce((all, { isAlive }) => all + Number(isAlive), 0)
    const lasts = fates.map(({ lastAfter }) => lastAfter).sort((a, b) => a - b)
    return {
      messages: fates.length,
      due: sum(({ due }) => due),
      lost: sum(({ due, delivered }) => due - delivered),
      complete: sum(({ due, delivered }) => Number(due === delivered)),
      copies: payloads / deliveries,
      controlBytes: controlBytes / deliveries,
      frames: perNode.reduce((all, frames) => all + frames, 0) / alive / count,
      maxFrames: perNode.reduce((most, frames) => Math.max(most, frames), 0) / count,
      meanHops: sum(({ meanHops }) => meanHops) / count,
      maxHops: max(({ maxHops }) => maxHops),
      lastAfter: lasts[lasts.length >> 1] ?? 0,
      maxLastAfter: lasts.at(-1) ?? 0,
    }
  }
}
