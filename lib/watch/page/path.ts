import { MAX_HOPS } from './page-limits.ts'
import { type Hop, linkKey, type MessageView } from './picture.ts'

/** The path of a message in the making: copied once per bunch, or a network of 500 nodes copied it 500 times. */
export class Path {
  readonly hops: Hop[]
  readonly holders: string[]
  readonly #links: Set<string>
  readonly #arrived: Set<string>

  constructor({ hops, holders }: MessageView) {
    this.hops = [...hops]
    this.holders = [...holders]
    this.#links = new Set(hops.map(({ from, to }) => linkKey(from, to)))
    this.#arrived = new Set(holders)
  }

  /** Whether the node had not told so before. */
  arrive(node: string): boolean {
    if (this.#arrived.has(node) || this.holders.length >= MAX_HOPS) return false
    this.#arrived.add(node)
    this.holders.push(node)
    return true
  }

  /** Whether it was not known: both ends of a link tell of the same hop. */
  travel(hop: Hop): boolean {
    const key = linkKey(hop.from, hop.to)
    if (this.#links.has(key) || this.hops.length >= MAX_HOPS) return false
    this.#links.add(key)
    this.hops.push(hop)
    return true
  }
}
