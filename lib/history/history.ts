import type { Timer } from '../ground/clock.ts'
import {
  HISTORY_INTERVAL,
  HISTORY_INTERVAL_MAX,
  HISTORY_LULL,
  HISTORY_NEWS_INTERVAL,
  HISTORY_SETTLE,
  HISTORY_SWEEP,
} from '../limits/direct-limits.ts'
import { Kind } from '../wire/frame.ts'
import type { MessageId } from '../wire/ids.ts'
import { Agenda, type Occasion } from './agenda.ts'
import { Asker } from './asker.ts'
import { Catalogue } from './catalogue.ts'
import { Comparer, type Outcome } from './comparer.ts'
import { decodeExchange } from './exchange-frame.ts'
import type {
  HistoryLink,
  HistoryOptions,
  HistoryPort,
  HistoryStats,
  NewEntry,
  PendingParcel,
} from './history-port.ts'
import { Journal } from './journal.ts'
import { LevelStore } from './level-store.ts'
import { MemoryStore } from './memory-store.ts'
import { END } from './range.ts'
import { Server } from './server.ts'

/** What is known of a link's comparisons. */
interface Pace {
  /** Between two comparisons, in ms. */
  interval: number
  begunAt: number
  /** Whether the last comparison left something out. */
  isCut: boolean
  /** Whether the peer has asked for messages since the last comparison ended: it was not equal, then. */
  wasAsked: boolean
}

/** Within this time, in ms, a new link is compared over, by the end with the lower ID. */
const FIRST = 100
/** After this time, in ms, the other end does it if nothing has come. */
const SECOND_TRIAL = 5_000

/**
 * What a node keeps for those who were away, and how it gets what it missed itself: on each new link the two ends
 * find out what either lacks, and ask for it. What has come that way is compared with the other peers, so that it
 * reaches everybody.
 *
 * It does not look into messages: what it hands on is to be verified like any other.
 */
export class History<L extends HistoryLink> {
  readonly #port: HistoryPort<L>
  readonly #options: HistoryOptions
  readonly #journal: Journal
  readonly #catalogue: Catalogue
  readonly #comparer: Comparer<L>
  readonly #asker: Asker<L>
  readonly #server: Server<L>
  readonly #agenda: Agenda<L>
  readonly #paces = new Map<L, Pace>()
  #pending: readonly PendingParcel[] = []
  #sweeper: Timer | undefined
  #comparisons = 0
  #fetched = 0
  #unsolicited = 0

