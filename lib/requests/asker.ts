import { notStarted, tooManyRequests } from '../errors.ts'
import { MAX_PENDING_REQUESTS, STREAM_CREDIT } from '../limits/direct-limits.ts'
import type { SignedMessage } from '../message/message.ts'
import type { MessageId } from '../wire/ids.ts'
import { type Answer, answerOf } from './answer.ts'
import { PendingRequest, type PendingPort, type RawAnswer } from './pending-request.ts'
import type { RequestFaults } from './request-faults.ts'
import type { RequestTerms } from './request-options.ts'
import type { Op, RequestPort } from './request-port.ts'
import { Warrants } from './warrants.ts'

/** A request whose ask is on its way, and the way that it takes. */
interface Asked {
  readonly request: PendingRequest
  readonly way: Promise<string>
}

/** The way of an ask whose sending was ended by its answer. */
const UNKNOWN_WAY = 'unknown'

/** Asks other nodes, and gives each answer to whom it is for. */
export class Asker {
  readonly #port: RequestPort
  readonly #faults: RequestFaults
  readonly #pendingPort: PendingPort
  /** All requests that wait for something; those whose ask is not signed yet have no ID. */
  readonly #open = new Map<PendingRequest, Promise<string> | undefined>()
  readonly #byId = new Map<MessageId, PendingRequest>()

  constructor(port: RequestPort, faults: RequestFaults) {
    this.#port = port
    this.#faults = faults
    this.#pendingPort = {
      clock: port.clock,
      onOver: (request, isTold) => this.#onOver(request, isTold),
      onGrant: (request, upTo) => this.#tell(request, 'more', { upTo }),
      onFault: (fault) => faults.count(fault),
    }
  }

  /** Requests that wait for something. */
  get size(): number {
    return this.#open.size
  }

  /** Whether there is a request with this ID. */
  has(id: MessageId | undefined): boolean {
    return id !== undefined && this.#byId.has(id)
  }

  /**
   * Asks for one answer.
   *
   * @throws SecureNodeError `request-timeout`, `request-failed`, `aborted`, `overload`, `not-started`,
   *   `invalid-content`, and whatever the sending throws
   */
  async ask(terms: RequestTerms): Promise<Answer> {
    const { request, way } = this.#begin(terms)
    const answer = await request.next()
    return this.#answer(answer!, await way)
  }

  /** Asks for many answers, when the first of them is wanted. Throws as {@link ask} does. */
  async *stream(terms: RequestTerms): AsyncGenerator<Answer, void, void> {
    const { request, way } = this.#begin(terms)
    try {
      for (let part = await request.next(); part !== undefined; part = await request.next()) {
        yield await this.#answer(part, await way)
      }
    } finally {
      request.leave()
    }
  }

  /** A message says something to a request of this node. */
  receive(message: SignedMessage): void {
    const request = message.re === undefined ? undefined : this.#byId.get(message.re)
    if (request === undefined) this.#faults.count('unknown-request')
    else request.receive(message)
  }

  /** Nobody gets an answer any more. */
  stop(): void {
    for (const request of [...this.#open.keys()]) request.fail(notStarted('a request'))
  }

  #begin(terms: RequestTerms): Asked {
    if (this.#open.size >= MAX_PENDING_REQUESTS) throw tooManyRequests(MAX_PENDING_REQUESTS)
    const request = new PendingRequest(terms, this.#pendingPort)
    if (request.isOver) return { request, way: Promise.resolve(UNKNOWN_WAY) }
    this.#open.set(request, undefined)
    const way = this.#send(request).catch((error: unknown) => {
      request.fail(error as Error)
      return UNKNOWN_WAY
    })
    this.#open.set(request, way)
    return { request, way }
  }

  /** What the application's schema refuses, and what cannot be sent, ends the request with that error. */
  async #send(request: PendingRequest): Promise<string> {
    const { to, type, data, bytes, seal, reach, isStream } = request.terms
    await this.#port.check?.(type, 'request', data)
    // The check may have taken its time.
    if (request.isOver) return UNKNOWN_WAY
    const envelope = { data, want: isStream ? STREAM_CREDIT : 0 }
    const { way } = await this.#port.post(
      { op: 'ask', type, to: [to], exp: request.deadline, data: envelope, seal, ...(bytes && { bytes }) },
      { route: 'reach', reach, signal: request.ended, onSigned: (id) => this.#onSigned(request, id) },
    )
    return way
  }

  #onSigned(request: PendingRequest, id: MessageId): void {
    if (request.isOver) return
    const { self, net, engine } = this.#port
    const { type, to } = request.terms
    const thread = { id, net, type, asker: self, addressee: to }
    request.signed(thread, new Warrants(thread, engine))
    this.#byId.set(id, request)
  }

  async #answer({ message, data, warrant }: RawAnswer, way: string): Promise<Answer> {
    const checked = await this.#port.check?.(message.type, 'answer', data)
    return answerOf(message, checked === undefined ? data : checked, warrant, way)
  }

  #onOver(request: PendingRequest, isTold: boolean): void {
    const way = this.#open.get(request)
    this.#open.delete(request)
    if (request.thread !== undefined) this.#byId.delete(request.thread.id)
    // Not before the ask is out: a cancel that is there first means nothing.
    if (isTold) void way?.then(() => this.#tell(request, 'cancel', {}))
  }

  /** A word of the asker to whoever answers. If it is lost, the times of both ends run out. */
  #tell(request: PendingRequest, op: Op, data: Readonly<Record<string, number>>): void {
    const { answerer, thread, terms } = request
    if (thread === undefined) return
    const { type, seal } = terms
    const call = { op, type, to: [answerer], re: thread.id, data, seal }
    this.#port.post(call, { route: 'back' }).catch(() => {})
  }
}
