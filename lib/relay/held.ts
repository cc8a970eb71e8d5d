import type { Draft } from '../message/draft.ts'
import { HOLD_TIME, MAX_HELD_BYTES, MAX_HELD_MESSAGES } from '../limits/tree-limits.ts'
import type { MessageId } from '../wire/ids.ts'

/** A message that peers may want. */
export interface Held {
  readonly draft: Draft
  /** The frame that carries it alone, where that is there already. */
  readonly frame: Uint8Array | undefined
}

/** Messages since some time, and their bytes. */
class Generation {
  readonly messages = new Map<MessageId, Held>()
  readonly since: number
  bytes = 0

  constructor(since: number) {
    this.since = since
  }
}

/**
 * The last messages, for peers that were only told of them. Two generations, as in `RecentMap`: the older one is given
 * up when the younger one is full or old enough.
 */
export class HeldMessages {
  #young = new Generation(-Infinity)
  #old = new Generation(-Infinity)

  /** Messages held. */
  get size(): number {
    return this.#young.messages.size + this.#old.messages.size
  }

  add(draft: Draft, frame: Uint8Array | undefined, size: number, now: number): void {
    const { messages, since, bytes } = this.#young
    const isFull = bytes + size > MAX_HELD_BYTES / 2 || messages.size >= MAX_HELD_MESSAGES / 2
    if (isFull || Math.abs(now - since) > HOLD_TIME) {
      this.#old = this.#young
      this.#young = new Generation(now)
    }
    this.#young.messages.set(draft.id, { draft, frame })
    this.#young.bytes += size
  }

  get(id: MessageId): Held | undefined {
    return this.#young.messages.get(id) ?? this.#old.messages.get(id)
  }
}