  constructor(port: HistoryPort<L>, options: HistoryOptions) {
    this.#port = port
    this.#options = options
    const { maxAge, maxBytes, folder } = options
    const store = options.store ?? (folder === undefined ? new MemoryStore() : new LevelStore(folder))
    this.#journal = new Journal(port, store)
    this.#catalogue = new Catalogue(this.#journal, { maxAge, maxBytes, windowPast: port.windowPast })
    this.#comparer = new Comparer(port, this.#catalogue, {
      isBusy: (link) => this.#asker.isFetching(link),
      lacks: (link, ids) => this.#asker.want(link, ids),
      ended: (link, outcome) => this.#onCompared(link, outcome),
    })
    this.#asker = new Asker(port, {
      has: (id) => this.#catalogue.has(id),
      news: (link) => this.#onNews(link),
      done: (link, outcome) => this.#onFetched(link, outcome === 'fruitful'),
    })
    this.#server = new Server(port, this.#catalogue, this.#journal)
    this.#agenda = new Agenda(port.clock, (link, occasion) => this.#begin(link, occasion))
  }

  get stats(): HistoryStats {
    const { messages, bytes, ids } = this.#catalogue
    return {
      messages,
      bytes,
      ids,
      floor: this.floor(this.#port.clock.now()),
      unwritten: this.#journal.unwritten,
      comparisons: this.#comparisons,
      fetched: this.#fetched,
      served: this.#server.served,
      unsolicited: this.#unsolicited,
    }
  }

  /**
   * Opens the store; before the first link.
   *
   * @throws SecureNodeError `history-unavailable`, `history-unreadable`, `history-unwritable`
   */
  async open(): Promise<void> {
    const { self, net } = this.#options
    this.#catalogue.load(await this.#journal.open({ id: self, net }))
    const now = this.#port.clock.now()
    // Before the sweep: what waits for its delivery is delivered, however long the node was off.
    const pending: PendingParcel[] = []
    for (const entry of this.#catalogue.pending()) {
      const { exp, hasAttachment } = entry
      const parcel = exp !== undefined && exp <= now ? undefined : await this.#journal.read(entry)
      if (parcel !== undefined) pending.push({ parcel, hasAttachment })
    }
    this.#pending = pending
    this.#sweep()
  }

  /** Writes what is left and ends. A history that was closed may be opened again. */
  async close(): Promise<void> {
    this.#sweeper?.cancel()
    for (const link of [...this.#paces.keys()]) this.onDown(link)
    this.#agenda.close()
    this.#comparer.close()
    this.#server.close()
    await this.#journal.close()
  }

  /** The oldest time that is accepted, in ms since the epoch. It never goes back, over restarts either. */
  floor(now: number): number {
    return this.#catalogue.floor(now)
  }

  /** Whether this node has had a message. It is so for all that it ever kept and whose time is not before the floor. */
  has(id: MessageId): boolean {
    return this.#catalogue.has(id)
  }

  /**
   * Keeps a message. The promise resolves when it is in the store, or when it turned out that it cannot be and stays
   * in memory; it is undefined when there is nothing to wait for.
   *
   * @param needsDelivery Whether it is handed out by {@link takePending} after a crash, until {@link delivered}.
   */
  add(entry: NewEntry, needsDelivery: boolean): Promise<void> | undefined {
    const { id, time, from, exp, parcel, hasAttachment } = entry
    const kept = { id, time, from, exp, hasAttachment, size: parcel.length, isPending: needsDelivery }
    if (!this.#catalogue.add(kept, parcel, this.#port.clock.now())) return undefined
    this.#asker.onAccepted(id)
    return this.#journal.commit()
  }

  /** A message was delivered. */
  delivered(id: MessageId): void {
    const entry = this.#catalogue.get(id)
    if (entry === undefined) return
    this.#catalogue.settle(entry)
    void this.#journal.commit()
  }

  /** Messages that an earlier run may not have delivered, the oldest first. Handed out once. */
  takePending(): readonly PendingParcel[] {
    const pending = this.#pending
    this.#pending = []
    return pending
  }

  /** A link is up. */
  onUp(link: L): void {
    if (!link.hasHistory) return
    this.#paces.set(link, { interval: HISTORY_INTERVAL, begunAt: -Infinity, isCut: false, wasAsked: false })
    const { random } = this.#port
    // One of the two begins, or both would tell the same.
    if (this.#options.self < link.id) this.#agenda.plan(link, FIRST * random(), 'news')
    else this.#agenda.plan(link, SECOND_TRIAL * (1 + random()), 'routine')
  }

  onDown(link: L): void {
    this.#paces.delete(link)
    this.#agenda.cancel(link)
    this.#comparer.onDown(link)
    this.#server.onDown(link)
    // What it did not bring, others may have.
    if (this.#asker.onDown(link)) this.#planNews()
  }

  /** A frame arrived. Returns false if it has no place on this link. */
  receive(link: L, kind: number, payload: Uint8Array): boolean {
    if (kind !== Kind.ranges && kind !== Kind.late && kind !== Kind.lateParcel) return false
    if (!this.#paces.has(link)) return link.hasHistory
    if (kind === Kind.ranges) this.#onExchange(link, payload)
    else if (this.#asker.onLate(link)) {
      this.#fetched++
      this.#port.accept(link, kind, payload)
    } else this.#unsolicited++
    return true
  }

  #onExchange(link: L, payload: Uint8Array): void {
    const exchange = decodeExchange(payload)
    if (exchange?.kind === 'comparison') this.#comparer.receive(link, exchange)
    else if (exchange?.kind === 'ask') this.#onAsk(link, exchange.ids)
    else if (exchange === undefined || !this.#asker.onServed(link)) this.#port.expel(link, 'bad-history')
  }

  #onAsk(link: L, ids: readonly MessageId[]): void {
    this.#paces.get(link)!.wasAsked = true
    this.#server.onAsk(link, ids)
  }

  #begin(link: L, occasion: Occasion): void {
    const pace = this.#paces.get(link)
    if (pace === undefined || !link.isUp) return
    if (this.#comparer.isComparing(link) || this.#asker.isAsking(link) || this.#asker.isFetching(link)) {
      return this.#agenda.plan(link, HISTORY_LULL * (1 + this.#port.random()), occasion)
    }
    const now = this.#port.clock.now()
    this.#catalogue.sweep(now)
    pace.begunAt = now
    pace.isCut = false
    this.#comparisons++
    // In a busy network the last messages are still on their way to one of the two.
    const end = occasion === 'routine' ? { time: Math.max(0, Math.floor(now) - HISTORY_SETTLE), id: '' } : END
    this.#comparer.begin(link, end)
  }

  #onCompared(link: L, outcome: Outcome): void {
    const pace = this.#paces.get(link)
    if (pace === undefined) return
    if (outcome === 'busy') {
      return this.#agenda.plan(link, HISTORY_NEWS_INTERVAL * (1 + this.#port.random()), 'news')
    }
    pace.isCut ||= outcome === 'cut'
    const isEqual = outcome === 'equal' && !pace.wasAsked
    pace.wasAsked = false
    if (isEqual) pace.interval = HISTORY_INTERVAL
    // What is asked for now decides how to go on.
    else if (this.#asker.isAsking(link)) return
    else this.#slow(pace)
    this.#planRoutine(link, pace)
  }

  /** All that a link was asked for has come, as far as it does. */
  #onFetched(link: L, isFruitful: boolean): void {
    const pace = this.#paces.get(link)
    if (pace === undefined) return
    if (!isFruitful) this.#slow(pace)
    else {
      this.#onNews(link)
      // What was left out is found now that the rest is here.
      if (pace.isCut) this.#plan(link, 'news')
    }
    pace.isCut = false
    this.#planRoutine(link, pace)
  }

  /** Messages that came over a link were accepted. */
  #onNews(link: L): void {
    const pace = this.#paces.get(link)
    if (pace !== undefined) pace.interval = HISTORY_INTERVAL
    this.#planNews(link)
  }

  #planNews(except?: L): void {
    for (const link of this.#paces.keys()) if (link !== except) this.#plan(link, 'news')
  }

  /** Plans a comparison for soon, but not too soon after the last one. */
  #plan(link: L, occasion: Occasion): void {
    const { clock, random } = this.#port
    const since = clock.now() - this.#paces.get(link)!.begunAt
    const pause = Math.max(0, HISTORY_NEWS_INTERVAL - since)
    this.#agenda.plan(link, pause + (HISTORY_NEWS_INTERVAL / 4) * (0.2 + random()), occasion)
  }

  #planRoutine(link: L, { interval }: Pace): void {
    this.#agenda.plan(link, interval * (0.75 + this.#port.random() / 2), 'routine')
  }

  /** Who differs and has nothing for us is asked less often. */
  #slow(pace: Pace): void {
    pace.interval = Math.min(2 * pace.interval, HISTORY_INTERVAL_MAX)
  }

  #sweep(): void {
    this.#catalogue.sweep(this.#port.clock.now())
    void this.#journal.commit()
    if (this.#asker.sweep()) this.#planNews()
    this.#sweeper?.cancel()
    this.#sweeper = this.#port.clock.setTimer(() => this.#sweep(), HISTORY_SWEEP)
  }
}
