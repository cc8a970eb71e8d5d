/** A document and what travels beside it. */
export interface Parcel {
  readonly document: Uint8Array
  readonly attachment: Uint8Array
}

/** Bytes of the document's length, in front of it. */
const PREFIX = 4

/** A document and its attachment as one payload: 4 bytes big-endian length of the document, document, bytes. */
export function encodeParcel({ document, attachment }: Parcel): Uint8Array {
  const payload = new Uint8Array(PREFIX + document.length + attachment.length)
  new DataView(payload.buffer).setUint32(0, document.length)
  payload.set(document, PREFIX)
  payload.set(attachment, PREFIX + document.length)
  return payload
}

/** Takes a remote payload apart, without a copy; undefined where the length in front is beyond its end. */
export function decodeParcel(payload: Uint8Array): Parcel | undefined {
  if (payload.length < PREFIX) return undefined
  const end = PREFIX + new DataView(payload.buffer, payload.byteOffset).getUint32(0)
  if (end > payload.length) return undefined
  return { document: payload.subarray(PREFIX, end), attachment: payload.subarray(end) }
}
