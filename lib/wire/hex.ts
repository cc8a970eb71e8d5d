import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

// Every message passes here several times, and Node's own conversion is ten times as fast.
const native = (globalThis as { Buffer?: BufferConstructor }).Buffer

/** Bytes in lower-case hexadecimal. */
export const toHex: (bytes: Uint8Array) => string =
  native === undefined
    ? bytesToHex
    : ({ buffer, byteOffset, byteLength }) => native.from(buffer, byteOffset, byteLength).toString('hex')

/** The bytes of a text that is known to be hexadecimal. */
export const fromHex: (hex: string) => Uint8Array =
  native === undefined ? hexToBytes : (hex) => new Uint8Array(native.from(hex, 'hex'))
