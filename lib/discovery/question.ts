import type { Engine } from '../identity/engine.ts'
import { PROTOCOL_VERSION } from '../limits/limits.ts'
import { MAX_QUESTION_BYTES } from '../limits/network-limits.ts'
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
import { toHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'

const LABEL = 'secure-node/1 question\0'
const NONCE_BYTES = 16
const NONCE = /^[0-9a-f]{32}$/

/** What a node asks the whole network: who is there? */
export interface QuestionBody {
  /** Who asks. */
  readonly from: NodeId
  /** The network that is asked. */
  readonly net: string
  /** 16 bytes by chance, in hexadecimal: two questions of one moment differ. */
  readonly nonce: string
  /** When it was asked, in ms since the epoch. */
  readonly time: number
  readonly v: typeof PROTOCOL_VERSION
}

/** A question whose signature nobody has looked at yet, unless this node has made it. */
export interface Question {
  /** SHA-256 of its canonical body, in hexadecimal: what answers refer to. */
  readonly id: string
  readonly body: QuestionBody
  readonly statement: Statement
}

/** Why bytes are no question of this network. Every correct node comes to the same verdict. */
export type QuestionFault = StatementFault | 'wrong-net'

/** A question, or why it is none. */
export type QuestionResult =
  { readonly ok: true; readonly question: Question } | { readonly ok: false; readonly code: QuestionFault }

/** Makes a question of this moment. */
export async function makeQuestion(
  { from, net, time }: Pick<QuestionBody, 'from' | 'net' | 'time'>,
  random: () => number,
  sign: Sign,
): Promise<Question> {
  const nonce = toHex(Uint8Array.from({ length: NONCE_BYTES }, () => Math.floor(random() * 256)))
  const body: QuestionBody = { from, net, nonce, time, v: PROTOCOL_VERSION }
  return questionOf(body, await makeStatement(LABEL, { ...body }, sign))
}

/** Reads remote bytes as a question: size, canonical JSON, shape, key, network. Never throws. */
export function readQuestion(bytes: Uint8Array, net: string): QuestionResult {
  const result = readStatement(bytes, MAX_QUESTION_BYTES)
  if (!result.ok) return result
  const statement = result.statements[0]!
  const { body } = statement
  if (!isBody(body)) return { ok: false, code: 'bad-shape' }
  if (body.net !== net) return { ok: false, code: 'wrong-net' }
  return { ok: true, question: questionOf(body, statement) }
}

function questionOf(body: QuestionBody, statement: Statement): Question {
  return { id: toHex(statement.digest), body, statement }
}

/** Whether a question was signed by the node that it names. Never fails. */
export function isGenuineQuestion({ body, statement }: Question, engine?: Engine): Promise<boolean> {
  return isStatedBy(LABEL, statement, body.from, engine)
}

const KEYS = ['from', 'net', 'nonce', 'time', 'v']

/** Exactly the keys of version 1. A key that everybody can sign for would ask in the name of nobody. */
function isBody(value: Json): value is Json & QuestionBody {
  if (!isObject(value) || !hasKeys(value, KEYS, [])) return false
  const { from, net, nonce, time, v } = value
  return (
    v === PROTOCOL_VERSION &&
    isNodeId(from) &&
    isName(net) &&
    typeof nonce === 'string' &&
    NONCE.test(nonce) &&
    isCount(time)
  )
}
