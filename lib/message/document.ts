import { isStrictPublicKey } from '../identity/ed25519.ts'
import {
  MAX_ADDRESSEES,
  MAX_ATTACHMENT_BYTES,
  MAX_DOCUMENT_DEPTH,
  MAX_MESSAGE_BYTES,
  MAX_NAME_LENGTH,
  MAX_STRICT_KEYS,
  PROTOCOL_VERSION,
} from '../limits/limits.ts'
import { RecentMap } from '../ground/recent-map.ts'
import { hasAscii } from '../wire/bytes.ts'
import { fromHex } from '../wire/hex.ts'
import { isHex32, isHex64, type MessageId, type NodeId } from '../wire/ids.ts'
import type { Proof } from './merkle.ts'
import { isProof, proofLength, proofStart, writeProof } from './proof.ts'
import { isSeal, type Seal } from './seal-shape.ts'
import { hasForbiddenKey, isCanonical, type Json, type JsonFault, parseJson } from './canonical.ts'
import { hasKeys, isCount, isObject, type JsonObject } from './json-shape.ts'

/** The signed part of a message, as it stands in the document. */
export interface Body {
  /** The attachment that travels beside the document. */
  readonly bytes?: Attachment
  /** The payload; the text of a ciphertext where `seal` stands. */
  readonly data: Json
  /** Ends the message's life before the window does, in ms since the epoch. */
  readonly exp?: number
  /** The author. */
  readonly from: NodeId
  /** The network the message belongs to: in another one it is nothing. */
  readonly net: string
  /** What it is in a request; a message without it is a plain one. */
  readonly op?: string
  /** ID of the message that this one answers. */
  readonly re?: MessageId
  /** How its addressees get at the payload; nobody else can read it. */
  readonly seal?: Seal
  /** Strictly increasing per author. */
  readonly seq: number
  /** When the author signed it, in ms since the epoch. */
  readonly time: number
  /** The nodes it is meant for; without it, everyone. */
  readonly to?: readonly NodeId[]
  /** What kind of message it is, for handlers. */
  readonly type: string
  readonly v: typeof PROTOCOL_VERSION
}

/** What the body says about the bytes beside the document. */
export interface Attachment {
  /** SHA-256 of the bytes, in hexadecimal. */
  readonly sha256: string
  readonly size: number
}

/** Why a document is none, before any signature is looked at. Every correct node comes to the same verdict. */
export type DocumentFault = 'too-large' | JsonFault | 'not-canonical' | 'bad-shape' | 'bad-key'

/** The parts of a document, or why it is none. */
export type ReadResult =
  | { readonly ok: true; readonly body: Body; readonly signature: string; readonly proof?: Proof | undefined }
  | { readonly ok: false; readonly code: DocumentFault }

/** The body of a message, or why it is none. */
export type BodyResult =
  { readonly ok: true; readonly body: Body } | { readonly ok: false; readonly code: DocumentFault }

/** The pattern of `type` and `net`. */
export const NAME = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,${MAX_NAME_LENGTH - 1}}$`)

// Canonical keys are sorted and the signature has a fixed length, so the body is a slice of the document.
const HEAD = '{"body":'
const TAIL = ',"sig":"'
const SIGNATURE_DIGITS = 128
const TAIL_LENGTH = TAIL.length + SIGNATURE_DIGITS + '"}'.length

/** The document of a canonical body and its signature in hexadecimal; with its proof, where that is of a batch. */
export function writeDocument(body: string, signature: string, proof?: Proof): string {
  return `${HEAD}${body}${proof === undefined ? '' : writeProof(proof)}${TAIL}${signature}"}`
}

/** Bytes of a document whose body has so many. */
export function documentLength(bodyLength: number, proof?: Pick<Proof, 'index' | 'size'>): number {
  return HEAD.length + bodyLength + (proof === undefined ? 0 : proofLength(proof)) + TAIL_LENGTH
}

/** The bytes of the body inside a document's bytes, or undefined where no body can be. */
export function bodySlice(document: Uint8Array): Uint8Array | undefined {
  const tail = document.length - TAIL_LENGTH
  if (tail <= HEAD.length || !hasAscii(document, 0, HEAD) || !hasAscii(document, tail, TAIL)) return undefined
  return document.subarray(HEAD.length, proofStart(document, tail) ?? tail)
}

/** Reads remote bytes as a document: size, depth, UTF-8, JSON, canonical form, shape, keys. Never throws. */
export function readDocument(bytes: Uint8Array): ReadResult {
  const parsed = readJson(bytes, MAX_DOCUMENT_DEPTH)
  if (!parsed.ok) return parsed
  const envelope = readEnvelope(parsed.value, ['proof'])
  if (envelope === undefined) return badShape
  const { signature, proof } = envelope
  if (proof !== undefined && !isProof(proof)) return badShape
  const result = checkBody(envelope.body, parsed.text)
  return result.ok ? { ok: true, body: result.body, signature, proof } : result
}

