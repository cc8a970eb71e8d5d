import * as networkLimits from '../limits/network-limits.ts'
import { count, flag, isAddresses, isPath, isPositive, isRecord, type Rule } from './option-rules.ts'
import { MAX_PREVIEW_CHARACTERS, MAX_TOKEN_LENGTH, MIN_TOKEN_LENGTH } from '../limits/status-limits.ts'
import { areOrigins, isUrlPath } from '../transport/web-origin.ts'
import { reachOf, toAddress } from '../wire/address.ts'

/** What may stand in a header and in an address as it is. */
const TOKEN = new RegExp(`^[A-Za-z0-9._~-]{${MIN_TOKEN_LENGTH},${MAX_TOKEN_LENGTH}}$`)

/** Options of a status interface. */
function isStatus(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { port, host, token, send, preview, ...others } = value
  return (
    Object.keys(others).length === 0 &&
    isCount(port, 65_535) &&
    (host === undefined || (typeof host === 'string' && host !== '')) &&
    (token === undefined || (typeof token === 'string' && TOKEN.test(token))) &&
    (send === undefined || typeof send === 'boolean') &&
    (preview === undefined || isCount(preview, MAX_PREVIEW_CHARACTERS))
  )
}

/** Where WebSockets are accepted. */
function isWebSocket(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { port, host, origins, path, ...others } = value
  return (
    Object.keys(others).length === 0 &&
    isCount(port, 65_535) &&
    (host === undefined || (typeof host === 'string' && host !== '')) &&
    (origins === undefined || areOrigins(origins)) &&
    (path === undefined || isUrlPath(path))
  )
}

/** Addresses that can be told to others, or none. */
function isAdvertisable(value: unknown): boolean {
  return (
    value === false ||
    (isAddresses(value) && (value as unknown[]).every((item) => isIp(toAddress(item)!.host)))
  )
}

function isIp(host: string): boolean {
  return reachOf(host) !== undefined
}

/** A list of functions. */
function isMakers(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'function')
}

/** A whole number from 0 to a highest one. */
function isCount(value: unknown, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= max
}

/** The rules of those options of a `SecureNode` that a page has no use for: the build for browsers leaves them out. */
export const MACHINE_RULES = {
  password: ['a text that is not empty', (value) => typeof value === 'string' && value !== '', undefined],
  targetConnections: [
    `an integer from ${networkLimits.MIN_TARGET_CONNECTIONS}`,
    (value) => isPositive(value) && (value as number) >= networkLimits.MIN_TARGET_CONNECTIONS,
    networkLimits.TARGET_CONNECTIONS,
  ],
  maxOutboundPerGroup: count(networkLimits.MAX_OUTBOUND_PER_GROUP),
  advertise: ['IP addresses like "203.0.113.5:10001", or false', isAdvertisable, []],
  peerBookFile: ['the path of a file', isPath, undefined],
  lan: flag(false),
  transports: ['an array of what makes transports, like hyperswarm(…)', isMakers, []],
  websocket: ['an object like { port: 8080 }; also host, origins, path', isWebSocket, undefined],
  status: ['an object like { port: 9470 }; also host, token, send, preview', isStatus, undefined],
} satisfies Record<string, Rule>
