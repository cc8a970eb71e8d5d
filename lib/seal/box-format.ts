import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import nacl from 'tweetnacl'
import { invalidArgument, sealedCorrupt, sealedPasswordWrong } from '../errors.ts'
import { BOX_CHUNK_BYTES, BOX_COST, MAX_BOX_COST, MIN_BOX_COST } from '../limits/direct-limits.ts'
import { joinBytes, utf8 } from '../wire/bytes.ts'
import { stretchPassword } from './password-key.ts'

// A box: header, then chunks. The header:
//
//   16  "secure-node box" and a zero byte
//    1  version: 1
//    1  cost: the exponent of N of scrypt, 14 to 18; r = 8, p = 1
//   16  salt
//   16  first part of the nonces
//   32  check: HMAC-SHA256 of a label and all of the above, under a key made of the password
//    8  checksum: the first bytes of the SHA-256 of all of the above
//
// The checksum finds damage without the password, and the check a wrong password without the chunks: so the two can
// be told apart, unless somebody has changed the header on purpose and made the checksum anew.

const MAGIC = utf8('secure-node box\0')
const VERSION = 1
const SALT_BYTES = 16
const PREFIX_BYTES = 16
const CHECK_BYTES = 32
const CHECKSUM_BYTES = 8
const COST_AT = MAGIC.length + 1
const SALT_AT = COST_AT + 1
const PREFIX_AT = SALT_AT + SALT_BYTES
const CHECK_AT = PREFIX_AT + PREFIX_BYTES
const CHECKSUM_AT = CHECK_AT + CHECK_BYTES
const CHECK_LABEL = utf8('secure-node/1 box check\0')
const KEY_BYTES = 32

/** Bytes of the header of a box. */
export const BOX_HEADER_BYTES = CHECKSUM_AT + CHECKSUM_BYTES
/** What a chunk is longer than its content: the tag of secretbox. */
export const BOX_TAG_BYTES = nacl.secretbox.overheadLength
const SEALED_CHUNK_BYTES = BOX_CHUNK_BYTES + BOX_TAG_BYTES

/** How something is sealed with a password. */
export interface BoxOptions {
  /** The exponent of N of scrypt, 14 to 18: each step doubles the memory (2^cost KiB) and the time of a guess. @default 17 */
  readonly cost?: number | undefined
}

/** @throws SecureNodeError `invalid-argument` for a cost that no box has */
export function costOf({ cost = BOX_COST }: BoxOptions): number {
  const isCost = Number.isInteger(cost) && cost >= MIN_BOX_COST && cost <= MAX_BOX_COST
  if (!isCost) throw invalidArgument('cost', `a whole number from ${MIN_BOX_COST} to ${MAX_BOX_COST}`, cost)
  return cost
}

/** The part of a box's content, or of a box, that one chunk is. */
export interface Piece {
  readonly index: number
  readonly isLast: boolean
  /** Where it begins and ends. */
  readonly start: number
  readonly end: number
}

/** The chunks of content of a length: all are full but the last, which is empty only where there is no content. */
export function piecesOf(length: number): Iterable<Piece> {
  return split(length, BOX_CHUNK_BYTES, 0)
}

/** The chunks in a box of a length, or undefined where no box has that length. */
export function chunksOf(length: number): Iterable<Piece> | undefined {
  return contentLength(length) === undefined
    ? undefined
    : split(length - BOX_HEADER_BYTES, SEALED_CHUNK_BYTES, BOX_HEADER_BYTES)
}

/** The length of what is in a box of a length, or undefined where no box has that length. */
export function contentLength(boxLength: number): number | undefined {
  const length = boxLength - BOX_HEADER_BYTES
  const count = Math.ceil(length / SEALED_CHUNK_BYTES)
  const last = length - (count - 1) * SEALED_CHUNK_BYTES - BOX_TAG_BYTES
  const isPossible = count > 0 && (last > 0 || (last === 0 && count === 1))
  return isPossible ? length - count * BOX_TAG_BYTES : undefined
}

function* split(length: number, step: number, offset: number): Iterable<Piece> {
  const count = Math.max(1, Math.ceil(length / step))
  for (let index = 0; index < count; index++) {
    const start = offset + index * step
    const isLast = index === count - 1
    yield { index, isLast, start, end: isLast ? offset + length : start + step }
  }
}

