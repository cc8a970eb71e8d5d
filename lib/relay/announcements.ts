import { ANNOUNCE_DELAY, MAX_LISTED_IDS } from '../limits/tree-limits.ts'
import type { Carried } from './carried.ts'
import type { TreeLink } from './tree-link.ts'
import type { TreePort } from './tree-port.ts'

/** What is to be announced over lazy links: gathered for a while, so that one frame tells of many messages. */
export class Announcements<L> {
  readonly #port: Pick<TreePort<L>, 'announce'>
  /** Links over which something is to be announced. */
  readonly #links = new Set<TreeLink<L>>()
  #due = Infinity
  #count = 0

  constructor(port: Pick<TreePort<L>, 'announce'>) {
    this.#port = port
  }

  /** IDs announced. */
  get count(): number {
    return this.#count
  }

  /** When the first of them is to leave, in ms since the epoch; Infinity if there is nothing. */
  get due(): number {
    return this.#due
  }

  add(one: TreeLink<L>, carried: Carried, now: number): void {
    one.queue.push(carried)
    this.#links.add(one)
    if (this.#due === Infinity) this.#due = now + ANNOUNCE_DELAY
    if (one.queue.length >= MAX_LISTED_IDS) this.#send(one)
  }

  /** The link has ended. */
  drop(one: TreeLink<L>): void {
    this.#links.delete(one)
    one.queue = []
  }

  tick(now: number): void {
    // Also when the clock was set back: nothing waits for longer than the delay.
    if (now < this.#due && this.#due <= now + ANNOUNCE_DELAY) return
    this.#due = Infinity
    for (const one of this.#links) this.#send(one)
    this.#links.clear()
  }

  #send(one: TreeLink<L>): void {
    const { queue } = one
    one.queue = []
    // Who has announced it meanwhile, or brought a copy, needs to be told nothing.
    const ids = queue.filter((carried) => !carried.isHeldBy(one.number)).map(({ id }) => id)
    this.#count += ids.length
    if (ids.length > 0) this.#port.announce(one.link, ids)
  }
}
