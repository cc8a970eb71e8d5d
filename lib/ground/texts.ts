/** The text of whatever was thrown: for logs and for messages that quote a cause. */
export function errorText(cause: unknown): string {
  if (cause instanceof Error) return cause.message
  try {
    return String(cause)
  } catch {
    // Anything can be thrown, also what has no text.
    return quote(cause)
  }
}

// Controls that JSON leaves as they are (C1), line separators, text direction, what cannot be seen.
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu
const escape = (text: string): string =>
  text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)

/** A value in an error's text: short, on one line, and without anything that moves a terminal's cursor. */
export function quote(value: unknown): string {
  if (typeof value === 'string') {
    return escape(JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value))
  }
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'bigint' ? `${value}n` : escape(String(value))
}

/** A text of any origin on one line of an error's text: cut, and without anything that moves a terminal's cursor. */
export function lineOf(text: string, maxCharacters = 200): string {
  // A cut can part a pair of surrogates.
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text
  return escape(cut.toWellFormed())
}
