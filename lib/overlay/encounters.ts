import type { Clock } from '../ground/clock.ts'
import { ENCOUNTER_PAUSE, MAX_ENCOUNTER_DIALS, MAX_ENCOUNTERS } from '../limits/dht-limits.ts'
import type { NodeId } from '../wire/ids.ts'

/** What dialling those who were found needs of its node. */
export interface EncounterPort<L> {
  readonly clock: Clock
  /** Where chance comes from: numbers from 0 to below 1. */
  readonly random: () => number
  /** Links that the node still looks for; 0 while it looks for none. */
  missing(): number
  /** Whether there is a link to a node, of any kind. */
  isLinked(id: string): boolean
  dial(id: NodeId): Promise<L>
  /** A link was made for want of links: it may be let go again. */
  adopt(link: L): void
}

/**
 * Nodes that were found by ID alone, without an address: they are dialled while the node has too few links. Anybody
 * may let himself be found, so they are few, and each is left alone for a while after a dial.
 */
export class Encounters<L> {
  readonly #port: EncounterPort<L>
  /** With the time from which on each may be dialled, in ms since the epoch; the ones found last at the end. */
  readonly #found = new Map<NodeId, number>()
  #dialling = 0

  constructor(port: EncounterPort<L>) {
    this.#port = port
  }

  /** A node is said to be there. */
  found(id: NodeId): void {
    const dueAt = this.#found.get(id) ?? 0
    this.#found.delete(id)
    this.#found.set(id, dueAt)
    for (const oldest of this.#found.keys()) {
      if (this.#found.size <= MAX_ENCOUNTERS) break
      this.#found.delete(oldest)
    }
    this.tend()
  }

  /** Dials as many as are missing. To be called when a link has ended; whoever is found anew is another occasion. */
  tend(): void {
    while (this.#dialling < Math.min(MAX_ENCOUNTER_DIALS, this.#port.missing())) {
      const id = this.#pick()
      if (id === undefined) return
      void this.#dial(id)
    }
  }

  /** By lot: nobody can arrange to be the one who is dialled. */
  #pick(): NodeId | undefined {
    const now = this.#port.clock.now()
    const due = [...this.#found].filter(([id, dueAt]) => dueAt <= now && !this.#port.isLinked(id))
    return due[Math.floor(this.#port.random() * due.length)]?.[0]
  }

  async #dial(id: NodeId): Promise<void> {
    this.#dialling++
    this.#found.set(id, this.#port.clock.now() + ENCOUNTER_PAUSE)
    try {
      this.#port.adopt(await this.#port.dial(id))
    } catch {
      // What fails is told by an event.
    }
    this.#dialling--
    this.tend()
  }
}
