/** Why a request to the status interface is refused. */
export type StatusFault =
  | 'bad-request'
  | 'unauthorized'
  | 'foreign-host'
  | 'read-only'
  | 'not-found'
  | 'bad-method'
  | 'too-large'
  | 'not-json'
  | 'too-often'
  | 'failed'
  | 'too-many-clients'

/** An answer of the status interface. */
export interface StatusReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

const STATUS: Readonly<Record<StatusFault, number>> = {
  'bad-request': 400,
  unauthorized: 401,
  'foreign-host': 403,
  'read-only': 403,
  'not-found': 404,
  'bad-method': 405,
  'too-large': 413,
  'not-json': 415,
  'too-often': 429,
  failed: 500,
  'too-many-clients': 503,
}

/**
 * Headers of every answer. Nothing of it is kept by browsers and proxies, shown inside other pages, taken for
 * something that it is not, or told to other sites as the page that a link was on; and no other origin may read it.
 */
const COMMON: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

/** What a browser may do with an answer that is data: nothing. */
const DATA_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/** What the page may do: run its own code, and talk to where it came from. Nothing that a node says can be code. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Headers of an answer that is data. */
export const dataHeaders = (type: string): Record<string, string> => ({
  ...COMMON,
  'Content-Type': type,
  'Content-Security-Policy': DATA_POLICY,
})

/** JSON. */
export function json(value: unknown, status = 200): StatusReply {
  return { status, headers: dataHeaders('application/json; charset=utf-8'), body: JSON.stringify(value) }
}

/** A file of the page. */
export function file(type: string, body: Uint8Array): StatusReply {
  return {
    status: 200,
    headers: { ...COMMON, 'Content-Type': type, 'Content-Security-Policy': PAGE_POLICY },
    body,
  }
}

/** A refusal. */
export function fault(
  error: StatusFault,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): StatusReply {
  const reply = json({ error, text }, STATUS[error])
  return { ...reply, headers: { ...reply.headers, ...headers } }
}
