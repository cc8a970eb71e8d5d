import { MAX_BOUNCES } from '../limits/direct-limits.ts'
import type { Json } from '../message/canonical.ts'
import { isName } from '../message/document.ts'
import { hasKeys, isCount, isObject, type JsonObject } from '../message/json-shape.ts'
import { cleanText } from '../wire/close-code.ts'
import { isHex32, type NodeId } from '../wire/ids.ts'

// The payload of a message of a request. Each reader takes remote data, and says undefined to what is none: exactly
// the keys of this version, each of its type.

/** What is asked. */
export interface AskEnvelope {
  readonly data: Json
  /** Parts of the answer that may be sent at first; 0 where one answer is expected. */
  readonly want: number
}

/** What is said to an ask: an answer, one of many, their end, or why there is none. */
export type Reply = {
  /** The documents of the bounces that lead from the addressee to the author of this, the earliest first. */
  readonly by?: readonly string[]
} & (
  | { readonly op: 'answer'; readonly data: Json }
  | { readonly op: 'part'; readonly at: number; readonly data: Json }
  | { readonly op: 'end'; readonly at: number }
  | { readonly op: 'fail'; readonly code: string; readonly text: string }
)

/** Who answers in the place of the bounce's author. */
export interface BounceEnvelope {
  readonly to: NodeId
  /** The bounces before this one, the earliest first. */
  readonly by: readonly string[]
}

/** Reads what is asked. */
export function readAsk(data: Json): AskEnvelope | undefined {
  if (!isObject(data) || !hasKeys(data, ['data', 'want'], [])) return undefined
  const { data: asked, want } = data
  return isCount(want) ? { data: asked!, want } : undefined
}

/** Reads how many parts may be sent in all. */
export function readMore(data: Json): number | undefined {
  if (!isObject(data) || !hasKeys(data, ['upTo'], [])) return undefined
  const { upTo } = data
  return isCount(upTo) ? upTo : undefined
}

/** Whether this is the empty envelope of a cancel. */
export function isCancel(data: Json): boolean {
  return isObject(data) && hasKeys(data, [], [])
}

/** Reads a bounce. There may be one less before it than there may be at all. */
export function readBounce(data: Json): BounceEnvelope | undefined {
  if (!isObject(data) || !hasKeys(data, ['to'], ['by'])) return undefined
  const { to, by } = data
  if (!isHex32(to) || !isProof(by, MAX_BOUNCES - 1)) return undefined
  return { to: to as NodeId, by: by ?? [] }
}

/** The keys of each reply, beside the bounces. */
const REPLY_KEYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['answer', ['data']],
  ['part', ['at', 'data']],
  ['end', ['at']],
  ['fail', ['code', 'text']],
])

/** Whether a message with this op says something to an ask. */
export function isReplyOp(op: string | undefined): op is Reply['op'] {
  return op !== undefined && REPLY_KEYS.has(op)
}

/** Reads what is said to an ask. */
export function readReply(op: Reply['op'], envelope: Json): Reply | undefined {
  if (!isObject(envelope) || !hasKeys(envelope, REPLY_KEYS.get(op)!, ['by'])) return undefined
  const { by } = envelope
  if (!isProof(by, MAX_BOUNCES)) return undefined
  const reply = readSaid(op, envelope)
  return reply && (by === undefined ? reply : { ...reply, by })
}

function readSaid(op: Reply['op'], { at, code, data, text }: JsonObject): Reply | undefined {
  switch (op) {
    case 'answer':
      return { op, data: data! }
    case 'part':
      return isCount(at) ? { op, at, data: data! } : undefined
    case 'end':
      return isCount(at) ? { op, at } : undefined
    case 'fail':
      // The text ends in an error of ours, and that in a log: cleaned again, whatever its author did.
      return isName(code) && typeof text === 'string' ? { op, code, text: cleanText(text) } : undefined
  }
}

function isProof(by: Json | undefined, most: number): by is readonly string[] | undefined {
  if (by === undefined) return true
  if (!Array.isArray(by)) return false
  const list = by as readonly Json[]
  return list.length > 0 && list.length <= most && list.every((item) => typeof item === 'string')
}
