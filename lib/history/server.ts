import type { Timer } from '../ground/clock.ts'
import {
  HISTORY_ALL_RATE,
  HISTORY_BURST,
  HISTORY_ID_BYTES,
  HISTORY_MESSAGE_COST,
  HISTORY_RATE,
  HISTORY_REFILL,
} from '../limits/direct-limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import { encodeFrame, Kind } from '../wire/frame.ts'
import type { MessageId } from '../wire/ids.ts'
import type { Catalogue } from './catalogue.ts'
import { encodeExchange } from './exchange-frame.ts'
import type { HistoryLink, HistoryPort } from './history-port.ts'
import type { Journal } from './journal.ts'
import type { Entry } from './store.ts'

interface State {
  isServing: boolean
  readonly rate: TokenBucket
  /** Since when, and how many bytes were sent since then. */
  since: number
  sent: number
}

/** Sends messages of the history to those who ask for them, so slowly that live messages hardly notice. */
export class Server<L extends HistoryLink> {
  readonly #port: HistoryPort<L>
  readonly #catalogue: Catalogue
  readonly #journal: Journal
  readonly #states = new Map<L, State>()
  readonly #rate: TokenBucket
  readonly #sleeps = new Set<Timer>()
  #served = 0
  #isClosed = false

  constructor(port: HistoryPort<L>, catalogue: Catalogue, journal: Journal) {
    this.#port = port
    this.#catalogue = catalogue
    this.#journal = journal
    this.#rate = new TokenBucket(HISTORY_ALL_RATE, HISTORY_BURST, port.clock.now())
  }

  /** Messages sent so far. */
  get served(): number {
    return this.#served
  }

  /** Somebody asks. Whoever does so again before he was served breaks the rules. */
  onAsk(link: L, ids: readonly MessageId[]): void {
    const state = this.#stateOf(link)
    if (state.isServing) return this.#port.expel(link, 'bad-history')
    state.isServing = true
    void this.#serve(link, state, ids)
  }

  onDown(link: L): void {
    this.#states.delete(link)
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#sleeps) timer.cancel()
    this.#sleeps.clear()
  }

  async #serve(link: L, state: State, ids: readonly MessageId[]): Promise<void> {
    try {
      for (const id of ids) {
        if (!(await this.#send(link, state, id))) return
      }
    } catch {
      // Waiting for room ends with the link.
      return
    }
    state.isServing = false
    this.#port.write(link, encodeFrame(Kind.ranges, encodeExchange({ kind: 'served' })))
  }

  /** Sends one message, if it is there. Returns whether to go on. */
  async #send(link: L, state: State, id: MessageId): Promise<boolean> {
    const entry = this.#catalogue.get(id)
    const isDue = entry !== undefined && this.#mayHave(state, entry)
    // What is not there costs a little as well, or asking for nothing would be free.
    await this.#turn(state, isDue ? Math.max(HISTORY_MESSAGE_COST, entry.size) : HISTORY_ID_BYTES)
    if (link.isUp && link.isCongested) await link.room()
    const parcel = isDue ? await this.#journal.read(entry) : undefined
    if (this.#isClosed || !link.isUp || this.#states.get(link) !== state) return false
    // It may have been given up meanwhile.
    if (parcel === undefined || entry === undefined) return true
    this.#served++
    this.#port.write(link, encodeFrame(entry.hasAttachment ? Kind.lateParcel : Kind.late, parcel))
    return true
  }

  /** Whether a link gets this one: everything once, not again and again. */
  #mayHave(state: State, { size, exp }: Entry): boolean {
    const now = this.#port.clock.now()
    if (now - state.since >= HISTORY_REFILL) {
      state.since = now
      state.sent = 0
    }
    if (size === 0 || (exp !== undefined && exp <= now)) return false
    if (state.sent + size > this.#catalogue.bytes + HISTORY_BURST) return false
    state.sent += size
    return true
  }

  /** Waits until so many bytes may be sent. */
  async #turn(state: State, bytes: number): Promise<void> {
    const { clock } = this.#port
    for (;;) {
      const now = clock.now()
      const wait = Math.max(state.rate.wait(now), this.#rate.wait(now))
      if (wait === 0) break
      await this.#sleep(wait)
    }
    state.rate.spend(clock.now(), bytes)
    this.#rate.spend(clock.now(), bytes)
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#port.clock.setTimer(() => {
        this.#sleeps.delete(timer)
        resolve()
      }, ms)
      this.#sleeps.add(timer)
    })
  }

  #stateOf(link: L): State {
    let state = this.#states.get(link)
    if (state === undefined) {
      const now = this.#port.clock.now()
      const rate = new TokenBucket(HISTORY_RATE, HISTORY_BURST, now)
      state = { isServing: false, rate, since: now, sent: 0 }
      this.#states.set(link, state)
    }
    return state
  }
}
