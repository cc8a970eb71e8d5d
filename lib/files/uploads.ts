import type { Clock, Timer } from '../ground/clock.ts'
import {
  FILE_CHUNK_BYTES,
  FILE_HASHES_PER_PART,
  FILE_TIMEOUT,
  MAX_CHUNKS_PER_ASK,
} from '../limits/direct-limits.ts'
import type { Json } from '../message/canonical.ts'
import { hasKeys, isCount, isObject } from '../message/json-shape.ts'
import { type FileRequest, type Refusal, sayWhy } from './file-port.ts'
import { chunkCount, HASH_BYTES, isFileId, type Manifest } from './manifest.ts'
import type { OpenFile, Shelf } from './shelf.ts'
import type { UploadSlots } from './upload-slots.ts'

const MALFORMED: Refusal = { code: 'invalid-content', text: 'this is no question for a file' }
const NOT_FOUND: Refusal = { code: 'file-not-found', text: 'this file is not here' }
const STALLED: Refusal = { code: 'request-timeout', text: 'nobody has read for too long' }
const OVERLOAD: Refusal = {
  code: 'overload',
  text: 'too many parts of files are being sent; ask again later',
}

/**
 * Answers questions for files. Every chunk is verified before it is sent, so that a file that was changed never
 * makes its node look like a liar: it is not there any more.
 */
export class Uploads {
  readonly #shelf: Shelf
  readonly #slots: UploadSlots
  readonly #clock: Clock

  constructor(shelf: Shelf, slots: UploadSlots, clock: Clock) {
    this.#shelf = shelf
    this.#slots = slots
    this.#clock = clock
  }

  /** Answers with the size of a file and the hashes of its chunks. */
  info(incoming: FileRequest): Promise<void> {
    return this.#answer(incoming, async () => {
      const { data, from } = incoming
      if (!isObject(data) || !hasKeys(data, ['id'], []) || !isFileId(data['id'])) return MALFORMED
      const manifest = this.#shelf.manifestFor(data['id'], from)
      if (manifest === undefined) return NOT_FOUND
      const step = FILE_HASHES_PER_PART * HASH_BYTES
      // Once for an empty file as well: its size has to be told.
      for (let at = 0; at === 0 || at < manifest.hashes.length; at += step) {
        const bytes = manifest.hashes.subarray(at, at + step)
        await this.#send(incoming, { chunk: FILE_CHUNK_BYTES, size: manifest.size }, bytes)
      }
      return undefined
    })
  }

  /** Answers with chunks. */
  chunks(incoming: FileRequest): Promise<void> {
    return this.#answer(incoming, async () => {
      const question = readQuestion(incoming.data)
      if (question === undefined) return MALFORMED
      const { id, chunks } = question
      const manifest = this.#shelf.manifestFor(id, incoming.from)
      if (manifest === undefined) return NOT_FOUND
      if (!areChunksOf(manifest, chunks)) return MALFORMED
      const file = await this.#shelf.open(id)
      if (file === undefined) return NOT_FOUND
      try {
        return await this.#sendChunks(incoming, file, chunks)
      } finally {
        await file.close()
      }
    })
  }

  async #sendChunks(
    incoming: FileRequest,
    file: OpenFile,
    chunks: readonly number[],
  ): Promise<Refusal | undefined> {
    for (const index of chunks) {
      const bytes = await file.read(index)
      if (bytes === undefined) return NOT_FOUND
      await this.#send(incoming, { index }, bytes)
    }
    return undefined
  }

  /** Waits for a turn, and says how it ended. What fails here is the way to the asker, of whom nobody hears then. */
  async #answer(incoming: FileRequest, work: () => Promise<Refusal | undefined>): Promise<void> {
    const { from, signal } = incoming
    if (!incoming.isRequest) return
    const slot = await this.#slots.enter(from, signal)
    if (slot === 'gone') return
    if (slot === 'refused') return sayWhy(incoming, OVERLOAD)
    try {
      const refusal = await work()
      if (refusal !== undefined) return await sayWhy(incoming, refusal)
      await incoming.end()
    } catch {
      await sayWhy(incoming, STALLED)
    } finally {
      slot()
    }
  }

  /** Sends a part, unless the asker stops reading: it must not keep its slot, and our memory, by doing nothing. */
  async #send(incoming: FileRequest, data: Json, bytes: Uint8Array): Promise<void> {
    incoming.signal.throwIfAborted()
    let timer: Timer | undefined
    const stalled = new Promise<never>((_, reject) => {
      timer = this.#clock.setTimer(() => reject(new Error('nobody reads')), FILE_TIMEOUT)
    })
    try {
      // An empty attachment is none.
      await Promise.race([incoming.send(data, bytes.length > 0 ? { bytes } : {}), stalled])
    } finally {
      timer?.cancel()
    }
  }
}

/** A question for chunks: `{ id, chunks: [index, …] }`. */
function readQuestion(data: Json): { id: string; chunks: readonly number[] } | undefined {
  if (!isObject(data) || !hasKeys(data, ['chunks', 'id'], [])) return undefined
  const { id, chunks } = data
  if (!isFileId(id) || !Array.isArray(chunks)) return undefined
  const list = chunks as readonly Json[]
  if (list.length === 0 || list.length > MAX_CHUNKS_PER_ASK || !list.every(isCount)) return undefined
  // Ascending, so that none is asked for twice.
  return list.every((index, at) => at === 0 || index > list[at - 1]!) ? { id, chunks: list } : undefined
}

function areChunksOf({ size }: Manifest, chunks: readonly number[]): boolean {
  return chunks.every((index) => index < chunkCount(size))
}
