import type { Happening, LinkStatus } from './status-event.ts'
import type { WatchedLink, WatchedPort } from './status-port.ts'

type LinkPort<L> = Pick<WatchedPort<L, unknown>, 'links' | 'treeOf' | 'via'>
type Tell = (happening: Happening) => void

/** What can change while a link is up. */
const CHANGING = [
  'latency',
  'tree',
  'peerTree',
  'temporary',
  'bytesIn',
  'bytesOut',
  'inRate',
  'outRate',
] as const

/** The links of a node as they were told last, and what has changed since. */
export class WatchedLinks<L extends WatchedLink> {
  readonly #port: LinkPort<L>
  readonly #told = new Map<L, LinkStatus>()

  constructor(port: LinkPort<L>) {
    this.#port = port
  }

  /** How many were told. */
  get size(): number {
    return this.#told.size
  }

  /** All links as they are; the rates are those that were told last. */
  list(): LinkStatus[] {
    return [...this.#port.links()].map((link) => this.#look(link))
  }

  /** Begins: what is there is known already. */
  start(): void {
    this.#told.clear()
    for (const link of this.#port.links()) this.#told.set(link, this.#look(link))
  }

  /** A link is up. */
  up(link: L, tell: Tell): void {
    if (this.#told.has(link)) return
    const status = this.#look(link)
    this.#told.set(link, status)
    tell({ kind: 'link', isNew: true, ...status })
  }

  /** A link has ended. */
  down(link: L, tell: Tell): void {
    if (!this.#told.delete(link)) return
    const { code = 'lost', by = 'network', text = '' } = link.closeReason ?? {}
    tell({ kind: 'unlink', peer: link.id, code, by, text })
  }

  /** Some time has passed, in s: links for a moment come and go without an event, and figures change. */
  tick(seconds: number, tell: Tell): void {
    const links = new Set(this.#port.links())
    for (const link of [...this.#told.keys()]) if (!links.has(link)) this.down(link, tell)
    for (const link of links) {
      const before = this.#told.get(link)
      if (before === undefined) this.up(link, tell)
      else this.#compare(link, before, seconds, tell)
    }
  }

  #compare(link: L, before: LinkStatus, seconds: number, tell: Tell): void {
    const now = this.#look(link)
    const status: LinkStatus = {
      ...now,
      inRate: rate(now.bytesIn - before.bytesIn, seconds),
      outRate: rate(now.bytesOut - before.bytesOut, seconds),
    }
    const changed = CHANGING.filter((name) => status[name] !== before[name])
    if (changed.length === 0) return
    this.#told.set(link, status)
    const changes = Object.fromEntries(changed.map((name) => [name, status[name]])) as Partial<LinkStatus>
    tell({ kind: 'link', peer: link.id, ...changes })
  }

  #look(link: L): LinkStatus {
    const {
      id: peer,
      host,
      port,
      direction,
      connectedAt: since,
      latency,
      encrypted,
      isTemporary,
      stats,
    } = link
    const { bytesIn, bytesOut } = stats
    const { inRate = 0, outRate = 0 } = this.#told.get(link) ?? {}
    return {
      peer,
      host,
      port,
      direction,
      since,
      ...(latency === undefined ? {} : { latency: latency.last }),
      encrypted,
      via: this.#port.via(link),
      temporary: isTemporary,
      ...this.#port.treeOf(link),
      bytesIn,
      bytesOut,
      inRate,
      outRate,
    }
  }
}

function rate(amount: number, seconds: number): number {
  return Math.round(Math.max(0, amount) / seconds)
}
