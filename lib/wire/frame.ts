import { joinBytes, readUint32, writeUint32 } from './bytes.ts'

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
  /** Several messages that were signed together: as in batch-frame.ts. */
  batch: 0x22,
  /** I have these messages: their IDs, 32 bytes each. */
  have: 0x23,
  /** Send me these messages, and from now on whatever you get: their IDs, 32 bytes each. */
  want: 0x24,
  /** I get everything from others: tell me what you have, and send nothing. Empty. */
  prune: 0x25,
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
/** The block of a decoder that holds no small piece. */
const NOTHING = new Uint8Array(0)

/** The bytes of one frame; its payload may be in two parts, so that a large one is copied once. */
export function encodeFrame(kind: number, payload: Uint8Array, rest?: Uint8Array): Uint8Array {
  const length = payload.length + (rest?.length ?? 0)
  const frame = new Uint8Array(HEADER + length)
  writeUint32(frame, 0, length + 1)
  frame[PREFIX] = kind
  frame.set(payload, HEADER)
  if (rest !== undefined) frame.set(rest, HEADER + payload.length)
  return frame
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
  // Nearly all links hold nothing nearly always, so what holds a part of a frame is shared while it is empty.
  #pieces: Uint8Array[] | undefined
  /** What came last, if it came in small pieces; the first `#blockLength` bytes of it are in use. */
  #block = NOTHING
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
   * Takes the next bytes and hands over every frame that they complete, with what was given as `owner`: so one
   * function serves all links, and none is made for every read. Returns the fault that ends the link, if there is
   * one; the decoder is of no use after that.
   */
  push(bytes: Uint8Array, onFrame: (frame: Frame) => void): FrameFault | undefined
  push<T>(bytes: Uint8Array, onFrame: (frame: Frame, owner: T) => void, owner: T): FrameFault | undefined
  push<T>(bytes: Uint8Array, onFrame: (frame: Frame, owner: T) => void, owner?: T): FrameFault | undefined {
    let at = 0
    while (this.#held > 0) {
      const end = Math.min(bytes.length, at + this.#needed - this.#held)
      this.#keep(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end))
      at = end
      if (this.#held < this.#needed) return undefined
      const own = this.#join()
      if (this.#needed > PREFIX) {
        // Of its own length, and alone in it: a large frame is copied once on its way in.
        this.#needed = PREFIX
        onFrame({ kind: own[PREFIX]!, payload: own.subarray(HEADER), own }, owner as T)
      } else {
        const fault = this.#expect(readUint32(own, 0))
        if (fault !== undefined) return fault
        this.#keep(own)
      }
    }
    return this.#read(bytes, at, onFrame, owner as T)
  }

  /** A frame of this length begins: how many bytes make it whole, or why it is none. */
  #expect(length: number): FrameFault | undefined {
    if (length === 0) return 'frame-empty'
    if (length > this.maxBytes) return 'frame-too-large'
    this.#needed = PREFIX + length
    return undefined
  }

  /** Hands over the frames that are whole from here on, and keeps the rest. */
  #read<T>(
    bytes: Uint8Array,
    from: number,
    onFrame: (frame: Frame, owner: T) => void,
    owner: T,
  ): FrameFault | undefined {
    let at = from
    while (bytes.length - at >= PREFIX) {
      const fault = this.#expect(readUint32(bytes, at))
      if (fault !== undefined) return fault
      const end = at + this.#needed
      if (bytes.length < end) break
      this.#needed = PREFIX
      const frame = { kind: bytes[at + PREFIX]!, payload: bytes.subarray(at + HEADER, end) }
      at = end
      onFrame(frame, owner)
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at))
    return undefined
  }

  #keep(bytes: Uint8Array): void {
    this.#held += bytes.length
    if (bytes.length >= SMALL) {
      this.#closeBlock()
      this.#addPiece(bytes)
      return
    }
    // A short tail would pin the whole chunk it was read in, for as long as the peer stays silent; and a frame
    // that is sent byte by byte must not become a million arrays.
    if (this.#blockLength + bytes.length > this.#block.length) {
      this.#closeBlock()
      // No larger than what is missing: most frames are small, and come out of this block as they are.
      const missing = this.#needed - this.#held + bytes.length
      this.#block = new Uint8Array(Math.min(missing, SMALL))
    }
    this.#block.set(bytes, this.#blockLength)
    this.#blockLength += bytes.length
  }

  #closeBlock(): void {
    if (this.#blockLength > 0) this.#addPiece(this.#block.subarray(0, this.#blockLength))
    this.#block = NOTHING
    this.#blockLength = 0
  }

  #addPiece(piece: Uint8Array): void {
    if (this.#pieces === undefined) this.#pieces = [piece]
    else this.#pieces.push(piece)
  }

  /** All that is held, in an array of its own; nothing is held any more. */
  #join(): Uint8Array {
    const isInBlock = this.#pieces === undefined && this.#blockLength === this.#block.length
    if (!isInBlock) this.#closeBlock()
    const joined = isInBlock ? this.#block : joinBytes(this.#pieces ?? [])
    this.#pieces = undefined
    this.#block = NOTHING
    this.#blockLength = this.#held = 0
    return joined
  }
}

/** The payload of an encoded frame. */
export function framePayload(frame: Uint8Array): Uint8Array {
  return frame.subarray(HEADER)
}
