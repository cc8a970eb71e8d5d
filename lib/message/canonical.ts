import canonicalize from 'canonicalize'
import { invalidPayload } from '../errors.ts'
import { quote } from '../ground/texts.ts'
import { MAX_DEPTH, MAX_VALUES } from '../limits/limits.ts'

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/**
 * Keys that change meaning in JavaScript when they are copied or written: `__proto__` pollutes prototypes in a
 * careless merge, `toJSON` makes other implementations of RFC 8785 fall back to unsorted output.
 */
const FORBIDDEN_KEYS = ['__proto__', 'toJSON']

/**
 * The canonical JSON text of a value (RFC 8785): the same bytes on every platform and in every language.
 *
 * The value is copied first, so getters and proxies are read once. As in `JSON.stringify`, members that are
 * `undefined` or named by a symbol are left out, and so is what an array holds beside its elements; everything
 * else that JSON would lose is refused.
 *
 * @throws SecureNodeError `invalid-payload` with the path to what cannot be sent.
 */
export function canonicalJson(value: unknown): string {
  return writeCanonical(plainCopy(value))
}

/** The canonical text of a value that is known to be plain JSON: parsed, or copied by {@link plainCopy}. */
export function writeCanonical(value: Json): string {
  if (isInOrder(value)) {
    const text = JSON.stringify(value)
    // Lone surrogates, which only come out of escapes: JSON.stringify writes them as such, canonical JSON has none.
    if (!text.includes('\\ud')) return text
  }
  return canonicalize(value)!
}

/**
 * Whether `JSON.stringify` writes plain JSON canonically, lone surrogates aside: RFC 8785 has taken its spelling of
 * strings and numbers, and only sorts the keys. That is nearly always so, since our own texts are parsed in their order,
 * and then it takes a quarter of the time. Not for keys like `10`, which JavaScript moves to the front by itself.
 */
function isInOrder(value: Json): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) {
    const list = value as readonly Json[]
    for (let index = 0; index < list.length; index++) if (!isInOrder(list[index]!)) return false
    return true
  }
  const object = value as { readonly [key: string]: Json }
  let last: string | undefined
  // Unlike Object.keys, this makes no array.
  for (const key in object) {
    // By UTF-16 units, as RFC 8785, 3.2.3 asks for: the operator does that.
    if (last !== undefined && key <= last) return false
    const member = object[key]!
    // Some library may have added members to all objects, even one that leads back to itself.
    if (typeof member === 'object' && !Object.hasOwn(object, key)) return false
    if (!isInOrder(member)) return false
    last = key
  }
  return true
}

/** One text per value: white space, key order, escapes, number spellings and duplicate keys all end here. */
export function isCanonical(value: Json, text: string): boolean {
  try {
    return writeCanonical(value) === text
  } catch {
    // Lone surrogates: JSON can escape them, canonical JSON cannot carry them.
    return false
  }
}

/**
 * Copies a payload into plain JSON values, or says which part of it cannot be sent. Behind this gate all
 * releases of `canonicalize` write the same bytes; without it some write text that is not JSON.
 *
 * @throws SecureNodeError `invalid-payload`
 */
export function plainCopy(value: unknown, root = 'data'): Json {
  return new PlainCopy(root).copy(value)
}

class PlainCopy {
  /** Property names and indices from the root to the value at hand: the path in an error. */
  readonly #path: (string | number)[] = []
  /** The containers around the value at hand: finds a value that contains itself. */
  readonly #ancestors: object[] = []
  readonly #root: string
  #values = 0

  constructor(root: string) {
    this.#root = root
  }

