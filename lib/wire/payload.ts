import { brotliCompressSync, brotliDecompressSync, constants, deflateSync, inflateSync } from 'node:zlib'
import { invalidArgument, messageTooLarge } from '../errors.ts'
import { canonicalJson, hasForbiddenKey, type Json, parseJson } from '../message/canonical.ts'
import { encodeFrame, type Frame, Kind } from './frame.ts'

/** How a payload may be made smaller on its way. */
export type Compression = 'deflate' | 'brotli'

/** What an unsigned message carries: it arrives as what it was sent as. */
export type PlainData = string | Uint8Array | Json

interface Method {
  readonly code: number
  readonly compress: (bytes: Uint8Array) => Uint8Array
  /** Throws when the result would be larger than `maxOutputLength`: a bomb never unfolds. */
  readonly expand: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array
}

// Brotli's own default (11) takes seconds for a mebibyte; 4 is as fast as deflate and still smaller.
const QUALITY = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }
const METHODS: Record<Compression, Method> = {
  deflate: { code: 1, compress: (bytes) => deflateSync(bytes), expand: inflateSync },
  brotli: { code: 2, compress: (bytes) => brotliCompressSync(bytes, QUALITY), expand: brotliDecompressSync },
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The frame of an unsigned message. Compressed and expanded synchronously: the order of messages is the order
 * of calls, and a frame is small.
 *
 * @throws SecureNodeError `invalid-payload`, `invalid-argument`, `message-too-large`
 */
export function encodePayload(
  data: unknown,
  compression: Compression | undefined,
  maxBytes: number,
): Uint8Array {
  const [kind, payload] = toBytes(data)
  // The receiver bounds what it expands by the same limit, so compression lets nothing larger through.
  if (payload.length >= maxBytes) throw messageTooLarge(payload.length + 1, maxBytes)
  if (compression === undefined) return encodeFrame(kind, payload)
  if (!Object.hasOwn(METHODS, compression))
    throw invalidArgument('compression', '"deflate" or "brotli"', compression)
  const { code, compress } = METHODS[compression]
  const packed = compress(payload)
  const wrapped = new Uint8Array(2 + packed.length)
  wrapped.set([code, kind])
  wrapped.set(packed, 2)
  // What does not get smaller travels as it is.
  return wrapped.length < payload.length ? encodeFrame(Kind.compressed, wrapped) : encodeFrame(kind, payload)
}

function toBytes(data: unknown): [kind: number, payload: Uint8Array] {
  if (typeof data === 'string' && data.isWellFormed()) return [Kind.text, new TextEncoder().encode(data)]
  if (data instanceof Uint8Array) return [Kind.bytes, data]
  return [Kind.json, new TextEncoder().encode(canonicalJson(data))]
}

/** What an unsigned message carries, or why it is none. */
export type PayloadResult =
  | { readonly ok: true; readonly data: PlainData }
  | { readonly ok: false; readonly code: 'bad-payload' | 'unexpected-frame' }

const badPayload = { ok: false, code: 'bad-payload' } as const
const PLAIN_KINDS: readonly number[] = [Kind.text, Kind.json, Kind.bytes]

/** Reads the frame of an unsigned message; never throws. */
export function decodePayload(frame: Frame, maxBytes: number): PayloadResult {
  if (PLAIN_KINDS.includes(frame.kind)) return decodePlain(frame)
  if (frame.kind !== Kind.compressed) return { ok: false, code: 'unexpected-frame' }
  const inner = expand(frame.payload, maxBytes)
  return inner === undefined ? badPayload : decodePlain(inner)
}

function decodePlain(inner: Frame): PayloadResult {
  switch (inner.kind) {
    case Kind.bytes:
      // A copy: a view would keep the whole chunk it was read in alive. And a plain one: the `slice` of a Buffer,
      // which is what zlib returns, is a view.
      return { ok: true, data: new Uint8Array(inner.payload) }
    case Kind.text:
      return decodeText(inner.payload)
    case Kind.json:
      return decodeJson(inner.payload)
    default:
      return badPayload
  }
}

function expand(payload: Uint8Array, maxOutputLength: number): Frame | undefined {
  const method = Object.values(METHODS).find(({ code }) => code === payload[0])
  if (method === undefined || payload.length < 2) return undefined
  try {
    return { kind: payload[1]!, payload: method.expand(payload.subarray(2), { maxOutputLength }) }
  } catch {
    return undefined
  }
}

function decodeText(payload: Uint8Array): PayloadResult {
  try {
    return { ok: true, data: decoder.decode(payload) }
  } catch {
    return badPayload
  }
}

function decodeJson(payload: Uint8Array): PayloadResult {
  const parsed = parseJson(payload)
  return parsed.ok && !hasForbiddenKey(parsed.value) ? { ok: true, data: parsed.value } : badPayload
}
