import { errorText, lineOf, quote } from '../ground/texts.ts'
import { MAX_ISSUE_CHARACTERS, MAX_ISSUE_STEPS, MAX_SHOWN_ISSUES } from '../limits/limits.ts'

/**
 * What libraries for checking data have agreed on: Standard Schema, version 1 (https://standardschema.dev). Zod,
 * Valibot, ArkType and others make such objects, so that whoever uses one needs to know none of these libraries.
 */
export interface Schema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    /** The library that made it. */
    readonly vendor: string
    /** Checks a value of any kind; gives a value that fits, possibly another one, or says what is wrong. */
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** For the compiler alone: at run time it is not there. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What a schema says about a value: where there are issues, even none of them, the value does not fit. */
export type SchemaResult<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/** One thing that is wrong with a value, and where. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What a schema accepts: what is sent. */
export type InputOf<S extends Schema> = NonNullable<S['~standard']['types']>['input']
/** What a schema makes of what it accepts: what a handler is given. */
export type OutputOf<S extends Schema> = NonNullable<S['~standard']['types']>['output']

/** A value that a schema let pass, or why it did not, in one line. `cause` is what the schema threw. */
export type Checked =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: string; readonly cause?: unknown }

/** Whether a value is a Standard Schema of version 1. ArkType's are functions. */
export function isSchema(value: unknown): value is Schema {
  const standard: unknown = isContainer(value) ? (value as Partial<Schema>)['~standard'] : undefined
  if (!isContainer(standard)) return false
  const { version, validate } = standard as Record<string, unknown>
  return version === 1 && typeof validate === 'function'
}

/**
 * Checks a value against a schema. A schema is code of others, and gets what strangers have sent: what it throws, or
 * gives back against the rules, counts as "does not fit". So this never throws, and its promise never rejects.
 *
 * There is a promise only where the schema gives one: checking costs no turn of the event loop otherwise.
 */
export function checkValue(schema: Schema, value: unknown): Checked | Promise<Checked> {
  try {
    const result: unknown = schema['~standard'].validate(value)
    // A thenable of any make: not all promises are of this realm.
    return isThenable(result) ? Promise.resolve(result).then(guardedVerdict, failure) : verdictOf(result)
  } catch (error) {
    return failure(error)
  }
}

function guardedVerdict(result: unknown): Checked {
  try {
    return verdictOf(result)
  } catch (error) {
    return failure(error)
  }
}

/** @throws whatever a getter of the result throws */
function verdictOf(result: unknown): Checked {
  if (!isContainer(result))
    return { ok: false, issues: `its schema gave ${quote(result)} instead of a result` }
  const { issues } = result as { issues?: unknown }
  if (issues !== undefined) return { ok: false, issues: issuesText(issues) }
  // A result that says nothing must not pass for one that says yes.
  if (!('value' in result)) return { ok: false, issues: 'its schema gave neither a value nor issues' }
  return { ok: true, value: result.value }
}

function failure(cause: unknown): Checked {
  let text = 'something without a text'
  try {
    text = lineOf(errorText(cause), MAX_ISSUE_CHARACTERS)
  } catch {
    // Even reading the message of an error can throw, and it need not be a text.
  }
  return { ok: false, issues: `its schema threw: ${text}`, cause }
}

/**
 * The first issues in one line: `data.text: expected a string; data.n: too small; and 3 more`. Schemas quote what
 * they were given, so a stranger writes a part of it: it is cut, and cannot move a cursor or begin a new line.
 */
function issuesText(issues: unknown): string {
  if (!Array.isArray(issues)) return 'its schema gave no list of issues'
  if (issues.length === 0) return 'its schema gave no reason'
  const shown = (issues as unknown[]).slice(0, MAX_SHOWN_ISSUES).map(issueText)
  const rest = issues.length - shown.length
  return shown.join('; ') + (rest > 0 ? `; and ${rest} more` : '')
}

function issueText(issue: unknown): string {
  const { message, path } = (isContainer(issue) ? issue : {}) as { message?: unknown; path?: unknown }
  const text = typeof message === 'string' && message !== '' ? message : 'it does not fit'
  return `${pathText(path)}: ${lineOf(text, MAX_ISSUE_CHARACTERS)}`
}

function pathText(path: unknown): string {
  if (!Array.isArray(path)) return 'data'
  const steps = (path as unknown[]).slice(0, MAX_ISSUE_STEPS).map(stepText)
  return `data${steps.join('')}${path.length > steps.length ? '…' : ''}`
}

const IDENTIFIER = /^[A-Za-z_$][\w$]{0,63}$/

/** One step of a path: a key, or an object that holds one. */
function stepText(step: unknown): string {
  const key: unknown = isContainer(step) ? (step as { key?: unknown }).key : step
  if (typeof key === 'number') return `[${key}]`
  if (typeof key !== 'string') return '[?]'
  return IDENTIFIER.test(key) ? `.${key}` : `[${quote(key)}]`
}

function isContainer(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isContainer(value) && typeof (value as { then?: unknown }).then === 'function'
}
