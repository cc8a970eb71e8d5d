import { InvalidArgumentError } from 'commander'
import {
  type Address,
  formatAddress as formatHostAndPort,
  isHost,
  isIpv6,
  parseAddress as readAddress,
} from '../wire/address.ts'

export type { Address } from '../wire/address.ts'

const BRACKETED = /^\[(.*)\]:[^:]*$/
const PLAIN = /^([^:]*):[^:]*$/

/**
 * Reads `host:port`, `1.2.3.4:port` or `[v6]:port`.
 *
 * @throws InvalidArgumentError with what is wrong
 */
export function parseAddress(text: string): Address {
  const address = readAddress(text)
  if (address === undefined) throw new InvalidArgumentError(ruleFor(text))
  return address
}

/** The rule that a text breaks which is no address. */
function ruleFor(text: string): string {
  const [, inner] = BRACKETED.exec(text) ?? []
  if (inner !== undefined && !isIpv6(inner)) return 'Between the brackets there must be an IPv6 address.'
  const host = inner ?? PLAIN.exec(text)?.[1]
  return host === undefined || !isHost(host)
    ? 'It must be host:port, or [address]:port for IPv6.'
    : portRule(1)
}

function portRule(lowest: 0 | 1): string {
  return `A port is a whole number from ${lowest} to 65535.`
}

/**
 * Reads a port.
 *
 * @param lowest 1 to connect to, 0 where the system may choose
 * @throws InvalidArgumentError
 */
export function parsePort(text: string, lowest: 0 | 1 = 0): number {
  // Number('') is 0, Number('0x50') is 80, Number('8e3') is 8,000.
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN
  if (!(port >= lowest && port <= 65_535)) throw new InvalidArgumentError(portRule(lowest))
  return port
}

/** An address for people, and for {@link parseAddress}. */
export function formatAddress({ host, port }: Address): string {
  return formatHostAndPort(host, port)
}

/** Collects the addresses of an option that may be repeated. */
export function collectAddress(text: string, others: readonly Address[] = []): readonly Address[] {
  return [...others, parseAddress(text)]
}

/**
 * Reads a number of seconds as milliseconds.
 *
 * @throws InvalidArgumentError unless it is above 0 and below 2^31 ms, beyond which timers fire at once
 */
export function parseSeconds(text: string): number {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1_000 : NaN
  if (!(ms > 0 && ms < 2 ** 31)) throw new InvalidArgumentError('It must be seconds, above 0.')
  return ms
}