/** The key of one box: XSalsa20-Poly1305 (NaCl's secretbox), one nonce for each chunk. */
export class BoxKey {
  readonly #key: Uint8Array
  readonly #nonce = new Uint8Array(nacl.secretbox.nonceLength)
  readonly #counter = new DataView(this.#nonce.buffer, PREFIX_BYTES)

  constructor(key: Uint8Array, prefix: Uint8Array) {
    this.#key = key
    this.#nonce.set(prefix)
  }

  /** Seals the content of one chunk. */
  seal(piece: Piece, content: Uint8Array): Uint8Array {
    return nacl.secretbox(ownView(content), this.#nonceOf(piece), this.#key)
  }

  /** The content of one chunk; null where it is not that one, unchanged. */
  open(piece: Piece, chunk: Uint8Array): Uint8Array | null {
    return nacl.secretbox.open(ownView(chunk), this.#nonceOf(piece), this.#key)
  }

  /** Lets go of the key. */
  wipe(): void {
    this.#key.fill(0)
  }

  /** With its place and its end in the nonce, no chunk can be moved, left out, or put behind the last. */
  #nonceOf({ index, isLast }: Piece): Uint8Array {
    this.#counter.setBigUint64(0, (BigInt(index) << 8n) | (isLast ? 1n : 0n))
    return this.#nonce
  }
}

/** For the library's `instanceof Uint8Array`: arrays of another realm, and Buffers, are bytes too. */
function ownView({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

/** Makes the header of a new box, and its key. */
export async function makeBox(
  password: string,
  cost: number,
): Promise<{ readonly header: Uint8Array; readonly key: BoxKey }> {
  const chance = globalThis.crypto.getRandomValues(new Uint8Array(SALT_BYTES + PREFIX_BYTES))
  const head = joinBytes([MAGIC, Uint8Array.of(VERSION, cost), chance])
  const { key, check } = await deriveKeys(password, head)
  const checked = joinBytes([head, check])
  return { header: joinBytes([checked, checksumOf(checked)]), key }
}

/**
 * Reads the header of a box, and makes its key.
 *
 * @param what The box, in errors.
 * @throws SecureNodeError `sealed-corrupt`, before anything costs time, and `sealed-password-wrong`
 */
export async function readBox(header: Uint8Array, password: string, what: string): Promise<BoxKey> {
  if (!isEqual(header.subarray(0, MAGIC.length), MAGIC))
    throw sealedCorrupt(what, 'it is no box of this package')
  if (header.length < BOX_HEADER_BYTES) throw sealedCorrupt(what, 'it is cut off')
  if (header[MAGIC.length] !== VERSION) throw sealedCorrupt(what, `its version is not ${VERSION}`)
  const checksum = header.subarray(CHECKSUM_AT, BOX_HEADER_BYTES)
  if (!isEqual(checksumOf(header.subarray(0, CHECKSUM_AT)), checksum))
    throw sealedCorrupt(what, 'it is damaged')
  const cost = header[COST_AT]!
  if (cost < MIN_BOX_COST || cost > MAX_BOX_COST) {
    throw sealedCorrupt(what, `its cost is ${cost}, not ${MIN_BOX_COST} to ${MAX_BOX_COST}`)
  }
  const { key, check } = await deriveKeys(password, header.slice(0, CHECK_AT))
  if (isEqual(check, header.subarray(CHECK_AT, CHECKSUM_AT))) return key
  key.wipe()
  throw sealedPasswordWrong(what)
}

/** The check covers the cost, the salt and the nonces: whoever changes one of them needs the password. */
async function deriveKeys(
  password: string,
  head: Uint8Array,
): Promise<{ readonly key: BoxKey; readonly check: Uint8Array }> {
  const salt = head.subarray(SALT_AT, PREFIX_AT)
  const keys = await stretchPassword(password, salt, head[COST_AT]!, 2 * KEY_BYTES)
  const check = hmac(sha256, keys.subarray(KEY_BYTES), joinBytes([CHECK_LABEL, head]))
  const key = new BoxKey(keys.slice(0, KEY_BYTES), head.subarray(PREFIX_AT, CHECK_AT))
  keys.fill(0)
  return { key, check }
}

function checksumOf(bytes: Uint8Array): Uint8Array {
  return sha256(bytes).subarray(0, CHECKSUM_BYTES)
}

/** In a time that does not tell where they differ. */
function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.reduce((bits, byte, at) => bits | (byte ^ right[at]!), 0) === 0
}
