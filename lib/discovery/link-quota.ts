import {
  ANSWER_BYTES_BURST,
  ANSWER_BYTES_RATE,
  QUESTION_BURST,
  QUESTION_COPIES_BURST,
  QUESTION_COPIES_RATE,
  QUESTION_RATE,
} from '../limits/network-limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'

/** What one link may bring and be sent. */
export class LinkQuota {
  /** Questions of any kind, copies included. */
  readonly copies: TokenBucket
  /** Questions that are new to this node. */
  readonly questions: TokenBucket
  readonly #answersIn: TokenBucket
  readonly #answersOut: TokenBucket
  /** Whether it brought what no correct node passes on: nothing more is taken from it. */
  isRejected = false

  constructor(now: number) {
    this.copies = new TokenBucket(QUESTION_COPIES_RATE, QUESTION_COPIES_BURST, now)
    this.questions = new TokenBucket(QUESTION_RATE, QUESTION_BURST, now)
    this.#answersIn = new TokenBucket(ANSWER_BYTES_RATE, ANSWER_BYTES_BURST, now)
    this.#answersOut = new TokenBucket(ANSWER_BYTES_RATE, ANSWER_BYTES_BURST, now)
  }

  /** Whether an answer of this size may come in; if so, it has. */
  takeIn(bytes: number, now: number): boolean {
    return spend(this.#answersIn, bytes, now)
  }

  /** Whether an answer of this size may be passed back; if so, it is. */
  takeOut(bytes: number, now: number): boolean {
    return spend(this.#answersOut, bytes, now)
  }
}

/** What is not there is owed: a bucket would otherwise let small things by for ever and large ones never. */
function spend(bucket: TokenBucket, bytes: number, now: number): boolean {
  if (bucket.wait(now) > 0) return false
  bucket.spend(now, bytes)
  return true
}
