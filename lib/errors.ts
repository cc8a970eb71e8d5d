import { errorText, quote } from './ground/texts.ts'

/**
 * Every way in which a call of this package fails. The README has a heading for each code with what to do.
 * What a *remote* node does wrong is never thrown: see {@link VerdictCode} and {@link CloseCode}.
 */
export type ErrorCode =
  | 'invalid-option'
  | 'invalid-argument'
  | 'invalid-payload'
  | 'message-too-large'
  | 'key-missing'
  | 'key-not-a-file'
  | 'key-unreadable'
  | 'key-unprotected'
  | 'key-exists'
  | 'key-not-a-key'
  | 'key-corrupt'
  | 'key-password-missing'
  | 'key-password-wrong'
  | 'key-write-failed'
  | 'peer-book-unreadable'
  | 'peer-book-unwritable'
  | 'engine-unavailable'
  | 'already-started'
  | 'not-started'
  | 'listen-failed'
  | 'transport-unavailable'
  | 'connect-failed'
  | 'connect-timeout'
  | 'handshake-failed'
  | 'refused-by-peer'
  | 'identity-mismatch'
  | 'self-connection'
  | 'too-many-connections'
  | 'reconnect-stopped'
  | 'join-failed'
  | 'connection-closed'
  | 'unreachable'
  | 'request-timeout'
  | 'request-failed'
  | 'invalid-content'
  | 'sealed-corrupt'
  | 'sealed-password-wrong'
  | 'history-unavailable'
  | 'history-unreadable'
  | 'history-unwritable'
  | 'file-unreadable'
  | 'file-unwritable'
  | 'file-not-found'
  | 'file-corrupt'
  | 'overload'
  | 'aborted'
  | 'not-in-browsers'

