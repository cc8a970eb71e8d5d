import { invalidArgument } from '../errors.ts'
import { checkSignature } from '../identity/ed25519.ts'
import type { Engine } from '../identity/engine.ts'
import { WINDOW_FUTURE, WINDOW_PAST } from '../limits/limits.ts'
import { checkNames } from '../ground/names.ts'
import { fromHex } from '../wire/hex.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import { deepFreeze, type Json } from './canonical.ts'
import { type BatchPlace, ProvenPlace } from './batch.ts'
import { type Attachment, type Body, readBody, readDocument } from './document.ts'
import { sha256Hex } from './digest.ts'
import { BatchedDraft, documentOf, type Draft } from './draft.ts'
import type { Proof } from './merkle.ts'
import { bytesOf, idOfBytes, signedBytes, signedRoot } from './message-id.ts'
import type { VerifiedRoots } from './verified-roots.ts'
import type { IgnoreCode, RejectCode, VerdictCode } from './verdict.ts'

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
  /** The bytes that came beside the document: they must be those that it names. @default not looked at */
  readonly bytes?: Uint8Array | undefined
}

/** What became of a document: a message that was verified, or the reason that it was refused. */
export type Verdict =
  { readonly ok: true; readonly message: SignedMessage } | { readonly ok: false; readonly code: VerdictCode }

/** Lets this module alone make messages: a value that passes for one has been verified here. */
const maker = Symbol('made by message.ts')

let partsOf: (message: SignedMessage) => MessageParts

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
  declare readonly op?: string
  /** What the author has signed about the bytes beside the document: their hash and length. */
  declare readonly attachment?: Attachment
  /** The bytes beside the document, where they came with it; verified. */
  declare readonly bytes?: Uint8Array
  /** Whether only its addressees could read it: `data` and `bytes` are what was sealed. */
  declare readonly sealed?: true
  /** Whether it came while catching up: it was sent while this node was not there to hear it. */
  declare readonly late?: true
  /** Whether it may have been delivered before, right when the node was killed. */
  declare readonly redelivered?: true
  readonly #parts: MessageParts

  constructor(key: typeof maker, parts: MessageParts) {
    if (key !== maker) throw invalidArgument('a SignedMessage', 'made by openMessage()', key)
    const { id, body, opened, bytes = opened?.bytes } = parts
    this.id = id
    this.from = body.from
    this.net = body.net
    this.type = body.type
    this.data = deepFreeze(opened === undefined ? body.data : opened.data)
    this.time = body.time
    this.seq = body.seq
    if (body.op !== undefined) this.op = body.op
    if (body.bytes !== undefined) this.attachment = Object.freeze(body.bytes)
    if (bytes !== undefined) this.bytes = bytes
    if (opened !== undefined) this.sealed = true
    if (parts.late === true) this.late = true
    if (parts.redelivered === true) this.redelivered = true
    if (body.to !== undefined) this.to = Object.freeze(body.to)
    if (body.re !== undefined) this.re = body.re
    if (body.exp !== undefined) this.exp = body.exp
    this.#parts = parts
    Object.freeze(this)
  }

  static {
    partsOf = (message) => message.#parts
  }

  /** The signed document as it travels: whoever gets it can verify it again, in any language. */
  get document(): string {
    const { body, signature, proof } = this.#parts
    return documentOf(body, signature, proof)
  }
}

/** What a message is made of. */
interface MessageParts {
  readonly id: MessageId
  readonly body: Body
  readonly signature: string
  /** Not the batch itself: who keeps one message must not keep what it came with. */
  readonly proof: Proof | undefined
  readonly bytes?: Uint8Array | undefined
  readonly opened?: Opened | undefined
  readonly late?: true | undefined
  readonly redelivered?: true | undefined
}

/** What was sealed in a message. */
export interface Opened {
  readonly data: Json
  readonly bytes?: Uint8Array | undefined
}

/** How a message came to this node, and what its seal held. */
export type Circumstances = Pick<MessageParts, 'opened' | 'late' | 'redelivered'>

/** The same message, with what only its receiver knows about it. */
export function markMessage(message: SignedMessage, circumstances: Circumstances): SignedMessage {
  const { bytes, ...parts } = partsOf(message)
  const isOpened = circumstances.opened !== undefined
  return new SignedMessage(maker, { ...parts, ...(isOpened ? {} : { bytes }), ...circumstances })
}

