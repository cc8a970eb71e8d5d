import { MAX_FRAME_BYTES } from '../limits/limits.ts'
import { toAddress } from '../wire/address.ts'

/** A rule: its words for the error, its test, and the default. */
export type Rule = readonly [text: string, isValid: (value: unknown) => boolean, fallback: unknown]

/** A number of things, at least one. */
export const count = (fallback: number): Rule => ['a positive integer', isPositive, fallback]
/** A time in ms. A timer of 2^31 ms or more would fire at once. */
export const duration = (fallback: number): Rule => [
  'a positive number of milliseconds below 2^31',
  isDuration,
  fallback,
]
/** Yes or no. */
export const flag = (fallback: boolean): Rule => [
  'true or false',
  (value) => typeof value === 'boolean',
  fallback,
]
/** Something with a method of this name. */
export const object = (text: string, method: string, fallback: unknown): Rule => [
  text,
  (value) => typeof (value as Record<string, unknown> | null)?.[method] === 'function',
  fallback,
]

/** The size of a frame, from a lowest one on. */
export const frameBytes = (lowest: number): Rule => [
  `an integer from ${lowest} to 2^31`,
  (value) => isPositive(value) && (value as number) >= lowest && (value as number) <= 2 ** 31,
  MAX_FRAME_BYTES,
]

/** A list of addresses. */
export const addresses: Rule = ['a list of addresses like "host:port"', isAddresses, []]

/** Things that can be read as addresses. */
export function isAddresses(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => toAddress(item) !== undefined)
}

/** Options of a history. */
export function isHistory(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { maxAge, maxBytes, folder, ...others } = value
  return (
    Object.keys(others).length === 0 &&
    (maxAge === undefined || isPositive(maxAge)) &&
    (maxBytes === undefined || isPositive(maxBytes)) &&
    (folder === undefined || isPath(folder))
  )
}

/** An object that is no array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The path of a file or folder. */
export function isPath(value: unknown): boolean {
  return value instanceof URL || (typeof value === 'string' && value !== '')
}

/** A whole number from 1. */
export function isPositive(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) > 0
}

// A timer of 2^31 ms or more fires at once.
function isDuration(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && value < 2 ** 31
}
