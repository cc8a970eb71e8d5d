import { MAX_BATCH_MESSAGES } from '../limits/limits.ts'
import { hasAscii } from '../wire/bytes.ts'
import type { Json } from './canonical.ts'
import { hasKeys, isCount, isObject } from './json-shape.ts'
import { HASH_DIGITS, pathLength, type Proof } from './merkle.ts'

// The part of a document that says where its message stands in the batch that was signed:
// ,"proof":{"index":<n>,"path":"<hashes>","size":<n>}

const INDEX = ',"proof":{"index":'
const PATH = ',"path":"'
const SIZE = '","size":'
const END = '}'
/** The largest number of leaves has so many digits. */
const MAX_DIGITS = String(MAX_BATCH_MESSAGES).length
const HEX = /^[0-9a-f]*$/

/** The part of a document with the proof. */
export function writeProof({ index, path, size }: Proof): string {
  return `${INDEX}${index}${PATH}${path}${SIZE}${size}${END}`
}

/** Length of that part. */
export function proofLength({ index, size }: Pick<Proof, 'index' | 'size'>): number {
  return writeProof({ index, size, path: '' }).length + pathLength(index, size) * HASH_DIGITS
}

/**
 * Whether parsed JSON is a proof: of a place in a tree of 2 to 256 leaves, with as many hashes as lead from there to
 * the root. A message that was signed alone has none, so there is one spelling for that.
 */
export function isProof(value: Json): value is Json & Proof {
  if (!isObject(value) || !hasKeys(value, ['index', 'path', 'size'], [])) return false
  const { index, path, size } = value
  if (!isCount(index) || !isCount(size) || size < 2 || size > MAX_BATCH_MESSAGES || index >= size)
    return false
  return typeof path === 'string' && path.length === pathLength(index, size) * HASH_DIGITS && HEX.test(path)
}

/** Where the proof begins in a document, which ends before `end`; undefined where there is none. */
export function proofStart(document: Uint8Array, end: number): number | undefined {
  let at = before(document, end, END)
  at = at && before(document, beforeDigits(document, at), SIZE)
  // As far as there are hexadecimal digits: a name in front of them ends with a quotation mark.
  at = at && before(document, beforeHashes(document, at), PATH)
  return at && before(document, beforeDigits(document, at), INDEX)
}

function before(bytes: Uint8Array, end: number, ascii: string): number | undefined {
  const start = end - ascii.length
  return start > 0 && hasAscii(bytes, start, ascii) ? start : undefined
}

function beforeDigits(bytes: Uint8Array, end: number): number {
  let at = end
  while (end - at < MAX_DIGITS && isDigit(bytes[at - 1])) at--
  return at
}

function beforeHashes(bytes: Uint8Array, end: number): number {
  let at = end
  while (isDigit(bytes[at - 1]) || isLetter(bytes[at - 1])) at--
  return at
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

/** From a to f. */
function isLetter(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x61 && byte <= 0x66
}
