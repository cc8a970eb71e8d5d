import { ADDRESS_INTERVAL, MAX_BANS } from '../limits.ts'
import { TokenBucket } from '../token-bucket.ts'

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
  #pending = 0

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** Inbound connections whose handshake is under way. */
  get pending(): number {
    return this.#pending
  }

  /** Whether a raw connection may begin its handshake; if so, {@link settle} must be called once later. */
  admit(address: string, now: number): boolean {
    if (this.#pending >= this.#options.maxPending || !this.#bucket(address, now).take(now)) return false
    this.#pending++
    return true
  }

  /** A handshake that was admitted is over. */
  settle(): void {
    this.#pending--
  }

  /**
   * A handshake that was admitted has failed. It counts as several: certificates can be made that take a hundred
   * times longer to judge than honest ones, and that is only known afterwards.
   */
  fail(address: string, now: number): void {
    this.settle()
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
