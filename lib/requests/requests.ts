import type { Json } from '../message/canonical.ts'
import type { SignedMessage } from '../message/message.ts'
import type { Answer } from './answer.ts'
import { Answerer } from './answerer.ts'
import { Asker } from './asker.ts'
import { isReplyOp } from './envelope.ts'
import { type Handler, Handlers } from './handlers.ts'
import { type RequestFault, RequestFaults } from './request-faults.ts'
import { type RequestOptions, requestTerms } from './request-options.ts'
import type { RequestPort } from './request-port.ts'

export type { RequestOptions } from './request-options.ts'

/** What became of requests. */
export interface RequestsStats {
  /** Requests of this node that wait for something. */
  readonly pending: number
  /** Requests of others that are under way. */
  readonly incoming: number
  /** Messages of requests that were dropped, by reason. */
  readonly dropped: Readonly<Partial<Record<RequestFault, number>>>
}

/**
 * Requests between two nodes that may be anywhere in the network, and their answers: signed messages with an `op`,
 * each bound to its addressee, its network and the ID of the ask. What does not belong there is dropped and counted:
 * the link that brought it has only passed it on.
 */
export class Requests {
  readonly #port: RequestPort
  readonly #handlers = new Handlers()
  readonly #faults = new RequestFaults()
  readonly #asker: Asker
  readonly #answerer: Answerer

  constructor(port: RequestPort) {
    this.#port = port
    this.#asker = new Asker(port, this.#faults)
    this.#answerer = new Answerer(port, this.#handlers, this.#faults)
  }

  get stats(): RequestsStats {
    return { pending: this.#asker.size, incoming: this.#answerer.size, dropped: this.#faults.counts }
  }

  /**
   * Asks a node for one answer.
   *
   * @throws SecureNodeError `request-timeout`, `request-failed` with what the other node said in `answer`, `aborted`,
   *   `overload`, `not-started`, `invalid-argument`, `invalid-option`, `invalid-payload`, `invalid-content`, and
   *   whatever the sending throws
   */
  async request(nodeId: string, type: string, data: unknown, options: RequestOptions = {}): Promise<Answer> {
    return this.#asker.ask(requestTerms(this.#port.self, nodeId, type, data, options, false))
  }

  /**
   * Asks a node for many answers, to be iterated over once. It asks when the first of them is wanted, and the other
   * node sends no more than a few ahead of the reader. To leave the loop ends the request.
   *
   * @throws SecureNodeError `invalid-argument`, `invalid-option`, `invalid-payload`; while iterating, as
   *   {@link request}
   */
  requestStream(
    nodeId: string,
    type: string,
    data: unknown,
    options: RequestOptions = {},
  ): AsyncGenerator<Answer, void, void> {
    return this.#asker.stream(requestTerms(this.#port.self, nodeId, type, data, options, true))
  }

  /** Answers requests of a type. @throws SecureNodeError `invalid-argument`, also for a second handler */
  handle(type: string, handler: Handler): void {
    this.#handlers.set(type, handler)
  }

  /** Takes the handler of a type away, and says whether there was one. */
  unhandle(type: string): boolean {
    return this.#handlers.remove(type)
  }

  /** A verified message for this node. Says whether it is one of a request, which nobody else needs to see. */
  receive(message: SignedMessage): boolean {
    const { op } = message
    if (op === undefined) return false
    // Whoever catches up hears of what was said, and must not answer what was asked long ago.
    if (message.late === true) this.#faults.count('expired')
    else if (isReplyOp(op) || (op === 'bounce' && this.#asker.has(message.re))) this.#asker.receive(message)
    else if (op === 'ask' || op === 'bounce' || op === 'more' || op === 'cancel')
      this.#answerer.receive(message)
    else this.#faults.count('malformed')
    return true
  }

  /**
   * A plain message for this node: calls the handler of its type, if there is one, and says whether there was.
   *
   * @param data What the application's schema has made of its content. @default the content
   */
  deliverPlain(message: SignedMessage, data: unknown = message.data): boolean {
    return this.#answerer.deliverPlain(message, data as Json)
  }

  /** Ends everything that is under way: `not-started` for who waits, an aborted signal for who answers. */
  stop(): void {
    this.#asker.stop()
    this.#answerer.stop()
  }
}
