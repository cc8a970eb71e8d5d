import type { Clock } from '../ground/clock.ts'
import type { Engine } from '../identity/engine.ts'
import type { Sign } from '../message/statement.ts'
import type { Address } from '../wire/address.ts'
import type { CloseCode } from '../wire/close-code.ts'
import type { NodeId } from '../wire/ids.ts'
import type { Datagrams } from '../lan/lan.ts'
import type { Source } from '../book/known-peer.ts'
import type { PeerRecord } from '../book/peer-record.ts'
import type { DialTerms } from './neighbourhood-port.ts'
import type { OverlayLink } from './overlay-link.ts'

/** What forming the network needs of its node. */
export interface OverlayPort<L extends OverlayLink> {
  readonly self: { readonly id: NodeId; readonly net: string }
  readonly clock: Clock
  readonly sign: Sign
  /** How to reach the local network; only asked for with the option `lan`. */
  datagrams(): Datagrams
  /** Where the node listens; undefined while it does not. */
  listening(): Address | undefined
  /** The addresses of this machine. */
  hosts(): readonly string[]
  /** Links that are up. */
  links(): ReadonlySet<L>
  /** How many more links the node may have. */
  freePlaces(): number
  dial(address: Address, terms: DialTerms & { readonly temporary?: boolean }): Promise<L>
  write(link: L, frame: Uint8Array): void
  /** Ends a link that is not needed, without losing what is on its way. */
  retire(link: L, code: CloseCode): void
  /** Whether messages come and go over a link, so that others had better go first. */
  isNeeded(link: L): boolean
  /** Ends a link because of what it brought, and keeps its peer out for a while. */
  expel(link: L, code: CloseCode): void
  /** A record of a node was verified. `source` is the peer that brought it. */
  learned(record: PeerRecord, source: Source): void
  /** The machine's clock differs from those of the peers by so many ms. */
  onClockOff(offset: number, peers: number): void
  /** For people who watch. */
  report(text: string): void
}

/** How a node takes part in forming the network. */
export interface OverlayOptions {
  readonly bootstrap: readonly Address[]
  readonly targetConnections: number
  readonly maxOutboundPerGroup: number
  readonly advertise: readonly Address[] | false
  readonly peerBookFile: string | URL | undefined
  readonly lan: boolean
  /** Whether there are further transports, which find nodes too. @default false */
  readonly hasFurther?: boolean
  readonly random: () => number
  readonly engine: Engine | undefined
}
