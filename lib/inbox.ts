import { MAX_WAITING_MESSAGES } from './limits/limits.ts'
import type { Json } from './message/canonical.ts'
import type { SignedMessage } from './message/message.ts'
import type { ContentVerdict } from './typing/message-types.ts'

/** What taking in messages needs of its node. `L` are links. */
export interface InboxPort<L> {
  /** Opens what is sealed; undefined where it cannot be opened. Others come back as they are. */
  open(message: SignedMessage): SignedMessage | undefined
  /** Whether the application allows this content for this type. */
  check(type: string, data: Json): ContentVerdict | Promise<ContentVerdict>
  /** A message of a request. */
  call(link: L, message: SignedMessage): void
  /** A plain message, for the application. `data` is what its type has made of it. Says whether it was shown. */
  show(link: L, message: SignedMessage, data: unknown): boolean
  /** The application has it: it need not be told again after a crash. */
  delivered(message: SignedMessage): void
  refuse(link: L, message: SignedMessage, code: 'unreadable' | 'invalid-content', why: string): void
  /** There is room again. */
  wake(): void
}

/**
 * Brings verified messages to the application: opened, checked, kept on the disk if they are to survive a crash, and
 * in the order in which they came, also where one of these takes its time.
 */
export class Inbox<L> {
  readonly #port: InboxPort<L>
  #last: Promise<void> | undefined
  #waiting = 0

  constructor(port: InboxPort<L>) {
    this.#port = port
  }

  /** Whether so much waits that no more should be read. */
  get isFull(): boolean {
    return this.#waiting >= MAX_WAITING_MESSAGES
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await this.#last
  }

  /** Takes in a message. `kept` resolves when it would survive the end of the process. */
  take(link: L, sealed: SignedMessage, kept: Promise<void> | undefined): void {
    const message = this.#port.open(sealed)
    if (message === undefined) this.#refuse(link, sealed, 'unreadable', '')
    else if (message.op !== undefined) this.#port.call(link, message)
    else this.#check(link, message, kept)
  }

  #check(link: L, message: SignedMessage, kept: Promise<void> | undefined): void {
    const verdict = this.#port.check(message.type, message.data)
    if (this.#last === undefined && kept === undefined && !(verdict instanceof Promise)) {
      this.#conclude(link, message, verdict)
      return
    }
    const before = this.#last
    this.#waiting++
    const turn = Promise.all([verdict, kept, before]).then(([judged]) => {
      const wasFull = this.isFull
      this.#waiting--
      if (this.#last === turn) this.#last = undefined
      this.#conclude(link, message, judged)
      if (wasFull) this.#port.wake()
    })
    this.#last = turn
  }

  #conclude(link: L, message: SignedMessage, verdict: ContentVerdict): void {
    if (verdict.ok) {
      // What the node is too late for, since it stops, is left for its next start.
      if (this.#port.show(link, message, verdict.value)) this.#port.delivered(message)
    } else this.#refuse(link, message, 'invalid-content', verdict.issues)
  }

  #refuse(link: L, message: SignedMessage, code: 'unreadable' | 'invalid-content', why: string): void {
    this.#port.refuse(link, message, code, why)
    // Told once; nothing would change by telling it again.
    if (message.op === undefined) this.#port.delivered(message)
  }
}
