import { utf8ToBytes } from '@noble/hashes/utils.js'
import { invalidArgument, messageTooLarge } from '../errors.ts'
import { verifySignature } from '../identity/ed25519.ts'
import type { Engine } from '../identity/engine.ts'
import type { Identity } from '../identity/identity.ts'
import { MAX_ADDRESSEES, MAX_MESSAGE_BYTES, PROTOCOL_VERSION, WINDOW_FUTURE, WINDOW_PAST } from '../limits.ts'
import { checkNames } from '../names.ts'
import { fromHex, toHex } from '../wire/hex.ts'
import { isHex32, type MessageId, type NodeId } from '../wire/ids.ts'
import { deepFreeze, type Json, plainCopy, writeCanonical } from './canonical.ts'
import { type Body, bodySlice, isName, isStrictKey, NAME, readDocument, writeDocument } from './document.ts'
import { sha256Hex } from './digest.ts'
import type { IgnoreCode, RejectCode, VerdictCode } from './verdict.ts'

// One label for each use of the key, none a prefix of another: a signature made for one use is nothing in any other.
const ID_LABEL = utf8ToBytes('secure-node/1 message-id\0')
const SIGNATURE_LABEL = utf8ToBytes('secure-node/1 message-sig\0')

/** What an author decides about a message. */
export interface MessageFields {
  /** The payload: anything that is plain JSON. */
  readonly data: unknown
  /** What kind of message it is. @default 'message' */
  readonly type?: string | undefined
  /** The network it is for. @default 'default' */
  readonly net?: string | undefined
  /** Addressees, 1 to 64 node IDs. @default everyone */
  readonly to?: readonly string[] | undefined
  /** ID of the message that it answers. */
  readonly re?: string | undefined
  /** When it ends, in ms since the epoch: after `time`, and not later than the window (300 s) allows. */
  readonly exp?: number | undefined
  /** When it is signed, in ms since the epoch. @default now */
  readonly time?: number | undefined
  /** Order among the author's messages. @default larger than all before: see {@link Identity.nextSeq} */
  readonly seq?: number | undefined
}

/** How long messages are valid. */
export interface Window {
  /** Oldest age on arrival, in ms. @default 300_000 */
  readonly past?: number | undefined
  /** Furthest ahead of our clock, in ms. @default 60_000 */
  readonly future?: number | undefined
}

/** What a document is judged by. */
export interface OpenOptions {
  /** The network that the message must belong to. @default any */
  readonly net?: string | undefined
  /** The time to judge by, in ms since the epoch. @default now */
  readonly now?: number | undefined
  /** How old it may be; `false` for stored documents, whose age does not matter. @default 300 s and 60 s */
  readonly window?: Window | false | undefined
}

/** What became of a document: a message that was verified, or the reason that it was refused. */
export type Verdict =
  { readonly ok: true; readonly message: SignedMessage } | { readonly ok: false; readonly code: VerdictCode }

/** The name of the network where none is given. */
export const DEFAULT_NET = 'default'

/** Lets this module alone make messages: a value that passes for one has been verified here. */
const maker = Symbol('made by message.ts')

/**
 * A message whose signature was found good. It is frozen, payload included, and it is a class of its own: a
 * copy, even a spread one, is not a `SignedMessage` any more, so the verdict cannot travel to other content.
 */
export class SignedMessage {
  readonly id: MessageId
  readonly from: NodeId
  readonly net: string
  readonly type: string
  readonly data: Json
  readonly time: number
  readonly seq: number
  // Declared only: a field would stand in every message, as undefined.
  declare readonly to?: readonly NodeId[]
  declare readonly re?: MessageId
  declare readonly exp?: number
  readonly #bytes: Uint8Array

  constructor(key: typeof maker, id: MessageId, body: Body, bytes: Uint8Array) {
    if (key !== maker) throw invalidArgument('a SignedMessage', 'made by openMessage()', key)
    this.id = id
    this.from = body.from
    this.net = body.net
    this.type = body.type
    this.data = deepFreeze(body.data)
    this.time = body.time
    this.seq = body.seq
    if (body.to !== undefined) this.to = Object.freeze(body.to)
    if (body.re !== undefined) this.re = body.re
    if (body.exp !== undefined) this.exp = body.exp
    this.#bytes = bytes
    Object.freeze(this)
  }

