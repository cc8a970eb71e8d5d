import { invalidArgument } from '../errors.ts'
import { MAX_REQUEST_TIMEOUT, REQUEST_TIMEOUT } from '../limits/direct-limits.ts'
import { type Json, plainCopy } from '../message/canonical.ts'
import { isName, isStrictKey, NAME } from '../message/document.ts'
import { checkNames } from '../ground/names.ts'
import { checkSignal } from '../ground/signal.ts'
import { copyBytes } from '../wire/bytes.ts'
import { isHex32, type NodeId } from '../wire/ids.ts'

/** Options of a request. */
export interface RequestOptions {
  /**
   * How long the answer is waited for, in ms, the finding of a way included; for a stream, the first part, and each
   * part after another. At most 300_000.
   *
   * @default 10_000
   */
  readonly timeout?: number | undefined
  /** Ends the request with the error `aborted`; the other node is told. @default none */
  readonly signal?: AbortSignal | undefined
  /** Whether only the other node may read the request, and only this one the answer. @default false */
  readonly seal?: boolean | undefined
  /** Bytes that travel beside the data, at most 767 KiB. @default none */
  readonly bytes?: Uint8Array | undefined
  /** How far the finding of a way may go; handed to the node as it is. */
  readonly reach?: unknown
}

/** A request that was checked and copied: its caller can change it no more. */
export interface RequestTerms {
  readonly to: NodeId
  readonly type: string
  readonly data: Json
  readonly bytes: Uint8Array | undefined
  readonly seal: boolean
  readonly timeout: number
  readonly signal: AbortSignal | undefined
  readonly reach: unknown
  /** Whether many answers are expected. */
  readonly isStream: boolean
}

/**
 * Checks a request.
 *
 * @throws SecureNodeError `invalid-argument`, `invalid-option`, `invalid-payload`
 */
export function requestTerms(
  self: NodeId,
  to: string,
  type: string,
  data: unknown,
  options: RequestOptions,
  isStream: boolean,
): RequestTerms {
  if (!isHex32(to) || !isStrictKey(to)) throw invalidArgument('nodeId', 'the ID of a node', to)
  // It would go round the whole network to find whoever knows the answer already.
  if (to === self) throw invalidArgument('nodeId', 'the ID of another node than this one', to)
  if (!isName(type)) throw invalidArgument('type', `a name like ${NAME.source}`, type)
  checkNames(options, ['timeout', 'signal', 'seal', 'bytes', 'reach'])
  const { timeout = REQUEST_TIMEOUT, signal, seal = false, bytes, reach } = options
  checkTimeout(timeout)
  checkSignal(signal)
  if (typeof seal !== 'boolean') throw invalidArgument('seal', 'true or false', seal)
  const copy = { data: plainCopy(data === undefined ? null : data), bytes: copyBytes(bytes) }
  return { to: to as NodeId, type, ...copy, seal, timeout, signal, reach, isStream }
}

function checkTimeout(timeout: unknown): void {
  if (typeof timeout === 'number' && timeout > 0 && timeout <= MAX_REQUEST_TIMEOUT) return
  throw invalidArgument('timeout', `a number of milliseconds up to ${MAX_REQUEST_TIMEOUT}`, timeout)
}
