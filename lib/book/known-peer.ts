import { type Address, type Reach, reachOf } from '../wire/address.ts'
import type { NodeId } from '../wire/ids.ts'
import type { PeerRecord, RecordFields } from './peer-record.ts'

/** Who told of a node: the peer at the other end of a link. */
export interface Source {
  readonly id: string
  /** The address that it was seen at. */
  readonly host: string
}

/** What the peer book knows about a node, at one moment: frozen, it does not change with the book. */
export interface KnownPeer {
  readonly id: NodeId
  /** Where to dial it: those of its record that its source may tell, the one that worked first. */
  readonly addresses: readonly Address[]
  /** When its record was signed, in ms since the epoch. */
  readonly time: number
  /** Its newest record. It may name more addresses than this node dials. */
  readonly record: PeerRecord
  /** Who told of it first; the node itself as soon as it has. */
  readonly source: Source
  /** When a link to it was last known to be up, in ms since the epoch; undefined if there was none. */
  readonly lastConnected: number | undefined
  /** Failed dials since then. */
  readonly failures: number
  /** Whether this node has reached it. Such nodes are not pushed out by what others tell. */
  readonly isTried: boolean
}

/** A known peer as it survives a restart. */
export type SavedPeer = Pick<KnownPeer, 'record' | 'source' | 'lastConnected' | 'isTried'>

/** The nodes that a node knows of, to look at. */
export interface ReadonlyPeerBook {
  /** How many nodes are known; at most 4,096. */
  readonly size: number
  /** What is known about a node. */
  get(id: string): KnownPeer | undefined
  has(id: string): boolean
  [Symbol.iterator](): Iterator<KnownPeer>
}

/** What is known of a node of which only its record is known. */
export function newlyKnown(record: PeerRecord, source: Source): KnownPeer {
  return frozen({
    id: record.id,
    addresses: usableAddresses(record, reachOf(source.host)),
    time: record.time,
    record,
    // A copy, since a source may be a whole link.
    source: { id: source.id, host: source.host },
    lastConnected: undefined,
    failures: 0,
    isTried: false,
  })
}

/** A known peer of which something has changed. */
export function frozen(peer: KnownPeer): KnownPeer {
  Object.freeze(peer.addresses)
  Object.freeze(peer.source)
  return Object.freeze(peer)
}

/** A node that has renewed its record, or the same record from somebody who may tell more of its addresses. */
export function renewed(known: KnownPeer, record: PeerRecord, source: Source): KnownPeer {
  const news = newlyKnown(record, source)
  const isOwn = source.id === record.id
  const isSame = known.record.document === record.document
  const addresses =
    isSame && known.addresses.length > news.addresses.length ? known.addresses : news.addresses
  return frozen({
    ...known,
    addresses: workingFirst(addresses, known.addresses[0]),
    time: record.time,
    record,
    // It stays with whom it came from first. Otherwise a stranger who is quick to pass on renewals could draw
    // the entries of others into his own bucket, the one that has to give way.
    source: isOwn ? news.source : known.source,
    // A node that speaks for itself is there.
    failures: isOwn ? 0 : known.failures,
  })
}

/** The same addresses, the one that has worked in front. */
export function workingFirst(
  addresses: readonly Address[],
  working: Address | undefined,
): readonly Address[] {
  const isWorking = ({ host, port }: Address): boolean => host === working?.host && port === working.port
  return [...addresses.filter(isWorking), ...addresses.filter((address) => !isWorking(address))]
}

const RANK: Readonly<Record<Reach, number>> = { public: 0, private: 1, loopback: 2 }

/**
 * The addresses of a record that a source may tell: from a public host public ones, from a private one private ones
 * as well, from this machine all. Otherwise a stranger could direct our dials at the printer in our local network.
 *
 * @param sourceReach How far the source's address reaches; undefined, as for names, counts as public.
 */
export function usableAddresses(
  { addresses }: Pick<RecordFields, 'addresses'>,
  sourceReach: Reach | undefined,
): readonly Address[] {
  const rank = RANK[sourceReach ?? 'public']
  return addresses.filter(({ host }) => RANK[reachOf(host) ?? 'loopback'] <= rank)
}

/**
 * Whether a record can be told to an asker that is seen at an address of this reach. The signature covers all of its
 * addresses, so it goes out whole. If the asker would take one that this node itself has refused, strangers could
 * reach into the local network through us.
 */
export function isShareable({ record, addresses }: KnownPeer, asker: Reach | undefined): boolean {
  return usableAddresses(record, asker).length <= addresses.length
}
