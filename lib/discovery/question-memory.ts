import {
  MAX_ANSWERS,
  MAX_ANSWERS_BYTES,
  MAX_ANSWERS_HELD,
  MAX_QUESTIONS,
  QUESTION_FUTURE,
  QUESTION_PAST,
} from '../limits/network-limits.ts'
import type { Question } from './question.ts'
import type { Survey } from './survey.ts'

/** Where answers go. */
export interface Way<L> {
  /** The link that the question came from, unless that has ended. */
  origin: L | undefined
  /** The search of this node, if it asked itself. */
  survey: Survey | undefined
}

/** A question that this node has passed on, or asked. */
export interface AskedQuestion<L> extends Way<L> {
  readonly id: string
  /** When it was asked, as its author says, in ms since the epoch. */
  readonly time: number
  /** When its answers are passed back no more, in ms since the epoch. */
  readonly closesAt: number
  /** Where answers come from. */
  readonly sentTo: Set<L>
  /** Nodes whose answers have gone by. */
  readonly answered: Set<string>
  /** Bytes of those answers. */
  bytes: number
  /** Whether answers are passed back still. */
  isOpen: boolean
}

/**
 * The questions that this node knows. Each is kept until it would be refused as stale anyway, and never given up
 * before: so no flood can push one out, and no replay can start a second wave. Only for the first part of that time
 * answers to it are passed back; what is kept for them is given up first.
 */
export class QuestionMemory<L> {
  readonly #questions = new Map<string, AskedQuestion<L>>()
  #held = 0
  #horizon = -Infinity

  /** Questions remembered. */
  get size(): number {
    return this.#questions.size
  }

  /** Answers remembered. */
  get answersHeld(): number {
    return this.#held
  }

  get hasRoom(): boolean {
    return this.#questions.size < MAX_QUESTIONS
  }

  has(id: string): boolean {
    return this.#questions.has(id)
  }

  /** The question that an answer of this link is to, if it is one that was sent there. */
  awaited(id: string, link: L): AskedQuestion<L> | undefined {
    const asked = this.#questions.get(id)
    return asked?.sentTo.has(link) === true ? asked : undefined
  }

  /** Whether any answer may come over this link. */
  awaitsAnything(link: L): boolean {
    for (const { sentTo } of this.#questions.values()) if (sentTo.has(link)) return true
    return false
  }

  /** Whether a question comes at the wrong time, and how. */
  judgeTime(time: number, now: number): 'stale' | 'early' | undefined {
    this.sweep(now)
    if (time < this.#horizon) return 'stale'
    return time > now + QUESTION_FUTURE ? 'early' : undefined
  }

  /** Remembers a question. The caller has asked {@link hasRoom}, {@link has} and {@link judgeTime}. */
  add({ id, body }: Question, now: number, way: Way<L>): AskedQuestion<L> {
    const asked: AskedQuestion<L> = {
      ...way,
      id,
      time: body.time,
      closesAt: now + QUESTION_PAST,
      sentTo: new Set(),
      // Whoever asks does not answer.
      answered: new Set([body.from]),
      bytes: 0,
      isOpen: true,
    }
    this.#held++
    this.#questions.set(id, asked)
    return asked
  }

  /** Whether one more answer to a question can be taken. */
  hasRoomFor({ answered, bytes }: AskedQuestion<L>, size: number): boolean {
    return answered.size < MAX_ANSWERS && bytes + size <= MAX_ANSWERS_BYTES && this.#held < MAX_ANSWERS_HELD
  }

  /** A node has answered a question that is open. The caller has asked {@link hasRoomFor}. */
  answer(asked: AskedQuestion<L>, from: string, size: number): void {
    asked.answered.add(from)
    asked.bytes += size
    this.#held++
  }

  /** A link has ended: nothing comes from there any more, and nothing can go there. */
  forgetLink(link: L): void {
    for (const asked of this.#questions.values()) {
      asked.sentTo.delete(link)
      if (asked.origin === link) asked.origin = undefined
    }
  }

  /** No more answers to a question are wanted; its ID stays. */
  close(asked: AskedQuestion<L>): void {
    asked.isOpen = false
    this.#held -= asked.answered.size
    asked.answered.clear()
    asked.sentTo.clear()
    asked.origin = undefined
    asked.survey = undefined
  }

  /** No more answers to any question are wanted. */
  closeAll(): void {
    for (const asked of this.#questions.values()) this.close(asked)
  }

  /**
   * Forgets what time has made useless. The horizon never goes back, also when the clock does: a question that was
   * forgotten must stay too old.
   */
  sweep(now: number): void {
    this.#horizon = Math.max(this.#horizon, now - QUESTION_PAST)
    for (const asked of this.#questions.values()) {
      if (now >= asked.closesAt) this.close(asked)
      if (asked.time < this.#horizon) {
        this.close(asked)
        this.#questions.delete(asked.id)
      }
    }
  }
}
