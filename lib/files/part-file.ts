/** A file that is being downloaded. Node.js only. */
import type { FileHandle } from 'node:fs/promises'
import { fileUnwritable, invalidArgument, SecureNodeError } from '../errors.ts'
import { quote } from '../ground/texts.ts'
import { FILE_CHUNK_BYTES, MAX_FILE_BYTES } from '../limits/direct-limits.ts'
import { codeOf, pathOf, syncFolder } from '../ground/whole-file.ts'
import { readChunks, writeAt } from './file-bytes.ts'
import { chunkCount, isChunk, type Manifest } from './manifest.ts'

const fs = process.getBuiltinModule('node:fs')
const path = process.getBuiltinModule('node:path')

/**
 * The target of a download: `<path>.part` while it is incomplete, then `<path>`, in one step. A part that was left
 * behind is used again, as far as it is good.
 */
export class PartFile {
  /** Where the complete file will be. */
  readonly path: string
  /** Where it is until then. */
  readonly part: string
  readonly #mayReplace: boolean
  #handle: FileHandle | undefined

  /** @throws SecureNodeError `invalid-argument` for what can be no path */
  constructor(to: string | URL, mayReplace: boolean) {
    const name = pathOf(to)
    if (name === undefined) throw invalidArgument('to', 'a path or a "file:" URL', to)
    // Resolved now: the process may change its folder.
    this.path = path.resolve(name)
    this.part = `${this.path}.part`
    this.#mayReplace = mayReplace
  }

  /** Fails early where the file exists already: nobody wants to hear that after the last byte. */
  async check(): Promise<void> {
    await this.#writing(async () => {
      const stats = await fs.promises.lstat(this.path).catch((cause: unknown) => {
        if (codeOf(cause) !== 'ENOENT') throw cause
        return undefined
      })
      if (stats === undefined || (this.#mayReplace && !stats.isDirectory())) return
      throw new Error(stats.isDirectory() ? 'it is a folder' : EXISTS)
    })
  }

  /** Opens the part, and tells which of its chunks are good. The signal's reason ends it. */
  async open(manifest: Manifest, found: (index: number) => void, signal: AbortSignal): Promise<void> {
    const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = fs.constants
    await this.#writing(async () => {
      // A link in its place would have us write somewhere else.
      const handle = await fs.promises.open(this.part, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK)
      this.#handle = handle
      const stats = await handle.stat()
      if (!stats.isFile()) throw new Error(`${quote(this.part)} is not a regular file`)
      for await (const { index, bytes } of readChunks(
        handle,
        Math.min(stats.size, manifest.size, MAX_FILE_BYTES),
      )) {
        signal.throwIfAborted()
        if (isChunk(manifest, index, bytes)) found(index)
      }
    })
  }

  /** Writes a chunk to its place. */
  async write(index: number, bytes: Uint8Array): Promise<void> {
    await this.#writing(() => writeAt(this.#handle!, bytes, index * FILE_CHUNK_BYTES))
  }

  /** Verifies the whole file as the disk has it, and gives it its name. The signal's reason ends it before that. */
  async finish(manifest: Manifest, signal: AbortSignal): Promise<void> {
    await this.#writing(async () => {
      const handle = this.#handle!
      // An older part may have been longer.
      await handle.truncate(manifest.size)
      await handle.sync()
      let good = 0
      for await (const { index, bytes } of readChunks(handle, manifest.size)) {
        signal.throwIfAborted()
        if (isChunk(manifest, index, bytes)) good++
      }
      if (good < chunkCount(manifest.size)) throw new Error('the disk does not give back what was written')
      await this.close()
      await this.#publish()
    })
  }

  /** Lets go of the file; what is there stays for another time. */
  async close(): Promise<void> {
    const handle = this.#handle
    this.#handle = undefined
    await handle?.close()
  }

  /** Removes a part into which nothing was written. */
  async discardIfEmpty(): Promise<void> {
    const { size } = await fs.promises.lstat(this.part).catch(() => ({ size: -1 }))
    if (size === 0) await fs.promises.rm(this.part, { force: true }).catch(() => {})
  }

  async #publish(): Promise<void> {
    if (this.#mayReplace) await fs.promises.rename(this.part, this.path)
    else await this.#link()
    await syncFolder(path.dirname(this.path))
  }

  /** A second name, and then only that: unlike renaming, this never replaces what has come there meanwhile. */
  async #link(): Promise<void> {
    try {
      await fs.promises.link(this.part, this.path)
    } catch (cause) {
      if (codeOf(cause) === 'EEXIST') throw new Error(EXISTS, { cause })
      // A file system that has no second names, such as that of a memory card.
      await this.check()
      await fs.promises.rename(this.part, this.path)
      return
    }
    await fs.promises.rm(this.part)
  }

  async #writing(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (cause) {
      throw cause instanceof SecureNodeError ? cause : fileUnwritable(this.path, hintOf(cause))
    }
  }
}

const EXISTS = 'it exists already; choose another path, or give { overwrite: true }'

function hintOf(cause: unknown): unknown {
  const code = codeOf(cause)
  if (code === 'ENOENT') return new Error('its folder does not exist; make it first', { cause })
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new Error('the disk is full; make room, and download it again: what is there is kept', { cause })
  }
  return cause
}
