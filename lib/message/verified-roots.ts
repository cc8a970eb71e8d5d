import { checkSignature } from '../identity/ed25519.ts'
import type { Engine } from '../identity/engine.ts'
import { MAX_VERIFIED_ROOTS } from '../limits/limits.ts'
import { RecentMap } from '../ground/recent-map.ts'
import { fromHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'
import type { Place } from './batch.ts'
import { signedRoot } from './message-id.ts'

/**
 * The batches whose signature was found good, and those that are being verified: one signature is verified once,
 * however many messages it is of. Bounded; whoever pushes others out makes nodes verify once more, and no more than that.
 */
export class VerifiedRoots {
  readonly #roots: RecentMap<string, true | Promise<boolean>>

  /** @param limit Batches remembered at most. @default MAX_VERIFIED_ROOTS */
  constructor(limit: number = MAX_VERIFIED_ROOTS) {
    this.#roots = new RecentMap(limit)
  }

  /** Batches remembered. */
  get size(): number {
    return this.#roots.size
  }

  /** Whether this author has signed this root: at once where it is known. */
  verify(author: NodeId, place: Place, signature: string, engine?: Engine): boolean | Promise<boolean> {
    // The signature as well: with another one, the same root is not signed, and every node has to see that alike.
    const key = place.keyOf(author, signature)
    const known = this.#roots.get(key)
    if (known !== undefined) return known
    const isGood = checkSignature(fromHex(signature), signedRoot(place), fromHex(author), engine)
    if (typeof isGood === 'boolean') return this.#conclude(key, isGood)
    const flight = isGood.then((isGood) => this.#conclude(key, isGood))
    this.#roots.set(key, flight)
    return flight
  }

  #conclude(key: string, isGood: boolean): boolean {
    if (isGood) this.#roots.set(key, true)
    else this.#roots.delete(key)
    return isGood
  }
}
