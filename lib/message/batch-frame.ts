import { MAX_BATCH_MESSAGES, MAX_MESSAGE_BYTES } from '../limits/limits.ts'
import { readUint32, writeUint32 } from '../wire/bytes.ts'
import { fromHex, toHex } from '../wire/hex.ts'
import type { MessageId } from '../wire/ids.ts'
import { Batch } from './batch.ts'
import { documentLength } from './document.ts'
import { hashBody } from './message-id.ts'

// Several messages of a batch as one payload: 64 bytes signature, 2 bytes number of messages, then for each of them, in
// the order of the batch, 4 bytes length and the body; or, for one that does not travel here, 4 zero bytes and its ID.
// All hashes that lead to the root follow from these, so a burst costs little more than its bodies.

const SIGNATURE_BYTES = 64
const HEADER = SIGNATURE_BYTES + 2
const PREFIX = 4
const ID_BYTES = 32

/** Messages of a batch, as they travel in one frame. */
export interface BatchParcel {
  readonly batch: Batch
  /** By place in the batch; undefined for those that do not travel here. */
  readonly bodies: readonly (Uint8Array | undefined)[]
}

/** The payload that carries these messages. */
export function encodeBatch({ batch, bodies }: BatchParcel): Uint8Array {
  const length = bodies.reduce((sum, body) => sum + PREFIX + (body?.length ?? ID_BYTES), HEADER)
  const payload = new Uint8Array(length)
  payload.set(fromHex(batch.signature))
  payload[SIGNATURE_BYTES] = batch.size >>> 8
  payload[SIGNATURE_BYTES + 1] = batch.size
  let at = HEADER
  for (const [index, body] of bodies.entries()) {
    writeUint32(payload, at, body?.length ?? 0)
    payload.set(body ?? fromHex(batch.ids[index]!), at + PREFIX)
    at += PREFIX + (body?.length ?? ID_BYTES)
  }
  return payload
}

/** Takes a remote payload apart, without a copy; undefined where it is none. Nothing in it is verified. */
export function decodeBatch(payload: Uint8Array): BatchParcel | undefined {
  if (payload.length < HEADER) return undefined
  const size = payload[SIGNATURE_BYTES]! * 256 + payload[SIGNATURE_BYTES + 1]!
  if (size < 2 || size > MAX_BATCH_MESSAGES) return undefined
  const reader = new EntryReader(payload, size)
  const bodies: (Uint8Array | undefined)[] = []
  const ids: MessageId[] = []
  for (let index = 0; index < size; index++) {
    if (!reader.read(index)) return undefined
    bodies.push(reader.body)
    ids.push(reader.id)
  }
  // A frame without a single message is none.
  const isWhole = reader.isAtEnd && bodies.some((body) => body !== undefined)
  return isWhole ? { batch: new Batch(ids, toHex(payload.subarray(0, SIGNATURE_BYTES))), bodies } : undefined
}

/** Reads the entries of a payload, one after another. */
class EntryReader {
  body: Uint8Array | undefined
  id = '' as MessageId
  readonly #payload: Uint8Array
  readonly #size: number
  #at = HEADER

  constructor(payload: Uint8Array, size: number) {
    this.#payload = payload
    this.#size = size
  }

  get isAtEnd(): boolean {
    return this.#at === this.#payload.length
  }

  /** Whether there was one more. */
  read(index: number): boolean {
    const payload = this.#payload
    const start = this.#at + PREFIX
    if (start > payload.length) return false
    const length = readUint32(payload, this.#at)
    this.#at = start + (length === 0 ? ID_BYTES : length)
    if (this.#at > payload.length) return false
    const bytes = payload.subarray(start, this.#at)
    this.body = length === 0 ? undefined : bytes
    // What comes alone from others must not be too large there: every node judges a message alike, however it came.
    const isTooLarge = documentLength(length, { index, size: this.#size }) > MAX_MESSAGE_BYTES
    if (isTooLarge) return false
    this.id = length === 0 ? (toHex(bytes) as MessageId) : hashBody(bytes)
    return true
  }
}
