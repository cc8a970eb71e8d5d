import { utf8 } from '../wire/bytes.ts'
import { invalidArgument, messageTooLarge } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import {
  MAX_ADDRESSEES,
  MAX_ATTACHMENT_BYTES,
  MAX_MESSAGE_BYTES,
  PROTOCOL_VERSION,
  WINDOW_PAST,
} from '../limits/limits.ts'
import { checkNames } from '../ground/names.ts'
import { viewBytes } from '../wire/bytes.ts'
import { toHex } from '../wire/hex.ts'
import { isHex32, type MessageId, type NodeId } from '../wire/ids.ts'
import { Batch, BatchPlace, type Place } from './batch.ts'
import { type Json, plainCopy, writeCanonical } from './canonical.ts'
import { sha256Hex } from './digest.ts'
import {
  type Attachment,
  type Body,
  isName,
  isOp,
  isStrictKey,
  NAME,
  documentLength,
  writeDocument,
} from './document.ts'
import { isCount } from './json-shape.ts'
import { MerkleTree, type Proof } from './merkle.ts'
import { hashBody, signedBytes, signedRoot } from './message-id.ts'
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

/** A message that has the right shape, and whose signature nobody has looked at yet. */
export interface Draft {
  readonly id: MessageId
  readonly body: Body
  readonly signature: string
  /** Its place in the batch that the signature is of; undefined where it was signed alone. */
  readonly place?: Place | undefined
  /** The document. */
  readonly bytes: Uint8Array
  /** What travels beside it. Nobody has compared it with the hash in the body yet. */
  readonly attachment?: Uint8Array | undefined
}

/** A message of a batch, whose document is written only if somebody asks for it. */
export class BatchedDraft implements Draft {
  readonly id: MessageId
  readonly body: Body
  readonly place: BatchPlace
  /** The canonical text of the body. */
  readonly bodyBytes: Uint8Array
  readonly attachment: Uint8Array | undefined

  constructor(place: BatchPlace, body: Body, bodyBytes: Uint8Array, attachment?: Uint8Array) {
    this.id = place.batch.ids[place.index]!
    this.body = body
    this.place = place
    this.bodyBytes = bodyBytes
    this.attachment = attachment
  }

  get signature(): string {
    return this.place.batch.signature
  }

  get bytes(): Uint8Array {
    return utf8(documentOf(this.body, this.signature, this.place.proof))
  }
}

/** The document of a message. */
export function documentOf(body: Body, signature: string, proof?: Proof): string {
  return writeDocument(writeCanonical(body as unknown as Json), signature, proof)
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
  return signAlone(prepare(fields, identity, sealer), identity)
}

/** A message that waits for its signature. */
export interface Unsigned {
  readonly id: MessageId
  readonly body: Body
  /** The canonical text of the body. */
  readonly bodyBytes: Uint8Array
  readonly attachment: Uint8Array | undefined
}

/**
 * Copies and checks all that is to be signed.
 *
 * @throws as {@link signMessage}
 */
export function prepare(fields: MessageFields, identity: Identity, sealer?: Sealer): Unsigned {
  const { body, attachment } = makeBody(fields, identity, sealer)
  const bodyBytes = utf8(writeCanonical(body as unknown as Json))
  const length = documentLength(bodyBytes.length)
  if (length > MAX_MESSAGE_BYTES) throw messageTooLarge(length, MAX_MESSAGE_BYTES)
  return { id: hashBody(bodyBytes), body, bodyBytes, attachment }
}

/** Signs a message for itself. */
export async function signAlone(unsigned: Unsigned, identity: Identity): Promise<Draft> {
  const { id, body, attachment } = unsigned
  const signature = toHex(await identity.sign(signedBytes(id)))
  return { id, body, signature, bytes: utf8(documentOf(body, signature)), attachment }
}

/** Signs several messages at once. */
export async function signTogether(
  messages: readonly Unsigned[],
  identity: Identity,
): Promise<BatchedDraft[]> {
  const ids = messages.map(({ id }) => id)
  const tree = new MerkleTree(ids)
  const signature = await identity.sign(signedRoot({ root: tree.root, size: ids.length }))
  const batch = new Batch(ids, toHex(signature), tree)
  return messages.map(
    ({ body, bodyBytes, attachment }, index) =>
      new BatchedDraft(new BatchPlace(batch, index), body, bodyBytes, attachment),
  )
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
  const head = { exp, from: identity.id, net, op, re: re as MessageId | undefined, seq, time, to, type }
  if (sealer === undefined) return withAttachment(head, data, undefined, bytes)
  if (to === undefined) throw invalidArgument('seal', 'with addressees: the option "to"', undefined)
  const { data: _, ...sealed } = writeBody(head, null, undefined, undefined)
  const payload = sealer({ ...sealed, to }, data, bytes)
  return withAttachment(head, payload.data, payload.seal, payload.bytes)
}

type Head = {
  readonly [K in Exclude<keyof Body, 'bytes' | 'data' | 'seal' | 'v'>]: Body[K] | undefined
} & Pick<Body, 'from' | 'net' | 'seq' | 'time' | 'type'>

function withAttachment(
  head: Head,
  data: Json,
  seal: Seal | undefined,
  attachment: Uint8Array | undefined,
): { readonly body: Body; readonly attachment: Uint8Array | undefined } {
  if (attachment === undefined) return { body: writeBody(head, data, seal, undefined), attachment }
  if (attachment.length > MAX_ATTACHMENT_BYTES) throw messageTooLarge(attachment.length, MAX_ATTACHMENT_BYTES)
  const bytes = { sha256: sha256Hex(attachment), size: attachment.length }
  return { body: writeBody(head, data, seal, bytes), attachment }
}

/** One after another in their canonical order, so that they need not be sorted: spreads take longer than the rest. */
function writeBody(head: Head, data: Json, seal: Seal | undefined, bytes: Attachment | undefined): Body {
  const body = {} as { -readonly [K in keyof Body]: Body[K] }
  if (bytes !== undefined) body.bytes = bytes
  body.data = data
  if (head.exp !== undefined) body.exp = head.exp
  body.from = head.from
  body.net = head.net
  if (head.op !== undefined) body.op = head.op
  if (head.re !== undefined) body.re = head.re
  if (seal !== undefined) body.seal = seal
  body.seq = head.seq
  body.time = head.time
  if (head.to !== undefined) body.to = head.to
  body.type = head.type
  body.v = PROTOCOL_VERSION
  return body
}

/**
 * Copied like the rest of a payload, and judged before anything is copied that is too large. The parts of a request wait
 * before they are signed, so whoever makes them has copied them already.
 */
function copyAttachment(given: unknown, isCopy: boolean): Uint8Array | undefined {
  const bytes = viewBytes(given)
  if (bytes !== undefined && bytes.length > MAX_ATTACHMENT_BYTES) {
    throw messageTooLarge(bytes.length, MAX_ATTACHMENT_BYTES)
  }
  return isCopy ? bytes : bytes?.slice()
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
