import { MAX_FILE_NAME_BYTES } from '../limits/direct-limits.ts'

/** Separators of any system, what Windows forbids, and characters that old code pages turn into a separator. */
const UNUSABLE = /[/\\:*?"<>|\u2044\u2215\u29f5\u29f8\ufe68\uff0f\uff3c]/gu
/** Controls, what changes the direction of text or cannot be seen, line separators, characters of private use. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]/gu
/** Names of devices on Windows, whatever follows their first dot. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\.|$)/iu
/** A download keeps its beginning under such a name: another file must not be put there. */
const PART = /\.part$/iu
/** The end of a name that programs go by, and that a cut leaves in place. */
const ENDING = /\.[^. ]{1,16}$/u

/**
 * Makes a name that came from anywhere one that may be given to a file, in a folder of your choice.
 *
 * It has no separators and no control characters, is not hidden, begins neither with a dot nor as an option of a
 * command does, is no device of Windows, has 1 to 200 bytes as UTF-8, and stays what it is when it is made safe
 * again. Two names may become the same one: look before you write.
 */
export function safeFileName(name: string): string {
  // A stranger's name may be long; whatever is kept of it is in its first and last characters.
  const short = name.length > 2_048 ? name.slice(0, 1_024) + name.slice(-1_024) : name
  // Composed last: what was hidden may have kept two parts of a character from each other.
  const plain = trim(short.toWellFormed().replace(HIDDEN, '').normalize('NFC').replace(UNUSABLE, '_'))
  if (plain === '') return 'file'
  // What is safe already stays, or a name that was cut would be cut again.
  if (guard(plain) === plain && byteLength(plain) <= MAX_FILE_NAME_BYTES) return plain
  return guard(shorten(plain, MAX_FILE_NAME_BYTES - 2))
}

/** Windows drops dots and spaces at the end, so that another name is meant; at the front a dot hides the file. */
function trim(name: string): string {
  return name.replace(/^[.\s]+|[.\s]+$/gu, '')
}

/** Adds two bytes at most, for which there is room left. */
function guard(name: string): string {
  const end = PART.test(name) ? '_' : ''
  // Behind "rm", a name such as "-rf" is an order.
  const start = DEVICE.test(name) || name.startsWith('-') ? '_' : ''
  return start + name + end
}

function shorten(name: string, limit: number): string {
  if (byteLength(name) <= limit) return name
  const ending = ENDING.exec(name)?.[0] ?? ''
  let room = limit - byteLength(ending)
  let start = ''
  // By characters: half of one is no UTF-8.
  for (const character of name.slice(0, name.length - ending.length)) {
    if ((room -= byteLength(character)) < 0) break
    start += character
  }
  return trim(trim(start) + ending)
}

const encoder = new TextEncoder()

function byteLength(text: string): number {
  return encoder.encode(text).length
}
