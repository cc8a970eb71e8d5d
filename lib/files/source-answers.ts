import type { Clock } from '../ground/clock.ts'
import { requestTimeout } from '../errors.ts'
import { FILE_CHUNK_BYTES, FILE_HASHES_PER_PART } from '../limits/direct-limits.ts'
import type { Json } from '../message/canonical.ts'
import { isObject } from '../message/json-shape.ts'
import { CHUNKS, type FileAnswer, type FilePort, INFO } from './file-port.ts'
import { chunkCount, fileIdOf, HASH_BYTES, isChunk, isFileSize, type Manifest } from './manifest.ts'

/** A source said something that cannot be: it is never asked again. */
export class SourceLied extends Error {}

/** How a source is asked. */
export interface AskOptions {
  readonly port: FilePort
  readonly clock: Clock
  /** Ends the asking. */
  readonly signal: AbortSignal
  /** How long it may bring nothing, in ms. */
  readonly timeout: number
}

/** Bytes that a file may have. */
export interface SizeRange {
  readonly min: number
  readonly max: number
}

const NO_BYTES = new Uint8Array()

/**
 * Asks a source what a file consists of. What it says is taken in as it comes, never more than its own words allow,
 * and is worth nothing before it fits the ID.
 *
 * @throws SourceLied when it does not fit
 */
export async function askManifest(
  source: string,
  id: string,
  { min, max }: SizeRange,
  options: AskOptions,
): Promise<Manifest> {
  let size: number | undefined
  const parts: Uint8Array[] = []
  let left = 0
  for await (const { data, bytes = NO_BYTES } of partsOf(source, INFO, { id }, options)) {
    if (size === undefined) {
      size = sizeOf(data)
      if (size < min || size > max) throw new SourceLied(`says ${size} bytes, ${min} to ${max} are expected`)
      left = chunkCount(size) * HASH_BYTES
    } else if (left === 0) throw new SourceLied('sent more hashes than the file has chunks')
    // All parts but the last are full: a trickle of single hashes would cost a signature each.
    if (bytes.length !== Math.min(left, FILE_HASHES_PER_PART * HASH_BYTES)) {
      throw new SourceLied('sent a list of hashes of another length than it has')
    }
    left -= bytes.length
    parts.push(bytes)
  }
  if (size === undefined || left > 0) throw new SourceLied('sent fewer hashes than the file has chunks')
  const hashes = Buffer.concat(parts)
  if (fileIdOf(size, hashes) !== id) throw new SourceLied('sent hashes that do not fit the ID')
  return { id, size, hashes }
}

function sizeOf(data: Json): number {
  if (!isObject(data) || data['chunk'] !== FILE_CHUNK_BYTES || !isFileSize(data['size'])) {
    throw new SourceLied('told a size that no file has')
  }
  return data['size']
}

/**
 * Asks a source for chunks, in ascending order, and hands each on when it was verified. Taking the next one before
 * the last was dealt with is not possible, so no more of them wait here than requests hold for their reader.
 *
 * @throws SourceLied when anything else comes than what was asked for
 */
export async function* askChunks(
  source: string,
  manifest: Manifest,
  chunks: readonly number[],
  options: AskOptions,
): AsyncGenerator<{ index: number; bytes: Uint8Array }, void> {
  let at = 0
  for await (const { data, bytes = NO_BYTES } of partsOf(
    source,
    CHUNKS,
    { chunks, id: manifest.id },
    options,
  )) {
    const index = chunks[at++]
    if (index === undefined) throw new SourceLied('sent more chunks than it was asked for')
    if (!isObject(data) || data['index'] !== index) throw new SourceLied('sent another chunk')
    if (!isChunk(manifest, index, bytes)) throw new SourceLied(`sent wrong bytes for chunk ${index}`)
    yield { index, bytes }
  }
  if (at < chunks.length) throw new SourceLied('sent fewer chunks than it was asked for')
}

/**
 * The parts of an answer, until it ends, fails, nothing comes for too long, or the signal is aborted: whatever the
 * port does about it. The time that the caller takes for a part is its own.
 */
export async function* partsOf(
  source: string,
  type: string,
  data: unknown,
  { port, clock, signal, timeout }: AskOptions,
): AsyncGenerator<FileAnswer, void> {
  const controller = new AbortController()
  const stop = (): void => controller.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const stopped = whenAborted(controller.signal)
  let parts: AsyncIterator<FileAnswer> | undefined
  try {
    parts = port
      .requestStream(source, type, data, { signal: controller.signal, timeout })
      [Symbol.asyncIterator]()
    for (;;) {
      const why = requestTimeout(type, source, timeout)
      const timer = clock.setTimer(() => controller.abort(why), timeout)
      const result = await Promise.race([parts.next(), stopped]).finally(() => timer.cancel())
      if (result.done === true) return
      yield result.value
    }
  } finally {
    signal.removeEventListener('abort', stop)
    // Both ends forget it, also where the source would go on for ever.
    parts?.return?.().catch(() => {})
  }
}

/** Rejects with the reason of a signal. */
export function whenAborted(signal: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_, reject) => {
    const stop = (): void => reject(signal.reason as Error)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  promise.catch(() => {})
  return promise
}
