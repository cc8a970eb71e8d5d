import { Deferred } from '../ground/deferred.ts'
import type { CloseReason } from '../wire/close-code.ts'

/**
 * When a connection came up, why it ended, and when its socket was gone: in this order, each once. The promises of it
 * are made when somebody asks, for hardly anybody does, and a process may hold ten thousand idle connections.
 */
export class LinkLife {
  #upSince: number | undefined
  #reason: CloseReason | undefined
  #isGone = false
  #opened: Deferred<CloseReason | undefined> | undefined
  #closed: Deferred<void> | undefined

  /** Whether it is up: it came up, and has not ended. */
  get isUp(): boolean {
    return this.#upSince !== undefined && this.#reason === undefined
  }

  /** When it came up, in ms since the epoch, also after its end. */
  get upSince(): number | undefined {
    return this.#upSince
  }

  /** Why it ended; undefined while it has not. */
  get reason(): CloseReason | undefined {
    return this.#reason
  }

  /** Resolves when it is up, or with the reason when it ended before. */
  get opened(): Promise<CloseReason | undefined> {
    if (this.#upSince !== undefined) return Promise.resolve(undefined)
    if (this.#reason !== undefined) return Promise.resolve(this.#reason)
    return (this.#opened ??= new Deferred<CloseReason | undefined>()).promise
  }

  /** Resolves when it has ended and its socket is gone. */
  get closed(): Promise<void> {
    return this.#isGone ? Promise.resolve() : (this.#closed ??= new Deferred<void>()).promise
  }

  /** It is up from now on. */
  rise(now: number): void {
    this.#upSince = now
    this.#settle(undefined)
  }

  /** It has ended. Returns false if it had before: the first reason counts. */
  end(reason: CloseReason): boolean {
    if (this.#reason !== undefined) return false
    this.#reason = reason
    this.#settle(reason)
    return true
  }

  /** Its socket is gone. */
  vanish(): void {
    this.#isGone = true
    this.#closed?.resolve()
    this.#closed = undefined
  }

  #settle(outcome: CloseReason | undefined): void {
    this.#opened?.resolve(outcome)
    this.#opened = undefined
  }
}
