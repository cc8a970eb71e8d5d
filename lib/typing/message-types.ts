import { invalidContent, invalidOption } from '../errors.ts'
import { type Json, plainCopy } from '../message/canonical.ts'
import { isName, NAME } from '../message/document.ts'
import { type Checked, checkValue, isSchema, type Schema } from './standard-schema.ts'
import type { TypeMap } from './type-map.ts'

/** What a content is part of: a plain message, a request, or an answer to one, also one of many. */
export type ContentKind = 'message' | 'request' | 'answer'

/** What a content is to the application: what the schema has made of it, or why it does not fit. */
export type ContentVerdict =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly issues: string }

/** What to sign. In an object: whoever awaits it must not run a `then` of data that nobody has looked at. */
export interface Outgoing {
  readonly data: unknown
}

interface Entry {
  /** For messages and requests. */
  readonly content: Schema
  readonly answer: Schema | undefined
}

/**
 * The types of an application's messages, and the checks that follow from them. What is sent is checked before it is
 * signed, what arrives after its signature was verified and before it is shown.
 *
 * What is signed is what the sender gave, never what its schema made of it: a schema that turns a text into a `Date`
 * does so at each receiver. So a schema must accept what travels, which is its input.
 */
export class MessageTypes {
  /** A map, and made once: `constructor` is no type because every object has one, and later changes do nothing. */
  readonly #entries: ReadonlyMap<string, Entry>

  /** @throws SecureNodeError `invalid-option` */
  constructor(types: TypeMap | undefined) {
    this.#entries = new Map(types === undefined ? [] : readMap(types))
  }

  /** Whether there is a schema for it. */
  has(type: string, kind: ContentKind): boolean {
    return this.#schema(type, kind) !== undefined
  }

  /**
   * Checks what this node is about to sign, and returns what to sign: a copy that nobody else has, so that neither the
   * schema nor the application changes what was checked. Without a schema, it is what was given. There is a promise
   * only where the schema gives one.
   *
   * @throws SecureNodeError `invalid-content` with the first issues, and `cause` where the schema threw;
   *   `invalid-payload`
   */
  checkOut(type: string, kind: ContentKind, data: unknown): Outgoing | Promise<Outgoing> {
    const schema = this.#schema(type, kind)
    if (schema === undefined) return { data }
    const copy = plainCopy(data)
    const conclude = (checked: Checked): Outgoing => {
      if (!checked.ok) throw invalidContent(type, kind, checked.issues, checked.cause)
      return { data: copy }
    }
    const checked = checkValue(schema, mutableCopy(copy))
    return checked instanceof Promise ? checked.then(conclude) : conclude(checked)
  }

  /**
   * Checks what a remote node has signed. The value is what the schema has made of it. It never throws, and its
   * promise never rejects; there is a promise only where the schema gives one.
   */
  checkIn(type: string, kind: ContentKind, data: Json): ContentVerdict | Promise<ContentVerdict> {
    const schema = this.#schema(type, kind)
    return schema === undefined ? { ok: true, value: data } : checkValue(schema, mutableCopy(data))
  }

  #schema(type: string, kind: ContentKind): Schema | undefined {
    const entry = this.#entries.get(type)
    return kind === 'answer' ? entry?.answer : entry?.content
  }
}

const ENTRY = 'a Standard Schema of version 1, or { request, answer } with two of them'

/** Getters are read once: what was checked is what is used. */
function readMap(types: unknown): [type: string, entry: Entry][] {
  if (!isPlainObject(types))
    throw invalidOption('types', 'an object of schemas, by the type of message', types)
  return Object.entries(types).map(([type, entry]) => {
    if (!isName(type)) throw invalidOption('types', `an object with names like ${NAME.source}`, type)
    return [type, readEntry(type, entry)]
  })
}

function readEntry(type: string, entry: unknown): Entry {
  if (isSchema(entry)) return { content: entry, answer: undefined }
  const members = isPlainObject(entry) ? new Map<string, unknown>(Object.entries(entry)) : undefined
  const content = members?.get('request')
  const answer = members?.get('answer')
  // A third member would be a misspelled one, or one that is believed to do something.
  if (members?.size === 2 && isSchema(content) && isSchema(answer)) return { content, answer }
  throw invalidOption(`types.${type}`, ENTRY, entry)
}

/**
 * What a schema is given. It may change it: some of ArkType's remove members in place, and throw where what they are
 * given is frozen. Others give back the very object, and the handler may change it as its type says.
 */
function mutableCopy(data: Json): Json {
  if (typeof data !== 'object' || data === null) return data
  if (Array.isArray(data)) return (data as readonly Json[]).map(mutableCopy)
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, mutableCopy(value)]))
}

/** By prototype chain, for objects of other realms. A `Map` would be taken for a map without any types. */
function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
