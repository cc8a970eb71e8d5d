import { MAX_LISTED_IDS } from '../limits/tree-limits.ts'
import { fromHex, toHex } from '../wire/hex.ts'
import type { MessageId } from '../wire/ids.ts'

const ID_BYTES = 32

/** The payload of a `have` or `want` frame: 1 to {@link MAX_LISTED_IDS} IDs, 32 bytes each. */
export function encodeIds(ids: readonly MessageId[]): Uint8Array {
  return fromHex(ids.join(''))
}

/** The IDs in the payload of a `have` or `want` frame; undefined where it is none. */
export function decodeIds(payload: Uint8Array): MessageId[] | undefined {
  const count = payload.length / ID_BYTES
  if (!Number.isInteger(count) || count < 1 || count > MAX_LISTED_IDS) return undefined
  const ids: MessageId[] = []
  for (let at = 0; at < payload.length; at += ID_BYTES) {
    // One by one: slices of a long text hold on to all of it, and one ID may be kept for minutes.
    ids.push(toHex(payload.subarray(at, at + ID_BYTES)) as MessageId)
  }
  return ids
}
