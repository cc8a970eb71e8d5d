import { sha256 } from '@noble/hashes/sha2.js'
import { crc32 } from 'node:zlib'
import { hasAscii } from '../wire/bytes.ts'
import { ByteReader } from './byte-reader.ts'
import { crc64 } from './crc64.ts'
import { LzmaState } from './lzma.ts'
import { corrupt, Output } from './unpack.ts'

const MAGIC = Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)
/** The only filter that is read here, and the only one that is used unless somebody asks for others. */
const LZMA2 = 0x21
/** Bytes of each kind of check; those that have a name are verified. */
const CHECK_BYTES = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64]
const CRC32 = 1
const CRC64 = 4
const SHA256 = 10

/**
 * Expands an .xz container with LZMA2, several blocks too, to at most `maxBytes`. Other filters, and more than one
 * stream, are refused. Written from the description of the format; Node.js has none of its own.
 *
 * @throws UnpackError
 */
export function unpackXz(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const reader = new ByteReader(bytes)
  const output = new Output(maxBytes)
  if (!isSame(reader.take(MAGIC.length), MAGIC)) throw corrupt()
  const flags = reader.take(2)
  const check = flags[1]!
  if (flags[0] !== 0 || check > 15 || crc32(flags) !== reader.uint32()) throw corrupt()
  const sizes: number[] = []
  for (let start = reader.at; ; start = reader.at) {
    const size = reader.byte()
    if (size === 0) return readEnd(reader, start, sizes, flags, output)
    const before = output.length
    readBlockHeader(reader, start, 4 * (size + 1))
    readChunks(reader, output)
    const end = reader.at
    pad(reader, start)
    verify(check, output.from(before), reader.take(CHECK_BYTES[check]!))
    sizes.push(end - start + CHECK_BYTES[check]!, output.length - before)
  }
}

/** What a block says about itself beyond its one filter repeats what is found out anyway. */
function readBlockHeader(reader: ByteReader, start: number, length: number): void {
  const flags = reader.byte()
  if ((flags & 0x3f) !== 0) throw corrupt()
  if ((flags & 0x40) !== 0) reader.number()
  if ((flags & 0x80) !== 0) reader.number()
  if (reader.number() !== LZMA2 || reader.number() !== 1 || reader.byte() > 40) throw corrupt()
  const padding = start + length - 4 - reader.at
  if (padding < 0 || reader.take(padding).some((byte) => byte !== 0)) throw corrupt()
  if (crc32(reader.slice(start, reader.at)) !== reader.uint32()) throw corrupt()
}

/** LZMA2: chunks, each as it is or in LZMA, until an empty one. */
function readChunks(reader: ByteReader, output: Output): void {
  const lzma = new LzmaState(output)
  /** What must come before the next chunk: a dictionary, its parameters, or nothing. */
  let lacks: 'dictionary' | 'properties' | 'state' | 'nothing' = 'dictionary'
  for (let control = reader.byte(); control !== 0; control = reader.byte()) {
    const isFresh = control === 1 || control >= 0xe0
    if (isFresh) {
      lzma.resetDictionary()
      lacks = 'properties'
    }
    if (lacks === 'dictionary') throw corrupt()
    if (control < 0x80) {
      if (control > 2) throw corrupt()
      output.append(reader.take(reader.uint16() + 1))
      if (lacks === 'nothing') lacks = 'state'
      continue
    }
    const size = ((control & 0x1f) << 16) + reader.uint16() + 1
    const length = reader.uint16() + 1
    if (control >= 0xc0) lzma.setProperties(reader.byte())
    else if (lacks === 'properties') throw corrupt()
    if (control >= 0xa0) lzma.reset()
    else if (lacks !== 'nothing') throw corrupt()
    lacks = 'nothing'
    lzma.decode(reader.take(length), size)
  }
}

/** The index names the sizes of all blocks again; with it and the footer, what was cut off is found out. */
function readEnd(
  reader: ByteReader,
  start: number,
  sizes: readonly number[],
  flags: Uint8Array,
  output: Output,
): Uint8Array {
  if (reader.number() !== sizes.length / 2) throw corrupt()
  for (const size of sizes) if (reader.number() !== size) throw corrupt()
  pad(reader, start)
  const length = reader.at - start
  if (crc32(reader.slice(start, reader.at)) !== reader.uint32()) throw corrupt()
  const checksum = reader.uint32()
  const footer = reader.slice(reader.at, reader.at + 6)
  if (crc32(footer) !== checksum || reader.uint32() !== length / 4) throw corrupt()
  if (!isSame(reader.take(2), flags) || !hasAscii(reader.take(2), 0, 'YZ') || !reader.isAtEnd) throw corrupt()
  return output.from(0)
}

/** Zeros up to the next multiple of four, counted from where it began. */
function pad(reader: ByteReader, start: number): void {
  while ((reader.at - start) % 4 !== 0) if (reader.byte() !== 0) throw corrupt()
}

function verify(check: number, content: Uint8Array, expected: Uint8Array): void {
  const reader = new ByteReader(expected)
  const isGood =
    check === CRC32
      ? crc32(content) === reader.uint32()
      : check === CRC64
        ? isSame(crc64(content), expected)
        : check !== SHA256 || isSame(sha256(content), expected)
  if (!isGood) throw corrupt()
}

function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at])
}
