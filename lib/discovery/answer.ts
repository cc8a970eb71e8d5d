import type { Engine } from '../identity/engine.ts'
import { PROTOCOL_VERSION } from '../limits/limits.ts'
import { MAX_ANSWER_BYTES, MAX_ANSWER_LINKS, MAX_TOLD_LATENCY } from '../limits/network-limits.ts'
import type { Json } from '../message/canonical.ts'
import { isName } from '../message/document.ts'
import { hasKeys, isCount, isObject } from '../message/json-shape.ts'
import {
  isStatedBy,
  makeStatement,
  readStatement,
  type Sign,
  type Statement,
  type StatementFault,
} from '../message/statement.ts'
import { isNodeId } from '../wire/hello.ts'
import { isHex32, type NodeId } from '../wire/ids.ts'

const LABEL = 'secure-node/1 answer\0'

/** A link as an answer tells it: the peer, and the round-trip time in ms where it was measured. */
export type ToldLink = readonly [id: string, latency: number | null]

/** What a node answers to a question: whom it is linked with. */
export interface AnswerBody {
  /** Who answers. */
  readonly from: NodeId
  /** In the order of the IDs, each once, at most 64. */
  readonly links: readonly ToldLink[]
  /** Links that are left out, if any. */
  readonly more?: number
  readonly net: string
  /** ID of the question. */
  readonly re: string
  readonly v: typeof PROTOCOL_VERSION
}

/** An answer whose signature nobody has looked at yet, unless this node has made it. */
export interface Answer {
  readonly body: AnswerBody
  readonly statement: Statement
}

/** Why bytes are no answer in this network. Every correct node comes to the same verdict. */
export type AnswerFault = StatementFault | 'wrong-net'

/** An answer, or why it is none. */
export type AnswerResult =
  { readonly ok: true; readonly answer: Answer } | { readonly ok: false; readonly code: AnswerFault }

/** A link, as far as telling it goes. */
export interface TellableLink {
  readonly id: string
  readonly latency: { readonly smoothed: number } | undefined
}

/** The links that an answer tells. */
export type ToldLinks = Pick<AnswerBody, 'links' | 'more'>

/**
 * What a node tells about its links. Where there are too many, the one that the question came over is told in any
 * case: so the ways of all answers together are a graph in one piece.
 */
export function tellLinks(links: Iterable<TellableLink>, origin?: TellableLink): ToldLinks {
  const all = new Map<string, ToldLink>()
  for (const link of origin === undefined ? links : [origin, ...links]) all.set(link.id, tellLink(link))
  const told = [...all.values()].slice(0, MAX_ANSWER_LINKS)
  const more = all.size - told.length
  return { links: told.sort(([a], [b]) => (a < b ? -1 : 1)), ...(more > 0 && { more }) }
}

/** Tenths of a millisecond are what a smoothed time is worth. */
function tellLink({ id, latency }: TellableLink): ToldLink {
  const ms = latency === undefined ? NaN : Math.round(latency.smoothed * 10) / 10
  return [id, ms >= 0 && ms <= MAX_TOLD_LATENCY ? ms : null]
}

/** Makes the answer to a question. */
export async function makeAnswer(
  { from, links, more, net, re }: Omit<AnswerBody, 'v'>,
  sign: Sign,
): Promise<Answer> {
  const body: AnswerBody = { from, links, net, re, v: PROTOCOL_VERSION, ...(more !== undefined && { more }) }
  return { body, statement: await makeStatement(LABEL, { ...body }, sign) }
}

/** Reads remote bytes as an answer: size, canonical JSON, shape, keys, network. Never throws. */
export function readAnswer(bytes: Uint8Array, net: string): AnswerResult {
  const result = readStatement(bytes, MAX_ANSWER_BYTES)
  if (!result.ok) return result
  const statement = result.statements[0]!
  const { body } = statement
  if (!isBody(body)) return { ok: false, code: 'bad-shape' }
  if (body.net !== net) return { ok: false, code: 'wrong-net' }
  return { ok: true, answer: { body, statement } }
}

/** Whether an answer was signed by the node that it names. Never fails. */
export function isGenuineAnswer({ body, statement }: Answer, engine?: Engine): Promise<boolean> {
  return isStatedBy(LABEL, statement, body.from, engine)
}

/** Exactly the keys of version 1, each of its type. */
function isBody(value: Json): value is Json & AnswerBody {
  if (!isObject(value) || !hasKeys(value, ['from', 'links', 'net', 're', 'v'], ['more'])) return false
  const { from, links, more, net, re, v } = value
  if (v !== PROTOCOL_VERSION || !isNodeId(from) || !isName(net) || !isHex32(re)) return false
  if (!Array.isArray(links) || links.length > MAX_ANSWER_LINKS) return false
  // Only a full list leaves any out.
  if (more !== undefined && !(isCount(more) && more > 0 && links.length === MAX_ANSWER_LINKS)) return false
  return areLinks(links as readonly Json[], from)
}

/** Strictly in order, so none is there twice, and one set of links has one spelling. */
function areLinks(links: readonly Json[], from: string): boolean {
  let last = ''
  for (const link of links) {
    if (!isToldLink(link) || link[0] <= last || link[0] === from) return false
    last = link[0]
  }
  return true
}

function isToldLink(value: Json): value is Json & ToldLink {
  if (!Array.isArray(value) || value.length !== 2) return false
  const [id, latency] = value as readonly Json[]
  if (!isNodeId(id)) return false
  return latency === null || (typeof latency === 'number' && latency >= 0 && latency <= MAX_TOLD_LATENCY)
}
