import { createHash } from 'node:crypto'
import t from 'tap'
import {
  chunkCount,
  chunkLength,
  fileIdOf,
  hashChunk,
  isChunk,
  isFileId,
  isFileSize,
} from '../../lib/files/manifest.ts'
import { MAX_ATTACHMENT_BYTES } from '../../lib/limits/limits.ts'
import { FILE_CHUNK_BYTES as CHUNK, MAX_FILE_BYTES } from '../../lib/limits/direct-limits.ts'
import { someBytes } from '../fixtures/file-net.ts'

t.test('a file has full chunks and a last one, which travels as an attachment', async (t) => {
  t.ok(CHUNK < MAX_ATTACHMENT_BYTES)
  t.strictSame([0, 1, CHUNK, CHUNK + 1].map(chunkCount), [0, 1, 1, 2])
  t.equal(chunkLength(CHUNK + 1, 0), CHUNK)
  t.equal(chunkLength(CHUNK + 1, 1), 1)
})

t.test('the ID covers the size and the hashes', async (t) => {
  const hashes = Buffer.concat([hashChunk(someBytes(5)), hashChunk(someBytes(6))])
  const id = createHash('sha256')
    .update('secure-node/1 file-id\0')
    .update(Buffer.from('000000000008000100080000', 'hex'))
    .update(hashes)
    .digest('hex')
  t.equal(fileIdOf(CHUNK + 1, hashes), id)
  t.not(fileIdOf(CHUNK + 2, hashes), id)
  t.not(fileIdOf(CHUNK + 1, hashes.subarray(0, 32)), id)
})

t.test('a chunk is known by its length and its hash', async (t) => {
  const parts = [someBytes(CHUNK, 2), someBytes(7, 3)] as const
  const hashes = Buffer.concat(parts.map(hashChunk))
  const size = CHUNK + 7
  const manifest = { id: fileIdOf(size, hashes), size, hashes }
  t.ok(isChunk(manifest, 0, parts[0]))
  t.ok(isChunk(manifest, 1, parts[1]))
  t.notOk(isChunk(manifest, 1, parts[0]))
  t.notOk(isChunk(manifest, 0, parts[0].subarray(1)))
  t.notOk(isChunk(manifest, 2, new Uint8Array()))
  parts[1][6]! ^= 0x80
  t.notOk(isChunk(manifest, 1, parts[1]))
})

t.test('sizes and IDs of strangers are looked at', async (t) => {
  for (const size of [0, 1, MAX_FILE_BYTES]) t.ok(isFileSize(size))
  for (const size of [-1, 0.5, NaN, MAX_FILE_BYTES + 1, 2 ** 64, '1', null, undefined, [1]])
    t.notOk(isFileSize(size))
  t.ok(isFileId('0'.repeat(64)))
  for (const id of ['', 'A'.repeat(64), '0'.repeat(63), 0, null]) t.notOk(isFileId(id))
})
