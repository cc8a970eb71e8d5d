import { brotliDecompressSync, deflateSync, inflateSync } from 'node:zlib'
import { hasForbiddenKey, parseJson } from '../message/canonical.ts'
import { unpackBzip2 } from '../unpack/bzip2.ts'
import { unpackXz } from '../unpack/xz.ts'
import { type Unpack, UnpackError } from '../unpack/unpack.ts'
import { hasAscii, joinBytes, utf8 } from '../wire/bytes.ts'
import { encodeFrame, framePayload, Kind } from '../wire/frame.ts'
import { END } from './p2pnetwork-splitter.ts'

/** Ends what is compressed, before the end of the message. */
const COMPRESSED = 0x02
const PACKED_END = Uint8Array.of(COMPRESSED, END)
const PLAIN_END = Uint8Array.of(END)
/** Which method is ours: the first byte of a compressed frame, as in payload.ts. */
const DEFLATE = 1
const BROTLI = 2

/** Behind the compressed bytes, inside the base64, stands the name of the method. */
const METHODS: Readonly<Record<string, Unpack>> = {
  zlib: unpackZlib,
  bzip2: unpackBzip2,
  lzma: unpackXz,
}

/** The bytes of a frame on the p2pnetwork's line: it is one for all links, and so is what it becomes. */
const translated = new WeakMap<Uint8Array, Uint8Array>()

/**
 * A message as p2pnetwork writes it; undefined for a frame that is none. What holds an end mark, ends like something
 * compressed, or is empty cannot be sent as it is: it travels compressed, and so as base64.
 */
export function encodeMessage(frame: Uint8Array, maxBytes: number): Uint8Array | undefined {
  const known = translated.get(frame)
  if (known !== undefined) return known
  const message = encode(frame[4]!, framePayload(frame), maxBytes)
  if (message !== undefined) translated.set(frame, message)
  return message
}

function encode(kind: number, payload: Uint8Array, maxBytes: number): Uint8Array | undefined {
  if (kind === Kind.compressed) {
    // A compressed frame names its method and the kind of its content, which does not travel here.
    const [method] = payload
    const content = payload.subarray(2)
    if (method === DEFLATE) return pack(content)
    return method === BROTLI
      ? pack(deflateSync(brotliDecompressSync(content, { maxOutputLength: maxBytes })))
      : undefined
  }
  if (kind !== Kind.text && kind !== Kind.json && kind !== Kind.bytes) return undefined
  const isPlain = payload.length > 0 && payload.at(-1) !== COMPRESSED && !payload.includes(END)
  return isPlain ? joinBytes([payload, PLAIN_END]) : pack(deflateSync(payload))
}

/** zlib is what every p2pnetwork with compression reads. */
function pack(compressed: Uint8Array): Uint8Array {
  const base64 = Buffer.from(joinBytes([compressed, utf8('zlib')])).toString('base64')
  return joinBytes([utf8(base64), PACKED_END])
}

/** The frame that a message becomes and the bytes that were unpacked for it, or why it becomes none. */
export type DecodedMessage =
  | { readonly ok: true; readonly frame: Uint8Array; readonly unpacked: number }
  | { readonly ok: false; readonly fault: 'too-large' | 'corrupt' }

/**
 * Reads a message without its end; never throws. What ends like something compressed and is not is taken as it is, for
 * bytes may end like that.
 */
export function decodeMessage(message: Uint8Array, maxBytes: number): DecodedMessage {
  const packed = message.at(-1) === COMPRESSED ? openBase64(message.subarray(0, -1)) : undefined
  const name =
    packed === undefined ? undefined : Object.keys(METHODS).find((known) => endsWith(packed, known))
  // The kind is a byte of the frame as well.
  const limit = maxBytes - 1
  if (packed === undefined || name === undefined)
    return message.length > limit ? { ok: false, fault: 'too-large' } : asFrame(message, 0)
  try {
    const content = METHODS[name]!(packed.subarray(0, packed.length - name.length), limit)
    return asFrame(content, content.length)
  } catch (error) {
    return { ok: false, fault: isTooLarge(error) ? 'too-large' : 'corrupt' }
  }
}

/** UTF-8 that parses is JSON, other UTF-8 is text, and the rest is bytes: nothing on the line says what it was. */
function asFrame(content: Uint8Array, unpacked: number): DecodedMessage {
  const parsed = parseJson(content)
  // JSON that we would refuse (too deep, `__proto__`) is harmless as the text that it is.
  if (parsed.ok && !hasForbiddenKey(parsed.value))
    return { ok: true, frame: encodeFrame(Kind.json, content), unpacked }
  return { ok: true, frame: encodeFrame(isUtf8(content) ? Kind.text : Kind.bytes, content), unpacked }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch {
    return false
  }
}

/** Strictly: what Buffer makes of other bytes would be guesswork, and they may be somebody's own. */
function openBase64(bytes: Uint8Array): Uint8Array | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  const opened = Buffer.from(text, 'base64')
  return opened.toString('base64') === text ? opened : undefined
}

function endsWith(bytes: Uint8Array, name: string): boolean {
  return bytes.length >= name.length && hasAscii(bytes, bytes.length - name.length, name)
}

/** RFC 1950. Throws when the result would be larger: a bomb never unfolds. */
function unpackZlib(bytes: Uint8Array, maxOutputLength: number): Uint8Array {
  return inflateSync(bytes, { maxOutputLength })
}

function isTooLarge(error: unknown): boolean {
  return error instanceof UnpackError
    ? error.fault === 'too-large'
    : (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
}
