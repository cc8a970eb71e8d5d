import type { Clock, Timer } from '../ground/clock.ts'
import { Deferred } from '../ground/deferred.ts'
import { aborted, connectTimeout, joinFailed } from '../errors.ts'
import { JOIN_TIMEOUT, MAX_DIALS } from '../limits/network-limits.ts'
import { type Address, formatAddress } from '../wire/address.ts'
import type { DialTerms } from './neighbourhood-port.ts'

/** Options of `join`. */
export interface JoinOptions {
  /** How long it may take, in ms. @default 15_000 */
  readonly timeout?: number | undefined
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined
}

/** An address where nobody was found, and why. */
export interface JoinFailure {
  readonly address: Address
  readonly error: Error
}

/** What came of joining. */
export interface Joined {
  /** Links that are up. None only where every address was this node's own: then it is the first of its network. */
  readonly peers: number
  /** Addresses that have failed so far. */
  readonly failures: readonly JoinFailure[]
}

/** What joining needs of its node. */
export interface JoiningPort {
  readonly clock: Clock
  dial(address: Address, terms: DialTerms): Promise<unknown>
  /** Links that are up. */
  peers(): number
  /** Resolves when there are enough links, or nobody else is known. */
  settled(): Promise<void>
}

/**
 * Finds a network at one of several addresses, and a neighbourhood from there. One address that answers is enough:
 * the others go on being tried, a few at a time, while the neighbourhood is looked for.
 *
 * @throws SecureNodeError `join-failed` with the reason of every address, `aborted`
 */
export async function joinNetwork(
  addresses: readonly Address[],
  { timeout = JOIN_TIMEOUT, signal }: JoinOptions,
  port: JoiningPort,
): Promise<Joined> {
  const ended = new Deferred<never>()
  const onAbort = (): void => ended.reject(aborted('joining', signal?.reason))
  if (signal?.aborted) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const late = new Deferred<void>()
  const timer: Timer = port.clock.setTimer(() => late.resolve(), timeout)
  const search = new AddressSearch(addresses, { timeout, signal }, port)
  try {
    await Promise.race([search.run(), ended.promise])
    await Promise.race([port.settled(), late.promise, ended.promise])
    return { peers: port.peers(), failures: [...search.failures] }
  } finally {
    search.end()
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
    // Nobody may be left to hear of it.
    ended.promise.catch(() => {})
  }
}

/** The dials of a list of addresses. */
class AddressSearch {
  readonly failures: JoinFailure[] = []
  readonly #count: number
  readonly #queue: Address[]
  readonly #terms: { readonly timeout: number; readonly signal: AbortSignal | undefined }
  readonly #port: JoiningPort
  readonly #deadline: number

  constructor(
    addresses: readonly Address[],
    terms: { readonly timeout: number; readonly signal: AbortSignal | undefined },
    port: JoiningPort,
  ) {
    this.#count = addresses.length
    this.#queue = [...addresses]
    this.#terms = terms
    this.#port = port
    this.#deadline = port.clock.now() + terms.timeout
  }

  /** Dials no more of them. */
  end(): void {
    this.#queue.length = 0
  }

  /** Resolves when the first address has answered, or one was this node's own and nobody else has. */
  async run(): Promise<void> {
    const answered = new Deferred<void>()
    const work = async (): Promise<void> => {
      for (let address = this.#queue.shift(); address !== undefined; address = this.#queue.shift())
        if (await this.#isAnswering(address)) answered.resolve()
    }
    const all = Promise.all(Array.from({ length: Math.min(MAX_DIALS, this.#count) }, work))
    await Promise.race([answered.promise, all])
    // Where one of them is this node's own, it is the first of those that were told the same list.
    if (this.#count > 0 && this.failures.length === this.#count) throw joinFailed(texts(this.failures))
  }

  async #isAnswering(address: Address): Promise<boolean> {
    try {
      await this.#dial(address)
      return true
    } catch (cause) {
      const error = cause as Error & { readonly code?: unknown }
      if (error.code !== 'self-connection') this.failures.push({ address, error })
      return false
    }
  }

  /** The time is shared with those that wait: a few addresses that swallow everything must not take all of it. */
  #dial(address: Address): Promise<unknown> {
    const { timeout, signal } = this.#terms
    const left = this.#deadline - this.#port.clock.now()
    if (left <= 0) return Promise.reject(connectTimeout(formatAddress(address.host, address.port), timeout))
    const rounds = Math.ceil((this.#queue.length + 1) / MAX_DIALS)
    return this.#port.dial(address, { signal, timeout: left / rounds })
  }
}

function texts(failures: readonly JoinFailure[]): readonly (readonly [string, Error])[] {
  return failures.map(({ address, error }) => [formatAddress(address.host, address.port), error])
}
