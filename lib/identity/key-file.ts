/**
 * Key files on disk: created so that nothing is ever overwritten or half written, and read only when nobody
 * else can. What is in them is the business of key-pem.ts. Node.js only.
 */
import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import {
  invalidArgument,
  invalidOption,
  keyExists,
  keyForeignOwner,
  keyMissing,
  keyNotAFile,
} from '../errors.ts'
import { keyNotAKey, keyUnprotected, keyUnreadable, keyWriteFailed, unknownOption } from '../errors.ts'
import { SecureNodeError } from '../errors.ts'
import { MAX_KEY_FILE_BYTES } from '../limits/limits.ts'
import { codeOf, createFile, pathOf, writeBeside } from '../ground/whole-file.ts'
import { checkPassword, decodeKey, encodeKey } from './key-pem.ts'

// Asked of the process, not imported: a bundle for browsers then has no import that it cannot resolve.
const fs = process.getBuiltinModule('node:fs')
const path = process.getBuiltinModule('node:path')

/** What others may do with the file, in its mode: anything at all is too much. */
const OTHERS = 0o077
const IS_WINDOWS = process.platform === 'win32'

/** How to read a key file. */
export interface ReadKeyOptions {
  /** Opens an encrypted file: 1 to 1,024 bytes. Ignored when the file is not encrypted. @default none */
  readonly password?: string | undefined
}

/** How to write a key file. */
export interface WriteKeyOptions {
  /**
   * Encrypts the key: 1 to 1,024 bytes of UTF-8, taken as they are. `undefined` is refused, lest a variable
   * that was never set puts an unprotected key on the disk; leave it out for that. @default none
   */
  readonly password?: string
  /** Replaces a file that exists. What was in it is lost. @default false */
  readonly overwrite?: boolean
}

/**
 * Reads the seed of a key file, synchronously. The file must be a regular one (or a link to one) of at most
 * 16 KiB that belongs to this user or to root and that others can neither read nor write; on Windows, which
 * has no such modes, the last two are not checked.
 *
 * @param password needed for an encrypted file, ignored for another
 * @returns 32 bytes that the caller owns
 * @throws SecureNodeError `invalid-argument`, `invalid-option`, `key-missing`, `key-not-a-file`,
 *   `key-unreadable`, `key-unprotected`, `key-not-a-key`, `key-corrupt`, `key-password-missing`,
 *   `key-password-wrong`
 */
export function readKeyFile(file: string | URL, password?: string): Uint8Array {
  const name = nameOf(file)
  if (password !== undefined) checkPassword(password)
  return decodeKey(readText(name), name, password)
}

/**
 * Writes a seed to a new key file with mode 600. Whoever looks sees either no file or the whole of it, and a
 * file that exists stays as it is unless `overwrite` is set; a link is then replaced, not followed. The
 * folder must exist.
 *
 * @param seed the 32 bytes of the private key
 * @throws SecureNodeError `invalid-argument`, `invalid-option`, `key-exists`, `key-not-a-file` when a folder
 *   would be overwritten, `key-write-failed`
 */
export async function writeKeyFile(
  file: string | URL,
  seed: Uint8Array,
  options: WriteKeyOptions = {},
): Promise<void> {
  const name = nameOf(file)
  checkWriteOptions(options)
  // Resolved now: the process may change its folder while the password is hashed.
  const target = path.resolve(name)
  const text = await encodeKey(seed, options.password)
  try {
    await writeWhole(target, text, options.overwrite === true)
  } catch (cause) {
    throw writeError(cause, name, target)
  }
}

function checkWriteOptions(options: WriteKeyOptions): void {
  // A misspelt "password" must not write the key in the clear.
  const unknown = Object.keys(options).find((name) => name !== 'password' && name !== 'overwrite')
  if (unknown !== undefined) throw unknownOption(unknown, ['password', 'overwrite'])
  if ('password' in options) checkPassword(options.password)
  const overwrite: unknown = options.overwrite
  if (overwrite !== undefined && typeof overwrite !== 'boolean') {
    throw invalidOption('overwrite', 'true or false', overwrite)
  }
}

function nameOf(file: string | URL): string {
  const name = pathOf(file)
  if (name !== undefined) return name
  throw invalidArgument('the key file', 'a path or a "file:" URL', file instanceof URL ? file.href : file)
}

