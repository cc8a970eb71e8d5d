import type { Clock, Timer } from '../ground/clock.ts'
import { Deferred } from '../ground/deferred.ts'
import { aborted, requestBroken, requestFailed, requestTimeout } from '../errors.ts'
import { STREAM_CREDIT, STREAM_IDLE } from '../limits/direct-limits.ts'
import type { Json } from '../message/canonical.ts'
import type { SignedMessage } from '../message/message.ts'
import type { NodeId } from '../wire/ids.ts'
import type { Warrant } from './answer.ts'
import { nextHolder, type Thread } from './bounce-chain.ts'
import { isReplyOp, readReply, type Reply } from './envelope.ts'
import { PartBuffer, type PartVerdict } from './part-buffer.ts'
import type { RequestFault } from './request-faults.ts'
import type { RequestTerms } from './request-options.ts'
import type { Warrants, WarrantResult } from './warrants.ts'

/** What a request that is under way needs. */
export interface PendingPort {
  readonly clock: Clock
  /** Nothing more is expected. `isTold`: the other node has to be told that nobody listens any more. */
  onOver(request: PendingRequest, isTold: boolean): void
  /** So many parts may be sent in all. */
  onGrant(request: PendingRequest, upTo: number): void
  onFault(fault: RequestFault): void
}

/** One answer, not checked by the application's schema yet. */
export interface RawAnswer {
  readonly message: SignedMessage
  readonly data: Json
  readonly warrant: Warrant
}

/**
 * One request of this node, from the call to the last answer. A single answer is a stream of one. It ends exactly
 * once: complete, by its timeout, by its caller, by the other node's word, or by its fault.
 */
export class PendingRequest {
  readonly terms: RequestTerms
  /** When its first answer is too late, in ms since the epoch. */
  readonly deadline: number
  readonly #port: PendingPort
  readonly #parts: PartBuffer<RawAnswer>
  readonly #ended = new AbortController()
  #thread: Thread | undefined
  #warrants: Warrants | undefined
  /** Who has the request now, as far as the bounces have told. */
  #holder: NodeId
  #timer: Timer | undefined
  #changed = new Deferred<void>()
  #isOver = false
  #failure: Error | undefined

  constructor(terms: RequestTerms, port: PendingPort) {
    this.terms = terms
    this.#port = port
    this.#holder = terms.to
    this.#parts = new PartBuffer(terms.isStream ? STREAM_CREDIT : 1)
    this.deadline = Math.ceil(port.clock.now() + terms.timeout)
    this.#arm()
    if (terms.signal?.aborted === true) this.#onAbort()
    else terms.signal?.addEventListener('abort', this.#onAbort)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Aborted when it has failed: nothing of it is worth sending any more. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** What its messages have in common; there is none before the ask is signed. */
  get thread(): Thread | undefined {
    return this.#thread
  }

  /** Whom the words of the asker are for. */
  get answerer(): NodeId {
    return this.#warrants?.chosen?.from ?? this.#holder
  }

  /** The ask was signed: answers can come from now on. */
  signed(thread: Thread, warrants: Warrants): void {
    this.#thread = thread
    this.#warrants = warrants
  }

  /** A message came with the ID of this request. */
  receive(message: SignedMessage): void {
    const fault = this.#judge(message)
    if (fault !== undefined) this.#port.onFault(fault)
  }

  #judge(message: SignedMessage): RequestFault | undefined {
    const { op, type, to, sealed, from } = message
    if (type !== this.terms.type) return 'foreign'
    if (op === 'bounce') return this.#follow(message)
    if (!isReplyOp(op) || to?.length !== 1) return 'malformed'
    if (this.terms.seal && sealed !== true) return 'unsealed'
    const reply = readReply(op, message.data)
    if (reply === undefined) return 'malformed'
    const warrant = this.#warrants!.of(from, reply.by)
    if (!(warrant instanceof Promise)) return this.#admit(message, reply, warrant)
    void warrant.then((verified) => {
      const fault = this.#admit(message, reply, verified)
      if (fault !== undefined) this.#port.onFault(fault)
    })
    return undefined
  }

  /** Only to know whom to tell when nobody listens any more: an answer brings its own proof. */
  #follow(bounce: SignedMessage): RequestFault | undefined {
    const next = nextHolder(bounce, this.#thread!, this.#holder)
    if (next === undefined) return 'bad-bounce'
    this.#holder = next
    return undefined
  }

  #admit(message: SignedMessage, reply: Reply, warrant: WarrantResult): RequestFault | undefined {
    // It may have ended, or somebody else may have begun to answer, while the bounces were verified.
    if (this.#isOver) return 'unknown-request'
    if (typeof warrant === 'string') return warrant
    if (!this.#warrants!.choose(warrant)) return 'foreign'
    if (reply.op === 'fail') {
      const { code, text } = reply
      this.#fail(requestFailed(warrant.from, Object.freeze({ code, text })), false)
      return undefined
    }
    const verdict = this.#take(reply, message, warrant)
    if (verdict === 'doubled') return 'doubled'
    if (verdict === 'broken') this.#break(warrant)
    else this.#proceed()
    return undefined
  }

  /** Nothing of what it has sent can be relied on. */
  #break({ from }: Warrant): void {
    this.#parts.clear()
    this.#fail(requestBroken(from, 'it sent what was not asked for'), true)
  }

  #take(reply: Exclude<Reply, { op: 'fail' }>, message: SignedMessage, warrant: Warrant): PartVerdict {
    if (reply.op !== 'answer' && !this.terms.isStream) return 'broken'
    if (reply.op === 'end') return this.#parts.end(reply.at)
    const at = reply.op === 'part' ? reply.at : 0
    const verdict = this.#parts.put(at, { message, data: reply.data, warrant })
    // A single answer is the first part and the last one.
    return verdict === 'taken' && reply.op === 'answer' ? this.#parts.end(1) : verdict
  }

