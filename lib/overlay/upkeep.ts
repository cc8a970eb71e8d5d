import type { Clock, Timer } from '../ground/clock.ts'
import type { Engine } from '../identity/engine.ts'
import { BOOK_SAVE_INTERVAL, BOOK_SAVE_SOON } from '../limits/network-limits.ts'
import { BookFile } from '../book/book-file.ts'
import type { PeerBook } from '../book/peer-book.ts'

/** What looking after the book needs of its node. */
export interface UpkeepPort {
  readonly self: { readonly net: string }
  readonly clock: Clock
  readonly book: PeerBook
  /** Makes a new record of this node when the old one has aged. */
  renew(): void
  /** For people who watch. */
  report(text: string): void
}

/** Looks after what is renewed seldom: this node's record, the book, and its file. */
export class Upkeep {
  readonly #port: UpkeepPort
  readonly #file: BookFile | undefined
  #timer: Timer | undefined
  /** Whether a peer has told where it is since the start. */
  #hasMet = false

  /** @param file Where the book is kept; undefined for nowhere. */
  constructor(port: UpkeepPort, file: string | URL | undefined) {
    this.#port = port
    this.#file = file === undefined ? undefined : new BookFile(file, port.self.net)
  }

  get hasFile(): boolean {
    return this.#file !== undefined
  }

  /**
   * Reads the file, if there is one.
   *
   * @throws SecureNodeError `peer-book-unreadable`
   */
  async load(engine: Engine | undefined): Promise<void> {
    await this.#file?.load(this.#port.book, { engine, now: this.#port.clock.now() })
  }

  start(): void {
    this.#hasMet = false
    this.#schedule(BOOK_SAVE_INTERVAL)
  }

  stop(): void {
    this.#timer?.cancel()
  }

  /** A peer has told where it is. */
  hasMet(): void {
    // The first ones are saved soon: a process may be killed before it is as old as the interval.
    if (!this.#hasMet) this.#schedule(BOOK_SAVE_SOON)
    this.#hasMet = true
  }

  /** Writes the file, if there is one. Does not fail. */
  async save(): Promise<void> {
    try {
      await this.#file?.save(this.#port.book)
    } catch (error) {
      // A full disk does not end a node; what is lost is a shorter way back.
      this.#port.report((error as Error).message)
    }
  }

  #schedule(ms: number): void {
    this.#timer?.cancel()
    this.#timer = this.#port.clock.setTimer(() => {
      this.#port.book.forgetStale(this.#port.clock.now())
      this.#port.renew()
      void this.save()
      this.#schedule(BOOK_SAVE_INTERVAL)
    }, ms)
  }
}