/** The one error class of this package. Match on `code`; the text is for people and may change. */
export class SecureNodeError extends Error {
  override readonly name = 'SecureNodeError'
  readonly code: ErrorCode
  /** With `identity-mismatch`: the ID of the node that is there. */
  declare readonly found?: string
  /** With `request-failed`: what the other node answered instead, if it did. */
  declare readonly answer?: FailAnswer

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** A request's answer that says why there is no other: the words of a remote node. */
export interface FailAnswer {
  /** A name that programs can match. */
  readonly code: string
  /** For people, cleaned; may be empty. */
  readonly text: string
}

function error(code: ErrorCode, message: string, cause?: unknown): SecureNodeError {
  return new SecureNodeError(code, message, cause === undefined ? undefined : { cause })
}

export const invalidOption = (name: string, rule: string, value: unknown): SecureNodeError =>
  error('invalid-option', `option "${name}" must be ${rule}, got ${quote(value)}`)

export const unknownOption = (name: string, known: readonly string[]): SecureNodeError =>
  error('invalid-option', `option "${name}" is not known here; the options are ${known.join(', ')}`)

export const invalidArgument = (name: string, rule: string, value: unknown): SecureNodeError =>
  error('invalid-argument', `${name} must be ${rule}, got ${quote(value)}`)

export const invalidPayload = (path: string, why: string): SecureNodeError =>
  error('invalid-payload', `${path} cannot be sent: ${why}`)

export const messageTooLarge = (bytes: number, limit: number): SecureNodeError =>
  error('message-too-large', `the message has ${bytes} bytes, the limit is ${limit}; send it in parts`)

export const keyMissing = (file: string, cause?: unknown): SecureNodeError =>
  error(
    'key-missing',
    `there is no key file ${quote(file)}; make one with: npx secure-node keygen ${file}`,
    cause,
  )

export const keyNotAFile = (file: string): SecureNodeError =>
  error('key-not-a-file', `${quote(file)} is not a regular file; give the path of a key file`)

export const keyUnreadable = (file: string, cause: unknown): SecureNodeError =>
  error('key-unreadable', `the key file ${quote(file)} cannot be read: ${errorText(cause)}`, cause)

export const keyUnprotected = (file: string, mode: string): SecureNodeError =>
  error(
    'key-unprotected',
    `the key file ${quote(file)} can be read or changed by others (mode ${mode}); protect it with: chmod 600 ${file}`,
  )

export const keyForeignOwner = (file: string): SecureNodeError =>
  error('key-unprotected', `the key file ${quote(file)} belongs to another user; make it yours with chown`)

export const keyExists = (file: string): SecureNodeError =>
  error('key-exists', `${quote(file)} exists already and is left as it is; remove it or choose another name`)

export const keyNotAKey = (file: string, why: string): SecureNodeError =>
  error('key-not-a-key', `${quote(file)} is not an Ed25519 key file: ${why}`)

export const keyCorrupt = (file: string, why: string, cause?: unknown): SecureNodeError =>
  error('key-corrupt', `the key file ${quote(file)} is damaged: ${why}; restore it from a backup`, cause)

export const keyPasswordMissing = (file: string): SecureNodeError =>
  error(
    'key-password-missing',
    `the key file ${quote(file)} is protected by a password; give the option "password" or set SECURE_NODE_PASSWORD`,
  )

export const keyPasswordWrong = (file: string, cause?: unknown): SecureNodeError =>
  error('key-password-wrong', `the password does not open the key file ${quote(file)}`, cause)

export const keyWriteFailed = (file: string, cause: unknown): SecureNodeError =>
  error('key-write-failed', `the key file ${quote(file)} cannot be written: ${errorText(cause)}`, cause)

export const peerBookUnreadable = (file: string, why: string, cause?: unknown): SecureNodeError =>
  error('peer-book-unreadable', `the peer book ${quote(file)} cannot be used: ${why}`, cause)

export const peerBookUnwritable = (file: string, cause: unknown): SecureNodeError =>
  error('peer-book-unwritable', `the peer book ${quote(file)} cannot be written: ${errorText(cause)}`, cause)

export const engineUnavailable = (name: string, why: string): SecureNodeError =>
  error('engine-unavailable', `the signature engine "${name}" is not available here: ${why}`)

export const alreadyStarted = (): SecureNodeError =>
  error('already-started', 'the node is started already; call stop() first')

export const notStarted = (what: string): SecureNodeError =>
  error('not-started', `${what} needs a running node; await start() first (a stopped node sends nothing)`)

export const listenFailed = (host: string, port: number, cause: unknown): SecureNodeError =>
  error('listen-failed', `cannot listen on ${host}:${port}: ${listenHint(cause)}`, cause)

function listenHint(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code
  if (code === 'EADDRINUSE') return 'another program uses this port; choose another, or 0 for any free one'
  if (code === 'EACCES') return 'ports below 1024 need special rights; choose a higher one'
  if (code === 'EADDRNOTAVAIL')
    return 'this machine has no such address; use 0.0.0.0 for all of its addresses'
  return errorText(cause)
}

export const transportUnavailable = (name: string, pkg: string, cause: unknown): SecureNodeError =>
  error(
    'transport-unavailable',
    `the transport ${name} needs the package ${pkg} (${errorText(cause)}); install it with: npm install ${pkg}`,
    cause,
  )

export const connectFailed = (address: string, cause: unknown): SecureNodeError =>
  error('connect-failed', `cannot connect to ${address}: ${connectHint(cause)}`, cause)

function connectHint(cause: unknown): string {
  const code = (cause as { code?: unknown } | undefined)?.code
  if (code === 'ECONNREFUSED')
    return 'nothing listens there; is the other node started, on this host and port?'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name is not known'
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'the host cannot be reached from here'
  return errorText(cause)
}

export const connectTimeout = (address: string, ms: number): SecureNodeError =>
  error('connect-timeout', `no connection to ${address} within ${ms} ms`)

export const handshakeFailed = (address: string, why: string, cause?: unknown): SecureNodeError =>
  error('handshake-failed', `the handshake with ${address} failed: ${why}`, cause)

export const refusedByPeer = (address: string, code: string, text: string): SecureNodeError =>
  error('refused-by-peer', `${address} refused the connection: ${code}${text === '' ? '' : ` (${text})`}`)

export const identityMismatch = (address: string, expected: string, found: string): SecureNodeError =>
  Object.assign(error('identity-mismatch', `expected node ${expected} at ${address}, found ${found}`), {
    found,
  } as const)

export const selfConnection = (address: string): SecureNodeError =>
  error('self-connection', `${address} is this node itself`)

export const tooManyConnections = (limit: number): SecureNodeError =>
  error('too-many-connections', `this node has ${limit} connections already (option "maxConnections")`)

export const reconnectStopped = (address: string, trials: number, cause: unknown): SecureNodeError =>
  error(
    'reconnect-stopped',
    `gave up on ${address} after ${trials} trials, as nodeReconnectionError asked`,
    cause,
  )

export const joinFailed = (
  failures: readonly (readonly [address: string, error: Error])[],
): SecureNodeError =>
  error(
    'join-failed',
    `nobody was found at ${failures.length === 1 ? 'the address' : `any of the ${failures.length} addresses`}: ` +
      failures
        .map(([address, { message }]) => (message.includes(address) ? message : `${address}: ${message}`))
        .join('; '),
    new AggregateError(failures.map(([, cause]) => cause)),
  )

export const unreachable = (id: string): SecureNodeError =>
  error(
    'unreachable',
    `there is no way to node ${id}: no link, no address that answers, and no peer to relay`,
  )

export const connectionClosed = (reason: string): SecureNodeError =>
  error('connection-closed', `the connection is closed: ${reason}`)

export const notAnIdentity = (value: unknown): SecureNodeError =>
  error('invalid-argument', `keyFile must be the path of a key file or an Identity, got ${quote(value)}`)

export const overload = (limit: number): SecureNodeError =>
  error(
    'overload',
    `all ${limit} message IDs of the option "maxMessageIds" are in use; send less, or raise it`,
  )

export const tooManyPings = (): SecureNodeError =>
  error('overload', 'too many pings wait for their answer; wait for one before the next')

export const tooManySearches = (ms: number): SecureNodeError =>
  error('overload', `every discovery asks the whole network; the next one is possible in ${ms} ms`)

export const tooManyLookups = (limit: number): SecureNodeError =>
  error('overload', `${limit} lookups are under way; wait for one before the next`)

export const invalidContent = (
  type: string,
  which: 'message' | 'request' | 'answer',
  issues: string,
  cause?: unknown,
): SecureNodeError =>
  error('invalid-content', `${WHICH[which]} of type "${type}" does not fit its schema: ${issues}`, cause)

const WHICH = { message: 'a message', request: 'a request', answer: 'an answer' } as const

export const aborted = (what: string, cause?: unknown): SecureNodeError =>
  error('aborted', `${what} was ended before it was done`, cause)

export const requestTimeout = (type: string, nodeId: string, ms: number): SecureNodeError =>
  error('request-timeout', `node ${nodeId} did not answer the request ${quote(type)} within ${ms} ms`)

export const requestFailed = (nodeId: string, answer: FailAnswer): SecureNodeError =>
  Object.assign(
    error(
      'request-failed',
      `node ${nodeId} answered ${answer.code}${answer.text === '' ? '' : `: ${answer.text}`}`,
    ),
    { answer } as const,
  )

export const requestBroken = (nodeId: string, why: string): SecureNodeError =>
  error('request-failed', `node ${nodeId} broke the rules of an answer: ${why}`)

export const tooManyRequests = (limit: number): SecureNodeError =>
  error('overload', `${limit} requests wait for their answer; wait for one before the next`)

export const historyUnavailable = (need: string, cause: unknown): SecureNodeError =>
  error('history-unavailable', `a history needs ${need} (${errorText(cause)})`, cause)

export const historyUnreadable = (folder: string, why: string, cause?: unknown): SecureNodeError =>
  error('history-unreadable', `the history in ${quote(folder)} cannot be used: ${why}`, cause)

export const historyUnwritable = (folder: string, cause: unknown): SecureNodeError =>
  error('history-unwritable', `the history in ${quote(folder)} cannot be written: ${errorText(cause)}`, cause)

export const fileUnreadable = (file: string, cause: unknown): SecureNodeError =>
  error('file-unreadable', `the file ${quote(file)} cannot be shared: ${errorText(cause)}`, cause)

export const fileUnwritable = (file: string, cause: unknown): SecureNodeError =>
  error('file-unwritable', `the file ${quote(file)} cannot be written: ${errorText(cause)}`, cause)

export const fileNotShared = (id: string): SecureNodeError =>
  error('file-not-found', `the file ${id} is not shared here; share it first, or offer its path`)
export const fileNotFound = (id: string, why: string): SecureNodeError =>
  error('file-not-found', `no source has the file ${id}: ${why}`)

export const fileCorrupt = (id: string, why: string): SecureNodeError =>
  error('file-corrupt', `a source of the file ${id} sent something else, and no other is left: ${why}`)

export const sealedCorrupt = (what: string, why: string): SecureNodeError =>
  error('sealed-corrupt', `${what} cannot be opened: ${why}`)
export const sealedPasswordWrong = (what: string): SecureNodeError =>
  error('sealed-password-wrong', `the password does not open ${what}`)

export const fileNotRead = (file: string, cause: unknown): SecureNodeError =>
  error('file-unreadable', `the file ${quote(file)} cannot be read: ${errorText(cause)}`, cause)

export const notInBrowsers = (what: string): SecureNodeError =>
  error('not-in-browsers', `${what} needs Node.js; a page cannot do that`)
