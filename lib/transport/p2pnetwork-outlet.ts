import type { Clock } from '../ground/clock.ts'
import type { Channel } from './transport.ts'

/**
 * What goes out on a line. It can be held back for a moment, in order, so that what was written before travels in a
 * packet of its own.
 */
export class Outlet {
  readonly #line: Channel
  readonly #clock: Clock
  readonly #onReleased: () => void
  #held: Uint8Array[] | undefined
  #heldBytes = 0
  #hasEnded = false

  /** @param onReleased Told when what was held was handed to the line. */
  constructor(line: Channel, clock: Clock, onReleased: () => void) {
    this.#onReleased = onReleased
    this.#line = line
    this.#clock = clock
  }

  /** Bytes that have not left this process yet. */
  get queuedBytes(): number {
    return this.#line.queuedBytes + this.#heldBytes
  }

  write(bytes: Uint8Array): void {
    if (bytes.length === 0) return
    if (this.#held === undefined) this.#line.write(bytes)
    else {
      this.#held.push(bytes)
      this.#heldBytes += bytes.length
    }
  }

  /** Lets nothing out for `ms`. */
  hold(ms: number): void {
    this.#held ??= []
    this.#clock.setTimer(() => this.#release(), ms)
  }

  #release(): void {
    const held = this.#held
    if (held === undefined) return
    this.drop()
    for (const bytes of held) this.#line.write(bytes)
    if (this.#hasEnded) this.#line.end()
    // The line itself tells nothing when it takes all of it at once.
    if (held.length > 0) this.#onReleased()
  }

  /** Ends the line when all is out; whoever owns it sees to it that this does not last. */
  end(): void {
    this.#hasEnded = true
    if (this.#held === undefined) this.#line.end()
  }

  /** What is held is lost. */
  drop(): void {
    this.#held = undefined
    this.#heldBytes = 0
  }
}