  #proceed(): void {
    if (this.#parts.isComplete) this.#close(false)
    else this.#arm()
    this.#tell()
  }

  /** The next answer; undefined when there was the last one. Throws why there is none. */
  async next(): Promise<RawAnswer | undefined> {
    for (;;) {
      const part = this.#parts.take()
      if (part !== undefined) {
        this.#grant()
        return part
      }
      if (this.#parts.isDrained) return undefined
      if (this.#failure !== undefined) throw this.#failure
      await this.#changed.promise
    }
  }

  #grant(): void {
    const upTo = this.#isOver ? undefined : this.#parts.grant()
    if (upTo === undefined) return
    this.#arm()
    this.#port.onGrant(this, upTo)
  }

  /** The reader wants no more. */
  leave(): void {
    this.#parts.clear()
    if (!this.#isOver) this.#close(true)
  }

  /** It comes to nothing, and the other node need not be told. What has come may still be read. */
  fail(error: Error): void {
    this.#fail(error, false)
  }

  #fail(error: Error, isTold: boolean): void {
    if (this.#isOver) return
    this.#failure = error
    this.#ended.abort(error)
    this.#close(isTold)
    this.#tell()
  }

  #onAbort = (): void => {
    this.#parts.clear()
    this.#fail(aborted(`the request ${this.terms.type}`, this.terms.signal?.reason), true)
  }

  /** Runs the time until the next part; or, when all that may be sent is here, the time of the reader. */
  #arm(): void {
    this.#timer?.cancel()
    const { timeout } = this.terms
    const ms = this.#parts.isFull ? STREAM_IDLE : timeout
    this.#timer = this.#port.clock.setTimer(() => this.#onTimeout(ms), ms)
  }

  #onTimeout(ms: number): void {
    // The ask itself has an end, which the other node knows; what comes after the first part has none.
    const hasBegun = this.#warrants?.chosen !== undefined
    this.#fail(requestTimeout(this.terms.type, this.answerer, ms), hasBegun)
  }

  #tell(): void {
    const changed = this.#changed
    this.#changed = new Deferred()
    changed.resolve()
  }

  #close(isTold: boolean): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.terms.signal?.removeEventListener('abort', this.#onAbort)
    this.#port.onOver(this, isTold)
  }
}
