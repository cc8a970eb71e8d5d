import { utf8 } from '../wire/bytes.ts'
import { ALL_QUESTIONS_BURST, ALL_QUESTIONS_RATE, MAX_QUESTION_BYTES } from '../limits/network-limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import { Kind } from '../wire/frame.ts'
import type { DiscoveryGuard } from './discovery-guard.ts'
import type { DiscoveryLink, DiscoveryPort, DiscoveryRefusal } from './discovery-port.ts'
import { isGenuineQuestion, type Question, readQuestion } from './question.ts'
import type { AskedQuestion, QuestionMemory } from './question-memory.ts'
import type { VerificationQueue } from './verification-queue.ts'

/** What flooding questions needs. */
export interface QuestionFloodParts<L extends object> {
  readonly port: DiscoveryPort<L>
  readonly memory: QuestionMemory<L>
  readonly queue: VerificationQueue
  readonly guard: DiscoveryGuard<L>
  /** A question is good and new: remembers it, with the link that its answers go to. */
  remember(question: Question, origin: L): AskedQuestion<L>
}

/** Takes the questions of others, and passes each on once: to every link but those that have brought it. */
export class QuestionFlood<L extends DiscoveryLink> {
  readonly #parts: QuestionFloodParts<L>
  readonly #all: TokenBucket
  /**
   * Links that brought a question while it is verified, the first one first; by its ID and signature. A forged copy
   * that comes first must not silence the genuine one.
   */
  readonly #flights = new Map<string, Set<L>>()

  constructor(parts: QuestionFloodParts<L>) {
    this.#parts = parts
    this.#all = new TokenBucket(ALL_QUESTIONS_RATE, ALL_QUESTIONS_BURST, parts.port.clock.now())
  }

  /** A question arrived. The checks come in the order of their cost. */
  receive(link: L, payload: Uint8Array): void {
    const { port, guard } = this.#parts
    if (payload.length > MAX_QUESTION_BYTES) return guard.reject(link, 'bad-question', 'too-large')
    if (!guard.quotaOf(link).copies.take(port.clock.now())) return guard.refuse('rate')
    const result = readQuestion(payload, port.self.net)
    if (!result.ok) return guard.reject(link, 'bad-question', result.code)
    const { question } = result
    if (this.#parts.memory.has(question.id)) return
    const bringers = this.#flights.get(keyOf(question))
    if (bringers !== undefined) return void bringers.add(link)
    const code = this.#judge(link, question)
    if (code === undefined) this.#verify(link, question)
    else guard.refuse(code)
  }

  /** Sends a question on. Who has too much waiting for him already is left out. */
  send(asked: AskedQuestion<L>, { statement }: Question, links: Iterable<L>): void {
    const payload = utf8(statement.text)
    for (const link of links) {
      if (link.isCongested) this.#parts.guard.refuse('congested')
      else {
        asked.sentTo.add(link)
        this.#parts.port.write(link, Kind.question, payload)
      }
    }
  }

  /** Everything before the signature: what is not genuine must not be looked at without end either. */
  #judge(link: L, { body }: Question): DiscoveryRefusal | undefined {
    const { port, memory, guard } = this.#parts
    const now = port.clock.now()
    if (body.from === port.self.id) return 'own'
    const code = memory.judgeTime(body.time, now)
    if (code !== undefined) return code
    if (!guard.quotaOf(link).questions.take(now)) return 'rate'
    return memory.hasRoom && this.#all.take(now) ? undefined : 'overload'
  }

  #verify(link: L, question: Question): void {
    const { port, queue, guard } = this.#parts
    const key = keyOf(question)
    const bringers = new Set([link])
    const run = async (): Promise<void> => {
      const isGenuine = await isGenuineQuestion(question, port.engine)
      this.#flights.delete(key)
      if (isGenuine) this.#accept(question, bringers)
      else for (const bringer of bringers) guard.reject(bringer, 'bad-question', 'bad-signature')
    }
    this.#flights.set(key, bringers)
    if (queue.offer({ link, bytes: question.statement.text.length, run })) return
    this.#flights.delete(key)
    guard.refuse('overload')
  }

  #accept(question: Question, bringers: ReadonlySet<L>): void {
    const { port, memory, guard } = this.#parts
    // While this copy was verified, one with another signature may have come through, and time has passed.
    if (memory.has(question.id)) return
    const code = memory.judgeTime(question.body.time, port.clock.now())
    if (code !== undefined || !memory.hasRoom) return guard.refuse(code ?? 'overload')
    const peers = port.links()
    const origin = [...bringers].find((link) => peers.has(link) && !guard.isRejected(link))
    // Not remembered: over another link it may still come, and then its answers have a way.
    if (origin === undefined) return guard.refuse('lost')
    const asked = this.#parts.remember(question, origin)
    this.send(
      asked,
      question,
      [...peers].filter((link) => !bringers.has(link)),
    )
  }
}

function keyOf({ id, statement }: Question): string {
  return id + statement.signature
}
