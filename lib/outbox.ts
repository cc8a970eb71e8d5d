import { overload } from './errors.ts'
import type { Identity } from './identity/identity.ts'
import { type Draft, type MessageFields, signDraft } from './message/message.ts'
import type { SecureNodeSettings } from './options.ts'

/** What sending needs of its node. */
export interface OutboxPort {
  /** @throws SecureNodeError `not-started` */
  assertRunning(what: string): void
  /** Whether one more message of this node's own can be remembered. */
  hasRoom(): boolean
}

type OutboxSettings = Pick<SecureNodeSettings, 'clock' | 'net' | 'maxMessageIds'>

/** The messages of a node's own, while they are signed: `stop()` lets them out first. */
export class Outbox {
  readonly #port: OutboxPort
  readonly #identity: Identity
  readonly #settings: OutboxSettings
  readonly #signing = new Set<Promise<unknown>>()

  constructor(port: OutboxPort, identity: Identity, settings: OutboxSettings) {
    this.#port = port
    this.#identity = identity
    this.#settings = settings
  }

  /** Resolves when nothing is being signed any more. */
  async settled(): Promise<void> {
    if (this.#signing.size > 0) await Promise.allSettled(this.#signing)
  }

  /**
   * Signs a message and hands it to `send`, in the turn in which it is signed: so `stop()`, which waits for the
   * signature, comes after the sending.
   *
   * @throws SecureNodeError `not-started`, `overload`, and those of `signMessage`
   */
  async post<T>(fields: Omit<MessageFields, 'net' | 'time' | 'seq'>, send: (draft: Draft) => T): Promise<T> {
    this.#assertReady()
    const draft = await this.#sign(fields)
    // Others have been signed meanwhile, and the node may have stopped.
    this.#assertReady()
    return send(draft)
  }

  #sign({ data, type, to, re, exp }: Omit<MessageFields, 'net' | 'time' | 'seq'>): Promise<Draft> {
    const { net, clock } = this.#settings
    const time = Math.floor(clock.now())
    const signing = signDraft({ data, type, to, re, exp, net, time }, this.#identity)
    this.#signing.add(signing)
    const forget = (): boolean => this.#signing.delete(signing)
    signing.then(forget, forget)
    return signing
  }

  #assertReady(): void {
    this.#port.assertRunning('sending')
    if (!this.#port.hasRoom()) throw overload(this.#settings.maxMessageIds)
  }
}
