import type { Timer } from '../ground/clock.ts'
import {
  HISTORY_HASH_BURST,
  HISTORY_HASH_RATE,
  HISTORY_NEWS_INTERVAL,
  HISTORY_OPENINGS,
  HISTORY_ROUNDS,
  HISTORY_SETTLE,
  HISTORY_TIMEOUT,
} from '../limits/direct-limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import { encodeFrame, Kind } from '../wire/frame.ts'
import type { MessageId } from '../wire/ids.ts'
import type { Catalogue } from './catalogue.ts'
import { type Answer, answerItems, openingItems, wantsAnswer } from './comparison.ts'
import { type Comparison, encodeExchange, type Item } from './exchange-frame.ts'
import type { HistoryLink, HistoryPort } from './history-port.ts'
import { type Bound, isBefore } from './range.ts'

/** How a comparison ended: the two hold the same; or not; or not all was compared; or the peer had no time for it. */
export type Outcome = 'equal' | 'differed' | 'cut' | 'busy' | 'silent'

/** Whom a comparison tells what comes of it. */
export interface ComparerHooks<L> {
  /** Whether this node is being told so much over other links that a comparison would only tell it the same. */
  isBusy(link: L): boolean
  /** The peer holds these and this node does not. Returns whether there is room for more. */
  lacks(link: L, ids: readonly MessageId[]): boolean
  ended(link: L, outcome: Outcome): void
}

/** One comparison, as one end sees it. */
interface Session {
  readonly number: number
  /** Before it nothing is compared. The same for all of its frames: a range that shrinks under way never agrees. */
  readonly floor: Bound
  /** The next frame that is expected. */
  round: number
  isEqual: boolean
  isCut: boolean
}

interface State {
  /** The comparison that this node began, and the one that the peer did. */
  ours: Session | undefined
  theirs: Session | undefined
  timer: Timer | undefined
  /** Comparisons that the peer may begin. */
  readonly openings: TokenBucket
  /** IDs that are hashed for it. */
  readonly hashes: TokenBucket
  /** The oldest time that the peer accepts, and when it said so. */
  floor: number
  floorAt: number
}

/**
 * Compares the history with those of the peers. Frames go back and forth until nothing is left to be said, at most
 * {@link HISTORY_ROUNDS} of them; whatever a peer says, a frame is answered by one frame.
 */
export class Comparer<L extends HistoryLink> {
  readonly #port: HistoryPort<L>
  readonly #catalogue: Catalogue
  readonly #hooks: ComparerHooks<L>
  readonly #states = new Map<L, State>()

  constructor(port: HistoryPort<L>, catalogue: Catalogue, hooks: ComparerHooks<L>) {
    this.#port = port
    this.#catalogue = catalogue
    this.#hooks = hooks
  }

  /** Whether this node has begun a comparison over a link that is under way. */
  isComparing(link: L): boolean {
    return this.#states.get(link)?.ours !== undefined
  }

