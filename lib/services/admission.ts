import { ADDRESS_INTERVAL, MAX_BANS } from '../limits/limits.ts'
import { TokenBucket } from '../ground/token-bucket.ts'

/** How many strangers are let in. */
export interface AdmissionOptions {
  /** Inbound connections whose handshake is under way. */
  readonly maxPending: number
  /** New inbound connections of one address in 10 s. */
  readonly maxNewPerAddress: number
}

/** Addresses whose rate is remembered; full buckets are forgotten first, since they say nothing. */
const MAX_ADDRESSES = 4_096
/** Connections that a failed handshake counts for, itself apart. */
const FAILURE_COST = 7

/** Decides about strangers before anything is done for them, and keeps the banned out. */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #bans = new Map<string, number>()
  /** By address, the inbound connections whose handshake is under way. */
  readonly #pendingOf = new Map<string, number>()
  #pending = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Inbound connections whose handshake is under way. */
  get pending(): number {
    return this.#pending
  }

  /**
   * Whether a raw connection may begin its handshake; if so, {@link settle} or {@link fail} must be called once
   * later. One address gets no more than half of the places: a single stranger must not keep all others out.
   */
  admit(address: string, now: number): boolean {
    const { maxPending } = this.#options
    const pending = this.#pendingOf.get(address) ?? 0
    if (this.#pending >= maxPending || pending >= Math.ceil(maxPending / 2)) return false
    if (!this.#bucket(address, now).take(now)) return false
    this.#pendingOf.set(address, pending + 1)
    this.#pending++
    return true
  }

  /** A handshake that was admitted is over. */
  settle(address: string): void {
    const pending = (this.#pendingOf.get(address) ?? 0) - 1
    if (pending > 0) this.#pendingOf.set(address, pending)
    else this.#pendingOf.delete(address)
    this.#pending--
  }

  /**
   * A handshake that was admitted has failed. It counts as several: certificates can be made that take a hundred
   * times longer to judge than honest ones, and that is only known afterwards.
   */
  fail(address: string, now: number): void {
    this.settle(address)
    this.#bucket(address, now).spend(now, FAILURE_COST)
  }

  /** Keeps a node out until `until`, in ms since the epoch. */
  ban(id: string, until: number): void {
    this.#bans.delete(id)
    this.#bans.set(id, until)
    if (this.#bans.size > MAX_BANS) this.#bans.delete(this.#bans.keys().next().value!)
  }

  isBanned(id: string, now: number): boolean {
    const until = this.#bans.get(id)
    if (until === undefined) return false
    if (now < until) return true
    this.#bans.delete(id)
    return false
  }

  #bucket(address: string, now: number): TokenBucket {
    const known = this.#buckets.get(address)
    if (known !== undefined) return known
    if (this.#buckets.size >= MAX_ADDRESSES) this.#forget(now)
    const { maxNewPerAddress } = this.#options
    const bucket = new TokenBucket((maxNewPerAddress * 1_000) / ADDRESS_INTERVAL, maxNewPerAddress, now)
    this.#buckets.set(address, bucket)
    return bucket
  }

  #forget(now: number): void {
    for (const [address, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(address)
    if (this.#buckets.size >= MAX_ADDRESSES) this.#buckets.delete(this.#buckets.keys().next().value!)
  }
}
