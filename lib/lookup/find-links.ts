import {
  FIND_BURST,
  FIND_RATE,
  MAX_LATE_ANSWERS,
  OWN_FIND_BURST,
  OWN_FIND_RATE,
} from '../limits/network-limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import { Kind } from '../wire/frame.ts'
import type { Asking } from './asking.ts'
import { encodeFind } from './find-frame.ts'
import type { FinderLink, FinderPort } from './finder-port.ts'
import { type Place, placeOf } from './place.ts'

/** What goes over one link. */
interface State<L extends FinderLink> {
  /** The place of the peer, once somebody wanted to know it. */
  place: Place | undefined
  /** The number of the last question. */
  last: number
  /** Questions that were not answered, by their numbers, the oldest first. Those that are over count as well. */
  readonly waiting: Map<number, Asking<L>>
  /** The number of the last question that was forgotten without an answer. */
  forgotten: number
  /** Questions that may be sent, and those of the peer that are answered. */
  readonly own: TokenBucket
  readonly theirs: TokenBucket
  isExpelled: boolean
}

/** The questions of this node on each link, and what each peer may ask. */
export class FindLinks<L extends FinderLink> {
  readonly #port: FinderPort<L>
  readonly #states = new WeakMap<L, State<L>>()
  #asked = 0

  constructor(port: FinderPort<L>) {
    this.#port = port
  }

  /** Questions that were sent. */
  get asked(): number {
    return this.#asked
  }

  /** The place of a link's peer. */
  placeOf(link: L): Place {
    const state = this.#stateOf(link)
    return (state.place ??= placeOf(link.id))
  }

  /** Whether one more question of the peer is answered now. */
  mayAsk(link: L): boolean {
    return this.#stateOf(link).theirs.take(this.#port.clock.now())
  }

  /** Asks over a link; a moment later where there are too many questions, since the peer would not answer them. */
  ask(link: L, asking: Asking<L>): void {
    if (!link.isUp) return asking.fail(false)
    const { own } = this.#stateOf(link)
    const now = this.#port.clock.now()
    const wait = own.wait(now)
    own.spend(now, 1)
    if (wait === 0) this.#send(link, asking)
    else asking.hold(this.#port.clock.setTimer(() => this.#send(link, asking), wait))
  }

  #send(link: L, asking: Asking<L>): void {
    if (asking.isOver) return
    if (!link.isUp) return asking.fail(false)
    const state = this.#stateOf(link)
    const number = ++state.last
    state.waiting.set(number, asking)
    // Somebody who never answers must not fill our memory.
    for (const [oldest, { isOver }] of state.waiting) {
      if (state.waiting.size <= MAX_LATE_ANSWERS || !isOver) break
      state.waiting.delete(oldest)
      state.forgotten = oldest
    }
    this.#asked++
    this.#port.write(link, Kind.find, encodeFind({ number, place: asking.place }))
  }

  /**
   * An answer came. What was asked, and is not wanted any more, may come late; what was not asked, or was answered
   * before, is unsolicited.
   */
  take(link: L, number: number): Asking<L> | 'late' | 'unsolicited' {
    const state = this.#stateOf(link)
    const asking = state.waiting.get(number)
    if (asking === undefined) return number > 0 && number <= state.forgotten ? 'late' : 'unsolicited'
    state.waiting.delete(number)
    return asking.isOver ? 'late' : asking
  }

  /** The link is ended because of what it brought; questions on it are lost. */
  expel(link: L, code: 'bad-lookup' | 'unsolicited'): void {
    if (!link.isUp || this.isExpelled(link)) return
    const state = this.#stateOf(link)
    state.isExpelled = true
    // First, or they would be lost with the link, as if by accident.
    for (const asking of state.waiting.values()) asking.fail(true)
    this.#port.expel(link, code)
  }

  /** Whether a link was caught with something: nothing more is taken from it, though it may take a moment to end. */
  isExpelled(link: L): boolean {
    return this.#states.get(link)?.isExpelled === true
  }

  /** A link has ended. */
  onDown(link: L): void {
    const state = this.#states.get(link)
    this.#states.delete(link)
    for (const asking of state?.waiting.values() ?? []) asking.fail(false)
  }

  #stateOf(link: L): State<L> {
    let state = this.#states.get(link)
    if (state === undefined) {
      const now = this.#port.clock.now()
      state = {
        place: undefined,
        last: 0,
        waiting: new Map(),
        forgotten: 0,
        own: new TokenBucket(OWN_FIND_RATE, OWN_FIND_BURST, now),
        theirs: new TokenBucket(FIND_RATE, FIND_BURST, now),
        isExpelled: false,
      }
      this.#states.set(link, state)
    }
    return state
  }
}
