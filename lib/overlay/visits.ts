import type { Clock } from '../ground/clock.ts'
import { connectFailed, type SecureNodeError } from '../errors.ts'
import type { DialBackOff } from '../book/back-off.ts'
import type { PeerBook } from '../book/peer-book.ts'
import { type Address, formatAddress } from '../wire/address.ts'
import type { DialTerms } from './neighbourhood-port.ts'

/** What visits need of their node. `L` are links. */
export interface VisitsPort<L> {
  readonly clock: Clock
  readonly backOff: DialBackOff
  readonly book: PeerBook
  dial(address: Address, terms: DialTerms & { readonly temporary: boolean }): Promise<L>
}

/** Errors of a dial that say nothing about its address. */
const OUR_OWN: readonly unknown[] = ['aborted', 'too-many-connections', 'not-started']

/**
 * Dials nodes for a moment, where others say that they are. With the same pauses after failures as all dials: or a
 * liar who signs records with a victim's address would have a whole network dial it, one lookup after another.
 */
export class Visits<L> {
  readonly #port: VisitsPort<L>
  /** Addresses that are being dialled: nobody is dialled twice at once. */
  readonly #dialling = new Set<string>()

  constructor(port: VisitsPort<L>) {
    this.#port = port
  }

  /** Rejects as `connectWithNode` does, and with `connect-failed` where an address has to rest. */
  async dial(address: Address, terms: DialTerms): Promise<L> {
    const { clock, backOff } = this.#port
    const text = formatAddress(address.host, address.port)
    if (this.#dialling.has(text) || !backOff.isReady(address, clock.now(), terms.expect)) {
      throw connectFailed(text, new Error('it has failed before, or is being dialled, and is left in peace'))
    }
    this.#dialling.add(text)
    try {
      const link = await this.#port.dial(address, { ...terms, temporary: true })
      backOff.succeeded(address, clock.now())
      return link
    } catch (error) {
      this.#failed(address, terms.expect, error as Partial<SecureNodeError>)
      throw error
    } finally {
      this.#dialling.delete(text)
    }
  }

  #failed(address: Address, id: string | undefined, { code, found }: Partial<SecureNodeError>): void {
    if (OUR_OWN.includes(code)) return
    this.#port.backOff.failed(address, this.#port.clock.now(), found)
    // Its record names an address where somebody else is.
    if (code === 'identity-mismatch' && id !== undefined) this.#port.book.forget(id)
  }
}
