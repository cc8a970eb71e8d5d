import type { Clock, Timer } from '../ground/clock.ts'
import { MAX_VERIFICATION_BYTES, TRICKLE_BYTES } from '../limits/limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'

/** A link, as far as reading from it goes. */
export interface IntakeLink {
  pause(): void
  resume(): void
}

/** A message that is to be verified, as far as taking it in goes. */
export interface Arrival {
  readonly id: string
  /** Of two copies with the same key, the signatures are equally good. */
  readonly key: string
  /** Bytes that it takes. */
  readonly size: number
}

/** What the intake needs of its node: `L` are links, `F` what they bring, `A` arrivals, `V` verdicts. */
export interface IntakePort<L, F, A, V> {
  readonly clock: Clock
  /** Everything before the signature. Returns what is to be verified, if it comes to that. */
  judge(link: L, arrived: F): A | undefined
  /** At once, where the signature is known to be good. */
  verify(arrival: A): V | Promise<V>
  /** A verdict, link by link in the order of arrival. */
  conclude(link: L, arrival: A, verdict: V): void
  /** Whether what comes over this link piles up before the other peers. */
  isBacklogged(link: L): boolean
}

/** How much is taken in. */
export interface IntakeOptions {
  /** Signatures under verification at once. */
  readonly maxVerifications: number
  /** Messages a second that are read from one link. */
  readonly messageRate: number
}

interface Pending<A, V> {
  readonly arrival: A
  verdict: V | undefined
}

/** Verifications under way whose outcome is the same. */
interface Flight<V> {
  /** The message that the verdict is about. */
  readonly id: string
  readonly verdict: Promise<V>
}

/** What came over one link and is not concluded. */
interface Inbox<L, F, A, V> {
  readonly link: L
  /** Messages of any kind. */
  readonly rate: TokenBucket
  /** Bytes of new messages, while they pile up. */
  readonly trickle: TokenBucket
  /** Not looked at yet. At most what one read brought: the link is paused meanwhile. */
  arrived: F[]
  /** Judged to be worth verifying, and first in line for it. */
  next: A | undefined
  /** Under verification, in the order of arrival. */
  readonly pending: Pending<A, V>[]
  timer: Timer | undefined
  isPaused: boolean
  isDropped: boolean
}

/**
 * Takes the messages of all links through verification. At most so many signatures are under way at once; links
 * that bring more are not read meanwhile, so that their senders' buffers fill up, not ours, and nothing is lost.
 * Each link's messages are concluded in the order in which they came.
 */
export class Intake<L extends IntakeLink, F, A extends Arrival, V extends object> {
  readonly #port: IntakePort<L, F, A, V>
  readonly #options: IntakeOptions
  readonly #inboxes = new WeakMap<L, Inbox<L, F, A, V>>()
  /** Inboxes that wait for a free place, longest first. */
  readonly #starved = new Set<Inbox<L, F, A, V>>()
  /**
   * Verifications under way, by key. A second copy with the same signature shares the verdict; one with another
   * signature is judged on its own, or a broken copy sent first would silence the genuine one. The messages of a
   * batch, which have one signature, take one place.
   */
  readonly #flights = new Map<string, Flight<V>>()
  /** Bytes of what was taken to be verified and is not concluded: it may all be written to the same peer at once. */
  #bytes = 0

  constructor(port: IntakePort<L, F, A, V>, options: IntakeOptions) {
    this.#port = port
    this.#options = options
  }

  /** Signatures under verification. */
  get inFlight(): number {
    return this.#flights.size
  }

  /** Messages arrived. */
  receive(link: L, arrived: readonly F[]): void {
    const inbox = this.#inboxOf(link)
    if (inbox.isDropped) return
    inbox.arrived.push(...arrived)
    if (!inbox.isPaused) this.#pump(inbox)
  }

  /** Forgets what a link brought and has not been concluded, since it was caught cheating; returns it. */
  drop(link: L): A[] {
    const inbox = this.#inboxOf(link)
    const pending = inbox.pending.splice(0)
    const dropped = pending.map(({ arrival }) => arrival)
    for (const { size } of dropped) this.#bytes -= size
    // Not at once: this may happen in the middle of a judgement.
    if (pending.length > 0) queueMicrotask(() => this.wake())
    if (inbox.next !== undefined) dropped.push(inbox.next)
    inbox.isDropped = true
    inbox.arrived = []
    inbox.next = undefined
    return dropped
  }

