import { isIPv6 } from 'node:net'
import { InvalidArgumentError } from 'commander'

/** Where a node listens. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** A name or an IPv4 address; what is left to the resolver is only that it exists. */
const HOST = /^[^\s:[\]/@\\\p{C}]{1,255}$/u
const BRACKETED = /^\[(.*)\]:([^:]*)$/
const PLAIN = /^([^:]*):([^:]*)$/

/**
 * Reads `host:port`, `1.2.3.4:port` or `[v6]:port`.
 *
 * @throws InvalidArgumentError with what is wrong
 */
export function parseAddress(text: string): Address {
  const [, inner, innerPort] = BRACKETED.exec(text) ?? []
  if (inner !== undefined && innerPort !== undefined) {
    if (!isIPv6(inner)) throw new InvalidArgumentError('Between the brackets there must be an IPv6 address.')
    return { host: inner, port: parsePort(innerPort, 1) }
  }
  const [, host, port] = PLAIN.exec(text) ?? []
  if (host === undefined || port === undefined || !HOST.test(host)) {
    throw new InvalidArgumentError('It must be host:port, or [address]:port for IPv6.')
  }
  return { host, port: parsePort(port, 1) }
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
  if (!(port >= lowest && port <= 65_535)) {
    throw new InvalidArgumentError(`A port is a whole number from ${lowest} to 65535.`)
  }
  return port
}

/** An address for people, and for {@link parseAddress}. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
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
