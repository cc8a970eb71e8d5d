import { MAX_FAILURES_UNTRIED, MAX_RECORDS_PER_ANSWER } from '../../lib/limits/network-limits.ts'
import type { Address } from '../../lib/wire/address.ts'
import type { CandidateBook } from '../../lib/overlay/candidates.ts'

/** Nodes in a view. The book of a real node has up to 4,096, each with a signed record: 50,000 books fit nowhere. */
export const MAX_VIEW = 64

/** A node, as far as others know it. */
export interface Viewed {
  readonly id: string
  readonly address: Address
}

/**
 * What stands in for the peer book: 64 nodes by reference, without records. As in the book, half of the places are
 * for nodes that were met, hearsay makes way for hearsay, and who fails 4 times is forgotten.
 */
export class PassiveView<N extends Viewed> implements CandidateBook {
  readonly #self: N
  readonly #random: () => number
  readonly #nodes: N[] = []
  /** By place: whether there was a link to the node, for only such nodes are told to others; and failed dials. */
  readonly #hasMet: boolean[] = []
  readonly #failures: number[] = []

  constructor(self: N, random: () => number) {
    this.#self = self
    this.#random = random
  }

  get size(): number {
    return this.#nodes.length
  }

  /** There is, or was, a link to it. */
  met(node: N): void {
    this.#put(this.#placeFor(node), node, true)
  }

  /** Somebody has told of it. */
  heard(node: N): void {
    if (node !== this.#self && !this.#nodes.includes(node)) this.#put(this.#placeFor(node), node, false)
  }

  /** Whom to tell somebody who asks: up to 16 by lot, all of them met. */
  sample(asker: N): N[] {
    const found: N[] = []
    this.#round((node, hasMet) => {
      if (hasMet && node !== asker) found.push(node)
      return found.length >= MAX_RECORDS_PER_ANSWER
    })
    return found
  }

  pick(
    _now: number,
    isWanted: (peer: { readonly id: string }, address: Address) => boolean,
  ): ({ readonly id: string } & Address) | undefined {
    const isMetFirst = this.#random() < 0.5
    for (const kind of [isMetFirst, !isMetFirst]) {
      const node = this.#round((one, hasMet) => hasMet === kind && isWanted(one, one.address))
      if (node !== undefined) return { id: node.id, ...node.address }
    }
    return undefined
  }

  failed(id: string): void {
    const place = this.#nodes.findIndex((node) => node.id === id)
    if (place >= 0 && ++this.#failures[place]! >= MAX_FAILURES_UNTRIED) this.forget(id)
  }

  forget(id: string): void {
    const place = this.#nodes.findIndex((node) => node.id === id)
    if (place < 0) return
    const last = this.#nodes.length - 1
    this.#put(place, this.#nodes[last]!, this.#hasMet[last]!, this.#failures[last])
    this.#nodes.length = this.#hasMet.length = this.#failures.length = last
  }

  #put(place: number, node: N, hasMet: boolean, failures = 0): void {
    this.#nodes[place] = node
    this.#hasMet[place] = hasMet
    this.#failures[place] = failures
  }

  /** Where the node is, or else is to be: in a full view, in the place of somebody of the half that is too large. */
  #placeFor(node: N): number {
    const place = this.#nodes.indexOf(node)
    if (place >= 0) return place
    if (this.#nodes.length < MAX_VIEW) return this.#nodes.length
    let met = 0
    for (const hasMet of this.#hasMet) if (hasMet) met++
    const isMet = met > MAX_VIEW / 2
    const first = Math.floor(this.#random() * MAX_VIEW)
    for (let step = 0; step < MAX_VIEW; step++) {
      const candidate = (first + step) % MAX_VIEW
      if (this.#hasMet[candidate] === isMet) return candidate
    }
    return first
  }

  /** All nodes from a random one on, until one will do. */
  #round(isEnough: (node: N, hasMet: boolean) => boolean): N | undefined {
    const { length } = this.#nodes
    const first = Math.floor(this.#random() * length)
    for (let step = 0; step < length; step++) {
      const place = (first + step) % length
      if (isEnough(this.#nodes[place]!, this.#hasMet[place]!)) return this.#nodes[place]
    }
    return undefined
  }
}
