import { invalidArgument, unknownOption } from '../errors.ts'

/** Refuses options that a call does not know: a misspelled one would be lost without a word. */
export function checkNames(options: object, names: readonly string[]): void {
  const given: unknown = options
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalidArgument('options', 'an object', given)
  }
  for (const name in options) if (!names.includes(name)) throw unknownOption(name, names)
}
