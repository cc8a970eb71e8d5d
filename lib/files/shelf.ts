/** The files that a node serves. Node.js only. */
import type { FileHandle } from 'node:fs/promises'
import type { Clock } from '../ground/clock.ts'
import { aborted, fileUnreadable, invalidArgument } from '../errors.ts'
import { FILE_CHUNK_BYTES, MAX_FILE_BYTES } from '../limits/direct-limits.ts'
import { pathOf } from '../ground/whole-file.ts'
import { openRegular, readAt, readChunks } from './file-bytes.ts'
import {
  chunkCount,
  chunkLength,
  fileIdOf,
  HASH_BYTES,
  hashChunk,
  isChunk,
  type Manifest,
} from './manifest.ts'
import { type OnProgress, ProgressReport } from './progress.ts'

const path = process.getBuiltinModule('node:path')

/** A file that this node serves. */
export interface SharedFile {
  /** SHA-256 that stands for its content: the same for everybody who has it. */
  readonly id: string
  /** What it is called; says nothing about its content. */
  readonly name: string
  /** Bytes. */
  readonly size: number
  /** Of 512 KiB each, the last one of what is left. */
  readonly chunks: number
}

/** How a file is shared. */
export interface ShareOptions {
  /** What others may see as its name. @default the last part of the path; `file` for bytes */
  readonly name?: string
  /** Told while the file is hashed. */
  readonly onProgress?: OnProgress
  /** Ends the hashing with the error `aborted`. */
  readonly signal?: AbortSignal
}

/** Where the bytes of a file are. */
type Place = { readonly path: string } | { readonly bytes: Uint8Array }

/** A file on the shelf. */
interface Entry {
  readonly file: SharedFile
  readonly manifest: Manifest
  readonly place: Place
  /** Whether everybody may have it. */
  isPublic: boolean
  /** Nodes that it was offered to, and how often: they may have it while the offer lasts. */
  readonly offers: Map<string, number>
}

/** A file whose chunks are being read. */
export interface OpenFile {
  /** A chunk, verified; undefined when it is not any more what was shared. */
  read(index: number): Promise<Uint8Array | undefined>
  close(): Promise<void>
}

/** Holds what is shared. Of a file on disk it keeps the hashes, 32 bytes for 512 KiB, and no open handle. */
export class Shelf {
  readonly #clock: Clock
  readonly #entries = new Map<string, Entry>()
  readonly #shared = new Map<string, SharedFile>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What everybody may have, by ID. */
  get shared(): ReadonlyMap<string, SharedFile> {
    return this.#shared
  }

  /** Hashes a file and puts it on the shelf, for everybody, or for one node while an offer lasts. */
  async add(
    source: string | URL | Uint8Array,
    options: ShareOptions,
    offeredTo?: string,
  ): Promise<SharedFile> {
    const place = placeOf(source)
    const { name = 'path' in place ? path.basename(place.path) : 'file' } = options
    if (typeof name !== 'string') throw invalidArgument('name', 'a text', name)
    const manifest = await this.#hash(place, options)
    const { id, size } = manifest
    const known = this.#entries.get(id)
    const file = Object.freeze({ id, name, size, chunks: chunkCount(size) })
    const { isPublic = false, offers = new Map<string, number>() } = known ?? {}
    const entry = { file, manifest, place, isPublic: isPublic || offeredTo === undefined, offers }
    this.#entries.set(id, entry)
    if (offeredTo === undefined) this.#shared.set(id, file)
    else this.hold(id, offeredTo)
    return file
  }

  /** A node may have the file until it is released as often as it was held. */
  hold(id: string, node: string): void {
    const offers = this.#entries.get(id)?.offers
    offers?.set(node, (offers.get(node) ?? 0) + 1)
  }

  release(id: string, node: string): void {
    const entry = this.#entries.get(id)
    if (entry === undefined) return
    const count = (entry.offers.get(node) ?? 0) - 1
    if (count > 0) entry.offers.set(node, count)
    else entry.offers.delete(node)
    if (!entry.isPublic && entry.offers.size === 0) this.#entries.delete(id)
  }

  /** @returns whether it was shared */
  unshare(id: string): boolean {
    const entry = this.#entries.get(id)
    if (entry !== undefined) {
      entry.isPublic = false
      if (entry.offers.size === 0) this.#entries.delete(id)
    }
    return this.#shared.delete(id)
  }

  clear(): void {
    this.#entries.clear()
    this.#shared.clear()
  }

  /** What a file consists of, if this node may have it. */
  manifestFor(id: string, node: string): Manifest | undefined {
    const entry = this.#entries.get(id)
    return entry !== undefined && (entry.isPublic || entry.offers.has(node)) ? entry.manifest : undefined
  }

