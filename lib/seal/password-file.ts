/** Files that are sealed with a password. Node.js only. */
import type { Stats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { aborted, fileNotRead, fileUnwritable, invalidArgument } from '../errors.ts'
import { quote } from '../ground/texts.ts'
import { SecureNodeError, sealedCorrupt } from '../errors.ts'
import { BOX_CHUNK_BYTES } from '../limits/direct-limits.ts'
import { checkNames } from '../ground/names.ts'
import { checkSignal } from '../ground/signal.ts'
import { codeOf, pathOf, writeBeside } from '../ground/whole-file.ts'
import {
  BOX_HEADER_BYTES,
  BOX_TAG_BYTES,
  type BoxOptions,
  chunksOf,
  contentLength,
  costOf,
  makeBox,
  type Piece,
  piecesOf,
  readBox,
} from './box-format.ts'
import { checkBoxPassword } from './password-key.ts'

// Asked of the process, not imported: a bundle for browsers then has no import that it cannot resolve.
const fs = process.getBuiltinModule('node:fs')
const path = process.getBuiltinModule('node:path')

/** How far a file is. */
export interface BoxProgress {
  /** Bytes of the content that are done. */
  readonly bytes: number
  /** Bytes of the content. */
  readonly size: number
}

/** How a file is opened. */
export interface OpenFileOptions {
  /** Ends it; what was written is removed. @default none */
  readonly signal?: AbortSignal | undefined
  /** Hears after each 64 KiB how far it is. What it throws ends it. @default none */
  readonly onProgress?: ((progress: BoxProgress) => void) | undefined
}

/** How a file is sealed. */
export interface SealFileOptions extends OpenFileOptions, BoxOptions {}

/** Which file is to become which. */
export interface FilePaths {
  readonly from: string | URL
  readonly to: string | URL
  /** What relative paths are relative to. */
  readonly folder: string
}

/** Seals a file: see `sealFileWithPassword`. */
export async function sealFile(paths: FilePaths, password: string, options: SealFileOptions): Promise<void> {
  checkNames(options, ['signal', 'onProgress', 'cost'])
  checkListeners(options)
  const cost = costOf(options)
  const job = new Job('sealing', paths, password, options)
  await job.run(async ({ size }) => {
    const { header, key } = await makeBox(password, cost)
    const convert = (piece: Piece, bytes: Uint8Array): Uint8Array => key.seal(piece, bytes)
    return { size, header, pieces: piecesOf(size), convert, done: () => key.wipe() }
  })
}

/** Opens a sealed file: see `openFileWithPassword`. */
export async function openFile(paths: FilePaths, password: string, options: OpenFileOptions): Promise<void> {
  checkNames(options, ['signal', 'onProgress'])
  checkListeners(options)
  const job = new Job('opening', paths, password, options)
  await job.run(async (stats, read) => {
    const what = `the file ${quote(job.from)}`
    const header = await read(0, Math.min(stats.size, BOX_HEADER_BYTES))
    const key = await readBox(header.slice(), password, what)
    const [size, pieces] = [contentLength(stats.size), chunksOf(stats.size)]
    if (size === undefined || pieces === undefined) {
      key.wipe()
      throw sealedCorrupt(what, 'it is cut off')
    }
    const convert = (piece: Piece, bytes: Uint8Array): Uint8Array => {
      const content = key.open(piece, bytes)
      if (content !== null) return content
      throw sealedCorrupt(what, `chunk ${piece.index} was changed, or is not its next one`)
    }
    return { size, header: new Uint8Array(0), pieces, convert, done: () => key.wipe() }
  })
}

/** Before anything is read: a mistake must not show after the password has been worked on. */
function checkListeners({ signal, onProgress }: OpenFileOptions): void {
  checkSignal(signal)
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw invalidArgument('onProgress', 'a function', onProgress)
  }
}

/** How one file becomes another. */
interface Plan {
  /** Bytes of the content. */
  readonly size: number
  /** What the new file begins with. */
  readonly header: Uint8Array
  /** The parts of the old file that are read one after the other. */
  readonly pieces: Iterable<Piece>
  /** What is written for each. */
  convert(piece: Piece, bytes: Uint8Array): Uint8Array
  done(): void
}

/** Reads a part of the old file; good until the next is read. */
type Read = (start: number, length: number) => Promise<Uint8Array>

/** One file that becomes another. */
class Job {
  /** The whole path. */
  readonly from: string
  readonly #target: string
  readonly #doing: 'sealing' | 'opening'
  readonly #options: OpenFileOptions
  /** What the caller's own function threw. It may look like an error of the file system. */
  #thrown: { readonly cause: unknown } | undefined
  readonly #buffer = Buffer.allocUnsafeSlow(BOX_CHUNK_BYTES + BOX_TAG_BYTES)

