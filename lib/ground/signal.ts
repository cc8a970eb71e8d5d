import { invalidArgument } from '../errors.ts'

/**
 * Checks what is given to end a call early, if anything is. Judged by its form: other realms have a class of their own.
 *
 * @throws SecureNodeError `invalid-argument`
 */
export function checkSignal(signal: unknown): void {
  const { addEventListener } = (signal ?? {}) as { addEventListener?: unknown }
  if (signal !== undefined && typeof addEventListener !== 'function') {
    throw invalidArgument('signal', 'an AbortSignal', signal)
  }
}
