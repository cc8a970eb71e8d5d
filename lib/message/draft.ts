import { utf8ToBytes } from '@noble/hashes/utils.js'
import { invalidArgument, messageTooLarge } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import {
  MAX_ADDRESSEES,
  MAX_ATTACHMENT_BYTES,
  MAX_MESSAGE_BYTES,
  PROTOCOL_VERSION,
  WINDOW_PAST,
} from '../limits.ts'
import { checkNames } from '../names.ts'
import { toHex } from '../wire/hex.ts'
import { isHex32, type MessageId, type NodeId } from '../wire/ids.ts'
import { type Json, plainCopy, writeCanonical } from './canonical.ts'
import { sha256Hex } from './digest.ts'
import { type Body, isCount, isName, isOp, isStrictKey, NAME, writeDocument } from './document.ts'
import { hashBody, signedBytes } from './message-id.ts'
import type { Seal } from './seal-shape.ts'

/** What an author decides about a message. */
export interface MessageFields {
  /** The payload: anything that is plain JSON. */
  readonly data: unknown
  /** What kind of message it is. @default 'message' */
  readonly type?: string | undefined
  /** The network it is for. @default 'default' */
  readonly net?: string | undefined
  /** Bytes that travel beside the document, at most 767 KiB; their length and SHA-256 are signed. @default none */
  readonly bytes?: Uint8Array | undefined
  /** Addressees, 1 to 64 node IDs. @default everyone */
  readonly to?: readonly string[] | undefined
  /** ID of the message that it answers. */
  readonly re?: string | undefined
  /** When it ends, in ms since the epoch: after `time`, and not later than the window (300 s) allows. */
  readonly exp?: number | undefined
  /** When it is signed, in ms since the epoch. @default now */
  readonly time?: number | undefined
  /** What it is in a request; for those who implement requests themselves. It needs addressees. @default none */
  readonly op?: string | undefined
  /** Order among the author's messages. @default larger than all before: see {@link Identity.nextSeq} */
  readonly seq?: number | undefined
}

/** The name of the network where none is given. */
export const DEFAULT_NET = 'default'

/** A document that has the right shape, and whose signature nobody has looked at yet. */
export interface Draft {
  readonly id: MessageId
  readonly body: Body
  readonly signature: string
  /** The document. */
  readonly bytes: Uint8Array
  /** What travels beside it. Nobody has compared it with the hash in the body yet. */
  readonly attachment?: Uint8Array | undefined
}

/** Seals the payload of a message whose other fields are settled. */
export type Sealer = (head: SealedHead, data: Json, bytes: Uint8Array | undefined) => SealedPayload

/** What a seal depends on: all of the body but the payload. */
export type SealedHead = Omit<Body, 'data' | 'bytes' | 'seal'> & { readonly to: readonly NodeId[] }

/** A payload that only its addressees can read. */
export interface SealedPayload {
  readonly seal: Seal
  readonly data: string
  readonly bytes?: Uint8Array | undefined
}

/**
 * Signs a payload and returns the document: the text that travels, is stored and can be verified by anyone.
 *
 * @throws SecureNodeError `invalid-payload`, `invalid-argument`, `message-too-large`
 */
export async function signMessage(fields: MessageFields, identity: Identity): Promise<string> {
  return new TextDecoder().decode((await signDraft(fields, identity)).bytes)
}

/** {@link signMessage} for those who go on working with the parts. */
export async function signDraft(fields: MessageFields, identity: Identity, sealer?: Sealer): Promise<Draft> {
  const { body, attachment } = makeBody(fields, identity, sealer)
  const text = writeCanonical(body as unknown as Json)
  const id = hashBody(utf8ToBytes(text))
  const signature = toHex(await identity.sign(signedBytes(id)))
  const bytes = utf8ToBytes(writeDocument(text, signature))
  if (bytes.length > MAX_MESSAGE_BYTES) throw messageTooLarge(bytes.length, MAX_MESSAGE_BYTES)
  return { id, body, signature, bytes, attachment }
}

const FIELDS = ['data', 'type', 'net', 'to', 're', 'exp', 'time', 'seq', 'bytes', 'op']

