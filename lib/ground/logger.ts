/** One line of a log: facts for programs, and a text for people. */
export type LogMethod = (facts: object, text: string) => unknown

/** Where log records go: the shape of pino's loggers, and of those that follow it. */
export interface Logger {
  readonly trace?: LogMethod | undefined
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
}

/** How much a record matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const METHODS = ['debug', 'info', 'warn', 'error'] as const

/** Whether it can be logged to. */
export function isLogger(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  // Its methods may be those of a class: a spread would lose them.
  const { trace } = value as Record<string, unknown>
  const hasAll = METHODS.every((name) => isFunction((value as Record<string, unknown>)[name]))
  return hasAll && (trace === undefined || isFunction(trace))
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}

/** Logs a record. What the logger throws, or how its promise ends, is its own affair: it must not harm the node. */
export function logTo(logger: Logger, level: LogLevel, facts: object, text: string): void {
  try {
    // As a method: loggers have a state.
    const result = logger[level](facts, text)
    if (result instanceof Promise) result.catch(() => {})
  } catch {
    // There is nowhere to tell it.
  }
}
