import { utf8 } from '../wire/bytes.ts'
import { MAX_ANSWER_BYTES } from '../limits/network-limits.ts'
import { Kind } from '../wire/frame.ts'
import { toHex } from '../wire/hex.ts'
import { type Answer, isGenuineAnswer, makeAnswer, readAnswer, tellLinks } from './answer.ts'
import type { DiscoveryGuard } from './discovery-guard.ts'
import type { DiscoveryLink, DiscoveryPort, DiscoveryRefusal } from './discovery-port.ts'
import type { AskedQuestion, QuestionMemory } from './question-memory.ts'
import type { VerificationQueue } from './verification-queue.ts'

/** What passing answers back needs. */
export interface AnswerRouteParts<L extends object> {
  readonly port: DiscoveryPort<L>
  readonly memory: QuestionMemory<L>
  readonly queue: VerificationQueue
  readonly guard: DiscoveryGuard<L>
}

/** Takes answers to questions that were sent on, and passes them back to where the question came from. */
export class AnswerRoute<L extends DiscoveryLink> {
  readonly #parts: AnswerRouteParts<L>
  /** Answers under verification, by their digest and signature. */
  readonly #flights = new Set<string>()
  #given = 0
  #relayed = 0

  constructor(parts: AnswerRouteParts<L>) {
    this.#parts = parts
  }

  /** Answers that this node has given. */
  get given(): number {
    return this.#given
  }

  /** Answers of others that were passed back. */
  get relayed(): number {
    return this.#relayed
  }

  /** Answers a question itself. */
  async answer(asked: AskedQuestion<L>, origin: L): Promise<void> {
    const { self, sign } = this.#parts.port
    const told = tellLinks(this.#parts.port.links(), origin)
    const { statement } = await makeAnswer({ ...told, from: self.id, net: self.net, re: asked.id }, sign)
    if (this.#conclude(asked, self.id, statement.text.length) && this.#send(asked, statement.text))
      this.#given++
  }

  /** An answer arrived. The checks come in the order of their cost. */
  receive(link: L, payload: Uint8Array): void {
    const { port, memory, guard, queue } = this.#parts
    if (payload.length > MAX_ANSWER_BYTES) return guard.reject(link, 'bad-answer', 'too-large')
    // What a link brings that was not asked anything is not even read.
    if (!memory.awaitsAnything(link)) return guard.refuse('unasked')
    if (!guard.quotaOf(link).takeIn(payload.length, port.clock.now())) return guard.refuse('rate')
    const result = readAnswer(payload, port.self.net)
    if (!result.ok) return guard.reject(link, 'bad-answer', result.code)
    const { answer } = result
    const asked = memory.awaited(answer.body.re, link)
    const key = keyOf(answer)
    const code = this.#judge(asked, answer, key)
    if (asked === undefined || code !== undefined) return guard.refuse(code ?? 'unasked')
    const run = (): Promise<void> => this.#verify(link, asked, answer, key)
    this.#flights.add(key)
    if (queue.offer({ link, bytes: payload.length, run })) return
    this.#flights.delete(key)
    guard.refuse('overload')
  }

  #judge(
    asked: AskedQuestion<L> | undefined,
    { body, statement }: Answer,
    key: string,
  ): DiscoveryRefusal | undefined {
    if (asked === undefined || this.#parts.port.clock.now() >= asked.closesAt) return 'unasked'
    if (asked.answered.has(body.from) || this.#flights.has(key)) return 'repeated'
    return this.#parts.memory.hasRoomFor(asked, statement.text.length) ? undefined : 'overload'
  }

  async #verify(link: L, asked: AskedQuestion<L>, answer: Answer, key: string): Promise<void> {
    const { port, guard } = this.#parts
    // While it waited, the link was caught with something else.
    const isGenuine = !guard.isRejected(link) && (await isGenuineAnswer(answer, port.engine))
    this.#flights.delete(key)
    if (!isGenuine) return guard.reject(link, 'bad-answer', 'bad-signature')
    const { body, statement } = answer
    if (!this.#conclude(asked, body.from, statement.text.length)) return
    if (asked.survey !== undefined) asked.survey.answer(body.from, body)
    else if (this.#send(asked, statement.text)) this.#relayed++
  }

  /** Judges again what may have changed while it was verified or signed, and remembers that this node has answered. */
  #conclude(asked: AskedQuestion<L>, from: string, bytes: number): boolean {
    const { memory, guard } = this.#parts
    const isRepeated = asked.answered.has(from)
    if (asked.isOpen && !isRepeated && memory.hasRoomFor(asked, bytes)) {
      memory.answer(asked, from, bytes)
      return true
    }
    guard.refuse(!asked.isOpen ? 'unasked' : isRepeated ? 'repeated' : 'overload')
    return false
  }

  #send({ origin }: AskedQuestion<L>, text: string): boolean {
    const { port, guard } = this.#parts
    const code = this.#judgeWay(origin, text.length)
    if (origin === undefined || code !== undefined) {
      guard.refuse(code ?? 'lost')
      return false
    }
    port.write(origin, Kind.answer, utf8(text))
    return true
  }

  /** Whoever asks does not read faster for it: answers are given up before they pile up here. */
  #judgeWay(origin: L | undefined, bytes: number): DiscoveryRefusal | undefined {
    const { port, guard } = this.#parts
    if (origin === undefined || !port.links().has(origin)) return 'lost'
    if (origin.isCongested) return 'congested'
    return guard.quotaOf(origin).takeOut(bytes, port.clock.now()) ? undefined : 'rate'
  }
}

function keyOf({ statement }: Answer): string {
  return toHex(statement.digest) + statement.signature
}
