import type { Clock, Timer } from '../ground/clock.ts'
import {
  MAX_INCOMING_PER_ASKER,
  MAX_INCOMING_REQUESTS,
  MAX_REQUEST_TIMEOUT,
} from '../limits/direct-limits.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'

interface Slot {
  readonly asker: NodeId
  timer: Timer | undefined
}

/**
 * The places of requests whose handlers are at work, in all and of each asker. A place is held until the handler has
 * come to its end, whenever its asker gives up: or an asker with short deadlines could have any number of handlers at
 * work. But a handler that never ends does not hold it for ever.
 */
export class Slots {
  readonly #clock: Clock
  readonly #slots = new Map<MessageId, Slot>()
  readonly #byAsker = new Map<NodeId, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get taken(): number {
    return this.#slots.size
  }

  /** Takes a place for a request of this node, or says that there is none. */
  take(id: MessageId, asker: NodeId): boolean {
    const own = this.#byAsker.get(asker) ?? 0
    if (this.#slots.size >= MAX_INCOMING_REQUESTS || own >= MAX_INCOMING_PER_ASKER) return false
    this.#slots.set(id, { asker, timer: undefined })
    this.#byAsker.set(asker, own + 1)
    return true
  }

  /** Nobody waits for this request any more: its handler has the longest time of a request to come to its end. */
  expire(id: MessageId): void {
    const slot = this.#slots.get(id)
    if (slot !== undefined) slot.timer = this.#clock.setTimer(() => this.free(id), MAX_REQUEST_TIMEOUT)
  }

  /** Its handler has come to its end. */
  free(id: MessageId): void {
    const slot = this.#slots.get(id)
    if (slot === undefined) return
    slot.timer?.cancel()
    this.#slots.delete(id)
    const left = this.#byAsker.get(slot.asker)! - 1
    if (left > 0) this.#byAsker.set(slot.asker, left)
    else this.#byAsker.delete(slot.asker)
  }

  /** The node stops: whatever is still at work belongs to the past. */
  clear(): void {
    for (const id of [...this.#slots.keys()]) this.free(id)
  }
}
