import { type ErrorCode, SecureNodeError } from '../index.ts'
import { safeText } from './safe-text.ts'

/** The thing asked for did not work: a bad signature, no peer, no key. */
export const FAILED = 1
/** The command line itself is wrong. */
export const WRONG_USAGE = 2
/** Ended by Ctrl-C, as shells count it: 128 and the number of SIGINT. */
export const INTERRUPTED = 130

/** What goes wrong on the command line alone. Its text is for people: one line, lower case, says what to do. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly exitCode: number

  /** @param exitCode @default 1 */
  constructor(message: string, exitCode = FAILED, options?: { cause?: unknown }) {
    super(message, options)
    this.exitCode = exitCode
  }
}

/** Errors of the package that can only mean that an argument was wrong. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['invalid-option', 'invalid-argument'])

/** The exit code that belongs to an error. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Failure) return error.exitCode
  return error instanceof SecureNodeError && USAGE_CODES.has(error.code) ? WRONG_USAGE : FAILED
}

/**
 * What stderr says about an error: one line, whatever the error's text holds. With `debug`, the stack and the
 * causes follow.
 */
export function describeError(error: unknown, debug: boolean): string {
  const line = `secure-node: ${safeText(oneLine(error))}\n`
  return debug ? line + stackOf(error) : line
}

/** The text of an error without its line breaks. */
export function oneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.trim().replace(/\s*\n\s*/g, ' ')
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const { stack = error.message, cause } = error
  return `${stack}\n${cause === undefined ? '' : `caused by ${stackOf(cause) || `${oneLine(cause)}\n`}`}`
}
