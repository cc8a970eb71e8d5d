import type { CloseReason } from '../wire/close-code.ts'
import type { Address } from '../wire/address.ts'

/** A link, as far as forming the network goes. */
export interface OverlayLink {
  /** The peer at its other end, proven. */
  readonly id: string
  readonly direction: 'inbound' | 'outbound'
  /** The remote address; for an outbound link, the one that was dialled. */
  readonly host: string
  readonly port: number
  /** The remote IP address, also where a name was dialled. */
  readonly remoteHost: string
  /** Whether it was opened by ID: then its address is nowhere to connect. @default false */
  readonly isById?: boolean
  readonly isUp: boolean
  /** When it came up, in ms since the epoch. */
  readonly connectedAt: number
  readonly closeReason: CloseReason | undefined
  /** Where the peer sees this node. */
  readonly seenAt: Address | undefined
  /** How far the peer's clock is ahead of ours, in ms. */
  readonly clockOffset: number
  readonly latency: { readonly smoothed: number } | undefined
  readonly isCongested: boolean
}
