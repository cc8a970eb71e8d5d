import type { Json } from './canonical.ts'

/** Whether an object has all of the required keys, and none that is neither required nor optional. */
export function hasKeys(
  object: JsonObject,
  required: readonly string[],
  optional: readonly string[],
): boolean {
  const keys = Object.keys(object)
  return (
    required.every((key) => Object.hasOwn(object, key)) &&
    keys.every((key) => required.includes(key) || optional.includes(key))
  )
}

/** An object of parsed JSON. */
export type JsonObject = Readonly<Record<string, Json>>

/** Whether parsed JSON is an object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether parsed JSON is a whole number from 0. */
export function isCount(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
