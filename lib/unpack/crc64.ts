/** The polynomial of ECMA-182, the lowest bit first, in two halves. */
const HIGH = 0xc96c_5795
const LOW = 0xd787_0f42

/** For each byte the two halves of its remainder; in halves, since BigInts would take a hundred times as long. */
const TABLE_HIGH = new Uint32Array(256)
const TABLE_LOW = new Uint32Array(256)
for (let byte = 0; byte < 256; byte++) {
  let high = 0
  let low = byte
  for (let bit = 0; bit < 8; bit++) {
    const isOdd = (low & 1) === 1
    low = ((low >>> 1) | (high << 31)) ^ (isOdd ? LOW : 0)
    high = (high >>> 1) ^ (isOdd ? HIGH : 0)
  }
  TABLE_HIGH[byte] = high
  TABLE_LOW[byte] = low
}

/** The CRC-64 that .xz files carry, in 8 bytes, the lowest first. */
export function crc64(bytes: Uint8Array): Uint8Array {
  let high = -1
  let low = -1
  for (const byte of bytes) {
    const index = (low ^ byte) & 0xff
    low = ((low >>> 8) | (high << 24)) ^ TABLE_LOW[index]!
    high = (high >>> 8) ^ TABLE_HIGH[index]!
  }
  const crc = new DataView(new ArrayBuffer(8))
  crc.setUint32(0, ~low >>> 0, true)
  crc.setUint32(4, ~high >>> 0, true)
  return new Uint8Array(crc.buffer)
}