// Reading

function readText(name: string): string {
  const descriptor = openFile(name)
  try {
    // The descriptor is asked, not the path: between two looks at a path somebody can put another file there.
    const stats = fs.fstatSync(descriptor)
    checkKind(name, stats)
    // The stated size is not relied on: files that a kernel makes up state none.
    const bytes = new Uint8Array(MAX_KEY_FILE_BYTES + 1)
    let length = 0
    for (let read = -1; read !== 0 && length < bytes.length; length += read) {
      read = fs.readSync(descriptor, bytes, length, bytes.length - length, null)
    }
    if (length > MAX_KEY_FILE_BYTES) throw keyNotAKey(name, `it is larger than ${MAX_KEY_FILE_BYTES} bytes`)
    const text = new TextDecoder().decode(bytes.subarray(0, length))
    bytes.fill(0)
    // Without this line there is no key in it, and nobody should be told to lock up some other file.
    if (text.includes('PRIVATE KEY-----')) checkProtection(name, stats)
    return text
  } catch (cause) {
    throw cause instanceof SecureNodeError ? cause : keyUnreadable(name, cause)
  } finally {
    fs.closeSync(descriptor)
  }
}

function openFile(name: string): number {
  try {
    // Without O_NONBLOCK, opening a FIFO waits for its other end, for ever. Windows has no such flag, and
    // `undefined` counts as 0 here. Links are followed: the secrets that Kubernetes mounts are links.
    return fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  } catch (cause) {
    const code = codeOf(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') throw keyMissing(name, cause)
    // A socket (ENXIO), or a folder on Windows.
    if (code === 'ENXIO' || code === 'EISDIR') throw keyNotAFile(name)
    throw keyUnreadable(name, cause)
  }
}

function checkKind(name: string, stats: Stats): void {
  if (!stats.isFile()) throw keyNotAFile(name)
  if (stats.size > MAX_KEY_FILE_BYTES) throw keyNotAKey(name, `it is larger than ${MAX_KEY_FILE_BYTES} bytes`)
}

function checkProtection(name: string, stats: Stats): void {
  if (IS_WINDOWS) return
  // Its owner can change the key at any time, whatever the mode says. Root can do so anyway.
  if (stats.uid !== process.geteuid?.() && stats.uid !== 0) throw keyForeignOwner(name)
  if ((stats.mode & OTHERS) !== 0) throw keyUnprotected(name, (stats.mode & 0o777).toString(8))
}

// Writing

/** Writes beside the target first, then gives the finished file its name in one step. */
function writeWhole(target: string, text: string, overwrite: boolean): Promise<void> {
  const publishNew = (temporary: string): Promise<void> => publish(temporary, target, text)
  const replace = (temporary: string): Promise<void> => fs.promises.rename(temporary, target)
  return writeBeside(target, text, overwrite ? replace : publishNew, checkDrive)
}

/** Unlike a rename, a hard link never replaces what has the name already. */
async function publish(temporary: string, target: string, text: string): Promise<void> {
  try {
    await fs.promises.link(temporary, target)
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw cause
    // FAT, Android and some network drives have no hard links. This does not replace anything either, but
    // a crash in the middle leaves a part of the file; reading it fails, as its end is missing.
    await createFile(target, text, checkDrive)
  }
}

/** Some drives (FAT, Windows drives under WSL) give every file one mode. Reading would refuse it. */
async function checkDrive(handle: FileHandle): Promise<void> {
  const { mode } = await handle.stat()
  if (!IS_WINDOWS && (mode & OTHERS) !== 0) {
    throw new Error('this drive has no file permissions, so others could read it; choose another folder')
  }
}

function writeError(cause: unknown, name: string, target: string): SecureNodeError {
  // Not `quote()`, which shortens: what is missing is at the end of a path.
  const folder = JSON.stringify(path.dirname(target))
  switch (codeOf(cause)) {
    case 'EEXIST':
      return keyExists(name)
    case 'EISDIR':
      return keyNotAFile(name)
    case 'ENOENT':
      return keyWriteFailed(name, new Error(`the folder ${folder} does not exist; make it first`, { cause }))
    case 'ENOTDIR':
      return keyWriteFailed(name, new Error(`${folder} is not a folder`, { cause }))
    default:
      return keyWriteFailed(name, cause)
  }
}
