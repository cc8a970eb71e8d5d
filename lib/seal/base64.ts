const native = (globalThis as { Buffer?: BufferConstructor }).Buffer

/** Bytes in base64 (RFC 4648, section 4, with padding). */
export const toBase64: (bytes: Uint8Array) => string =
  native === undefined
    ? toBase64InScript
    : ({ buffer, byteOffset, byteLength }) => native.from(buffer, byteOffset, byteLength).toString('base64')

/**
 * The bytes of a text in base64; undefined for what is none, and for all spellings but the one that
 * {@link toBase64} writes: white space, missing padding, the alphabet for URLs, bits that are left over.
 */
export function fromBase64(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined
  const bytes = decode(text)
  // Decoders skip what they do not know. A second spelling of a ciphertext would be a second message.
  return bytes !== undefined && toBase64(bytes) === text ? bytes : undefined
}

const decode: (text: string) => Uint8Array | undefined =
  native === undefined ? decodeInScript : (text) => new Uint8Array(native.from(text, 'base64'))

/** Characters that go to one call: it takes only so many arguments. */
const PIECE = 8_192

/** {@link toBase64} where there is no `Buffer`. */
export function toBase64InScript(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += PIECE) {
    binary += String.fromCharCode(...bytes.subarray(at, at + PIECE))
  }
  return btoa(binary)
}

/** What {@link fromBase64} decodes with where there is no `Buffer`. */
export function decodeInScript(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch {
    return undefined
  }
}
