import { joinBytes } from './bytes.ts'

/**
 * A frame: 4 bytes big-endian length of what follows, 1 byte kind, payload. The length counts the kind, so it
 * is at least 1.
 */
export interface Frame {
  readonly kind: number
  /** A view into received bytes: copy what outlives the call, or the whole chunk lives as long. */
  readonly payload: Uint8Array
  /** The frame itself, where it had to be put together: nobody else has these bytes, so they need no copy. */
  readonly own?: Uint8Array
}

/** What each kind of frame is. A kind that is not listed ends the link. */
export const Kind = {
  /** Who I am and what I speak: JSON, the first frame both ways. */
  hello: 0x01,
  /** A signature over both hellos, where the transport does not prove the ID. */
  proof: 0x02,
  /** Your hello is accepted; the link is up. Empty. */
  welcome: 0x03,
  /** The reason for the end that follows: JSON. */
  close: 0x04,
  /** Are you there? 8 bytes, to be sent back. */
  ping: 0x05,
  /** The 8 bytes of a ping. */
  pong: 0x06,
  /** A temporary link is to last. Empty. */
  stay: 0x07,
  /** UTF-8 text (unsigned links only). */
  text: 0x10,
  /** JSON (unsigned links only). */
  json: 0x11,
  /** Bytes (unsigned links only). */
  bytes: 0x12,
  /** One of the three above, compressed: 1 byte method, 1 byte kind, the compressed payload. */
  compressed: 0x13,
  /** A signed document, as in message.ts. */
  message: 0x20,
  /** A signed document and its attachment: 4 bytes length of the document, the document, the bytes. */
  parcel: 0x21,
  /** The sender's own peer record. */
  record: 0x30,
  /** Whom do you know? Empty. */
  getPeers: 0x31,
  /** Peer records that answer it: a JSON list. */
  peers: 0x32,
  /** I have enough peers: if this link is nothing to you, end it. Empty. */
  enough: 0x33,
  /** A signed question to the whole network: who is there? */
  question: 0x34,
  /** A signed answer, on its way back. */
  answer: 0x35,
  /** Whom do you know near this place? 4 bytes number, 32 bytes place. */
  find: 0x36,
  /** Peer records that answer it: 4 bytes number, a JSON list. */
  found: 0x37,
  /** What a node holds of the history, in ranges. */
  ranges: 0x40,
  /** A message of the history, as in `message`. */
  late: 0x41,
  /** A message of the history with its attachment, as in `parcel`. */
  lateParcel: 0x42,
} as const

/** Bytes before the payload: the length and the kind. */
const HEADER = 5
/** Bytes of the length alone. */
const PREFIX = 4
/** Bytes below which a piece is copied out of its chunk, into a block of this size. */
const SMALL = 4_096

/** The bytes of one frame; its payload may be in two parts, so that a large one is copied once. */
export function encodeFrame(kind: number, payload: Uint8Array, rest?: Uint8Array): Uint8Array {
  const length = payload.length + (rest?.length ?? 0)
  const frame = new Uint8Array(HEADER + length)
  writePrefix(frame, length + 1)
  frame[PREFIX] = kind
  frame.set(payload, HEADER)
  if (rest !== undefined) frame.set(rest, HEADER + payload.length)
  return frame
}

function writePrefix(frame: Uint8Array, length: number): void {
  frame[0] = length >>> 24
  frame[1] = length >>> 16
  frame[2] = length >>> 8
  frame[3] = length
}

/** Why bytes are no frames. */
export type FrameFault = 'frame-too-large' | 'frame-empty'

/**
 * Turns bytes, however they were split, back into frames.
 *
 * The length is judged before anything is kept, and pieces are kept in a list: joining a frame of 1 MiB that
 * arrives in drips again at every drip costs seconds.
 */
export class FrameDecoder {
  /** Largest frame, kind included, in bytes. Raised once the peer is no stranger any more. */
  maxBytes: number
  #pieces: Uint8Array[] = []
  /** What came last, if it came in small pieces; the first `#blockLength` bytes of it are in use. */
  #block = new Uint8Array(0)
  #blockLength = 0
  #held = 0
  /** Bytes that make the next step: the length prefix, or the whole frame. */
  #needed = PREFIX

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  /** Whether a frame has begun and is not complete. */
  get isPartial(): boolean {
    return this.#held > 0
  }

  /**
   * Takes the next bytes and hands over every frame that they complete. Returns the fault that ends the link,
   * if there is one; the decoder is of no use after that.
   */
  push(bytes: Uint8Array, onFrame: (frame: Frame) => void): FrameFault | undefined {
    if (this.#held + bytes.length < this.#needed) {
      this.#keep(bytes)
      return undefined
    }
    const missing = this.#needed - this.#held
    const isFrame = this.#needed > PREFIX
    let rest = bytes
    this.#needed = PREFIX
    if (isFrame) {
      // Of its own length, and alone in it: a large frame is copied once on its way in.
      const own = this.#join(bytes.subarray(0, missing))
      rest = bytes.subarray(missing)
      onFrame({ kind: own[PREFIX]!, payload: own.subarray(HEADER), own })
    } else if (this.#held > 0) rest = this.#join(bytes)
    while (rest.length >= PREFIX) {
      const length = readPrefix(rest)
      if (length === 0) return 'frame-empty'
      if (length > this.maxBytes) return 'frame-too-large'
      const end = PREFIX + length
      if (rest.length < end) {
        this.#needed = end
        break
      }
      const frame = { kind: rest[PREFIX]!, payload: rest.subarray(HEADER, end) }
      rest = rest.subarray(end)
      onFrame(frame)
    }
    this.#keep(rest)
    return undefined
  }

  #keep(bytes: Uint8Array): void {
    this.#held += bytes.length
    if (bytes.length >= SMALL) {
      this.#closeBlock()
      this.#pieces.push(bytes)
      return
    }
    // A short tail would pin the whole chunk it was read in, for as long as the peer stays silent; and a frame
    // that is sent byte by byte must not become a million arrays.
    if (this.#blockLength + bytes.length > this.#block.length) {
      this.#closeBlock()
      this.#block = new Uint8Array(SMALL)
    }
    this.#block.set(bytes, this.#blockLength)
    this.#blockLength += bytes.length
  }

  #closeBlock(): void {
    if (this.#blockLength > 0) this.#pieces.push(this.#block.subarray(0, this.#blockLength))
    this.#block = new Uint8Array(0)
    this.#blockLength = 0
  }

  /** All that is held and what follows it; nothing is held any more. */
  #join(rest: Uint8Array): Uint8Array {
    this.#closeBlock()
    const joined = joinBytes([...this.#pieces, rest])
    this.#pieces = []
    this.#held = 0
    return joined
  }
}

/** The length, unsigned: `<<` alone would make 2^31 and above negative, and so small enough. */
function readPrefix(bytes: Uint8Array): number {
  return ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0
}

/** The payload of an encoded frame. */
export function framePayload(frame: Uint8Array): Uint8Array {
  return frame.subarray(HEADER)
}
