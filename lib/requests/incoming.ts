import { invalidArgument } from '../errors.ts'
import type { Json } from '../message/canonical.ts'
import type { SignedMessage } from '../message/message.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import type { Exchange } from './exchange.ts'
import type { RespondOptions } from './exchange-port.ts'

/**
 * What a handler gets: a request, or a plain message of its type.
 *
 * A request is answered once: by what the handler returns, or by one of {@link respond}, {@link fail},
 * {@link bounce}, or by any number of {@link send} with an {@link end}. These throw `invalid-argument` at once where
 * an answer was given already, or where nothing was asked. What they return need not be waited for: it resolves with
 * true when the answer is on its way, and with false when nobody listens any more, because the deadline is over or
 * the asker has left. Both are ordinary, and no errors. If an answer cannot be sent, it rejects, `handlerError` is
 * told, and the asker too.
 */
export class Incoming<D = Json, A = unknown> {
  /** What was asked, or said. */
  readonly data: D
  /** What came beside the data. */
  declare readonly bytes?: Uint8Array
  /** The node that asks, or has sent it. */
  readonly from: NodeId
  readonly type: string
  /** The ID of the message. */
  readonly id: MessageId
  /** The message itself; its `data` is the envelope of the request. */
  readonly message: SignedMessage
  /** Whether somebody waits for an answer. */
  readonly isRequest: boolean
  /** Whether many answers are expected. */
  readonly isStream: boolean
  /** Nodes that have passed the request on, from the one that was asked. */
  readonly bounces: readonly NodeId[]
  /** Aborted when nobody waits any more: by the asker, the deadline, or the end of this node. */
  readonly signal: AbortSignal
  readonly #exchange: Exchange | undefined

  /** @param exchange How a request is answered; for a plain message, the signal of the node's end in its place. */
  constructor(message: SignedMessage, data: D, exchange: Exchange | AbortSignal) {
    const { bytes, from, type, id } = message
    this.data = data
    if (bytes !== undefined) this.bytes = bytes
    this.from = from
    this.type = type
    this.id = id
    this.message = message
    this.isRequest = 'ask' in exchange
    this.isStream = 'ask' in exchange && exchange.ask.want > 0
    this.bounces = 'ask' in exchange ? exchange.ask.bounces : []
    this.signal = 'ask' in exchange ? exchange.signal : exchange
    this.#exchange = 'ask' in exchange ? exchange : undefined
  }

  /** When the asker gives up, in ms since the epoch. Each part of a stream moves it on. Infinity: nobody waits. */
  get deadline(): number {
    return this.#exchange?.deadline ?? Infinity
  }

  /**
   * Answers.
   *
   * @throws SecureNodeError `invalid-argument`, `invalid-payload`; rejects with what sending throws
   */
  respond(data: A, options: RespondOptions = {}): Promise<boolean> {
    return this.#answering('respond').respond(data, options)
  }

  /**
   * Answers that there is none, or no further part of it.
   *
   * @param code A name that the asker's program can match.
   * @param text For people; cut after 128 characters. @default ''
   * @throws SecureNodeError `invalid-argument`; rejects with what sending throws
   */
  fail(code: string, text?: string): Promise<boolean> {
    return this.#answering('fail').fail(code, text)
  }

  /**
   * Leaves the answer to another node, which the asker will hear from; both can prove why. The request fails with
   * `bounce-loop` if that node has had it already, and with `too-many-bounces` after four of them.
   *
   * @throws SecureNodeError `invalid-argument` for this node itself, for the asker, and for a sealed request, which
   *   nobody else could read; rejects with what sending throws
   */
  bounce(nodeId: string): Promise<boolean> {
    return this.#answering('bounce').bounce(nodeId)
  }

  /**
   * Sends one of many answers. Wait for it: it resolves when the asker has room, so that nothing piles up.
   *
   * @throws SecureNodeError `invalid-argument`, `invalid-payload`; a {@link RequestError} where one answer is
   *   expected; rejects with what sending throws
   */
  send(data: unknown, options: RespondOptions = {}): Promise<boolean> {
    return this.#answering('send').send(data, options)
  }

  /** Ends what was sent, after all of it. A handler that has sent something ends it by returning, too. */
  end(): Promise<boolean> {
    return this.#answering('end').end()
  }

  #answering(what: string): Exchange {
    if (this.#exchange === undefined) {
      throw invalidArgument(what, 'called for a request: look at isRequest', 'a plain message')
    }
    return this.#exchange
  }
}
