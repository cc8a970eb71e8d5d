import { Deferred } from '../ground/deferred.ts'
import {
  MAX_UPLOADS,
  MAX_UPLOADS_PER_ASKER,
  MAX_WAITING_PER_ASKER,
  MAX_WAITING_UPLOADS,
} from '../limits/direct-limits.ts'

/** Who waits for a turn. */
interface Waiting {
  readonly asker: string
  readonly turn: Deferred<'turn' | 'gone'>
}

/** How many may be served at once, and how many may wait. */
export interface SlotLimits {
  /** @default 16 */
  readonly all?: number
  /** @default 4 */
  readonly perAsker?: number
  /** @default 64 */
  readonly waiting?: number
  /** @default 8 */
  readonly waitingPerAsker?: number
}

/** Lets a few be served at once, others wait for their turn in the order in which they came, and refuses the rest. */
export class UploadSlots {
  readonly #limits: Required<SlotLimits>
  readonly #activeOf = new Map<string, number>()
  readonly #waiting: Waiting[] = []
  #active = 0

  constructor(limits: SlotLimits = {}) {
    this.#limits = {
      all: limits.all ?? MAX_UPLOADS,
      perAsker: limits.perAsker ?? MAX_UPLOADS_PER_ASKER,
      waiting: limits.waiting ?? MAX_WAITING_UPLOADS,
      waitingPerAsker: limits.waitingPerAsker ?? MAX_WAITING_PER_ASKER,
    }
  }

  /** How many are served now. */
  get active(): number {
    return this.#active
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /**
   * Resolves when it is the asker's turn, with what ends it; with `refused` when too many wait already, with `gone`
   * when the signal was aborted meanwhile.
   */
  async enter(asker: string, signal: AbortSignal): Promise<(() => void) | 'refused' | 'gone'> {
    if (signal.aborted) return 'gone'
    const outcome = this.#take(asker) ? 'turn' : await this.#wait(asker, signal)
    if (outcome !== 'turn') return outcome
    // Who has waited was counted when it was admitted: before this line others may come.
    return this.#once(asker)
  }

  /** Takes a slot, if the asker may have one. */
  #take(asker: string): boolean {
    if (this.#active >= this.#limits.all || this.#countOf(asker) >= this.#limits.perAsker) return false
    this.#active++
    this.#activeOf.set(asker, this.#countOf(asker) + 1)
    return true
  }

  #wait(asker: string, signal: AbortSignal): Promise<'turn' | 'refused' | 'gone'> {
    const own = this.#waiting.filter((other) => other.asker === asker).length
    if (this.#waiting.length >= this.#limits.waiting || own >= this.#limits.waitingPerAsker) {
      return Promise.resolve('refused')
    }
    const waiting: Waiting = { asker, turn: new Deferred<'turn' | 'gone'>() }
    this.#waiting.push(waiting)
    const leave = (): void => {
      const at = this.#waiting.indexOf(waiting)
      // Who was admitted in the same moment has a slot, and ends it as everybody does.
      if (at < 0) return
      this.#waiting.splice(at, 1)
      waiting.turn.resolve('gone')
    }
    signal.addEventListener('abort', leave, { once: true })
    return waiting.turn.promise.finally(() => signal.removeEventListener('abort', leave))
  }

  /** What ends a turn; harmless when it is called again. */
  #once(asker: string): () => void {
    let isOver = false
    return () => {
      if (isOver) return
      isOver = true
      this.#active--
      const count = this.#countOf(asker) - 1
      if (count > 0) this.#activeOf.set(asker, count)
      else this.#activeOf.delete(asker)
      this.#admit()
    }
  }

  /** The first who may: an asker that has its share must not hold up those behind it. */
  #admit(): void {
    for (let at = 0; at < this.#waiting.length && this.#active < this.#limits.all;) {
      const { asker, turn } = this.#waiting[at]!
      if (this.#take(asker)) {
        this.#waiting.splice(at, 1)
        turn.resolve('turn')
      } else at++
    }
  }

  #countOf(asker: string): number {
    return this.#activeOf.get(asker) ?? 0
  }
}
