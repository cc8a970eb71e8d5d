import { BOOTSTRAP_RETRY_MAX, BOOTSTRAP_RETRY_MIN } from '../limits/network-limits.ts'
import { type Address, formatAddress } from '../wire/address.ts'

interface Entry {
  readonly address: Address
  failures: number
  /** When it may be tried again, in ms since the epoch. */
  nextTry: number
  /** Who was found there. */
  id: string | undefined
}

/**
 * The addresses that a node was told to find the network at. They are tried while it knows nobody else, sooner and
 * more often than addresses that strangers have told: their owner wants this node to come.
 */
export class BootstrapList {
  readonly #random: () => number
  readonly #entries = new Map<string, Entry>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** Addresses in the list. */
  get size(): number {
    return this.#entries.size
  }

  add(addresses: Iterable<Address>): void {
    for (const address of addresses) {
      const key = formatAddress(address.host, address.port)
      if (!this.#entries.has(key))
        this.#entries.set(key, { address, failures: 0, nextTry: -Infinity, id: undefined })
    }
  }

  /** One that may be tried now, at random; none where somebody is connected already. */
  next(now: number, isConnected: (id: string) => boolean): Address | undefined {
    const ready = [...this.#entries.values()].filter(
      ({ nextTry, id }) => isOver(nextTry, now) && (id === undefined || !isConnected(id)),
    )
    return ready[Math.floor(this.#random() * ready.length)]?.address
  }

  /** Somebody was found there. */
  succeeded({ host, port }: Address, id: string): void {
    const entry = this.#entries.get(formatAddress(host, port))
    if (entry === undefined) return
    entry.failures = 0
    entry.id = id
  }

  /** Nobody was found there: the pause doubles, shortened by up to a half at random. */
  failed({ host, port }: Address, now: number): void {
    const entry = this.#entries.get(formatAddress(host, port))
    if (entry === undefined) return
    const pause = Math.min(BOOTSTRAP_RETRY_MAX, BOOTSTRAP_RETRY_MIN * 2 ** Math.min(entry.failures++, 30))
    entry.nextTry = now + pause * (0.5 + this.#random() / 2)
  }

  /** It is this node itself. */
  remove({ host, port }: Address): void {
    this.#entries.delete(formatAddress(host, port))
  }
}

/** Whether a pause is over. None is longer than the longest: then the clock was set back. */
function isOver(end: number, now: number): boolean {
  return now >= end || end - now > BOOTSTRAP_RETRY_MAX
}