  /** Begins a comparison of everything before a bound. */
  begin(link: L, end: Bound): void {
    const state = this.#stateOf(link)
    const now = this.#port.clock.now()
    // What the peer accepts grows younger with time, as here.
    const theirs = state.floor === 0 ? 0 : state.floor + Math.max(0, now - state.floorAt)
    const start = { time: Math.floor(Math.max(this.#catalogue.floor(now), theirs)), id: '' }
    if (!isBefore(start, end)) return this.#hooks.ended(link, 'equal')
    const number = Math.floor(this.#port.random() * 2 ** 32)
    state.ours = { number, floor: start, round: 1, isEqual: true, isCut: false }
    const items = openingItems(this.#catalogue.timeline, { start, end })
    this.#write(link, number, 0, true, items)
    this.#wait(link, state)
  }

  receive(link: L, frame: Comparison): void {
    const state = this.#stateOf(link)
    const now = this.#port.clock.now()
    state.floor = Math.min(frame.floor, now)
    state.floorAt = now
    const session = frame.isOpener ? this.#theirs(link, state, frame) : this.#ours(state, frame)
    if (session === undefined) return
    if (frame.isBusy) return this.#end(link, state, session, 'busy')
    this.#continue(link, state, session, frame)
  }

  onDown(link: L): void {
    this.#states.get(link)?.timer?.cancel()
    this.#states.delete(link)
  }

  close(): void {
    for (const link of [...this.#states.keys()]) this.onDown(link)
  }

  /** The session of a frame that belongs to one the peer began; undefined if it belongs to none. */
  #theirs(link: L, state: State, frame: Comparison): Session | undefined {
    if (frame.round > 0) return expects(state.theirs, frame)
    if (!state.openings.take(this.#port.clock.now())) return undefined
    if (this.#hooks.isBusy(link)) {
      this.#write(link, frame.session, 1, false, [], true)
      return undefined
    }
    // A little more than is accepted: the peer's own limit has moved on while its frame was on its way.
    const time = Math.max(0, this.#catalogue.floor(this.#port.clock.now()) - HISTORY_SETTLE)
    const floor = { time, id: '' }
    return (state.theirs = { number: frame.session, floor, round: 0, isEqual: true, isCut: false })
  }

  #ours(state: State, frame: Comparison): Session | undefined {
    return expects(state.ours, frame)
  }

  #continue(link: L, state: State, session: Session, frame: Comparison): void {
    const { items, lacking, isWhole, hasRoom } = this.#answer(link, state, session.floor, frame)
    if (frame.items.length > 0 && (frame.round > 0 || items.length + lacking.length > 0))
      session.isEqual = false
    if (!wantsAnswer(frame.items)) return this.#end(link, state, session)
    const round = frame.round + 1
    const isLast = !hasRoom || round >= HISTORY_ROUNDS - 1
    // What is offered helps the peer also when nothing is asked any more.
    const reply = isLast ? items.filter(({ kind }) => kind === 'offer' || kind === 'skip') : items
    session.isCut ||= isLast && (!hasRoom || !isWhole || wantsAnswer(items))
    session.round = round + 1
    this.#write(link, session.number, round, !frame.isOpener, reply)
    if (!wantsAnswer(reply)) this.#end(link, state, session)
    else if (session === state.ours) this.#wait(link, state)
  }

  #answer(link: L, state: State, floor: Bound, frame: Comparison): Answer & { readonly hasRoom: boolean } {
    const catalogue = this.#catalogue
    const now = this.#port.clock.now()
    // Too much was hashed for this peer already: not one more fingerprint until that is made good.
    if (state.hashes.wait(now) > 0) return { items: [], lacking: [], isWhole: false, hasRoom: false }
    const before = catalogue.timeline.hashed
    const answer = answerItems(frame.items, {
      timeline: catalogue.timeline,
      floor,
      knows: (id) => catalogue.has(id),
    })
    state.hashes.spend(now, catalogue.timeline.hashed - before + frame.items.length)
    const hasRoom = answer.lacking.length === 0 || this.#hooks.lacks(link, answer.lacking)
    return { ...answer, hasRoom }
  }

  #end(link: L, state: State, session: Session, outcome?: Outcome): void {
    if (session === state.ours) {
      state.timer?.cancel()
      state.ours = undefined
    } else state.theirs = undefined
    this.#hooks.ended(link, outcome ?? (session.isCut ? 'cut' : session.isEqual ? 'equal' : 'differed'))
  }

  #wait(link: L, state: State): void {
    state.timer?.cancel()
    const { ours } = state
    state.timer = this.#port.clock.setTimer(() => {
      if (ours !== undefined && state.ours === ours) this.#end(link, state, ours, 'silent')
    }, HISTORY_TIMEOUT)
  }

  #write(
    link: L,
    session: number,
    round: number,
    isOpener: boolean,
    items: readonly Item[],
    isBusy = false,
  ): void {
    const floor = this.#catalogue.floor(this.#port.clock.now())
    const exchange = { kind: 'comparison', isOpener, isBusy, session, round, floor, items } as const
    this.#port.write(link, encodeFrame(Kind.ranges, encodeExchange(exchange)))
  }

  #stateOf(link: L): State {
    let state = this.#states.get(link)
    if (state === undefined) {
      const now = this.#port.clock.now()
      state = {
        ours: undefined,
        theirs: undefined,
        timer: undefined,
        openings: new TokenBucket(1_000 / HISTORY_NEWS_INTERVAL, HISTORY_OPENINGS, now),
        hashes: new TokenBucket(HISTORY_HASH_RATE, HISTORY_HASH_BURST, now),
        floor: 0,
        floorAt: now,
      }
      this.#states.set(link, state)
    }
    return state
  }
}

/** The session, if this is the frame that it waits for. What comes late belongs to nothing. */
function expects(session: Session | undefined, frame: Comparison): Session | undefined {
  return session?.number === frame.session && session.round === frame.round ? session : undefined
}
