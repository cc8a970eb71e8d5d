import type { Json } from '../message/canonical.ts'
import type { SignedMessage } from '../message/message.ts'
import type { InputOf, OutputOf, Schema } from './standard-schema.ts'

/**
 * What the messages of an application look like, by their type: a Standard Schema (Zod, Valibot, ArkType, …), or one
 * for requests and one for their answers. Other types are allowed too, and hold any JSON.
 */
export interface TypeMap {
  readonly [type: string]: TypeEntry
}

/**
 * What is known of one type. `request` is for all that is no answer: a handler that is made for requests of a type
 * is given plain messages of that type too.
 */
export type TypeEntry = Schema | { readonly request: Schema; readonly answer: Schema }

/** The map of a node that was given none: every type holds any JSON. */
export type NoTypes = { readonly [type in never]: TypeEntry }

/** The name of a type: those of the map, for editors that suggest them, or any other. */
export type TypeName<T extends TypeMap> = (keyof T & string) | (string & NoTypes)

type ContentSchema<E> = E extends Schema ? E : E extends { readonly request: infer S } ? S : never
type AnswerSchema<E> = E extends Schema ? undefined : E extends { readonly answer: infer S } ? S : undefined

// Maps, and not one conditional type of a map and a name: the compiler would look into schemas for each possible name,
// and those of ArkType are too deep for that.
type Inputs<T extends TypeMap> = { readonly [K in keyof T]: InputOr<ContentSchema<T[K]>, never> }
type Outputs<T extends TypeMap> = { readonly [K in keyof T]: OutputOr<ContentSchema<T[K]>, never> }
type AnswerInputs<T extends TypeMap> = { readonly [K in keyof T]: InputOr<AnswerSchema<T[K]>, unknown> }
type AnswerOutputs<T extends TypeMap> = { readonly [K in keyof T]: OutputOr<AnswerSchema<T[K]>, Json> }

type InputOr<S, Otherwise> = S extends Schema ? InputOf<S> : Otherwise
type OutputOr<S, Otherwise> = S extends Schema ? OutputOf<S> : Otherwise
/** What a map holds for a name; something else for names that it does not have. */
type Member<Map, K, Otherwise> = K extends keyof Map ? Map[K] : Otherwise

/** What may be sent as a message or a request of a type: what its schema accepts. Others: whatever is plain JSON. */
export type PayloadOf<T extends TypeMap, K extends string> = Member<Inputs<T>, K, unknown>

/** What a handler is given of a message or a request of a type: what its schema makes of it. Others: any JSON. */
export type DataOf<T extends TypeMap, K extends string> = Member<Outputs<T>, K, Json>

/** What a handler of requests of a type may answer: what the schema of answers accepts. */
export type AnswerOf<T extends TypeMap, K extends string> = Member<AnswerInputs<T>, K, unknown>

/** What whoever asked is given as the answer: what the schema of answers makes of it. */
export type AnswerDataOf<T extends TypeMap, K extends string> = Member<AnswerOutputs<T>, K, Json>

/** A verified message whose type is known to the compiler. `data` is what was signed, not what a schema made of it. */
export interface TypedMessage<K extends string, D extends Json> extends SignedMessage {
  readonly type: K
  readonly data: D
}

/**
 * The type of messages that the map does not have, for the compiler: it stands for every other name. TypeScript has no
 * "any string but these"; with plain `string` here, `message.type === 'chat'` would say nothing about `message.data`.
 * No real type is named like this. To compare with a name that is not in the map: `const type: string = message.type`.
 */
export type OtherType = '(any other)'

/** What a schema accepts, as it comes from the network: JSON, whatever the schema would accept besides. */
type Received<I> = 0 extends 1 & I ? Json : [I] extends [Json] ? I : I & Json

type KnownMessage<T extends TypeMap> = {
  [K in keyof T & string]: TypedMessage<K, Received<Inputs<T>[K]>>
}[keyof T & string]

/** Whether a map names its types: one without any, or that was declared as `TypeMap`, does not. */
type IsOpen<T extends TypeMap> = [keyof T] extends [never] ? true : string extends keyof T ? true : false

/**
 * The message of `nodeMessage`: `if (message.type === 'chat')` tells the compiler what `message.data` is. It is what
 * was signed; the `data` beside it is what the schema has made of it.
 */
export type MessageOf<T extends TypeMap> =
  IsOpen<T> extends true ? SignedMessage : KnownMessage<T> | TypedMessage<OtherType, Json>

/** The `data` of `nodeMessage`: what the schema of any type has made of it, or any JSON. */
export type AnyDataOf<T extends TypeMap> = IsOpen<T> extends true ? Json : DataOf<T, keyof T & string> | Json
