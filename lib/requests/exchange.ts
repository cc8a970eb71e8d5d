import type { Timer } from '../ground/clock.ts'
import { Deferred } from '../ground/deferred.ts'
import { aborted, invalidArgument } from '../errors.ts'
import { MAX_BOUNCES, STREAM_IDLE } from '../limits/direct-limits.ts'
import { type Json, plainCopy } from '../message/canonical.ts'
import { isStrictKey } from '../message/document.ts'
import { encodeParcel } from '../message/parcel.ts'
import { copyBytes, utf8 } from '../wire/bytes.ts'
import { isHex32, type NodeId } from '../wire/ids.ts'
import { Credit } from './credit.ts'
import type { ExchangePort, ReceivedAsk, RespondOptions } from './exchange-port.ts'
import { failAnswer, RequestError } from './request-error.ts'
import type { OutgoingCall } from './request-port.ts'

const HANDLER_ERROR = ['handler-error', 'the handler of this type of request failed'] as const

/** The answering of one ask: what may be said to it, in which order, and until when. */
export class Exchange {
  readonly ask: ReceivedAsk
  readonly #port: ExchangePort
  readonly #credit: Credit
  readonly #ended = new AbortController()
  /** How long the asker waits for one part after another: what it has given to the first one. */
  readonly #patience: number
  #said: 'nothing' | 'parts' | 'all' = 'nothing'
  #deadline: number
  #timer: Timer | undefined
  #changed = new Deferred<void>()
  /** Parts that wait for credit, or for their sending. */
  #waiting = 0
  #isOver = false
  /** What the application was told of already. */
  #reported: unknown

  constructor(ask: ReceivedAsk, port: ExchangePort) {
    this.ask = ask
    this.#port = port
    this.#credit = new Credit(ask.want)
    this.#patience = ask.message.exp! - ask.message.time
    this.#deadline = ask.deadline
    this.#wait(ask.deadline - port.clock.now())
  }

  /** When the asker gives up, as things stand, in ms since the epoch. */
  get deadline(): number {
    return this.#deadline
  }

