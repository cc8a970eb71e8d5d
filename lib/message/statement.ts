import { verifySignature } from '../identity/ed25519.ts'
import type { Engine } from '../identity/engine.ts'
import { joinBytes, utf8 } from '../wire/bytes.ts'
import { fromHex, toHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'
import {
  hasForbiddenKey,
  isCanonical,
  type Json,
  type JsonFault,
  parseJson,
  writeCanonical,
} from './canonical.ts'
import { sha256Hex } from './digest.ts'
import { readEnvelope, writeDocument } from './document.ts'

// What nodes say about themselves and the network, signed: peer records, questions, answers, beacons. In form each
// is a document like a message, `{"body":…,"sig":…}`; its label says what it is, and makes it nothing else.

/** A signed statement that nobody has verified yet. */
export interface Statement {
  /** What is stated; each kind of statement has a shape of its own. */
  readonly body: Json
  /** SHA-256 of the canonical body, 32 bytes. */
  readonly digest: Uint8Array
  /** In hexadecimal. */
  readonly signature: string
  /** The canonical text that travels. */
  readonly text: string
}

/** Signs bytes with the key of a node. */
export type Sign = (bytes: Uint8Array) => Promise<Uint8Array>

/** Makes a statement. `label` ends with a zero byte, so that none is a prefix of another. */
export async function makeStatement(label: string, body: Json, sign: Sign): Promise<Statement> {
  const text = writeCanonical(body)
  const digest = digestOf(text)
  const signature = toHex(await sign(signedBytes(label, digest)))
  return { body, digest, signature, text: writeDocument(text, signature) }
}

/** Statements, or why there are none. */
export type StatementsResult =
  | { readonly ok: true; readonly statements: readonly Statement[] }
  | { readonly ok: false; readonly code: StatementFault }

/** Why bytes are no statements. Every correct node comes to the same verdict. */
export type StatementFault = 'too-large' | JsonFault | 'not-canonical' | 'bad-shape'

/** Nesting of a list of statements: a payload may nest two levels more. */
const MAX_STATEMENT_DEPTH = 6

/** Reads remote bytes as one statement; never throws. */
export function readStatement(bytes: Uint8Array, maxBytes: number): StatementsResult {
  return readCanonical(bytes, maxBytes, (value) => [value])
}

/** Reads remote bytes as a list of at most `limit` statements; never throws. */
export function readStatements(bytes: Uint8Array, maxBytes: number, limit: number): StatementsResult {
  return readCanonical(bytes, maxBytes, (value) =>
    Array.isArray(value) && value.length <= limit ? (value as readonly Json[]) : undefined,
  )
}

function readCanonical(
  bytes: Uint8Array,
  maxBytes: number,
  listOf: (value: Json) => readonly Json[] | undefined,
): StatementsResult {
  if (bytes.length > maxBytes) return { ok: false, code: 'too-large' }
  const parsed = parseJson(bytes, MAX_STATEMENT_DEPTH)
  if (!parsed.ok) return parsed
  if (!isCanonical(parsed.value, parsed.text)) return { ok: false, code: 'not-canonical' }
  // The same names as in messages: what merges or writes a statement must not be led astray by it.
  const statements = hasForbiddenKey(parsed.value) ? undefined : listOf(parsed.value)?.map(statementOf)
  return statements?.every((statement) => statement !== undefined)
    ? { ok: true, statements }
    : { ok: false, code: 'bad-shape' }
}

function statementOf(value: Json): Statement | undefined {
  const envelope = readEnvelope(value)
  if (envelope === undefined) return undefined
  const { body, signature } = envelope
  const text = writeCanonical(body)
  return { body, signature, digest: digestOf(text), text: writeDocument(text, signature) }
}

/** Whether a statement of this kind was signed with this key. Never fails. */
export function isStatedBy(
  label: string,
  { digest, signature }: Statement,
  key: NodeId,
  engine?: Engine,
): Promise<boolean> {
  return verifySignature(fromHex(signature), signedBytes(label, digest), fromHex(key), engine)
}

function digestOf(text: string): Uint8Array {
  return fromHex(sha256Hex(utf8(text)))
}

function signedBytes(label: string, digest: Uint8Array): Uint8Array {
  return joinBytes([utf8(label), digest])
}
