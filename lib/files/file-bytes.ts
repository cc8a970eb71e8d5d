/** The bytes of a file on disk, chunk by chunk. Node.js only. */
import type { FileHandle } from 'node:fs/promises'
import { FILE_CHUNK_BYTES } from '../limits/direct-limits.ts'
import { chunkCount, chunkLength } from './manifest.ts'

const fs = process.getBuiltinModule('node:fs')

/** Opens a regular file to be read; whatever else has that name is refused with an error that says so. */
export async function openRegular(
  file: string,
): Promise<{ handle: FileHandle; size: number; changed: number }> {
  // Without O_NONBLOCK, opening a FIFO waits for its other end, for ever. Windows has none, and no such flag.
  const handle = await fs.promises.open(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error('it is not a regular file')
    return { handle, size: stats.size, changed: stats.mtimeMs }
  } catch (cause) {
    await handle.close()
    throw cause
  }
}

/** Reads one part of a file into the front of a buffer; shorter where the file ends before. */
export async function readAt(
  handle: FileHandle,
  buffer: Uint8Array,
  position: number,
  length: number,
): Promise<Uint8Array> {
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

/** Writes all of it: a single write may take less. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    const left = bytes.length - written
    const { bytesWritten } = await handle.write(bytes, written, left, position + written)
    written += bytesWritten
  }
}

/** A chunk as it was read. */
export interface ReadChunk {
  readonly index: number
  /** Good until the next chunk is taken; shorter where the file has become so. */
  readonly bytes: Uint8Array
}

/**
 * Reads the chunks of a file in their order, the next one while the caller works on the last. Two buffers serve for
 * a file of any size.
 */
export async function* readChunks(handle: FileHandle, size: number): AsyncGenerator<ReadChunk, void> {
  const count = chunkCount(size)
  const buffers = [0, 1].map(() => Buffer.allocUnsafe(Math.min(size, FILE_CHUNK_BYTES)))
  const read = (index: number): Promise<Uint8Array> =>
    readAt(handle, buffers[index % 2]!, index * FILE_CHUNK_BYTES, chunkLength(size, index))
  let next = count > 0 ? read(0) : undefined
  try {
    for (let index = 0; index < count; index++) {
      const bytes = await next!
      next = index + 1 < count ? read(index + 1) : undefined
      // Whoever leaves early does not see it fail.
      next?.catch(() => {})
      yield { index, bytes }
    }
  } finally {
    // The handle may be closed only when nothing reads from it any more.
    await next?.catch(() => {})
  }
}
