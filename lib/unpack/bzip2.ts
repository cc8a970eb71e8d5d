import { BitReader } from './bit-reader.ts'
import { corrupt, Output } from './unpack.ts'

/** Magic numbers, 24 bits at a time: pi before a block, its square root at the end. */
const BLOCK = [0x314159, 0x265359] as const
const END = [0x177245, 0x385090] as const
/** Symbols that one selector is good for. */
const GROUP = 50
const MAX_CODE_BITS = 20
const MAX_SELECTORS = 18_002
/** How much longer than its content a block may be: after four equal bytes comes a count, which may be 0. */
const RUN_FACTOR = 1.25
/** CRC-32 with the highest bit first, as bzip2 counts. */
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0)
  return crc
})

/** One Huffman code, ready to be read bit by bit: for each length its first code, and where its symbols stand. */
interface Code {
  readonly first: readonly number[]
  readonly count: readonly number[]
  readonly symbols: readonly number[]
}

/**
 * Expands bzip2, several streams in a row too, to at most `maxBytes`. Blocks of the obsolete randomised kind are
 * refused. Written from the description of the format; Node.js has none of its own.
 *
 * @throws UnpackError
 */
export function unpackBzip2(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const output = new Output(maxBytes)
  const reader = new BitReader(bytes)
  do readStream(reader, output, maxBytes)
  while (!reader.isAtEnd)
  return output.from(0)
}

function readStream(reader: BitReader, output: Output, maxBytes: number): void {
  const level = reader.bits(24) === 0x425a68 ? reader.bits(8) - 0x30 : 0
  if (level < 1 || level > 9) throw corrupt()
  // No more than what the output has room for: a header of 4 bytes must not cost 900 kB.
  const maxBlock = Math.min(level * 100_000, Math.ceil(maxBytes * RUN_FACTOR) + GROUP)
  let checksum = 0
  for (;;) {
    const magic = [reader.bits(24), reader.bits(24)]
    const expected = reader.bits(16) * 0x10000 + reader.bits(16)
    if (magic[0] === END[0] && magic[1] === END[1]) {
      if (checksum >>> 0 !== expected) throw corrupt()
      reader.align()
      return
    }
    if (magic[0] !== BLOCK[0] || magic[1] !== BLOCK[1]) throw corrupt()
    const start = output.length
    readBlock(reader, output, maxBlock)
    const crc = crcOf(output.from(start))
    if (crc !== expected) throw corrupt()
    checksum = ((checksum << 1) | (checksum >>> 31)) ^ crc
  }
}

function readBlock(reader: BitReader, output: Output, maxBlock: number): void {
  if (reader.bits(1) === 1) throw corrupt()
  const origin = reader.bits(24)
  const used = readUsed(reader)
  const groups = reader.bits(3)
  if (groups < 2 || groups > 6) throw corrupt()
  const selectors = readSelectors(reader, groups)
  const codes = Array.from({ length: groups }, () => readCode(reader, used.length + 2))
  const block = readSymbols(reader, used, selectors, codes, maxBlock)
  unsort(block, origin, output)
}

/** The bytes that occur in the block. */
function readUsed(reader: BitReader): number[] {
  const rows = reader.bits(16)
  const used: number[] = []
  for (let row = 0; row < 16; row++) {
    if (((rows >> (15 - row)) & 1) === 0) continue
    const columns = reader.bits(16)
    for (let column = 0; column < 16; column++)
      if (((columns >> (15 - column)) & 1) === 1) used.push(16 * row + column)
  }
  if (used.length === 0) throw corrupt()
  return used
}

/** Which code each group of symbols uses, kept as moves to the front. */
function readSelectors(reader: BitReader, groups: number): number[] {
  const count = reader.bits(15)
  if (count === 0 || count > MAX_SELECTORS) throw corrupt()
  const recent = Array.from({ length: groups }, (_, group) => group)
  return Array.from({ length: count }, () => {
    let place = 0
    while (reader.bits(1) === 1) if (++place >= groups) throw corrupt()
    const [selector] = recent.splice(place, 1) as [number]
    recent.unshift(selector)
    return selector
  })
}

function readCode(reader: BitReader, size: number): Code {
  let length = reader.bits(5)
  const lengths: number[] = []
  for (let symbol = 0; symbol < size; symbol++) {
    while (reader.bits(1) === 1) {
      length += reader.bits(1) === 0 ? 1 : -1
      if (length < 1 || length > MAX_CODE_BITS) throw corrupt()
    }
    if (length < 1 || length > MAX_CODE_BITS) throw corrupt()
    lengths.push(length)
  }
  const count = Array.from({ length: MAX_CODE_BITS + 1 }, () => 0)
  for (const bits of lengths) count[bits]!++
  const first: number[] = [0]
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) first[bits] = (first[bits - 1]! + count[bits - 1]!) << 1
  const symbols = lengths.map((_, symbol) => symbol)
  symbols.sort((left, right) => lengths[left]! - lengths[right]! || left - right)
  return { first, count, symbols }
}

function readSymbol(reader: BitReader, { first, count, symbols }: Code): number {
  let code = 0
  let before = 0
  for (let bits = 1; bits <= MAX_CODE_BITS; bits++) {
    code = (code << 1) | reader.bits(1)
    const place = code - first[bits]!
    if (place >= 0 && place < count[bits]!) return symbols[before + place]!
    before += count[bits]!
  }
  throw corrupt()
}

/** The sorted block: Huffman codes of moves to the front, and of runs of what is there. */
function readSymbols(
  reader: BitReader,
  used: readonly number[],
  selectors: readonly number[],
  codes: readonly Code[],
  maxBlock: number,
): Uint8Array {
  const block = new Output(maxBlock)
  const recent = [...used]
  let run = 0
  let weight = 1
  for (const selector of selectors) {
    for (let left = GROUP; left > 0; left--) {
      const symbol = readSymbol(reader, codes[selector]!)
      if (symbol <= 1) {
        // Digits of 1 and 2, the lowest first. More of them than a block is long end here, not in an overflow.
        run += weight << symbol
        weight <<= 1
        if (run > maxBlock) block.fill(0, run)
        continue
      }
      if (run > 0) block.fill(recent[0]!, run)
      run = 0
      weight = 1
      if (symbol === used.length + 1) return block.from(0)
      const [byte] = recent.splice(symbol - 1, 1) as [number]
      recent.unshift(byte)
      block.push(byte)
    }
  }
  throw corrupt()
}

/** Undoes the Burrows-Wheeler transform, and the runs that were shortened before it. */
function unsort(block: Uint8Array, origin: number, output: Output): void {
  if (origin >= block.length) throw corrupt()
  const starts = new Uint32Array(257)
  for (const byte of block) starts[byte + 1]!++
  for (let byte = 0; byte < 256; byte++) starts[byte + 1]! += starts[byte]!
  const next = new Uint32Array(block.length)
  for (let at = 0; at < block.length; at++) next[starts[block[at]!]!++] = at
  let at = next[origin]!
  let last = -1
  let same = 0
  for (let left = block.length; left > 0; left--) {
    const byte = block[at]!
    at = next[at]!
    if (same === 4) {
      output.fill(last, byte)
      same = 0
      last = -1
      continue
    }
    output.push(byte)
    same = byte === last ? same + 1 : 1
    last = byte
  }
}

function crcOf(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) crc = (crc << 8) ^ CRC[(crc >>> 24) ^ byte]!
  return ~crc >>> 0
}
