import type { Timer } from '../ground/clock.ts'
import { errorText } from '../ground/texts.ts'
import { FIND_PATIENCE, FIND_TIMEOUT } from '../limits/network-limits.ts'
import type { NodeId } from '../wire/ids.ts'
import type { FinderLink, FinderPort } from './finder-port.ts'
import type { Candidate } from './lookup.ts'
import type { Place } from './place.ts'
import type { ToldRecord } from './verified-records.ts'

/** Errors of a dial that say nothing about the node that was dialled. */
const OUR_OWN: readonly unknown[] = ['aborted', 'too-many-connections', 'not-started', 'overload']

/** What is told of a question. At the end comes either an answer or a failure, once, unless it was cancelled. */
export interface AskingTerms<L> {
  /** It takes long; it may still come out well. */
  readonly onSlow: () => void
  readonly onAnswer: (link: L, told: readonly ToldRecord[]) => void
  /** @param isTheirs Whether the node that was asked seems not to be there. */
  readonly onFailure: (isTheirs: boolean) => void
}

/** One question to one node: the link to it, the time that it may take, its answer. */
export class Asking<L extends FinderLink> {
  readonly place: Place
  readonly #port: FinderPort<L>
  readonly #terms: AskingTerms<L>
  readonly #dial = new AbortController()
  #timer: Timer
  #held: Timer | undefined
  #isConnected = false
  #isOver = false

  constructor(port: FinderPort<L>, place: Place, terms: AskingTerms<L>) {
    this.place = place
    this.#port = port
    this.#terms = terms
    this.#timer = port.clock.setTimer(() => this.#onPatience(), FIND_PATIENCE)
  }

  /** Whether nobody waits for its answer any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Connects, and asks.
   *
   * @param send Sends the question over the link that was found.
   */
  async begin({ id, addresses }: Candidate, send: (link: L) => void): Promise<void> {
    try {
      const link = await this.#port.reach(id as NodeId, addresses, this.#dial.signal)
      this.#isConnected = true
      if (!this.#isOver) send(link)
    } catch (error) {
      const { code = errorText(error) } = error as { code?: unknown }
      this.fail(!OUR_OWN.includes(code))
    }
  }

  /** It is sent when a timer fires. */
  hold(timer: Timer): void {
    this.#held = timer
  }

  /** An answer has come, and is looked at now: no more time counts. */
  arrive(): void {
    this.#timer.cancel()
  }

  answer(link: L, told: readonly ToldRecord[]): void {
    if (this.#end()) this.#terms.onAnswer(link, told)
  }

  fail(isTheirs: boolean): void {
    if (this.#end()) this.#terms.onFailure(isTheirs)
  }

  /** It is of no interest any more. */
  cancel(): void {
    this.#end()
  }

  #onPatience(): void {
    this.#timer = this.#port.clock.setTimer(() => this.fail(true), FIND_TIMEOUT - FIND_PATIENCE)
    this.#terms.onSlow()
  }

  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#timer.cancel()
    this.#held?.cancel()
    // An abort that nobody hears costs more than all the rest of a question.
    if (!this.#isConnected) this.#dial.abort()
    return true
  }
}