/** The signed body of a message: what its seal depends on. */
export function bodyOf(message: SignedMessage): Body {
  return partsOf(message).body
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
  checkNames(options, ['net', 'now', 'window', 'bytes'])
  const draft = readDraft(bytesOf(document), options.net, undefined, options.bytes?.slice())
  if (!draft.ok) return draft
  const { now = Date.now(), window = {} } = options
  const code = window === false ? undefined : judgeTime(draft.draft.body, now, window)
  if (code !== undefined) return { ok: false, code }
  const verdict = await verifyDraft(draft.draft)
  const { attachment } = draft.draft
  if (!verdict.ok || attachment === undefined) return verdict
  // After the signature: hashing the largest attachment takes longer.
  const message = attach(verdict.message, attachment)
  return message === undefined ? { ok: false, code: 'bad-attachment' } : { ok: true, message }
}

/** A document up to its signature, or why it is none. */
export type DraftResult =
  { readonly ok: true; readonly draft: Draft } | { readonly ok: false; readonly code: RejectCode }

/**
 * Reads remote bytes up to the signature, without looking at it. `id` saves a hash where it is known already. An
 * attachment must have the length that the body names; see {@link attach} for its hash.
 */
export function readDraft(
  bytes: Uint8Array,
  net: string | undefined,
  id = idOfBytes(bytes),
  attachment?: Uint8Array,
): DraftResult {
  const result = readDocument(bytes)
  if (!result.ok) return result
  if (net !== undefined && result.body.net !== net) return { ok: false, code: 'wrong-net' }
  const { body, signature, proof } = result
  if (attachment !== undefined && attachment.length !== body.bytes?.size) {
    return { ok: false, code: 'bad-attachment' }
  }
  const place = proof && new ProvenPlace(id!, proof)
  return { ok: true, draft: { id: id!, body, signature, place, bytes, attachment } }
}

/** Reads a message that came in a frame with others of its batch, up to the signature. */
export function readBatched(place: BatchPlace, bytes: Uint8Array, net: string | undefined): DraftResult {
  const result = readBody(bytes)
  if (!result.ok) return result
  if (net !== undefined && result.body.net !== net) return { ok: false, code: 'wrong-net' }
  return { ok: true, draft: new BatchedDraft(place, result.body, bytes) }
}

/** The message with the bytes that came beside its document; undefined where they are not those that it names. */
export function attach(message: SignedMessage, bytes: Uint8Array): SignedMessage | undefined {
  const { bytes: _, ...parts } = partsOf(message)
  const named = parts.body.bytes
  const isNamed = named?.size === bytes.length && named.sha256 === sha256Hex(bytes)
  return isNamed ? new SignedMessage(maker, { ...parts, bytes }) : undefined
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

/**
 * The last step: the signature. Only what passes here becomes a message; its attachment is looked at by {@link attach}.
 * At once where nothing else is being verified, or the signature is of a batch that is known to `roots`.
 */
export function verifyDraft(
  draft: Draft,
  engine?: Engine,
  roots?: VerifiedRoots,
): Verdict | Promise<Verdict> {
  const { place, signature, body } = draft
  const isGood =
    place === undefined || roots === undefined
      ? isSignedBy(draft, body.from, engine)
      : roots.verify(body.from, place, signature, engine)
  return typeof isGood === 'boolean' ? judge(draft, isGood) : isGood.then((isGood) => judge(draft, isGood))
}

function judge(draft: Draft, isGood: boolean): Verdict {
  const { id, body, signature, place } = draft
  return isGood
    ? { ok: true, message: new SignedMessage(maker, { id, body, signature, proof: place?.proof }) }
    : { ok: false, code: 'bad-signature' }
}

/** Whether a draft was signed by this key, its author's or another: finds out who forged it. */
export function isSignedBy(draft: Draft, key: NodeId, engine?: Engine): boolean | Promise<boolean> {
  const { id, signature, place } = draft
  const bytes = place === undefined ? signedBytes(id) : signedRoot(place)
  return checkSignature(fromHex(signature), bytes, fromHex(key), engine)
}