  /** The signed document as it travels: whoever gets it can verify it again, in any language. */
  get document(): string {
    return new TextDecoder().decode(this.#bytes)
  }
}

/** A document that has the right shape, and whose signature nobody has looked at yet. */
export interface Draft {
  readonly id: MessageId
  readonly body: Body
  readonly signature: string
  readonly bytes: Uint8Array
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
export async function signDraft(fields: MessageFields, identity: Identity): Promise<Draft> {
  const body = makeBody(fields, identity)
  const text = writeCanonical(body as unknown as Json)
  const id = hashBody(utf8ToBytes(text))
  const signature = toHex(await identity.sign(signedBytes(id)))
  const bytes = utf8ToBytes(writeDocument(text, signature))
  if (bytes.length > MAX_MESSAGE_BYTES) throw messageTooLarge(bytes.length, MAX_MESSAGE_BYTES)
  return { id, body, signature, bytes }
}

function makeBody(fields: MessageFields, identity: Identity): Body {
  checkNames(fields, ['data', 'type', 'net', 'to', 're', 'exp', 'time', 'seq'])
  const { type = 'message', net = DEFAULT_NET, time = Date.now(), re, exp } = fields
  if (!isName(type)) throw invalidArgument('type', `a name like ${NAME.source}`, type)
  if (!isName(net)) throw invalidArgument('net', `a name like ${NAME.source}`, net)
  if (!isCount(time)) throw invalidArgument('time', 'whole milliseconds since the epoch', time)
  if (re !== undefined && !isHex32(re)) throw invalidArgument('re', 'a message ID', re)
  const to = fields.to === undefined ? undefined : copyAddressees(fields.to)
  if (exp !== undefined && !(isCount(exp) && exp > time && exp <= time + WINDOW_PAST)) {
    throw invalidArgument('exp', `after the message's time and at most ${WINDOW_PAST} ms later`, exp)
  }
  const data = plainCopy(fields.data)
  // Last of all: a refused message uses up no number.
  const seq = fields.seq ?? identity.nextSeq(time)
  if (!isCount(seq)) throw invalidArgument('seq', 'a whole number', seq)
  return {
    data,
    from: identity.id,
    net,
    seq,
    time,
    type,
    v: PROTOCOL_VERSION,
    ...(to && { to }),
    ...(re !== undefined && { re: re as MessageId }),
    ...(exp !== undefined && { exp }),
  }
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

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

/**
 * Verifies a document. Remote input is ordinary input: this never throws, whatever the document is, and what is
 * neither text nor bytes is refused as well. (It throws for options that do not exist: those are not remote.)
 *
 * The checks come in the order of their cost: size, depth, UTF-8, JSON, canonical form, shape, keys, network,
 * time, and the signature last.
 */
export async function openMessage(
  document: string | Uint8Array,
  options: OpenOptions = {},
): Promise<Verdict> {
  checkNames(options, ['net', 'now', 'window'])
  const draft = readDraft(bytesOf(document), options.net)
  if (!draft.ok) return draft
  const { now = Date.now(), window = {} } = options
  const code = window === false ? undefined : judgeTime(draft.draft.body, now, window)
  return code === undefined ? verifyDraft(draft.draft) : { ok: false, code }
}

/**
 * The bytes of a document, as this module's own: the caller may change his while they are verified. No more are
 * copied or encoded than it takes to find them too many.
 */
function bytesOf(document: unknown): Uint8Array {
  const limit = MAX_MESSAGE_BYTES + 1
  if (ArrayBuffer.isView(document)) {
    const { buffer, byteOffset, byteLength } = document
    return new Uint8Array(buffer, byteOffset, Math.min(byteLength, limit)).slice()
  }
  if (typeof document === 'string') {
    // Every character takes at least a byte.
    if (document.length >= limit) return new Uint8Array(limit)
    if (document.isWellFormed()) return utf8ToBytes(document)
  }
  // No bytes are the UTF-8 of it, and these are nobody's UTF-8.
  return Uint8Array.of(0xff)
}

/** A document up to its signature, or why it is none. */
export type DraftResult =
  { readonly ok: true; readonly draft: Draft } | { readonly ok: false; readonly code: RejectCode }

/** Reads remote bytes up to the signature, without looking at it. `id` saves a hash where it is known already. */
export function readDraft(bytes: Uint8Array, net: string | undefined, id = idOfBytes(bytes)): DraftResult {
  const result = readDocument(bytes)
  if (!result.ok) return result
  if (net !== undefined && result.body.net !== net) return { ok: false, code: 'wrong-net' }
  return { ok: true, draft: { id: id!, body: result.body, signature: result.signature, bytes } }
}

/** Whether a message comes at the wrong time, and how. */
export function judgeTime(
  body: Pick<Body, 'time' | 'exp'>,
  now: number,
  window: Window,
): IgnoreCode | undefined {
  if (body.time < now - (window.past ?? WINDOW_PAST)) return 'stale'
  if (body.time > now + (window.future ?? WINDOW_FUTURE)) return 'early'
  if (body.exp !== undefined && body.exp <= now) return 'expired'
  return undefined
}

/** The last step: the signature. Only what passes here becomes a message. */
export async function verifyDraft(draft: Draft, engine?: Engine): Promise<Verdict> {
  const { id, body, signature, bytes } = draft
  const isGood = await verifySignature(fromHex(signature), signedBytes(id), fromHex(body.from), engine)
  return isGood
    ? { ok: true, message: new SignedMessage(maker, id, body, bytes) }
    : { ok: false, code: 'bad-signature' }
}

/** Whether a draft was signed by this key instead of its author's: finds out who forged it. */
export function isSignedBy(draft: Draft, key: NodeId, engine?: Engine): Promise<boolean> {
  return verifySignature(fromHex(draft.signature), signedBytes(draft.id), fromHex(key), engine)
}

/**
 * The ID of a document, verified or not: the hash of its body. The signature is no part of it, so that a second
 * valid signature would not make a second message.
 *
 * @throws SecureNodeError `invalid-argument` for a text that cannot be a document.
 */
export function messageId(document: string): MessageId {
  const id = idOfBytes(bytesOf(document))
  if (id === undefined) throw invalidArgument('document', 'the text of a signed message', document)
  return id
}

/** The ID that these bytes have if they are a document; undefined where they cannot be one. */
export function idOfBytes(bytes: Uint8Array): MessageId | undefined {
  // Nothing is hashed that is too large to be judged.
  const body = bytes.length > MAX_MESSAGE_BYTES ? undefined : bodySlice(bytes)
  return body && hashBody(body)
}

function hashBody(body: Uint8Array): MessageId {
  return sha256Hex(labelled(ID_LABEL, body)) as MessageId
}

/** The bytes that are signed: the label and the ID's 32 bytes. */
function signedBytes(id: MessageId): Uint8Array {
  return labelled(SIGNATURE_LABEL, fromHex(id))
}

function labelled(label: Uint8Array, bytes: Uint8Array): Uint8Array {
  const joined = new Uint8Array(label.length + bytes.length)
  joined.set(label)
  joined.set(bytes, label.length)
  return joined
}