  /** Opens a file that is on the shelf; undefined, and it is not there any more, if that fails. */
  async open(id: string): Promise<OpenFile | undefined> {
    const entry = this.#entries.get(id)
    if (entry === undefined) return undefined
    const { place, manifest } = entry
    if ('bytes' in place) return openBytes(place.bytes, manifest, () => this.#drop(entry))
    try {
      const { handle } = await openRegular(place.path)
      return openHandle(handle, manifest, () => this.#drop(entry))
    } catch {
      this.#drop(entry)
      return undefined
    }
  }

  /** It is not what it was. Shared anew since then, it is another entry. */
  #drop(entry: Entry): void {
    const { id } = entry.file
    if (this.#entries.get(id) !== entry) return
    this.#entries.delete(id)
    this.#shared.delete(id)
  }

  async #hash(place: Place, { signal, onProgress }: ShareOptions): Promise<Manifest> {
    const report = new ProgressReport(this.#clock, onProgress)
    const tell = (bytes: number, size: number): void =>
      report.tell({ bytes, size, sources: 0 }, bytes === size)
    const stopIfAborted = (): void => {
      if (signal?.aborted === true) throw aborted('the sharing of a file', signal.reason)
    }
    stopIfAborted()
    if ('path' in place) return hashFile(place.path, tell, stopIfAborted)
    const { bytes } = place
    const hasher = new ManifestHasher(bytes.length)
    for (let index = 0; index < chunkCount(bytes.length); index++) {
      hasher.add(chunkOf(bytes, index))
      tell(hasher.done, bytes.length)
      // A second of work for each GB: others have their turn in between.
      await new Promise((resolve) => setImmediate(resolve))
      stopIfAborted()
    }
    return hasher.finish()
  }
}

/** Collects the hashes of the chunks of a file. */
class ManifestHasher {
  readonly #size: number
  readonly #hashes: Uint8Array
  #count = 0
  done = 0

  constructor(size: number) {
    this.#size = size
    this.#hashes = new Uint8Array(chunkCount(size) * HASH_BYTES)
  }

  add(chunk: Uint8Array): void {
    this.#hashes.set(hashChunk(chunk), this.#count++ * HASH_BYTES)
    this.done += chunk.length
  }

  finish(): Manifest {
    return { id: fileIdOf(this.#size, this.#hashes), size: this.#size, hashes: this.#hashes }
  }
}

async function hashFile(
  file: string,
  tell: (bytes: number, size: number) => void,
  stopIfAborted: () => void,
): Promise<Manifest> {
  const { handle, size, changed } = await openRegular(file).catch((cause: unknown) => {
    throw fileUnreadable(file, cause)
  })
  try {
    if (size > MAX_FILE_BYTES) throw fileUnreadable(file, `it has more than ${MAX_FILE_BYTES} bytes`)
    const hasher = new ManifestHasher(size)
    for await (const { bytes } of readChunks(handle, size)) {
      stopIfAborted()
      hasher.add(bytes)
      tell(hasher.done, size)
    }
    const { size: sizeNow, mtimeMs } = await handle.stat()
    if (hasher.done !== size || sizeNow !== size || mtimeMs !== changed) {
      throw fileUnreadable(file, 'it changed while it was read; share it when it is complete')
    }
    return hasher.finish()
  } catch (cause) {
    throw cause instanceof Error && 'syscall' in cause ? fileUnreadable(file, cause) : cause
  } finally {
    await handle.close()
  }
}

function placeOf(source: string | URL | Uint8Array): Place {
  // Judged by its form: other realms have a class of their own.
  if (ArrayBuffer.isView(source)) {
    return { bytes: new Uint8Array(source.buffer, source.byteOffset, source.byteLength) }
  }
  const file = pathOf(source)
  if (file === undefined) throw invalidArgument('source', 'a path, a "file:" URL or a Uint8Array', source)
  // Resolved now: the process may change its folder.
  return { path: path.resolve(file) }
}

function chunkOf(bytes: Uint8Array, index: number): Uint8Array {
  const at = index * FILE_CHUNK_BYTES
  return bytes.subarray(at, at + FILE_CHUNK_BYTES)
}

function openBytes(bytes: Uint8Array, manifest: Manifest, drop: () => void): OpenFile {
  return {
    async read(index) {
      const chunk = chunkOf(bytes, index)
      if (isChunk(manifest, index, chunk)) return chunk
      drop()
      return undefined
    },
    close: () => Promise.resolve(),
  }
}

/** Every chunk has a buffer of its own: it may wait to be sent for longer than the next read takes. */
function openHandle(handle: FileHandle, manifest: Manifest, drop: () => void): OpenFile {
  return {
    async read(index) {
      const length = chunkLength(manifest.size, index)
      try {
        const chunk = await readAt(handle, Buffer.allocUnsafe(length), index * FILE_CHUNK_BYTES, length)
        if (isChunk(manifest, index, chunk)) return chunk
      } catch {
        // A disk that cannot be read has as little to give as a file that was changed.
      }
      drop()
      return undefined
    },
    close: () => handle.close(),
  }
}
