/**
 * Text of remote nodes on its way to a terminal. Printed as it comes, it could move the cursor and rewrite what
 * others said, begin a new line in somebody else's name, turn the direction of the line, or hide parts of itself.
 */

/** Controls (C0, C1, DEL), format characters (bidi, zero width, tags), line separators, lone surrogates. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu
/** More marks than any language puts on one letter: they pile up over the lines around. */
const PILED_MARKS = /(\p{M}{4})\p{M}+/gu
/** Characters that are shown of one text. */
export const MAX_SHOWN = 2_000

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\u001b': '\\e' }

/** A text of any origin on one line that does nothing but be read; the rest beyond `max` characters is counted. */
export function safeText(text: string, max = MAX_SHOWN): string {
  const shown = text.length > max ? text.slice(0, max) : text
  const rest = text.length > max ? `… (${text.length - max} more)` : ''
  return shown.replace(UNSAFE, escapeCharacter).replace(PILED_MARKS, '$1') + rest
}

function escapeCharacter(character: string): string {
  return SHORT[character] ?? `\\u{${character.codePointAt(0)!.toString(16)}}`
}

/**
 * One line of JSON for a program that reads it, harmless for a terminal too: JSON.stringify leaves C1 controls
 * and text direction as they are, here they are escaped. Parsing gives the value back, character by character.
 */
export function jsonLine(value: unknown): string {
  // Such characters can stand in strings alone, where their escapes mean the same.
  return JSON.stringify(value).replace(UNSAFE, escapeUnits)
}

/** Escapes of JSON are those of UTF-16 units: a character beyond the first 65,536 has two. */
function escapeUnits(character: string): string {
  return Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')
}
