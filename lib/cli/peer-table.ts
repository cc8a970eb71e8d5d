import type { NodeConnection, SecureNode } from '../index.ts'
import type { KnownPeer } from '../book/known-peer.ts'
import { formatAddress } from './address.ts'
import { safeText } from './safe-text.ts'
import { shortId, table } from './terminal.ts'
import { within } from './within.ts'

/** A connection, as far as it is shown. */
export interface PeerFacts {
  readonly id: string
  readonly direction: 'inbound' | 'outbound'
  readonly host: string
  readonly port: number
  /** Smoothed round-trip time in ms, once measured. */
  readonly latency: number | undefined
  /** For how long it has been up, in ms. */
  readonly age: number
  readonly bytesIn: number
  readonly bytesOut: number
}

/** A node of the peer book, as far as it is shown. */
export interface KnownFacts {
  readonly id: string
  /** Where it is said to be, `host:port`; the one that worked comes first. */
  readonly addresses: readonly string[]
  /** How old its record is, in ms: that long ago it was alive. */
  readonly age: number
  /** How long ago there was a link to it, in ms; undefined if there was none. */
  readonly sinceLink: number | undefined
  /** Who told of it: its own ID if it did so itself. */
  readonly source: string
}

/** How long to wait for a fresh round-trip time, in ms. */
const PING_TIMEOUT = 1_000

/** The connections of a node, each with a fresh round-trip time if its peer answers within a second. */
export async function pingPeers(node: Pick<SecureNode, 'allNodes'>): Promise<readonly PeerFacts[]> {
  const peers = [...node.allNodes]
  await Promise.all(peers.map((peer) => within(peer.ping(), PING_TIMEOUT)))
  const now = Date.now()
  return peers.map((peer) => factsOf(peer, now))
}

function factsOf(peer: NodeConnection, now: number): PeerFacts {
  const { id, direction, host, port, connectedAt, latency, stats } = peer
  const { bytesIn, bytesOut } = stats
  const age = Math.max(0, now - connectedAt)
  return { id, direction, host, port, latency: latency?.smoothed, age, bytesIn, bytesOut }
}

/** What is shown of the nodes that a node knows of. */
export function knownPeers(book: Iterable<KnownPeer>): readonly KnownFacts[] {
  const now = Date.now()
  const since = (time: number): number => Math.max(0, now - time)
  return [...book].map(({ id, addresses, time, lastConnected, source }) => ({
    id,
    addresses: addresses.map(formatAddress),
    age: since(time),
    sinceLink: lastConnected === undefined ? undefined : since(lastConnected),
    source: source.id,
  }))
}

/** The connections, one in a row. */
export function peerTable(peers: readonly PeerFacts[]): readonly string[] {
  if (peers.length === 0) return ['no peers']
  return table(
    ['direction', 'address', 'ID', 'ms', 'age', 'bytes in', 'bytes out'],
    peers.map(({ id, direction, host, port, latency, age, bytesIn, bytesOut }) => {
      const ms = latency === undefined ? '-' : latency.toFixed(1)
      const address = safeText(formatAddress({ host, port }))
      return [direction, address, shortId(id), ms, duration(age), bytesIn, bytesOut]
    }),
  )
}

/** The known nodes, one in a row. */
export function bookTable(known: readonly KnownFacts[]): readonly string[] {
  if (known.length === 0) return ['no nodes are known']
  return table(
    ['ID', 'address', 'told', 'by', 'link'],
    known.map(({ id, addresses: [first = '-', ...others], age, sinceLink, source }) => [
      shortId(id),
      others.length === 0 ? first : `${first} (and ${others.length} more)`,
      `${duration(age)} ago`,
      source === id ? 'itself' : shortId(source),
      sinceLink === undefined ? 'never' : `${duration(sinceLink)} ago`,
    ]),
  )
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
] as const

/** A time in its largest unit, of which there is at least one: `12 s`, `3 min`. */
export function duration(ms: number): string {
  const [unit, size] = UNITS.find(([, unitSize]) => ms >= unitSize) ?? ['s', 1_000]
  return `${Math.floor(ms / size)} ${unit}`
}
