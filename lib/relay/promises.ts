import {
  LIAR_PAUSE,
  MAX_BROKEN,
  MAX_BROKEN_IN_A_ROW,
  MAX_OWED,
  PROMISE_TIMEOUT,
} from '../limits/tree-limits.ts'
import type { MessageId } from '../wire/ids.ts'

/** By how much one disappointment, or one kept promise, moves the measure. */
const STEP = 1 / 8

/**
 * Whether a link delivers what it announced. Who announces a message promises it: a link that was asked and brings
 * nothing at all for {@link PROMISE_TIMEOUT} has broken its promise, however much it was asked for.
 */
export class Promises {
  /** From 0, always in time, to 1, never: moved by every message. */
  disorder = 0
  /** When it was asked for, in ms since the epoch. */
  #owed: Map<MessageId, number> | undefined = undefined
  /** What was owed when a promise was broken: it may still come, over a slow link. */
  #late: Map<MessageId, number> | undefined = undefined
  #since = Infinity
  #hasDelivered = false
  #brokenInARow = 0
  #kept = 0
  #pausedAt = -Infinity

  /** Messages that the link was asked for and has not brought. */
  get owed(): number {
    return this.#owed?.size ?? 0
  }

  get isFull(): boolean {
    return this.owed >= MAX_OWED
  }

  /** When it is to be judged next, in ms since the epoch; Infinity while nothing is owed. */
  get due(): number {
    return this.owed > 0 ? this.#since + PROMISE_TIMEOUT : Infinity
  }

  /** The link has never kept a promise, and broken many. */
  get isHopeless(): boolean {
    return this.#kept === 0 && this.#brokenInARow >= MAX_BROKEN
  }

  /** Whether what the link announces is not listened to. */
  isIgnored(now: number): boolean {
    // A clock that was set back ends it.
    return now >= this.#pausedAt && now - this.#pausedAt < LIAR_PAUSE
  }

  /** The link is asked for a message. */
  ask(id: MessageId, now: number): void {
    if (this.owed === 0) {
      this.#since = now
      this.#hasDelivered = false
    }
    this.#owed ??= new Map()
    // Asked twice, it may be the answer to either.
    if (!this.#owed.has(id)) this.#owed.set(id, now)
  }

  /** A copy of a message came over the link. Returns when it was asked for, if it was. */
  deliver(id: MessageId): number | undefined {
    if (this.#owed === undefined) return undefined
    const askedAt = this.#owed.get(id) ?? this.#late?.get(id)
    if (askedAt === undefined) return undefined
    this.#owed.delete(id)
    this.#late?.delete(id)
    this.#hasDelivered = true
    this.#kept++
    this.#brokenInARow = 0
    this.disorder -= this.disorder * STEP
    return askedAt
  }

  /** The link did not do what it should, once: it was asked and not the first, or announces what it should send. */
  disappoint(): void {
    this.disorder += (1 - this.disorder) * STEP
  }

  /** Time has passed: whether what is owed has become a broken promise. */
  judge(now: number): void {
    if (this.owed === 0) return
    // A clock that was set back starts the time anew.
    if (now < this.#since) this.#since = now
    if (now - this.#since < PROMISE_TIMEOUT) return
    if (!this.#hasDelivered) this.#break(now)
    this.#since = now
    this.#hasDelivered = false
  }

  #break(now: number): void {
    this.#late = this.#owed
    this.#owed = new Map()
    this.disorder = 1
    if (++this.#brokenInARow >= MAX_BROKEN_IN_A_ROW) this.#pausedAt = now
  }
}
