import type { Identity } from '../identity/identity.ts'
import { MAX_BATCH_BYTES, MAX_BATCH_MESSAGES, MAX_BATCHED_BODY_BYTES } from '../limits/limits.ts'
import { type Draft, signAlone, signTogether, type Unsigned } from './draft.ts'

interface Waiting {
  readonly message: Unsigned
  readonly onSigned: (draft: Draft) => void
  readonly onFailed: (error: unknown) => void
}

/**
 * Signs the messages of a node in the order in which they come. What waits together (it came in one turn of the event
 * loop, or while a signature was being made) is signed together: a burst costs little more than one signature. A
 * message that is alone is signed at once and for itself.
 */
export class SigningQueue {
  readonly #identity: Identity
  #waiting: Waiting[] = []
  #running: Promise<void> | undefined

  constructor(identity: Identity) {
    this.#identity = identity
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await this.#running
  }

  /**
   * Queues a message. It is handed over in the turn in which it is signed, after those that came before it. What
   * `onSigned` throws goes to `onFailed`.
   */
  add(message: Unsigned, onSigned: (draft: Draft) => void, onFailed: (error: unknown) => void): void {
    this.#waiting.push({ message, onSigned, onFailed })
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    // The rest of this turn may bring more. Nothing else runs before this goes on.
    await Promise.resolve()
    while (this.#waiting.length > 0) await this.#sign(this.#take())
    this.#running = undefined
  }

  /** As many as one signature may be of. */
  #take(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const { message } of this.#waiting) {
      const { length } = message.bodyBytes
      bytes += length
      const isFull = count === MAX_BATCH_MESSAGES || bytes > MAX_BATCH_BYTES
      if (count > 0 && (isFull || length > MAX_BATCHED_BODY_BYTES)) break
      count++
      if (length > MAX_BATCHED_BODY_BYTES) break
    }
    return this.#waiting.splice(0, count)
  }

  async #sign(waiting: readonly Waiting[]): Promise<void> {
    let drafts: readonly Draft[]
    try {
      drafts = await this.#draftsOf(waiting.map(({ message }) => message))
    } catch (error) {
      // The signer may be the application's own.
      for (const { onFailed } of waiting) onFailed(error)
      return
    }
    for (const [index, one] of waiting.entries()) handOver(one, drafts[index]!)
  }

  async #draftsOf(messages: readonly Unsigned[]): Promise<readonly Draft[]> {
    const [first, second] = messages
    return second === undefined
      ? [await signAlone(first!, this.#identity)]
      : signTogether(messages, this.#identity)
  }
}

function handOver({ onSigned, onFailed }: Waiting, draft: Draft): void {
  try {
    onSigned(draft)
  } catch (error) {
    onFailed(error)
  }
}
