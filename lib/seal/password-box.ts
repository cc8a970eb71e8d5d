import { fileNotRead, invalidArgument, sealedCorrupt } from '../errors.ts'
import { checkNames } from '../ground/names.ts'
import {
  BOX_HEADER_BYTES,
  type BoxOptions,
  chunksOf,
  contentLength,
  costOf,
  makeBox,
  piecesOf,
  readBox,
} from './box-format.ts'
import { joinBytes } from '../wire/bytes.ts'
import { checkBoxPassword } from './password-key.ts'
import type { OpenFileOptions, SealFileOptions } from './password-file.ts'

export type { BoxOptions } from './box-format.ts'
export type { BoxProgress, OpenFileOptions, SealFileOptions } from './password-file.ts'

const WHAT = 'the box'

/**
 * Encrypts bytes with a password, for whoever knows it: scrypt (RFC 7914) and NaCl's secretbox. The length of the bytes
 * can be seen; a later change of them cannot be made unnoticed.
 *
 * It takes a third of a second and 128 MiB for the password, and holds up the event loop for 10 ms a MiB; files are
 * better sealed by {@link sealFileWithPassword}.
 *
 * @param password 1 to 1,024 bytes of UTF-8, taken as they are
 * @throws SecureNodeError `invalid-argument`, `invalid-option`
 */
export async function sealWithPassword(
  bytes: Uint8Array,
  password: string,
  options: BoxOptions = {},
): Promise<Uint8Array> {
  checkNames(options, ['cost'])
  const cost = costOf(options)
  checkBoxPassword(password)
  // A copy: what the caller does with it meanwhile must not get into the box.
  const content = viewOf(bytes, 'the bytes').slice()
  const { header, key } = await makeBox(password, cost)
  const chunks = [header]
  for (const piece of piecesOf(content.length)) {
    chunks.push(key.seal(piece, content.subarray(piece.start, piece.end)))
  }
  key.wipe()
  content.fill(0)
  return joinBytes(chunks)
}

/**
 * Opens what {@link sealWithPassword} or {@link sealFileWithPassword} has made. It gives all of the content, or fails.
 *
 * @throws SecureNodeError `sealed-password-wrong`; `sealed-corrupt` for what was changed or cut off, or is something
 *   else; `invalid-argument`
 */
export async function openWithPassword(box: Uint8Array, password: string): Promise<Uint8Array> {
  checkBoxPassword(password)
  const bytes = viewOf(box, 'the box')
  const key = await readBox(bytes.slice(0, BOX_HEADER_BYTES), password, WHAT)
  try {
    const chunks = chunksOf(bytes.length)
    if (chunks === undefined) throw sealedCorrupt(WHAT, 'it is cut off')
    const content = new Uint8Array(contentLength(bytes.length)!)
    let at = 0
    for (const piece of chunks) {
      const opened = key.open(piece, bytes.subarray(piece.start, piece.end))
      if (opened === null)
        throw sealedCorrupt(WHAT, `chunk ${piece.index} was changed, or is not its next one`)
      content.set(opened, at)
      at += opened.length
    }
    return content
  } finally {
    key.wipe()
  }
}

/**
 * Encrypts a file with a password, 64 KiB at a time: a file of any size takes the same memory. The box is there when it
 * is complete, and nothing is left behind where it fails. A file that exists is left alone. Node.js only.
 *
 * @throws SecureNodeError `file-unreadable`, `file-unwritable`, `aborted`, `invalid-argument`, `invalid-option`
 */
export async function sealFileWithPassword(
  from: string | URL,
  to: string | URL,
  password: string,
  options: SealFileOptions = {},
): Promise<void> {
  const folder = currentFolder(from)
  const { sealFile } = await import('./password-file.ts')
  await sealFile({ from, to, folder }, password, options)
}

/**
 * Opens a file that {@link sealFileWithPassword} has made. The content has the name `to` only when all of it was found
 * unchanged; until then, and where it fails, nobody sees any of it. A file that exists is left alone. Node.js only.
 *
 * @throws SecureNodeError `sealed-password-wrong`, `sealed-corrupt`, `file-unreadable`, `file-unwritable`, `aborted`,
 *   `invalid-argument`, `invalid-option`
 */
export async function openFileWithPassword(
  from: string | URL,
  to: string | URL,
  password: string,
  options: OpenFileOptions = {},
): Promise<void> {
  const folder = currentFolder(from)
  const { openFile } = await import('./password-file.ts')
  await openFile({ from, to, folder }, password, options)
}

/** Asked at once: the process may change its folder before anything is loaded or read. */
function currentFolder(from: string | URL): string {
  const { process } = globalThis as { process?: { cwd?: () => string } }
  if (process?.cwd === undefined) throw fileNotRead(String(from), new Error('files need Node.js'))
  return process.cwd()
}

/** Not `instanceof`: test runners and frames bring their own Uint8Array. */
function viewOf(bytes: Uint8Array, name: string): Uint8Array {
  const given: unknown = bytes
  const isBytes = ArrayBuffer.isView(given) && Object.prototype.toString.call(given) === '[object Uint8Array]'
  if (!isBytes) throw invalidArgument(name, 'a Uint8Array', given)
  return new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
}