  copy(value: unknown): Json {
    if (++this.#values > MAX_VALUES) this.#refuse(`it has more than ${MAX_VALUES} values`)
    switch (typeof value) {
      case 'string':
        if (!value.isWellFormed())
          this.#refuse('it is a string with a lone surrogate, which UTF-8 cannot carry')
        return value
      case 'number':
        if (!Number.isFinite(value)) this.#refuse(`${value} is not a JSON number`)
        return value
      case 'boolean':
        return value
      case 'object':
        return value === null ? null : this.#copyContainer(value)
      case 'bigint':
        return this.#refuse('a BigInt is not a JSON number; send it as a string')
      default:
        return this.#refuse(value === undefined ? 'it is undefined' : `a ${typeof value} is not JSON`)
    }
  }

  #copyContainer(value: object): Json {
    if (this.#ancestors.includes(value)) this.#refuse('it contains itself')
    if (this.#ancestors.length >= MAX_DEPTH) this.#refuse(`it is nested deeper than ${MAX_DEPTH} levels`)
    this.#ancestors.push(value)
    const copy = Array.isArray(value) ? this.#copyArray(value) : this.#copyObject(value)
    this.#ancestors.pop()
    return copy
  }

  #copyArray(array: readonly unknown[]): Json {
    const copy: Json[] = []
    for (let index = 0; index < array.length; index++) {
      this.#path.push(index)
      if (!(index in array)) this.#refuse('the array has a hole there')
      copy.push(this.copy(array[index]))
      this.#path.pop()
    }
    return copy
  }

  #copyObject(object: object): Json {
    if (!isPlainObject(object)) this.#refuse(`${className(object)} is not plain JSON; convert it first`)
    const copy: Record<string, Json> = {}
    let isSorted = true
    let last = ''
    for (const key of Object.keys(object)) {
      this.#path.push(key)
      if (key < last) isSorted = false
      last = key
      if (FORBIDDEN_KEYS.includes(key)) this.#refuse(`the name "${key}" is not allowed`)
      if (!key.isWellFormed()) this.#refuse('its name has a lone surrogate, which UTF-8 cannot carry')
      const member = (object as Record<string, unknown>)[key]
      if (member !== undefined) copy[key] = this.copy(member)
      this.#path.pop()
    }
    // Read in their own order, for whoever watches, and kept in the canonical one: see `isInOrder`.
    return isSorted ? copy : sorted(copy)
  }

  #refuse(why: string): never {
    throw invalidPayload(this.#root + this.#path.map(writeStep).join(''), why)
  }
}

function sorted(object: Readonly<Record<string, Json>>): Record<string, Json> {
  const copy: Record<string, Json> = {}
  for (const key of Object.keys(object).sort()) copy[key] = object[key]!
  return copy
}

const IDENTIFIER = /^[A-Za-z_$][\w$]{0,63}$/

/** One step of a path. Names may come from remote nodes: quoted, they cannot forge lines of a log. */
function writeStep(step: string | number): string {
  if (typeof step === 'number') return `[${step}]`
  return IDENTIFIER.test(step) ? `.${step}` : `[${quote(step)}]`
}

/** By prototype chain, not by `=== Object.prototype`: objects of another realm (a test runner's) are plain too. */
function isPlainObject(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function className(object: object): string {
  const name = (object.constructor as { name?: unknown } | undefined)?.name
  return typeof name === 'string' && name !== '' ? `a ${name}` : 'an object with a prototype of its own'
}

/** Why remote JSON was refused. */
export type JsonFault = 'too-deep' | 'bad-utf8' | 'bad-json'

/** Remote JSON, or why it is none. */
export type ParsedJson =
  | { readonly ok: true; readonly value: Json; readonly text: string }
  | { readonly ok: false; readonly code: JsonFault }

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Reads remote bytes as JSON within our limits; never throws. The text is returned too, to be compared. */
export function parseJson(bytes: Uint8Array, maxDepth = MAX_DEPTH): ParsedJson {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    // Of two faults, every node names the same.
    return { ok: false, code: isShallow(bytes, maxDepth) ? 'bad-utf8' : 'too-deep' }
  }
  if (!hasFewBrackets(text, maxDepth) && !isShallow(bytes, maxDepth)) return { ok: false, code: 'too-deep' }
  try {
    return { ok: true, value: JSON.parse(text) as Json, text }
  } catch {
    return { ok: false, code: 'bad-json' }
  }
}

/** Whether at most `limit` brackets open in a text, those in strings included: most messages need no closer look. */
function hasFewBrackets(text: string, limit: number): boolean {
  let left = limit
  for (let at = text.indexOf('{'); at >= 0; at = text.indexOf('{', at + 1)) if (--left < 0) return false
  for (let at = text.indexOf('['); at >= 0; at = text.indexOf('[', at + 1)) if (--left < 0) return false
  return true
}

/**
 * Whether JSON bytes nest at most `maxDepth` levels. Judged before parsing: V8 parses a million levels
 * without complaint, and the first recursive function that meets the result overflows its stack.
 */
function isShallow(bytes: Uint8Array, maxDepth: number): boolean {
  let depth = 0
  let quoted = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (quoted) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) quoted = false
    } else if (byte === QUOTE) quoted = true
    else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) return false
    } else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return true
}

/** Whether parsed JSON holds a key that we refuse. Recursion is safe: the depth was judged before. */
export function hasForbiddenKey(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return (value as readonly Json[]).some(hasForbiddenKey)
  const object = value as { readonly [key: string]: Json }
  return Object.keys(object).some((key) => FORBIDDEN_KEYS.includes(key) || hasForbiddenKey(object[key]!))
}

/** Freezes plain JSON through and through. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) deepFreeze(member)
  return Object.freeze(value)
}