/** Reads remote bytes as the body of a message, by the same rules. */
export function readBody(bytes: Uint8Array): BodyResult {
  const parsed = readJson(bytes, MAX_DOCUMENT_DEPTH - 1)
  return parsed.ok ? checkBody(parsed.value, parsed.text) : parsed
}

type JsonResult =
  | { readonly ok: true; readonly value: Json; readonly text: string }
  | { readonly ok: false; readonly code: DocumentFault }

function readJson(bytes: Uint8Array, depth: number): JsonResult {
  if (bytes.length > MAX_MESSAGE_BYTES) return { ok: false, code: 'too-large' }
  const parsed = parseJson(bytes, depth)
  if (!parsed.ok) return parsed
  return isCanonical(parsed.value, parsed.text) ? parsed : { ok: false, code: 'not-canonical' }
}

/** @param text The canonical text that holds it. */
function checkBody(body: Json, text: string): BodyResult {
  // A forbidden key cannot be spelled with escapes in canonical text, so most documents skip the walk.
  if ((text.includes('__proto__') || text.includes('toJSON')) && hasForbiddenKey(body)) return badShape
  if (!isBody(body)) return badShape
  if (!isStrictKey(body.from) || body.to?.every(isStrictKey) === false) return { ok: false, code: 'bad-key' }
  return { ok: true, body }
}

/** The parts of everything that is signed. */
interface Envelope {
  readonly body: Json
  readonly signature: string
  readonly proof: Json | undefined
}

/** The outer form of everything that is signed: a body and its signature, and nothing that is not allowed. */
export function readEnvelope(value: Json, optional: readonly string[] = []): Envelope | undefined {
  if (!isObject(value) || !hasKeys(value, ['body', 'sig'], optional) || !isHex64(value['sig']))
    return undefined
  return { body: value['body']!, signature: value['sig'], proof: value['proof'] }
}

// Frozen, since everybody gets the same one: nobody can change what the next one is told.
const badShape = Object.freeze({ ok: false, code: 'bad-shape' } as const)

const REQUIRED = ['data', 'from', 'net', 'seq', 'time', 'type', 'v']
const OPTIONAL = ['bytes', 'exp', 'op', 're', 'seal', 'to']
/** The pattern of `op`. Those that a node does not know are passed on as all others are. */
const OP = /^[a-z]{1,16}$/

/** Exactly the keys of version 1, each of its type. Unknown keys are refused: new ones mean a new version. */
function isBody(value: Json | undefined): value is Json & Body {
  if (!isObject(value) || !hasKeys(value, REQUIRED, OPTIONAL)) return false
  const { bytes, exp, from, net, op, re, seq, time, to, type, v } = value
  return (
    v === PROTOCOL_VERSION &&
    isHex32(from) &&
    isName(net) &&
    isName(type) &&
    isCount(seq) &&
    isCount(time) &&
    (exp === undefined || (isCount(exp) && exp > time)) &&
    (re === undefined || isHex32(re)) &&
    (to === undefined || isAddressees(to)) &&
    (op === undefined || (typeof op === 'string' && OP.test(op) && to !== undefined)) &&
    (bytes === undefined || isAttachment(bytes)) &&
    isSealedRight(value)
  )
}

function isAttachment(value: Json): boolean {
  if (!isObject(value) || !hasKeys(value, ['sha256', 'size'], [])) return false
  const { sha256, size } = value
  return isHex32(sha256) && isCount(size) && size <= MAX_ATTACHMENT_BYTES
}

/** A sealed payload is for its addressees: one key for each. */
function isSealedRight({ seal, data, to }: JsonObject): boolean {
  if (seal === undefined) return true
  return Array.isArray(to) && typeof data === 'string' && isSeal(seal, to.length)
}

/** Whether a value may be an `op`. */
export function isOp(value: unknown): value is string {
  return typeof value === 'string' && OP.test(value)
}

function isAddressees(value: Json): boolean {
  if (!Array.isArray(value)) return false
  const list = value as readonly Json[]
  return (
    list.length > 0 &&
    list.length <= MAX_ADDRESSEES &&
    list.every(isHex32) &&
    new Set(list).size === list.length
  )
}

/** Whether a value may be a `type` or a `net`. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value)
}

/** IDs that were found good. Others are not kept: whoever makes them up must not push out those of busy authors. */
const strictKeys = new RecentMap<string, true>(MAX_STRICT_KEYS)

/** Whether an ID in hexadecimal is a key that only its owner can sign for. */
export function isStrictKey(id: string): boolean {
  // Each message names its author, and most come from those who sent others: a look-up takes a third of the time.
  if (strictKeys.get(id) === true) return true
  const isStrict = isStrictPublicKey(fromHex(id))
  if (isStrict) strictKeys.set(id, true)
  return isStrict
}
