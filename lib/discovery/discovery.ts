import type { Timer } from '../ground/clock.ts'
import { aborted, tooManySearches } from '../errors.ts'
import { DISCOVER_TIMEOUT, QUESTION_BURST, QUESTION_PAST, QUESTION_RATE } from '../limits/network-limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import { type Frame, Kind } from '../wire/frame.ts'
import { tellLinks } from './answer.ts'
import { AnswerRoute } from './answer-route.ts'
import { DiscoveryGuard } from './discovery-guard.ts'
import type { DiscoveryLink, DiscoveryPort, DiscoveryStats } from './discovery-port.ts'
import { checkDiscoverOptions, type DiscoverOptions, NetworkSearch } from './network-search.ts'
import type { NetworkMap } from './network-map.ts'
import { makeQuestion, type Question } from './question.ts'
import { QuestionFlood } from './question-flood.ts'
import { type AskedQuestion, QuestionMemory, type Way } from './question-memory.ts'
import { Survey } from './survey.ts'
import { VerificationQueue } from './verification-queue.ts'

/**
 * Finds out who is in the network. A question floods it once; every node answers once, and its answer goes back the
 * way the question came, hop by hop. Each node verifies what it passes on, so that no honest one is blamed for it.
 * And each keeps to its own bounds, or one small question would be the cheapest way to make a network flood somebody.
 */
export class Discovery<L extends DiscoveryLink> {
  readonly #port: DiscoveryPort<L>
  readonly #memory = new QuestionMemory<L>()
  readonly #guard: DiscoveryGuard<L>
  readonly #flood: QuestionFlood<L>
  readonly #route: AnswerRoute<L>
  /** What this node may ask itself: peers would not take more from it. */
  readonly #own: TokenBucket
  readonly #surveys = new Set<Survey>()
  #sweep: Timer | undefined
  #questions = 0
  #lastMap: NetworkMap | undefined

  constructor(port: DiscoveryPort<L>) {
    this.#port = port
    this.#guard = new DiscoveryGuard(port)
    this.#own = new TokenBucket(QUESTION_RATE, QUESTION_BURST, port.clock.now())
    const parts = { port, memory: this.#memory, guard: this.#guard, queue: new VerificationQueue() }
    this.#route = new AnswerRoute(parts)
    this.#flood = new QuestionFlood({
      ...parts,
      remember: (question, origin) => this.#accept(question, origin),
    })
  }

  /** The map of the last search that came to its end: complete, or by its timeout. */
  get lastMap(): NetworkMap | undefined {
    return this.#lastMap
  }

  stats(): DiscoveryStats {
    const { given: answered, relayed: relayedAnswers } = this.#route
    return { questions: this.#questions, answered, relayedAnswers, refused: this.#guard.refused }
  }

  /**
   * Asks the whole network who is there. The search fails with SecureNodeError `overload` if this node has asked too
   * often: 8 times at once, and once a second.
   *
   * @throws SecureNodeError `invalid-option`, `invalid-argument`
   */
  search(options: DiscoverOptions = {}): NetworkSearch {
    checkDiscoverOptions(options)
    const { self, clock } = this.#port
    // Later than that, no answer is passed back any more.
    const timeout = Math.min(options.timeout ?? DISCOVER_TIMEOUT, QUESTION_PAST)
    const survey = new Survey({ self: self.id, clock, timeout, signal: options.signal })
    if (!survey.isOver) this.#begin(survey)
    return new NetworkSearch(survey)
  }

  /** A question or an answer arrived. */
  receive(link: L, { kind, payload }: Frame): void {
    if (this.#guard.isRejected(link)) return
    if (kind === Kind.question) this.#flood.receive(link, payload)
    else if (kind === Kind.answer) this.#route.receive(link, payload)
  }

  /** A link has ended. */
  onDown(link: L): void {
    this.#memory.forgetLink(link)
  }

  /** The node stops: searches under way fail, and answers are passed back no more. */
  stop(): void {
    for (const survey of this.#surveys) survey.fail(aborted('the discovery'))
    this.#memory.closeAll()
    this.#sweep?.cancel()
    this.#sweep = undefined
  }

  #begin(survey: Survey): void {
    const now = this.#port.clock.now()
    if (!this.#own.take(now)) return survey.fail(tooManySearches(this.#own.wait(now)))
    this.#surveys.add(survey)
    survey.onEnd = () => this.#forget(survey)
    this.#ask(survey).catch((error: unknown) => survey.fail(error as Error))
  }

  async #ask(survey: Survey): Promise<void> {
    const { self, clock, random, sign } = this.#port
    const time = Math.floor(clock.now())
    const question = await makeQuestion({ from: self.id, net: self.net, time }, random, sign)
    if (survey.isOver) return
    const asked = this.#remember(question, { origin: undefined, survey })
    survey.onEnd = (map) => {
      this.#forget(survey)
      this.#memory.close(asked)
      this.#lastMap = map ?? this.#lastMap
    }
    const links = this.#port.links()
    this.#flood.send(asked, question, links)
    survey.begin(tellLinks(links))
  }

  #forget(survey: Survey): void {
    this.#surveys.delete(survey)
  }

  #accept(question: Question, origin: L): AskedQuestion<L> {
    const asked = this.#remember(question, { origin, survey: undefined })
    // Should it not be signed, nobody hears of this node; that is all.
    this.#route.answer(asked, origin).catch(() => {})
    return asked
  }

  #remember(question: Question, way: Way<L>): AskedQuestion<L> {
    this.#questions++
    this.#sweep ??= this.#port.clock.setTimer(() => this.#onSweep(), QUESTION_PAST)
    return this.#memory.add(question, this.#port.clock.now(), way)
  }

  /** What is kept for answers is large, and must not lie here until somebody asks again. */
  #onSweep(): void {
    const { clock } = this.#port
    this.#memory.sweep(clock.now())
    const isEmpty = this.#memory.size === 0
    this.#sweep = isEmpty ? undefined : clock.setTimer(() => this.#onSweep(), QUESTION_PAST)
  }
}