  constructor(
    doing: 'sealing' | 'opening',
    { from, to, folder }: FilePaths,
    password: string,
    options: OpenFileOptions,
  ) {
    this.#doing = doing
    this.from = path.resolve(folder, nameOf('from', from))
    this.#target = path.resolve(folder, nameOf('to', to))
    checkBoxPassword(password)
    this.#options = options
  }

  async run(plan: (stats: Stats, read: Read) => Promise<Plan>): Promise<void> {
    this.#checkSignal()
    const source = await this.#reading(() => openSource(this.from))
    const read: Read = (start, length) => this.#read(source, start, length)
    try {
      const stats = await this.#reading(() => source.stat())
      await this.#writing(() => checkFree(this.#target))
      const work = await plan(stats, read)
      try {
        await this.#write((target) => this.#fill(target, source, stats, work))
      } finally {
        work.done()
      }
    } finally {
      this.#buffer.fill(0)
      await source.close()
    }
  }

  /** Beside the target first: whoever looks sees either no file or the whole of it. */
  #write(fill: (temporary: FileHandle) => Promise<void>): Promise<void> {
    const take = (temporary: string): Promise<void> => publish(temporary, this.#target)
    return this.#writing(() => writeBeside(this.#target, '', take, fill))
  }

  async #fill(target: FileHandle, source: FileHandle, stats: Stats, plan: Plan): Promise<void> {
    await target.writeFile(plan.header)
    let bytes = 0
    for (const piece of plan.pieces) {
      this.#checkSignal()
      const before = await this.#read(source, piece.start, piece.end - piece.start)
      const after = plan.convert(piece, before)
      await target.writeFile(after)
      // The content is what has no tag: before it is sealed, or after it is opened.
      bytes += Math.min(before.length, after.length)
      this.#tell({ bytes, size: plan.size })
    }
    const { size, mtimeMs } = await this.#reading(() => source.stat())
    // What was read may be parts of two versions.
    if (size !== stats.size || mtimeMs !== stats.mtimeMs) throw fileNotRead(this.from, changed())
    this.#checkSignal()
  }

  #tell(progress: BoxProgress): void {
    try {
      this.#options.onProgress?.(progress)
    } catch (cause) {
      this.#thrown = { cause }
      throw cause
    }
  }

  async #read(source: FileHandle, start: number, length: number): Promise<Uint8Array> {
    return this.#reading(async () => {
      let filled = 0
      while (filled < length) {
        const { bytesRead } = await source.read(this.#buffer, filled, length - filled, start + filled)
        if (bytesRead === 0) throw changed()
        filled += bytesRead
      }
      return this.#buffer.subarray(0, length)
    })
  }

  #checkSignal(): void {
    const { signal } = this.#options
    if (signal?.aborted === true) {
      throw aborted(`${this.#doing} the file ${quote(this.from)}`, signal.reason)
    }
  }

  async #reading<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      throw fileNotRead(this.from, cause)
    }
  }

  async #writing(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (cause) {
      const isOurs = typeof codeOf(cause) === 'string' && !(cause instanceof SecureNodeError)
      if (!isOurs || this.#thrown?.cause === cause) throw cause
      throw fileUnwritable(this.#target, hintOf(cause))
    }
  }
}

const changed = (): Error => new Error('it changed while it was read')
const EXISTS = 'it exists already; remove it or choose another path'

function nameOf(name: string, file: string | URL): string {
  const found = pathOf(file)
  if (found === undefined) throw invalidArgument(name, 'a path or a "file:" URL', file)
  return found
}

async function openSource(name: string): Promise<FileHandle> {
  // Without O_NONBLOCK, opening a FIFO waits for its other end, for ever. Windows has none, and no such flag.
  const handle = await fs.promises.open(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  try {
    if (!(await handle.stat()).isFile()) throw new Error('it is not a regular file')
    return handle
  } catch (cause) {
    await handle.close()
    throw cause
  }
}

/** Fails early: nobody wants to hear that after the last byte. */
async function checkFree(target: string): Promise<void> {
  try {
    await fs.promises.lstat(target)
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT') return
    throw cause
  }
  throw fileUnwritable(target, new Error(EXISTS))
}

/** Unlike a rename, neither of these replaces what has come there meanwhile. */
async function publish(temporary: string, target: string): Promise<void> {
  try {
    await fs.promises.link(temporary, target)
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw cause
    // A file system that has no second names, such as that of a memory card.
    await fs.promises.copyFile(temporary, target, fs.constants.COPYFILE_EXCL)
  }
}

function hintOf(cause: unknown): unknown {
  const code = codeOf(cause)
  if (code === 'EEXIST') return new Error(EXISTS, { cause })
  if (code === 'ENOENT') return new Error('its folder does not exist; make it first', { cause })
  if (code === 'ENOSPC' || code === 'EDQUOT') return new Error('the disk is full', { cause })
  return cause
}
