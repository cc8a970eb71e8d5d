import type { Clock } from '../ground/clock.ts'
import * as errors from '../errors.ts'
import { errorText } from '../ground/texts.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { Channel, Transport } from '../transport/transport.ts'
import { formatAddress } from '../wire/address.ts'
import type { CloseReason } from '../wire/close-code.ts'

/** What dialling needs of its node. */
export interface DialPort {
  readonly transport: Pick<Transport, 'name' | 'dial'> & Partial<Transport>
  readonly clock: Clock
  readonly handshakeTimeout: number
  readonly maxFrameBytes?: number | undefined
  /** Makes the connection of a channel and starts its handshake. */
  open(channel: Channel): NodeConnection
  /** The connection to a node as soon as one is up. */
  whenUp(id: string, signal: AbortSignal): Promise<NodeConnection>
}

/** One attempt to connect. */
export interface DialRequest {
  readonly host: string
  readonly port: number
  /** Who or what is dialled, for errors. @default the address */
  readonly name?: string | undefined
  /** For the whole of it: address look-up, connection, handshake. In ms. */
  readonly timeout: number
  readonly expectedId?: string | undefined
  /** Whatever ends the attempt early: the caller's, the node's. */
  readonly signals: readonly AbortSignal[]
}

/** Opens one connection and waits until both ends can exchange messages. */
export async function dial(request: DialRequest, port: DialPort): Promise<NodeConnection> {
  const { host, port: remotePort, timeout, signals } = request
  const address = request.name ?? formatAddress(host, remotePort)
  const ended = new AbortController()
  const onAbort = (event: Event): void => ended.abort((event.target as AbortSignal).reason)
  for (const signal of signals) {
    if (signal.aborted) ended.abort(signal.reason)
    signal.addEventListener('abort', onAbort)
  }
  const timer = port.clock.setTimer(() => ended.abort(errors.connectTimeout(address, timeout)), timeout)
  try {
    return await attempt(request, address, port, ended.signal)
  } catch (error) {
    if (ended.signal.aborted) throw abortError(address, ended.signal.reason)
    throw error
  } finally {
    timer.cancel()
    for (const signal of signals) signal.removeEventListener('abort', onAbort)
  }
}

async function attempt(
  request: DialRequest,
  address: string,
  port: DialPort,
  signal: AbortSignal,
): Promise<NodeConnection> {
  signal.throwIfAborted()
  const { transport, clock, handshakeTimeout, maxFrameBytes } = port
  const channel = await transport
    .dial(request.host, request.port, { clock, handshakeTimeout, maxFrameBytes, signal })
    .catch((cause: unknown) => Promise.reject(dialError(address, cause)))
  const connection = openOn(channel, signal, port)
  const onAbort = (): void => connection.close('closed', 'the attempt was ended')
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const reason = await connection.opened
    signal.throwIfAborted()
    if (reason === undefined) return connection
    // Both ends dialled, or they were connected already: the connection that is kept serves this caller too.
    if (reason.code === 'duplicate') return await port.whenUp(connection.claimedId, signal)
    throw closeError(address, reason, request)
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** What cannot be used is closed: an abort in the turn in which it came is heard by nobody any more. */
function openOn(channel: Channel, signal: AbortSignal, port: DialPort): NodeConnection {
  try {
    signal.throwIfAborted()
    return port.open(channel)
  } catch (error) {
    channel.destroy()
    throw error
  }
}

function abortError(address: string, reason: unknown): errors.SecureNodeError {
  if (reason instanceof errors.SecureNodeError) return reason
  return errors.aborted(`connecting to ${address}`, reason)
}

/** A failure of the machine's network has a code like ECONNREFUSED; anything else is one of the handshake. */
function dialError(address: string, cause: unknown): errors.SecureNodeError {
  // A transport with a handshake of its own says best what went wrong in it.
  if (cause instanceof errors.SecureNodeError) return cause
  const code = (cause as { code?: unknown } | null)?.code
  const isSystemError = typeof code === 'string' && /^E[A-Z_]+$/.test(code) && !code.startsWith('ERR_')
  if (isSystemError) return errors.connectFailed(address, cause)
  return errors.handshakeFailed(address, errorText(cause), cause)
}

function closeError(address: string, reason: CloseReason, request: DialRequest): errors.SecureNodeError {
  if (reason.code === 'self-connection') return errors.selfConnection(address)
  if (reason.code === 'identity-mismatch' && reason.by === 'us') {
    return errors.identityMismatch(address, String(request.expectedId), reason.text)
  }
  if (reason.code === 'handshake-timeout') return errors.connectTimeout(address, request.timeout)
  if (reason.by === 'peer') return errors.refusedByPeer(address, reason.code, reason.text)
  if (reason.by === 'us') return errors.handshakeFailed(address, formatReason(reason))
  return errors.handshakeFailed(
    address,
    `it hung up before the handshake was finished${reason.text === '' ? '' : ` (${reason.text})`}; ` +
      'is a node of the same kind (signed or plain, encrypted or not) listening there?',
  )
}

/** Why a connection ended, for people. */
export function formatReason({ code, text }: CloseReason): string {
  return text === '' ? code : `${code}, ${text}`
}
