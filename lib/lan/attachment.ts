import { MAX_LAN_ATTACHMENTS } from '../limits/network-limits.ts'
import { canonicalIp, isWildcard } from '../wire/address.ts'

/** One address of this machine, and the network that it is attached to by it. */
export interface Attachment {
  /** Tells it from all others of this machine. */
  readonly key: string
  /** The interface's name. */
  readonly name: string
  /** What stands behind the `%` of a link-local address: the interface's name, or its number on Windows. */
  readonly zone: string
  /** Without a zone. */
  readonly address: string
  readonly isIpv6: boolean
  readonly isLoopback: boolean
  /** Whether the address means nothing outside of its network, not even on this machine, without the zone. */
  readonly isLinkLocal: boolean
  /** Whether an address, with its zone if it has one, is in the same subnet. */
  readonly includes: (host: string) => boolean
}

/** Those on which a node that listens at this host is to be found: where its port is open, and nowhere else. */
export function attachmentsFor(host: string, all: readonly Attachment[]): Attachment[] {
  if (isWildcard(host)) {
    return onePerSubnet(all.filter(({ isIpv6 }) => host !== '0.0.0.0' || !isIpv6)).slice(
      0,
      MAX_LAN_ATTACHMENTS,
    )
  }
  if (host === 'localhost') return all.filter(({ isLoopback }) => isLoopback)
  const [text = '', zone] = host.split('%')
  const ip = canonicalIp(text)
  if (ip === undefined) return []
  const exact = all.filter(
    (attachment) => attachment.address === ip && (zone === undefined || zone === attachment.zone),
  )
  if (exact.length > 0) return exact.slice(0, 1)
  // The whole of 127.0.0.0/8 is this machine, though only one address of it is listed.
  return all
    .filter(({ isLoopback, includes }) => isLoopback && includes(ip))
    .map((attachment) => ({ ...attachment, address: ip, key: `${attachment.name} ${ip}` }))
}

/** Of several addresses in one subnet (IPv6 makes new ones every day) the first. */
function onePerSubnet(all: readonly Attachment[]): Attachment[] {
  return all.filter(
    (one, at) => !all.slice(0, at).some((other) => other.zone === one.zone && other.includes(withZone(one))),
  )
}

/** Its address as others see it. */
export function withZone({ address, zone, isLinkLocal }: Attachment): string {
  return isLinkLocal ? `${address}%${zone}` : address
}

/**
 * Those on which a node calls out. On the others it only listens: link-local addresses, which need a zone, and
 * `::1`, which has no multicast, are for interfaces that have nothing better.
 */
export function speakersOf(all: readonly Attachment[]): Attachment[] {
  return all.filter(
    (one) => !isLastResort(one) || !all.some((other) => other.name === one.name && !isLastResort(other)),
  )
}

function isLastResort({ isLinkLocal, isLoopback, isIpv6 }: Attachment): boolean {
  return isLinkLocal || (isLoopback && isIpv6)
}
