import { HISTORY_ASK, HISTORY_FRAME_BYTES } from '../limits/direct-limits.ts'
import { joinBytes, readUint32, writeUint32 } from '../wire/bytes.ts'
import { fromHex, toHex } from '../wire/hex.ts'
import type { MessageId } from '../wire/ids.ts'
import { BEGINNING, type Bound, isBefore } from './range.ts'
import { ID_BYTES, putTime, readTime, TIME_BYTES, writeTime } from './record.ts'

/** What is said of one range. It begins where the one before it ends, the first one at the beginning of time. */
export type Item =
  /** Nothing. */
  | { readonly kind: 'skip'; readonly end: Bound }
  /** What the sender holds there has this fingerprint: 16 bytes in hexadecimal. */
  | { readonly kind: 'print'; readonly end: Bound; readonly print: string }
  /** The sender holds these there, and no others. */
  | { readonly kind: 'list'; readonly end: Bound; readonly ids: readonly MessageId[] }
  /** The sender holds these there, which the receiver's list did not have. */
  | { readonly kind: 'offer'; readonly end: Bound; readonly ids: readonly MessageId[] }

/** One frame of a comparison. */
export interface Comparison {
  readonly kind: 'comparison'
  /** Whether the end that began the comparison sends it. */
  readonly isOpener: boolean
  /** Not now: the sender is being told so much that a comparison would only tell it the same again. */
  readonly isBusy: boolean
  /** Number that the opener gave to the comparison, 4 bytes. */
  readonly session: number
  /** 0 for the opening frame, then 1, 2, … */
  readonly round: number
  /** The oldest time that the sender accepts, in ms since the epoch. */
  readonly floor: number
  readonly items: readonly Item[]
}

/** What a frame of the kind `ranges` carries. */
export type Exchange =
  | Comparison
  /** Send me these. */
  | { readonly kind: 'ask'; readonly ids: readonly MessageId[] }
  /** What you asked for last has been sent, as far as it could be. */
  | { readonly kind: 'served' }

const COMPARISON = 1
const ASK = 2
const SERVED = 3
const OPENER = 1
const BUSY = 2
/** Number, round and floor, with the bytes before them. */
const HEADER_BYTES = 2 + 4 + 1 + TIME_BYTES
const PRINT_BYTES = 16
const ITEM_KINDS = ['skip', 'print', 'list', 'offer'] as const
/** Bytes of an item at most, without its IDs. */
const ITEM_BYTES = 1 + TIME_BYTES + 1 + ID_BYTES + PRINT_BYTES
/** Bytes that the items of one frame may have, so that one more fingerprint still fits behind them. */
export const ITEMS_BYTES = HISTORY_FRAME_BYTES - HEADER_BYTES - 2 * ITEM_BYTES

/** The most bytes that an item can take. */
export function itemBytes(ids: number): number {
  return ITEM_BYTES + 2 + ID_BYTES * ids
}

/** The payload of a frame of the kind `ranges`. */
export function encodeExchange(exchange: Exchange): Uint8Array {
  if (exchange.kind === 'served') return Uint8Array.of(SERVED)
  if (exchange.kind === 'ask') return joinBytes([Uint8Array.of(ASK), fromHex(exchange.ids.join(''))])
  const { isOpener, isBusy, session, round, floor, items } = exchange
  const header = new Uint8Array(HEADER_BYTES)
  header.set([COMPARISON, (isOpener ? OPENER : 0) | (isBusy ? BUSY : 0)])
  writeUint32(header, 2, session)
  header[6] = round
  putTime(header, 7, floor)
  return joinBytes([header, ...items.flatMap(encodeItem)])
}

function encodeItem(item: Item): Uint8Array[] {
  const { time, id } = item.end
  const head = [Uint8Array.of(ITEM_KINDS.indexOf(item.kind)), writeTime(time), Uint8Array.of(id.length / 2)]
  const parts = [...head, fromHex(id)]
  if (item.kind === 'skip') return parts
  if (item.kind === 'print') return [...parts, fromHex(item.print)]
  const { length } = item.ids
  return [...parts, Uint8Array.of(length >>> 8, length), fromHex(item.ids.join(''))]
}

/** Reads a remote payload; undefined if no correct node sends it. */
export function decodeExchange(payload: Uint8Array): Exchange | undefined {
  const rest = payload.length - 1
  switch (payload[0]) {
    case COMPARISON:
      return decodeComparison(payload)
    case ASK: {
      const count = rest / ID_BYTES
      if (!Number.isInteger(count) || count < 1 || count > HISTORY_ASK) return undefined
      return { kind: 'ask', ids: readIds(payload, 1, count) }
    }
    case SERVED:
      return rest === 0 ? { kind: 'served' } : undefined
    default:
      return undefined
  }
}

function decodeComparison(payload: Uint8Array): Comparison | undefined {
  const flags = payload[1]!
  if (payload.length < HEADER_BYTES || payload.length > HISTORY_FRAME_BYTES || flags > (OPENER | BUSY)) {
    return undefined
  }
  const items = decodeItems(payload)
  return (
    items && {
      kind: 'comparison',
      isOpener: (flags & OPENER) !== 0,
      isBusy: (flags & BUSY) !== 0,
      session: readUint32(payload, 2),
      round: payload[6]!,
      floor: readTime(payload, 7),
      items,
    }
  )
}

function decodeItems(payload: Uint8Array): Item[] | undefined {
  const items: Item[] = []
  let at = HEADER_BYTES
  let before = BEGINNING
  while (at < payload.length) {
    const read = decodeItem(payload, at)
    // Ranges that overlap would have the same IDs hashed again and again.
    if (read === undefined || !isBefore(before, read.item.end)) return undefined
    items.push(read.item)
    before = read.item.end
    at = read.at
  }
  return items
}

function decodeItem(payload: Uint8Array, start: number): { item: Item; at: number } | undefined {
  const kind = ITEM_KINDS[payload[start]!]
  const digits = payload[start + 1 + TIME_BYTES]
  if (kind === undefined || digits === undefined || digits > ID_BYTES) return undefined
  let at = start + 2 + TIME_BYTES + digits
  if (at > payload.length) return undefined
  const id = toHex(payload.subarray(at - digits, at))
  const end = { time: readTime(payload, start + 1), id }
  if (kind === 'skip') return { item: { kind, end }, at }
  if (kind === 'print') {
    at += PRINT_BYTES
    if (at > payload.length) return undefined
    return { item: { kind, end, print: toHex(payload.subarray(at - PRINT_BYTES, at)) }, at }
  }
  if (at + 2 > payload.length) return undefined
  const count = (payload[at]! << 8) | payload[at + 1]!
  at += 2 + count * ID_BYTES
  if (at > payload.length) return undefined
  return { item: { kind, end, ids: readIds(payload, at - count * ID_BYTES, count) }, at }
}

function readIds(payload: Uint8Array, at: number, count: number): MessageId[] {
  const hex = toHex(payload.subarray(at, at + count * ID_BYTES))
  return Array.from(
    { length: count },
    (_, index) => hex.slice(2 * ID_BYTES * index, 2 * ID_BYTES * (index + 1)) as MessageId,
  )
}
