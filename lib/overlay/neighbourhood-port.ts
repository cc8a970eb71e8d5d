import type { Clock } from '../ground/clock.ts'
import type { Address } from '../wire/address.ts'
import type { CloseCode } from '../wire/close-code.ts'
import type { DialBackOff } from '../book/back-off.ts'
import type { BootstrapList } from './bootstrap-list.ts'
import type { CandidateBook } from './candidates.ts'

/** What keeping a neighbourhood needs of its node. */
export interface NeighbourhoodPort<L> {
  readonly self: string
  readonly clock: Clock
  readonly random: () => number
  readonly book: CandidateBook
  readonly backOff: DialBackOff
  readonly bootstrap: BootstrapList
  /** Links that are up. */
  links(): ReadonlySet<L>
  /** Whether the node runs, and has not left its network. */
  isAwake(): boolean
  /** How many more links the node may have. */
  freePlaces(): number
  dial(address: Address, options: DialTerms): Promise<L>
  /** Ends a link that is not needed, without losing what is on its way. */
  retire(link: L, code: CloseCode): void
  /** Whether messages come and go over a link, so that others had better go first. */
  isNeeded(link: L): boolean
  /** Asks a peer whom it knows, if it was not asked just now. */
  ask(link: L): void
  /** Whether an answer may still come soon. */
  isAsking(): boolean
  /** Tells a peer that this node has enough links. */
  sayEnough(link: L): void
}

/** The terms of one dial. */
export interface DialTerms {
  /** Who must be found there. @default anybody */
  readonly expect?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** In ms. */
  readonly timeout?: number | undefined
}
