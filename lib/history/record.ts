import { readUint32, writeUint32 } from '../wire/bytes.ts'
import { fromHex, toHex } from '../wire/hex.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import type { Entry } from './store.ts'

/** Bytes of a time: ms since the epoch, big-endian, so that keys sort by it. */
export const TIME_BYTES = 6
/** Bytes of an ID. */
export const ID_BYTES = 32
/** The last time that can be written. */
export const LAST_TIME = 2 ** 48 - 1
const KEY_BYTES = 1 + TIME_BYTES + ID_BYTES
/** 1 byte flags, the author, the end of its life or 0, 4 bytes length. */
const META_BYTES = 1 + ID_BYTES + TIME_BYTES + 4

const PENDING = 1
const ATTACHMENT = 2

/** Writes a time into bytes that have room for it. */
export function putTime(bytes: Uint8Array, at: number, time: number): void {
  const high = Math.floor(time / 2 ** 32)
  bytes[at] = high >>> 8
  bytes[at + 1] = high
  writeUint32(bytes, at + 2, time % 2 ** 32)
}

/** Reads a time of 6 bytes, in ms since the epoch. */
export function readTime(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 8) | bytes[at + 1]!) * 2 ** 32 + readUint32(bytes, at + 2)
}

/** A time as 6 bytes, big-endian. */
export function writeTime(time: number): Uint8Array {
  const bytes = new Uint8Array(TIME_BYTES)
  putTime(bytes, 0, time)
  return bytes
}

/** The key of an entry: by time, then by ID. */
export function storeKey(prefix: number, { time, id }: Pick<Entry, 'time' | 'id'>): Uint8Array {
  const key = new Uint8Array(KEY_BYTES)
  key[0] = prefix
  putTime(key, 1, time)
  key.set(fromHex(id), 1 + TIME_BYTES)
  return key
}

/** What is known of an entry, without its bytes. */
export function writeMeta({ from, exp, size, isPending, hasAttachment }: Entry): Uint8Array {
  const bytes = new Uint8Array(META_BYTES)
  bytes[0] = (isPending ? PENDING : 0) | (hasAttachment ? ATTACHMENT : 0)
  bytes.set(fromHex(from), 1)
  putTime(bytes, 1 + ID_BYTES, exp ?? 0)
  writeUint32(bytes, 1 + ID_BYTES + TIME_BYTES, size)
  return bytes
}

/** Reads what {@link storeKey} and {@link writeMeta} wrote; undefined if it is damaged. */
export function readMeta(key: Uint8Array, bytes: Uint8Array): Entry | undefined {
  if (key.length !== KEY_BYTES || bytes.length !== META_BYTES) return undefined
  const flags = bytes[0]!
  if (flags > (PENDING | ATTACHMENT)) return undefined
  const exp = readTime(bytes, 1 + ID_BYTES)
  return {
    id: toHex(key.subarray(1 + TIME_BYTES)) as MessageId,
    time: readTime(key, 1),
    from: toHex(bytes.subarray(1, 1 + ID_BYTES)) as NodeId,
    exp: exp === 0 ? undefined : exp,
    hasAttachment: (flags & ATTACHMENT) !== 0,
    size: readUint32(bytes, 1 + ID_BYTES + TIME_BYTES),
    isPending: (flags & PENDING) !== 0,
  }
}
