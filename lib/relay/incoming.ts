import type { Draft } from '../message/draft.ts'
import { attach, readDraft, type SignedMessage } from '../message/message.ts'
import { decodeParcel, encodeParcel } from '../message/parcel.ts'
import type { RejectCode } from '../message/verdict.ts'
import { encodeFrame, type Frame, framePayload, Kind } from '../wire/frame.ts'
import type { MessageId } from '../wire/ids.ts'

/** A document that arrived, up to its signature. */
export interface Incoming extends Draft {
  /** The frame that brings it to others, byte for byte. */
  readonly frame: Uint8Array
  /** Whether it came from the history of a peer. */
  readonly isLate: boolean
}

/** A document that arrived, or why it is none. */
export type IncomingResult =
  { readonly ok: true; readonly incoming: Incoming } | { readonly ok: false; readonly code: RejectCode }

const NOTHING = new Uint8Array(0)

/** The document in a frame, without a copy; undefined for a parcel that is none. */
export function documentIn({ kind, payload }: Frame): Uint8Array | undefined {
  return hasAttachment(kind) ? decodeParcel(payload)?.document : payload
}

/** Reads a frame with a document, up to the signature. `id` saves a hash where it is known already. */
export function readIncoming({ kind, payload, own }: Frame, net: string, id?: MessageId): IncomingResult {
  const isParcel = hasAttachment(kind)
  // One copy: what is verified, shown and relayed are the same bytes, whoever owns the buffer they came in.
  const isAsRelayed = own !== undefined && !isLate(kind)
  const frame = isAsRelayed ? own : encodeFrame(isParcel ? Kind.parcel : Kind.message, payload)
  const copy = framePayload(frame)
  const { document, attachment } = (isParcel ? decodeParcel(copy) : undefined) ?? { document: copy }
  const result = readDraft(document, net, id, attachment)
  if (!result.ok) return result
  // Every node passes on what it got as it came: whoever lost the attachment is the one who brought it.
  const isLost = attachment === undefined && result.draft.body.bytes !== undefined
  if (isLost) return { ok: false, code: 'bad-attachment' }
  return { ok: true, incoming: { ...result.draft, frame, isLate: isLate(kind) } }
}

/** The frame of a message of this node's own: with its attachment, if it has one. */
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

function isLate(kind: number): boolean {
  return kind === Kind.late || kind === Kind.lateParcel
}