  /** Aborted when nobody listens any more. */
  get signal(): AbortSignal {
    return this.#ended.signal
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Says the one answer. Resolves with false if nobody listens any more. */
  respond(data: unknown, { bytes }: RespondOptions = {}): Promise<boolean> {
    this.#assertUnsaid(this.#said === 'nothing', 'respond')
    const copy = copyData(data)
    const attachment = copyBytes(bytes)
    return this.#last(async () => {
      await this.#port.check?.(this.#type, 'answer', copy)
      return this.#post('answer', { data: copy }, attachment)
    })
  }

  /** Says why there is no answer, or no further part of it. */
  fail(code: string, text = ''): Promise<boolean> {
    this.#assertUnsaid(this.#said !== 'all', 'fail')
    const answer = failAnswer(code, text)
    return this.#last(() => this.#post('fail', { ...answer }))
  }

  /** Leaves the answer to another node. What cannot be done ends the request with a reason. */
  bounce(nodeId: string): Promise<boolean> {
    this.#assertUnsaid(this.#said === 'nothing', 'bounce')
    const { message, by, bounces } = this.ask
    if (!isHex32(nodeId) || !isStrictKey(nodeId)) throw invalidArgument('nodeId', 'the ID of a node', nodeId)
    const next = nodeId as NodeId
    const isNew = next !== this.#port.self && next !== message.from
    if (!isNew) throw invalidArgument('nodeId', 'neither this node nor the asker', nodeId)
    // Its content was for this node alone, and nobody else could verify it.
    if (message.sealed === true) throw invalidArgument('a bounced request', 'in the clear', 'a sealed one')
    if (bounces.includes(next)) return this.fail('bounce-loop', 'the request came by this node already')
    if (by.length >= MAX_BOUNCES) return this.fail('too-many-bounces', 'the request was passed on too often')
    const attachment = message.bytes ?? new Uint8Array(0)
    const parcel = encodeParcel({ document: utf8(message.document), attachment })
    return this.#last(() => this.#post('bounce', { to: next, ...this.#proof }, parcel, [next, message.from]))
  }

  /** Says one of many answers, when the asker has room for it. Resolves with false if nobody listens any more. */
  send(data: unknown, { bytes }: RespondOptions = {}): Promise<boolean> {
    this.#assertUnsaid(this.#said !== 'all', 'send')
    this.#assertStream()
    const copy = copyData(data)
    const attachment = copyBytes(bytes)
    this.#said = 'parts'
    return quiet(this.#sendPart(this.#credit.number(), copy, attachment))
  }

  /** Says that there are no more answers, after those that wait. */
  end(): Promise<boolean> {
    this.#assertUnsaid(this.#said !== 'all', 'end')
    this.#assertStream()
    return this.#last(async () => {
      while (this.#waiting > 0 && !this.#isOver) await this.#changed.promise
      return this.#post('end', { at: this.#credit.count })
    })
  }

  /** The handler has come to its end, and returned this: the answer, unless it has said something itself. */
  async conclude(value: unknown): Promise<void> {
    if (this.#said === 'parts') await this.end()
    else if (this.#said === 'nothing')
      await (isAsyncIterable(value) ? this.#sendAll(value) : this.respond(value))
  }

  async #sendAll(parts: AsyncIterable<unknown>): Promise<void> {
    this.#assertStream()
    // To leave the loop ends the iterable: it learns that nobody listens.
    for await (const part of parts) if (!(await this.send(part))) return
    await this.end()
  }

  /** The handler has failed. The asker learns that it did, and nothing of the inside. */
  failed(error: unknown): void {
    if (error === this.#reported) return
    const isDeliberate = error instanceof RequestError
    // Whoever hands the signal on fails when it is aborted, as he should.
    const isEnd = this.signal.aborted && (error === this.signal.reason || isAbortError(error))
    if (!isDeliberate && !isEnd) this.#report(error)
    if (this.#said === 'all') return
    if (isDeliberate) void this.fail(error.answer.code, error.answer.text)
    else void this.fail(...HANDLER_ERROR)
  }

  /** The asker has room for so many parts in all. */
  more(upTo: number): void {
    this.#credit.allow(upTo)
    if (this.#said !== 'nothing') this.#wait(this.#patience)
    this.#tell()
  }

  /** Nobody listens any more. */
  abort(why: string): void {
    if (this.#isOver) return
    this.#close()
    this.#ended.abort(aborted(`a request (${why})`))
  }

  async #sendPart(at: number, data: Json, bytes: Uint8Array | undefined): Promise<boolean> {
    this.#waiting++
    try {
      await this.#port.check?.(this.#type, 'answer', data)
      await this.#creditFor(at)
      const isSent = await this.#post('part', { at, data }, bytes)
      if (isSent) this.#wait(this.#patience)
      return isSent
    } catch (error) {
      this.#breakDown(error)
      throw error
    } finally {
      this.#waiting--
      this.#tell()
    }
  }

  async #creditFor(at: number): Promise<void> {
    while (!this.#isOver && !this.#credit.covers(at)) {
      this.#wait(STREAM_IDLE)
      await this.#changed.promise
    }
  }

  /** The last thing that is said. Whatever goes wrong with it, the asker is not left waiting. */
  #last(say: () => Promise<boolean>): Promise<boolean> {
    this.#said = 'all'
    const attempt = async (): Promise<boolean> => {
      try {
        return await say()
      } catch (error) {
        this.#breakDown(error)
        throw error
      } finally {
        this.#close()
      }
    }
    return quiet(attempt())
  }

  #breakDown(error: unknown): void {
    this.#report(error)
    if (this.#isOver) return
    this.#said = 'all'
    const [code, text] = HANDLER_ERROR
    this.#post('fail', { code, text }).catch(() => {})
    this.#close()
  }

  async #post(
    op: OutgoingCall['op'],
    data: Readonly<Record<string, Json>>,
    bytes?: Uint8Array,
    to: readonly NodeId[] = [this.ask.message.from],
  ): Promise<boolean> {
    if (this.#isOver) return false
    const { id: re, sealed: seal = false, exp } = this.ask.message
    // The next node refuses a bounce that has ended like the ask itself.
    const fields = op === 'bounce' ? { exp: exp! } : {}
    const envelope = op === 'bounce' ? data : { ...data, ...this.#proof }
    const call = { op, type: this.#type, to, re, data: envelope, seal, ...fields, ...(bytes && { bytes }) }
    await this.#port.post(call)
    return true
  }

  get #type(): string {
    return this.ask.message.type
  }

  get #proof(): { readonly by?: readonly string[] } {
    const { by } = this.ask
    return by.length > 0 ? { by } : {}
  }

  #assertUnsaid(isAllowed: boolean, what: string): void {
    if (!isAllowed) throw invalidArgument(what, 'called for a request that is not answered yet', 'another')
  }

  /** The asker's mistake, not the handler's: it gets to know. */
  #assertStream(): void {
    if (this.ask.want === 0) {
      throw new RequestError('stream-only', 'this type of request is answered in parts')
    }
  }

  #wait(ms: number): void {
    if (this.#isOver) return
    this.#timer?.cancel()
    this.#deadline = this.#port.clock.now() + ms
    this.#timer = this.#port.clock.setTimer(() => this.abort('its time is over'), ms)
  }

  #report(error: unknown): void {
    this.#reported = error
    this.#port.onError(error, this.#type)
  }

  #tell(): void {
    const changed = this.#changed
    this.#changed = new Deferred()
    changed.resolve()
  }

  #close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#timer?.cancel()
    this.#tell()
    this.#port.onOver(this.ask)
  }
}

/** Whoever does not wait for it must not lose the process to a rejection that nobody handles: it is reported. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

function copyData(data: unknown): Json {
  return plainCopy(data === undefined ? null : data)
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof (value as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] ===
    'function'
  )
}

function isAbortError(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}
