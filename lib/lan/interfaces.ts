import { BlockList } from 'node:net'
import { networkInterfaces } from 'node:os'
import { reachOf } from '../wire/address.ts'
import type { Attachment } from './attachment.ts'

/** What the platform tells of its interfaces. */
export type InterfaceTable = ReturnType<typeof networkInterfaces>
type InterfaceInfo = NonNullable<InterfaceTable[string]>[number]

/** fe80::/10 (RFC 4291). */
const LINK_LOCAL = /^fe[89ab]/i

/** The attachments of this machine, at this moment; none where a sandbox forbids to look. */
export function readAttachments(table: InterfaceTable = readTable()): Attachment[] {
  return Object.entries(table).flatMap(([name, infos = []]) =>
    infos.map((info) => attachmentOf(name, info)).filter((attachment) => attachment !== undefined),
  )
}

function readTable(): InterfaceTable {
  try {
    return networkInterfaces()
  } catch {
    // Some sandboxes forbid even to look.
    return {}
  }
}

function attachmentOf(name: string, info: InterfaceInfo): Attachment | undefined {
  const { address, family, cidr } = info
  const bits = Number(cidr?.split('/')[1])
  const isIpv6 = family === 'IPv6'
  const isLoopback = reachOf(address) === 'loopback'
  // A subnet of one address (tunnels, some clouds) has no neighbours.
  if (!Number.isInteger(bits) || (bits === (isIpv6 ? 128 : 32) && !isLoopback)) return undefined
  const isLinkLocal = isIpv6 && LINK_LOCAL.test(address)
  const zone = isIpv6 && process.platform === 'win32' ? String(info.scopeid) : name
  // The platform's own arithmetic of prefixes: it knows every length, and both families.
  const subnet = new BlockList()
  subnet.addSubnet(address, bits, isIpv6 ? 'ipv6' : 'ipv4')
  const includes = (host: string): boolean => {
    const [ip = '', its = ''] = host.split('%')
    // All links have the same link-local subnet: only the zone tells them apart.
    if (its !== (isLinkLocal ? zone : '') || ip.includes(':') !== isIpv6) return false
    return subnet.check(ip, isIpv6 ? 'ipv6' : 'ipv4')
  }
  return { key: `${name} ${address}`, name, zone, address, isIpv6, isLoopback, isLinkLocal, includes }
}
