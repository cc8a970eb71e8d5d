import { utf8 } from '../wire/bytes.ts'
import { sha256 } from '@noble/hashes/sha2.js'
import { MAX_FOREIGN_ID_BYTES } from '../limits/python-limits.ts'
import { toHex } from '../wire/hex.ts'
import { isPlainId } from '../wire/hello.ts'

/** What an ID begins with that stands for a foreign one which does not fit our rules. */
const PREFIX = 'p2p:'
/** Characters of the foreign ID that stay readable. */
const SHOWN = 8
/** Hexadecimal digits of its SHA-256: 192 bits, so nobody finds two IDs with one short form. */
const DIGITS = 48

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of a foreign ID; undefined for bytes that are none: empty, too long, no UTF-8, with control characters. */
export function decodeForeignId(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.length > MAX_FOREIGN_ID_BYTES) return undefined
  try {
    const id = decoder.decode(bytes)
    return /\p{Cc}/u.test(id) ? undefined : id
  } catch {
    return undefined
  }
}

/**
 * The ID by which a `Node` knows a foreign one. What fits our rules stays as it is; anything else, such as the 128
 * digits that p2pnetwork makes, becomes `p2p:`, its first 8 characters (`_` for what is no letter or digit), `:`, and
 * 48 digits of its SHA-256.
 */
export function plainIdOf(foreign: string): string {
  // A foreign ID that looks like a short form gets one too: or it could be chosen to be that of another.
  if (isPlainId(foreign) && !foreign.startsWith(PREFIX)) return foreign
  const shown = foreign.slice(0, SHOWN).replace(/[^A-Za-z0-9]/g, '_')
  return `${PREFIX}${shown}:${toHex(sha256(utf8(foreign))).slice(0, DIGITS)}`
}

/** Our own ID as the others see it: they cut it at a colon, since the port comes after one. */
export function foreignIdOf(plain: string): string {
  return plain.replaceAll(':', '_')
}
