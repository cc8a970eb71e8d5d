/** An address that a node listens at, or is reached at. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** How far an address reaches: this machine, the local network, everywhere. */
export type Reach = 'loopback' | 'private' | 'public'

/** A name or an IPv4 address; what is left to the resolver is only that it exists. */
const HOST = /^[^\s:[\]/@\\\p{C}]{1,255}$/u
const BRACKETED = /^\[([^\]]*)\]:(\d{1,5})$/
const PLAIN = /^([^:]*):(\d{1,5})$/
/** Without leading zeros: to some resolvers they mean octal, and `010.0.0.1` is 8.0.0.1. */
const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/
const IPV6 = /^[0-9a-f:.]{2,45}$/i
const ZONE = /%[A-Za-z0-9._-]{1,32}$/

/** Reads `host:port`, `1.2.3.4:port` or `[v6]:port`, ports from 1; undefined for what is none of them. */
export function parseAddress(text: string): Address | undefined {
  const [, inner, innerPort] = BRACKETED.exec(text) ?? []
  if (inner !== undefined) return isIpv6(inner) ? addressOf(inner, Number(innerPort)) : undefined
  const [, host = '', port] = PLAIN.exec(text) ?? []
  return addressOf(host, Number(port))
}

function addressOf(host: string, port: unknown): Address | undefined {
  return isHost(host) && isPort(port) ? { host, port } : undefined
}

/** Whether a text can be a host to connect to: a name, an IPv4 address, an IPv6 address with or without its zone. */
export function isHost(host: string): boolean {
  return host.includes(':') ? isIpv6(host) : HOST.test(host)
}

/** Whether a text is an IPv6 address, with or without a zone (`fe80::1%eth0`, RFC 4007). */
export function isIpv6(host: string): boolean {
  return host.includes(':') && ipBytes(host.replace(ZONE, '')) !== undefined
}

/** An address given as text or as an object; undefined for what is neither. */
export function toAddress(value: unknown): Address | undefined {
  if (typeof value === 'string') return parseAddress(value)
  const { host, port } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  return typeof host === 'string' ? addressOf(host, port) : undefined
}

/** Whether a number can be a port to connect to. */
export function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0 && (value as number) < 65_536
}

/** An address as text; IPv6 in brackets. */
export function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** Whether a host stands for all addresses of its machine. */
export function isWildcard(host: string): boolean {
  return ['', '0.0.0.0', '::'].includes(canonicalIp(host) ?? host)
}

/**
 * The one spelling of an IP address (RFC 5952 for IPv6); undefined for names and what is no address. An IPv4
 * address inside an IPv6 one (`::ffff:10.0.0.1`) comes out as what it is: it must not pass for another.
 */
export function canonicalIp(host: string): string | undefined {
  const bytes = ipBytes(host)
  if (bytes === undefined) return undefined
  return bytes.length === 4 ? bytes.join('.') : ipv6Text(host)
}

/** Prefixes with their length in bits, and how far they reach; none for those that nobody can be reached at. */
type Range = readonly [prefix: readonly number[], bits: number, reach: Reach | undefined]

// The special-purpose registries of IANA (RFC 6890). The first match counts.
const IPV4_RANGES: readonly Range[] = [
  [[0], 8, undefined],
  [[10], 8, 'private'],
  [[100, 64], 10, 'private'],
  [[127], 8, 'loopback'],
  // Link-local: the metadata services of clouds are here, and answer whoever asks.
  [[169, 254], 16, undefined],
  [[172, 16], 12, 'private'],
  [[192, 0, 0], 24, undefined],
  [[192, 0, 2], 24, undefined],
  [[192, 88, 99], 24, undefined],
  [[192, 168], 16, 'private'],
  [[198, 18], 15, undefined],
  [[198, 51, 100], 24, undefined],
  [[203, 0, 113], 24, undefined],
  // Multicast, reserved, broadcast.
  [[224], 3, undefined],
  [[], 0, 'public'],
]
const IPV6_RANGES: readonly Range[] = [
  [[...new Array<number>(15).fill(0), 1], 128, 'loopback'],
  [[0xfc], 7, 'private'],
  // Protocol assignments with Teredo, documentation, 6to4: in the first and the last hides an IPv4 address.
  [[0x20, 0x01, 0], 23, undefined],
  [[0x20, 0x01, 0x0d, 0xb8], 32, undefined],
  [[0x20, 0x02], 16, undefined],
  [[0x3f, 0xff, 0], 20, undefined],
  [[0x20], 3, 'public'],
  [[], 0, undefined],
]

/** How far an address reaches; undefined for names, and for addresses that no node can be reached at. */
export function reachOf(host: string): Reach | undefined {
  const bytes = ipBytes(host)
  if (bytes === undefined) return undefined
  const ranges = bytes.length === 4 ? IPV4_RANGES : IPV6_RANGES
  return ranges.find(([prefix, bits]) => hasPrefix(bytes, prefix, bits))![2]
}

function hasPrefix(bytes: readonly number[], prefix: readonly number[], bits: number): boolean {
  return prefix.every((byte, at) => {
    const left = bits - at * 8
    const mask = left >= 8 ? 0xff : 0xff00 >> left
    return (bytes[at]! & mask) === (byte & mask)
  })
}

/**
 * The group that an address belongs to: whoever owns one public address often owns its neighbours (/16 of IPv4,
 * /32 of IPv6). Private and loopback addresses, and names, are groups of their own.
 */
export function groupOf(host: string): string {
  const bytes = ipBytes(host)
  if (bytes === undefined || reachOf(host) !== 'public') return canonicalIp(host) ?? host
  if (bytes.length === 4) return bytes.slice(0, 2).join('.')
  // Of the bytes: the text `2a00::1` leaves its second word out, `2a00:0:1::1` does not.
  return [0, 2].map((at) => ((bytes[at]! << 8) | bytes[at + 1]!).toString(16)).join(':')
}

/** 4 or 16 bytes. An IPv4 address in an IPv6 one counts as the first. */
function ipBytes(host: string): readonly number[] | undefined {
  const parts = IPV4.exec(host)
  if (parts !== null) {
    const bytes = parts.slice(1).map(Number)
    return bytes.every((byte) => byte < 256) ? bytes : undefined
  }
  const text = ipv6Text(host)
  if (text === undefined) return undefined
  const bytes = ipv6Bytes(text)
  const isMapped = bytes.slice(0, 12).every((byte, at) => byte === (at < 10 ? 0 : 0xff))
  return isMapped ? bytes.slice(12) : bytes
}

/** The one spelling of RFC 5952. The platform's own parser knows all spellings, and writes one. */
function ipv6Text(host: string): string | undefined {
  const url = `http://[${host}]/`
  const isIp = host.includes(':') && IPV6.test(host) && URL.canParse(url)
  return isIp ? new URL(url).hostname.slice(1, -1) : undefined
}

/** The 16 bytes of an address in its one spelling. */
function ipv6Bytes(text: string): readonly number[] {
  const read = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((word) => parseInt(word, 16))
  const [head = '', tail = ''] = text.split('::')
  const [first, last] = [read(head), read(tail)]
  const words = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last]
  return words.flatMap((word) => [word >> 8, word & 0xff])
}
