import { invalidArgument, overload } from './errors.ts'
import type { Identity } from './identity/identity.ts'
import { plainCopy } from './message/canonical.ts'
import { type Draft, type MessageFields, prepare, type Sealer, type Unsigned } from './message/draft.ts'
import { SigningQueue } from './message/signing-queue.ts'
import type { SecureNodeSettings } from './options/options.ts'

/** What sending needs of its node. */
export interface OutboxPort {
  /** @throws SecureNodeError `not-started` */
  assertRunning(what: string): void
  /** Whether one more message of this node's own can be remembered. */
  hasRoom(): boolean
  /** Makes a payload one that its addressees alone can read. */
  readonly seal: Sealer
}

type OutboxSettings = Pick<SecureNodeSettings, 'clock' | 'net' | 'maxMessageIds'>

/** What an application, or a part of the node, wants to send. */
export interface OutgoingMessage extends Omit<MessageFields, 'net' | 'time' | 'seq'> {
  /** Whether only the addressees can read it: `true` for those in `to`, or a list of them in its place. */
  readonly seal?: boolean | readonly string[] | undefined
}

/** The messages of a node's own, while they are signed: `stop()` lets them out first. */
export class Outbox {
  readonly #port: OutboxPort
  readonly #identity: Identity
  readonly #settings: OutboxSettings
  readonly #queue: SigningQueue

  constructor(port: OutboxPort, identity: Identity, settings: OutboxSettings) {
    this.#port = port
    this.#identity = identity
    this.#settings = settings
    this.#queue = new SigningQueue(identity)
  }

  /** Resolves when nothing is being signed any more. */
  async settled(): Promise<void> {
    await this.#queue.settled()
  }

  /**
   * Signs a message and hands it to `send`, in the turn in which it is signed: so `stop()`, which waits for the
   * signature, comes after the sending.
   *
   * @throws SecureNodeError `not-started`, `overload`, and those of `signMessage`
   */
  async post<T>(message: OutgoingMessage, send: (draft: Draft) => T): Promise<T> {
    this.#assertReady()
    const unsigned = this.#prepare(message)
    return new Promise<T>((resolve, reject) => {
      const onSigned = (draft: Draft): void => {
        // Others have been signed meanwhile, and the node may have stopped.
        this.#assertReady()
        resolve(send(draft))
      }
      this.#queue.add(unsigned, onSigned, reject)
    })
  }

  #prepare({ data, type, to, re, exp, bytes, op, seal }: OutgoingMessage): Unsigned {
    const { net, clock } = this.#settings
    const payload = payloadOf(data, bytes)
    const fields = {
      data: payload.data,
      bytes: payload.bytes,
      type,
      to: addresseesOf(to, seal),
      re,
      exp,
      op,
      net,
      time: Math.floor(clock.now()),
    }
    const isSealed = seal !== undefined && seal !== false
    return prepare(fields, this.#identity, isSealed ? this.#port.seal : undefined)
  }

  #assertReady(): void {
    this.#port.assertRunning('sending')
    if (!this.#port.hasRoom()) throw overload(this.#settings.maxMessageIds)
  }
}

/**
 * A payload as it is at this moment.
 *
 * @throws SecureNodeError `invalid-payload`
 */
export function snapshotOf(data: unknown): unknown {
  return data instanceof Uint8Array ? data.slice() : plainCopy(data)
}

/** Bytes in the place of a payload travel beside the document, where they need no encoding. */
function payloadOf(
  data: unknown,
  bytes: Uint8Array | undefined,
): { readonly data: unknown; readonly bytes: Uint8Array | undefined } {
  return bytes === undefined && data instanceof Uint8Array ? { data: null, bytes: data } : { data, bytes }
}

function addresseesOf(to: unknown, seal: OutgoingMessage['seal']): readonly string[] | undefined {
  const given: unknown = seal
  if (given === undefined || typeof given === 'boolean') return to as readonly string[] | undefined
  if (!Array.isArray(given)) throw invalidArgument('seal', 'true, or a list of node IDs', given)
  // Two lists could differ, and whoever cannot read it would be addressed for nothing.
  if (to !== undefined) throw invalidArgument('seal', 'true where "to" says for whom', given)
  return given as readonly string[]
}
