import { BatchPlace } from '../message/batch.ts'
import { type BatchParcel, decodeBatch } from '../message/batch-frame.ts'
import type { Body } from '../message/document.ts'
import type { Draft } from '../message/draft.ts'
import { attach, type DraftResult, readBatched, readDraft, type SignedMessage } from '../message/message.ts'
import { idOfBytes } from '../message/message-id.ts'
import { decodeParcel, encodeParcel } from '../message/parcel.ts'
import type { RejectCode } from '../message/verdict.ts'
import { encodeFrame, type Frame, framePayload, Kind } from '../wire/frame.ts'
import type { MessageId } from '../wire/ids.ts'

/** A message as it came, not looked at yet: a document, or a body in a frame with others of its batch. */
export type Arrived = Frame | BatchEntry

/** A message in a frame with others. */
export interface BatchEntry {
  readonly parcel: BatchParcel
  readonly index: number
}

/** A message that arrived, up to its signature. */
export interface Incoming {
  readonly id: MessageId
  readonly body: Body
  readonly draft: Draft
  /** The frame that brings it to others, byte for byte; undefined where it came in one with others. */
  readonly frame: Uint8Array | undefined
  /** Whether it came from the history of a peer. */
  readonly isLate: boolean
  /** Bytes that it takes. */
  readonly size: number
  /** Of two copies with the same key, the signatures are equally good. */
  readonly key: string
}

/** A message that arrived, or why it is none. */
export type IncomingResult =
  { readonly ok: true; readonly incoming: Incoming } | { readonly ok: false; readonly code: RejectCode }

const NOTHING = new Uint8Array(0)
const LOST = Object.freeze({ ok: false, code: 'bad-attachment' } as const)

/** The messages in a frame of a batch; undefined where it is none. */
export function entriesOf({ payload, own }: Frame): readonly BatchEntry[] | undefined {
  // One copy, as in readIncoming.
  const parcel = decodeBatch(own === undefined ? payload.slice() : payload)
  if (parcel === undefined) return undefined
  const entries: BatchEntry[] = []
  for (let index = 0; index < parcel.bodies.length; index++) {
    if (parcel.bodies[index] !== undefined) entries.push({ parcel, index })
  }
  return entries
}

/** The ID that a message has if it is one; `lost` where what should be beside it is not there. */
export function idOf(arrived: Arrived): MessageId | 'lost' | undefined {
  if ('parcel' in arrived) return arrived.parcel.batch.ids[arrived.index]
  const document = hasAttachment(arrived.kind) ? decodeParcel(arrived.payload)?.document : arrived.payload
  return document === undefined ? 'lost' : idOfBytes(document)
}

/** Reads a message up to its signature. `id` saves a hash where it is known already. */
export function readIncoming(arrived: Arrived, net: string, id?: MessageId): IncomingResult {
  if (!('parcel' in arrived)) return readFrame(arrived, net, id)
  const { parcel, index } = arrived
  const body = parcel.bodies[index]!
  return incomingOf(readBatched(new BatchPlace(parcel.batch, index), body, net), body.length, false)
}

function readFrame({ kind, payload, own }: Frame, net: string, id: MessageId | undefined): IncomingResult {
  const isParcel = hasAttachment(kind)
  // One copy: what is verified, shown and relayed are the same bytes, whoever owns the buffer they came in.
  const isAsRelayed = own !== undefined && !isLateKind(kind)
  const frame = isAsRelayed ? own : encodeFrame(isParcel ? Kind.parcel : Kind.message, payload)
  const copy = framePayload(frame)
  const { document, attachment } = (isParcel ? decodeParcel(copy) : undefined) ?? { document: copy }
  return incomingOf(readDraft(document, net, id, attachment), payload.length, isLateKind(kind), frame)
}

function incomingOf(result: DraftResult, size: number, isLate: boolean, frame?: Uint8Array): IncomingResult {
  if (!result.ok) return result
  const { draft } = result
  // Every node passes on what it got as it came: whoever lost the attachment is the one who brought it.
  if (draft.body.bytes !== undefined && draft.attachment === undefined) return LOST
  return { ok: true, incoming: new ReadMessage(draft, frame, isLate, size) }
}

class ReadMessage implements Incoming {
  readonly id: MessageId
  readonly body: Body
  readonly draft: Draft
  readonly frame: Uint8Array | undefined
  readonly isLate: boolean
  readonly size: number
  #key: string | undefined

  constructor(draft: Draft, frame: Uint8Array | undefined, isLate: boolean, size: number) {
    this.id = draft.id
    this.body = draft.body
    this.draft = draft
    this.frame = frame
    this.isLate = isLate
    this.size = size
  }

  /**
   * A batch has one signature, over the root and the size: a wrong proof leads to another root, or claims another size.
   * Put together when it is asked for: a root takes hundreds of hashes, and what is too old is not worth them.
   */
  get key(): string {
    return (this.#key ??= this.#makeKey())
  }

  #makeKey(): string {
    const { id, body, signature, place } = this.draft
    return place === undefined ? id + signature : place.keyOf(body.from, signature)
  }
}

/** The frame that carries a message alone: with its attachment, if it has one. */
export function frameOf({ bytes: document, attachment }: Draft): Uint8Array {
  return attachment === undefined
    ? encodeFrame(Kind.message, document)
    : // The bytes are the end of a parcel.
      encodeFrame(Kind.parcel, encodeParcel({ document, attachment: NOTHING }), attachment)
}

/**
 * A verified message with its attachment; undefined where that is not the one which is named. Each copy's own: copies
 * share the verdict on their signature, which says nothing about the bytes beside it.
 */
export function whole(message: SignedMessage, { attachment, body }: Draft): SignedMessage | undefined {
  if (attachment === undefined) return message
  // An application may write into the bytes that it is shown. Those that go on to others, or are kept for them, must
  // stay what they are: whoever passes on anything else is shut out. What one node is asked or answered goes nowhere.
  const goesNowhere = body.op !== undefined && body.to?.length === 1
  return attach(message, goesNowhere ? attachment : attachment.slice())
}

function hasAttachment(kind: number): boolean {
  return kind === Kind.parcel || kind === Kind.lateParcel
}

/** Whether a message comes from the history of a peer. */
export function isLate(arrived: Arrived): boolean {
  return !('parcel' in arrived) && isLateKind(arrived.kind)
}

function isLateKind(kind: number): boolean {
  return kind === Kind.late || kind === Kind.lateParcel
}
