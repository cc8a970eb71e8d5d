/** What a file's ID stands for: its size and the hash of each of its chunks. Node.js only. */
import { FILE_CHUNK_BYTES, MAX_FILE_BYTES } from '../limits/direct-limits.ts'
import { isHex32 } from '../wire/ids.ts'

// Node's own, of the processor's speed: a file of 200 MB is hashed several times on its way.
const { createHash } = process.getBuiltinModule('node:crypto')

/** Bytes of a SHA-256. */
export const HASH_BYTES = 32
/** What the hash of a manifest says that it is for. */
const LABEL = 'secure-node/1 file-id\0'

/** The parts that a file consists of. Whoever has it can verify each of them, whoever that came from. */
export interface Manifest {
  /** SHA-256 over a label, the size, the size of a chunk and the hashes: see {@link fileIdOf}. */
  readonly id: string
  /** Bytes of the file. */
  readonly size: number
  /** The SHA-256 of each chunk, one behind the other. */
  readonly hashes: Uint8Array
}

/** Whether a value is a number of bytes that a file may have. */
export function isFileSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MAX_FILE_BYTES
}

/** Whether a value is written as the ID of a file. */
export function isFileId(value: unknown): value is string {
  return isHex32(value)
}

/** How many chunks a file of this size has. An empty one has none. */
export function chunkCount(size: number): number {
  return Math.ceil(size / FILE_CHUNK_BYTES)
}

/** Bytes of a chunk: all are full but the last one. */
export function chunkLength(size: number, index: number): number {
  return Math.min(FILE_CHUNK_BYTES, size - index * FILE_CHUNK_BYTES)
}

/** The SHA-256 of a chunk. */
export function hashChunk(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

/**
 * The ID of a file: SHA-256 over the label, the size (8 bytes, big-endian), the size of a chunk (4 bytes,
 * big-endian), and the hashes. All but the hashes have a fixed length, so no two manifests give the same bytes.
 */
export function fileIdOf(size: number, hashes: Uint8Array): string {
  const numbers = new DataView(new ArrayBuffer(12))
  numbers.setBigUint64(0, BigInt(size))
  numbers.setUint32(8, FILE_CHUNK_BYTES)
  return createHash('sha256').update(LABEL).update(numbers).update(hashes).digest('hex')
}

/** Whether these bytes are that chunk of the file: of its length and its hash. */
export function isChunk({ size, hashes }: Manifest, index: number, bytes: Uint8Array): boolean {
  if (bytes.length !== chunkLength(size, index)) return false
  const hash = hashChunk(bytes)
  const at = index * HASH_BYTES
  // What is compared is public: time tells nothing.
  return hash.every((byte, offset) => byte === hashes[at + offset])
}