function makeBody(
  fields: MessageFields,
  identity: Identity,
  sealer: Sealer | undefined,
): { readonly body: Body; readonly attachment: Uint8Array | undefined } {
  checkNames(fields, FIELDS)
  const { type = 'message', net = DEFAULT_NET, time = Date.now(), re, exp, op } = fields
  if (!isName(type)) throw invalidArgument('type', `a name like ${NAME.source}`, type)
  if (!isName(net)) throw invalidArgument('net', `a name like ${NAME.source}`, net)
  if (!isCount(time)) throw invalidArgument('time', 'whole milliseconds since the epoch', time)
  if (re !== undefined && !isHex32(re)) throw invalidArgument('re', 'a message ID', re)
  const to = fields.to === undefined ? undefined : copyAddressees(fields.to)
  if (exp !== undefined && !(isCount(exp) && exp > time && exp <= time + WINDOW_PAST)) {
    throw invalidArgument('exp', `after the message's time and at most ${WINDOW_PAST} ms later`, exp)
  }
  if (op !== undefined && !(isOp(op) && to !== undefined)) {
    throw invalidArgument('op', 'up to 16 letters from a to z, with addressees', op)
  }
  const data = plainCopy(fields.data)
  const bytes = copyAttachment(fields.bytes, op !== undefined)
  // Last of all: a refused message uses up no number.
  const seq = fields.seq ?? identity.nextSeq(time)
  if (!isCount(seq)) throw invalidArgument('seq', 'a whole number', seq)
  const head = {
    from: identity.id,
    net,
    seq,
    time,
    type,
    v: PROTOCOL_VERSION,
    ...(to && { to }),
    ...(op !== undefined && { op }),
    ...(re !== undefined && { re: re as MessageId }),
    ...(exp !== undefined && { exp }),
  } as const
  if (sealer === undefined) return withAttachment({ ...head, data }, bytes)
  if (to === undefined) throw invalidArgument('seal', 'with addressees: the option "to"', undefined)
  const sealed = sealer({ ...head, to }, data, bytes)
  return withAttachment({ ...head, data: sealed.data, seal: sealed.seal }, sealed.bytes)
}

function withAttachment(
  body: Body,
  attachment: Uint8Array | undefined,
): { readonly body: Body; readonly attachment: Uint8Array | undefined } {
  if (attachment === undefined) return { body, attachment }
  if (attachment.length > MAX_ATTACHMENT_BYTES) throw messageTooLarge(attachment.length, MAX_ATTACHMENT_BYTES)
  const bytes = { sha256: sha256Hex(attachment), size: attachment.length }
  return { body: { ...body, bytes }, attachment }
}

/**
 * Copied like the rest of a payload, and judged before anything is copied that is too large. The parts of a request wait
 * before they are signed, so whoever makes them has copied them already.
 */
function copyAttachment(bytes: Uint8Array | undefined, isCopy: boolean): Uint8Array | undefined {
  const given: unknown = bytes
  if (given === undefined) return undefined
  if (!ArrayBuffer.isView(given)) throw invalidArgument('bytes', 'a Uint8Array', given)
  if (given.byteLength > MAX_ATTACHMENT_BYTES) throw messageTooLarge(given.byteLength, MAX_ATTACHMENT_BYTES)
  const view = new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
  return isCopy ? view : view.slice()
}

/** Copies first and checks the copy: what is signed must not change in between. */
function copyAddressees(to: readonly string[]): NodeId[] {
  const rule = `1 to ${MAX_ADDRESSEES} different node IDs`
  const given: unknown = to
  const isList = Array.isArray(given) && given.length > 0 && given.length <= MAX_ADDRESSEES
  if (!isList) throw invalidArgument('to', rule, to)
  const copy: string[] = [...to]
  // A key that everybody can sign for is refused by every receiver, and the link that brought it is blamed.
  for (const id of copy) if (!isHex32(id) || !isStrictKey(id)) throw invalidArgument('to', rule, id)
  if (new Set(copy).size !== copy.length) throw invalidArgument('to', rule, copy)
  return copy as NodeId[]
}
