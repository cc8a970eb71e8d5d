import type { Clock } from '../ground/clock.ts'
import { KNOCK_INTERVAL, MAX_KNOCKS, MAX_UNPROVEN, MAX_UNPROVEN_PER_ADDRESS } from '../limits/dht-limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'

/** A handshake whose other end has not proven where it is. */
export interface Knock {
  /** The key that it claims to have. */
  readonly key: string
  /** Where it claims to be. */
  readonly host: string
  /** When it began, in ms since the epoch. */
  readonly since: number
}

/**
 * Strangers at the door of the DHT. Their packets say where they come from, but until something has come back from
 * there it is a claim: so here they are counted, and the node's own limits per address see only what was proven.
 */
export class Knocks {
  readonly #clock: Clock
  readonly #timeout: number
  readonly #bucket: TokenBucket
  readonly #unproven = new Set<Knock>()

  constructor(clock: Clock, timeout: number) {
    this.#clock = clock
    this.#timeout = timeout
    this.#bucket = new TokenBucket((MAX_KNOCKS * 1_000) / KNOCK_INTERVAL, MAX_KNOCKS, clock.now())
  }

  /** Whether one more request for a handshake is looked at: each costs a computation, and memory below for 10 s. */
  hears(): boolean {
    return this.#bucket.take(this.#clock.now())
  }

  /** Handshakes under way. */
  get size(): number {
    this.#forget()
    return this.#unproven.size
  }

  /** A handshake begins. `false` if there are too many. */
  begin(key: string, host: string): boolean {
    this.#forget()
    let ofHost = 0
    for (const knock of this.#unproven) if (knock.host === host) ofHost++
    if (this.#unproven.size >= MAX_UNPROVEN || ofHost >= MAX_UNPROVEN_PER_ADDRESS) return false
    this.#unproven.add({ key, host, since: this.#clock.now() })
    return true
  }

  /** The oldest one of a key, which goes on as a stream. It counts until {@link end}. */
  find(key: string): Knock | undefined {
    this.#forget()
    for (const knock of this.#unproven) if (knock.key === key) return knock
    return undefined
  }

  end(knock: Knock): void {
    this.#unproven.delete(knock)
  }

  #forget(): void {
    const oldest = this.#clock.now() - this.#timeout
    for (const knock of this.#unproven) if (knock.since < oldest) this.#unproven.delete(knock)
  }
}
