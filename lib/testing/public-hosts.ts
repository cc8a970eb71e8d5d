import { reachOf } from '../wire/address.ts'

/** First bytes of IPv4 addresses under which no network is reserved for anything. */
const FIRST_BYTES = Array.from({ length: 223 }, (_, byte) => byte + 1).filter((first) =>
  // A network that is reserved in part starts or ends in one of these, or in the middle of a known one.
  [0, 2, 18, 31, 51, 64, 88, 100, 113, 127, 168, 254].every((second) =>
    [0, 2, 99, 100, 113].every((third) => reachOf(`${first}.${second}.${third}.1`) === 'public'),
  ),
)

/**
 * The public IPv4 address of a host by its number. The first 55,000 are in different /16 networks, so that rules
 * for groups of addresses see as many groups as there are hosts.
 */
export function publicHost(number: number): string {
  const first = FIRST_BYTES[number % FIRST_BYTES.length]!
  const round = Math.floor(number / FIRST_BYTES.length)
  return `${first}.${round % 256}.${Math.floor(round / 256) % 256}.1`
}
