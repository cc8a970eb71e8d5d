import {
  HISTORY_ALL_WANTS,
  HISTORY_ASK,
  HISTORY_LULL,
  HISTORY_PATIENCE,
  HISTORY_SETTLE,
  HISTORY_WANTS,
} from '../limits/direct-limits.ts'
import { encodeFrame, Kind } from '../wire/frame.ts'
import type { MessageId } from '../wire/ids.ts'
import { encodeExchange } from './exchange-frame.ts'
import type { HistoryLink, HistoryPort } from './history-port.ts'

/** Whom asking tells what comes of it. */
export interface AskerHooks<L> {
  has(id: MessageId): boolean
  /** Messages that this link was asked for were accepted, and it is asked for no more. */
  news(link: L): void
  /** Nothing is left to be asked for over this link. */
  done(link: L, outcome: 'fruitful' | 'fruitless'): void
}

/** A message that a link was asked for, and until when others are not. */
interface Asked<L> {
  readonly link: L
  until: number
}

interface State {
  /** What is to be asked for. */
  queue: MessageId[]
  /** What was asked for and not answered yet: one question at a time. */
  asked: readonly MessageId[] | undefined
  /** Messages that may still come of it. */
  owed: number
  beganAt: number
  heardAt: number
  /** Messages that came, and that were accepted, since the last time that both were known to agree. */
  came: number
  accepted: number
  /** Whether anything was accepted since the queue was empty. */
  hasNews: boolean
}

/** Messages that came and were not accepted, beyond which a peer counts as one that sends something else. */
const MAX_REFUSED = 2 * HISTORY_ASK

/**
 * Asks for messages that others hold. What is sent was asked for: a message that several peers hold comes over one
 * link, and nobody can fill this node with what it did not want.
 */
export class Asker<L extends HistoryLink> {
  readonly #port: HistoryPort<L>
  readonly #hooks: AskerHooks<L>
  readonly #states = new Map<L, State>()
  readonly #asked = new Map<MessageId, Asked<L>>()
  #waiting = 0

  constructor(port: HistoryPort<L>, hooks: AskerHooks<L>) {
    this.#port = port
    this.#hooks = hooks
  }

  /** IDs that are to be asked for or were. */
  get size(): number {
    return this.#waiting + this.#asked.size
  }

  /** Whether a link is asked for something. */
  isAsking(link: L): boolean {
    return this.#states.get(link)?.asked !== undefined
  }

  /** Whether much is coming over other links: it is likely to be what this one would offer too. */
  isFetching(except: L): boolean {
    const now = this.#port.clock.now()
    for (const [link, { asked, beganAt, heardAt }] of this.#states) {
      if (link === except || asked === undefined) continue
      // Not for long: whoever sends a little now and then must not keep this node from the others.
      if (now - heardAt < HISTORY_LULL && now - beganAt < HISTORY_PATIENCE) return true
    }
    return false
  }

  /** Asks for messages, the first ones first. Returns whether there is room for more. */
  want(link: L, ids: readonly MessageId[]): boolean {
    const state = this.#stateOf(link)
    if (state.asked === undefined) state.beganAt = this.#port.clock.now()
    const room = Math.max(
      0,
      Math.min(HISTORY_WANTS - state.queue.length, HISTORY_ALL_WANTS - this.#waiting, ids.length),
    )
    state.queue.push(...ids.slice(0, room))
    this.#waiting += room
    this.#next(link, state)
    return room === ids.length
  }

  /** A late message has come. Returns whether it may be one that was asked for. */
  onLate(link: L): boolean {
    const state = this.#states.get(link)
    if (state === undefined || state.owed === 0) return false
    state.owed--
    state.came++
    state.heardAt = this.#port.clock.now()
    return true
  }

  /** The link has sent what it could of what it was asked for. Returns false if it was asked for nothing. */
  onServed(link: L): boolean {
    const state = this.#states.get(link)
    if (state?.asked === undefined) return false
    const { asked, owed } = state
    state.asked = undefined
    state.owed = 0
    // Those that came are being verified. The others may be had elsewhere.
    const until = this.#port.clock.now() + HISTORY_SETTLE
    for (const id of asked) {
      const entry = this.#asked.get(id)
      if (entry?.link === link) entry.until = until
    }
    if (owed === asked.length || state.came - state.accepted > MAX_REFUSED) this.#giveUp(link, state)
    else this.#next(link, state)
    return true
  }

  /** A message was accepted, wherever it came from. */
  onAccepted(id: MessageId): void {
    const link = this.#asked.get(id)?.link
    if (link === undefined) return
    this.#asked.delete(id)
    const state = this.#states.get(link)
    if (state === undefined) return
    state.accepted++
    if (state.asked === undefined) this.#hooks.news(link)
    else state.hasNews = true
  }

  /** Returns whether something had been asked for, or was to be. */
  onDown(link: L): boolean {
    const state = this.#states.get(link)
    if (state === undefined) return false
    this.#states.delete(link)
    this.#waiting -= state.queue.length
    for (const id of state.asked ?? []) if (this.#asked.get(id)?.link === link) this.#asked.delete(id)
    return state.asked !== undefined || state.queue.length > 0
  }

  /** Forgets what was waited for long enough. Returns whether a link does not answer, so that others may be asked. */
  sweep(): boolean {
    const now = this.#port.clock.now()
    let isStalled = false
    for (const [id, { link, until }] of this.#asked) {
      if (until > now) continue
      this.#asked.delete(id)
      isStalled ||= this.isAsking(link)
    }
    return isStalled
  }

  #next(link: L, state: State): void {
    if (state.asked !== undefined) return
    const now = this.#port.clock.now()
    const ids = this.#take(link, state, now)
    if (ids.length === 0) {
      const { hasNews } = state
      state.hasNews = false
      this.#hooks.done(link, hasNews ? 'fruitful' : 'fruitless')
      return
    }
    state.asked = ids
    state.owed = ids.length
    state.heardAt = now
    this.#port.write(link, encodeFrame(Kind.ranges, encodeExchange({ kind: 'ask', ids })))
  }

  /** The next ones that are still lacking and that nobody else was asked for. */
  #take(link: L, state: State, now: number): MessageId[] {
    const ids = new Set<MessageId>()
    let at = 0
    for (; at < state.queue.length && ids.size < HISTORY_ASK; at++) {
      const id = state.queue[at]!
      const other = this.#asked.get(id)
      if (this.#hooks.has(id) || (other !== undefined && other.until > now)) continue
      ids.add(id)
      this.#asked.set(id, { link, until: now + HISTORY_PATIENCE })
    }
    state.queue = state.queue.slice(at)
    this.#waiting -= at
    return [...ids]
  }

  #giveUp(link: L, state: State): void {
    this.#waiting -= state.queue.length
    state.queue = []
    state.came = state.accepted = 0
    state.hasNews = false
    this.#hooks.done(link, 'fruitless')
  }

  #stateOf(link: L): State {
    let state = this.#states.get(link)
    if (state === undefined) {
      const now = this.#port.clock.now()
      state = {
        queue: [],
        asked: undefined,
        owed: 0,
        beganAt: now,
        heardAt: now,
        came: 0,
        accepted: 0,
        hasNews: false,
      }
      this.#states.set(link, state)
    }
    return state
  }
}
