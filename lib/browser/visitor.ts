import { makeAnswer, tellLinks } from '../discovery/answer.ts'
import { isGenuineQuestion, readQuestion } from '../discovery/question.ts'
import type { OverlayPort } from '../overlay/overlay-port.ts'
import type { OverlayLink } from '../overlay/overlay-link.ts'
import { decodeFind, encodeFound } from '../lookup/find-frame.ts'
import {
  MAX_QUESTIONS,
  QUESTION_BURST,
  QUESTION_FUTURE,
  QUESTION_PAST,
  QUESTION_RATE,
} from '../limits/network-limits.ts'
import { RecentMap } from '../ground/recent-map.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import { encodeFrame, type Frame, Kind } from '../wire/frame.ts'
import type { Engine } from '../identity/engine.ts'

/** What a visitor needs of its node. */
export interface VisitorPort<L extends OverlayLink> extends Pick<
  OverlayPort<L>,
  'self' | 'clock' | 'sign' | 'links' | 'write' | 'expel'
> {
  readonly engine: Engine | undefined
}

/**
 * What a node does for the forming of a network in which nobody can dial it: it answers, so that nobody waits for it,
 * and keeps nothing. Who asks whom it knows is told of nobody; who asks who is there is told of its links.
 */
export class Visitor<L extends OverlayLink> {
  readonly #port: VisitorPort<L>
  /** Questions that were answered, by their ID: they come over each link. */
  readonly #answered = new RecentMap<string, true>(MAX_QUESTIONS)
  /** Each costs a verification and a signature; all links together. */
  readonly #questions: TokenBucket

  constructor(port: VisitorPort<L>) {
    this.#port = port
    this.#questions = new TokenBucket(QUESTION_RATE, QUESTION_BURST, port.clock.now())
  }

  /** A frame arrived. Returns `false` if it is none of the forming of the network. */
  receive(link: L, { kind, payload }: Frame): boolean {
    // Should the answer not be signed, nobody hears of this node; that is all.
    if (kind === Kind.question) this.#onQuestion(link, payload).catch(() => {})
    else if (kind === Kind.find) this.#onFind(link, payload)
    else if (kind === Kind.getPeers) this.#say(link, Kind.peers, '[]')
    // Where others are: nobody that a page could dial. And it asks nothing, so what comes as an answer is none.
    else return [Kind.record, Kind.enough, Kind.peers, Kind.answer, Kind.found].includes(kind as never)
    return true
  }

  #say(link: L, kind: number, text: string): void {
    this.#port.write(link, encodeFrame(kind, new TextEncoder().encode(text)))
  }

  #onFind(link: L, payload: Uint8Array): void {
    const find = decodeFind(payload)
    if (find === undefined) this.#port.expel(link, 'bad-lookup')
    else this.#port.write(link, encodeFrame(Kind.found, encodeFound(find.number, [])))
  }

  /** The question is not passed on: whoever asked its peers to ask has other ways to them. */
  async #onQuestion(link: L, payload: Uint8Array): Promise<void> {
    const { self, clock, engine, links, sign } = this.#port
    const result = readQuestion(payload, self.net)
    if (!result.ok) return this.#port.expel(link, 'bad-question')
    const { id, body } = result.question
    const age = clock.now() - body.time
    if (this.#answered.get(id) === true || age > QUESTION_PAST || age < -QUESTION_FUTURE) return
    if (!this.#questions.take(clock.now())) return
    if (!(await isGenuineQuestion(result.question, engine))) return this.#port.expel(link, 'bad-question')
    // It may have come over another link meanwhile.
    if (this.#answered.get(id) === true || !link.isUp) return
    this.#answered.set(id, true)
    const told = { from: self.id, net: self.net, re: id, ...tellLinks(links(), link) }
    const { statement } = await makeAnswer(told, sign)
    this.#say(link, Kind.answer, statement.text)
  }
}
