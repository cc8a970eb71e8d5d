import type { Clock } from '../ground/clock.ts'
import type { Refusal, RelayStats } from '../relay/relay-port.ts'
import type { LinkTree, RelayTap } from '../relay/relay-tap.ts'
import type { CloseReason } from '../wire/close-code.ts'
import type { NodeStatus, StatusEvent } from './status-event.ts'

/** The status interface of a node. */
export interface StatusOptions {
  /** Port to listen at; 0 for any free one. */
  readonly port: number
  /** Address to listen at. Any other than the default shows what the node does to whoever has the token. @default '127.0.0.1' */
  readonly host?: string | undefined
  /** What clients must show: 16 to 256 letters, digits, `-`, `_`, `.` or `~`. @default a random one */
  readonly token?: string | undefined
  /** Whether clients may send messages in the node's name. @default false */
  readonly send?: boolean | undefined
  /** Characters of a payload that events show; 0 for none, 2,000 at most. @default 200 */
  readonly preview?: number | undefined
}

/** Where the status interface of a node is, and what it must be shown. */
export interface StatusAddress {
  readonly host: string
  readonly port: number
  readonly token: string
  /** Its address for browsers, with the token where they send it to nobody. */
  readonly url: string
}

/** A link, as far as watching goes. */
export interface WatchedLink {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly direction: 'inbound' | 'outbound'
  readonly connectedAt: number
  readonly latency: { readonly last: number } | undefined
  readonly encrypted: boolean
  readonly isTemporary: boolean
  readonly closeReason: CloseReason | undefined
  readonly stats: { readonly bytesIn: number; readonly bytesOut: number }
}

/** What of a node's statistics watching reads; the others are handed on. */
export interface WatchedStats extends Pick<RelayStats, 'relayed' | 'duplicates' | 'refused' | 'messageIds'> {
  readonly sent: number
  readonly received: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** What happens to the links of a node. */
export interface LinkEars<L> {
  up(link: L): void
  down(link: L): void
  refused(link: L, refusal: Refusal): void
}

/** What telling the status of a node needs of it. */
export interface WatchedPort<L, S> {
  readonly id: string
  readonly net: string
  readonly clock: Clock
  /** Message IDs that it may remember. */
  readonly cacheLimit: number
  place(): { readonly host: string; readonly port: number }
  /** When it was started, in ms since the epoch; undefined while it is not running. */
  startedAt(): number | undefined
  stats(): S
  /** Links that are up, temporary ones included. */
  links(): Iterable<L>
  via(link: L): string
  treeOf(link: L): LinkTree | undefined
  networkSize(): number
  peerBook(): number
  /** Hears of every message from now on; undefined ends it. */
  tap(tap: RelayTap<L> | undefined): void
  /** Hears of links. Returns what ends it. */
  listen(ears: LinkEars<L>): () => void
  discover(timeout: number): Promise<unknown>
  send(type: string | undefined, data: unknown): Promise<{ readonly id: string; readonly peers: number }>
}

/** A node that can be watched. */
export interface StatusSource {
  readonly id: string
  readonly clock: Clock
  status(): NodeStatus
  /** Tells what happens from now on. Returns what ends it. One at a time. */
  watch(tell: (event: StatusEvent) => void): () => void
  /** The network as it answers. */
  graph(): Promise<unknown>
  send(type: string | undefined, data: unknown): Promise<{ readonly id: string; readonly peers: number }>
}