  /** What piled up has been read: links that were paused for it are read again. */
  wake(): void {
    for (const inbox of [...this.#starved]) this.#pump(inbox)
  }

  #inboxOf(link: L): Inbox<L, F, A, V> {
    let inbox = this.#inboxes.get(link)
    if (inbox === undefined) {
      const { messageRate } = this.#options
      const now = this.#port.clock.now()
      const rate = new TokenBucket(messageRate, messageRate, now)
      const trickle = new TokenBucket(TRICKLE_BYTES, TRICKLE_BYTES, now)
      const state = { next: undefined, timer: undefined, isPaused: false, isDropped: false }
      inbox = { link, rate, trickle, arrived: [], pending: [], ...state }
      this.#inboxes.set(link, inbox)
    }
    return inbox
  }

  /** Takes up what waits in an inbox, as far as it is allowed to. */
  #pump(inbox: Inbox<L, F, A, V>): void {
    this.#starved.delete(inbox)
    inbox.timer?.cancel()
    const { arrived } = inbox
    let taken = 0
    let wait = this.#verifyNext(inbox)
    while (wait === undefined && taken < arrived.length && !inbox.isDropped) {
      wait = this.#judge(inbox, arrived[taken]!)
      // What was judged has been taken, also when it must wait for its verification.
      if (wait === undefined || inbox.next !== undefined) taken++
    }
    if (inbox.isDropped) return
    if (taken > 0) inbox.arrived = arrived.slice(taken)
    if (wait !== undefined) this.#pause(inbox, wait)
    else if (inbox.isPaused) {
      inbox.isPaused = false
      inbox.link.resume()
    }
  }

  /** Judges a message, and verifies it if it is worth it. Returns how long to wait, in ms, if it cannot go on. */
  #judge(inbox: Inbox<L, F, A, V>, arrived: F): number | undefined {
    const now = this.#port.clock.now()
    if (!inbox.rate.take(now)) return Math.max(1, inbox.rate.wait(now))
    const arrival = this.#port.judge(inbox.link, arrived)
    if (inbox.isDropped) return undefined
    inbox.next = arrival
    return this.#verifyNext(inbox)
  }

  /**
   * Verifies the message that is first in line. Returns how long it has to wait instead, in ms: until woken
   * (Infinity), or until it trickles through. Only new messages wait: a copy makes no work for anybody.
   */
  #verifyNext(inbox: Inbox<L, F, A, V>): number | undefined {
    const { next, link, trickle } = inbox
    if (next === undefined) return undefined
    if (this.#flights.size >= this.#options.maxVerifications && !this.#flights.has(next.key)) return Infinity
    // What piles up is seen when it is concluded: until then, no more than what every queue has room for.
    if (this.#bytes > 0 && this.#bytes + next.size > MAX_VERIFICATION_BYTES) return Infinity
    if (this.#port.isBacklogged(link)) {
      const now = this.#port.clock.now()
      const wait = trickle.wait(now)
      if (wait > 0) return wait
      trickle.spend(now, next.size)
    }
    inbox.next = undefined
    this.#take(inbox, next)
    return undefined
  }

  #pause(inbox: Inbox<L, F, A, V>, ms: number): void {
    if (!inbox.isPaused) inbox.link.pause()
    inbox.isPaused = true
    this.#starved.add(inbox)
    if (ms !== Infinity) inbox.timer = this.#port.clock.setTimer(() => this.#pump(inbox), ms)
  }

  #take(inbox: Inbox<L, F, A, V>, arrival: A): void {
    const verdict = this.#verify(arrival)
    if (!(verdict instanceof Promise) && inbox.pending.length === 0) {
      this.#port.conclude(inbox.link, arrival, verdict)
      return
    }
    const entry: Pending<A, V> = { arrival, verdict: undefined }
    inbox.pending.push(entry)
    this.#bytes += arrival.size
    if (!(verdict instanceof Promise)) entry.verdict = verdict
    else {
      void verdict.then((verdict) => {
        entry.verdict = verdict
        this.#conclude(inbox)
      })
    }
  }

  #verify(arrival: A): V | Promise<V> {
    const { id, key } = arrival
    const known = this.#flights.get(key)
    if (known?.id === id) return known.verdict
    const verdict = this.#port.verify(arrival)
    if (known !== undefined || !(verdict instanceof Promise)) return verdict
    const flight = verdict.finally(() => this.#land(key))
    this.#flights.set(key, { id, verdict: flight })
    return flight
  }

  /**
   * A place is free: whoever has waited longest is next. Those that have no use for it (what they brought were
   * copies, or they are too fast) pass it on: it may be the last landing, and who still waits then waits for ever.
   */
  #land(key: string): void {
    this.#flights.delete(key)
    this.#pumpStarved()
  }

  #pumpStarved(): void {
    for (let left = this.#starved.size; left > 0; left--) {
      if (this.#flights.size >= this.#options.maxVerifications) return
      const [next] = this.#starved
      if (next !== undefined) this.#pump(next)
    }
  }

  #conclude(inbox: Inbox<L, F, A, V>): void {
    for (let first = inbox.pending[0]; first?.verdict !== undefined; first = inbox.pending[0]) {
      inbox.pending.shift()
      this.#bytes -= first.arrival.size
      this.#port.conclude(inbox.link, first.arrival, first.verdict)
    }
    this.#pumpStarved()
  }
}
