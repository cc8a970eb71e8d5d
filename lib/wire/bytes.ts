import { invalidArgument } from '../errors.ts'

/** The parts as one array. Not by spreading them as arguments: there may be more parts than a call takes. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Whether these characters stand at an offset. */
export function hasAscii(bytes: Uint8Array, offset: number, ascii: string): boolean {
  for (let at = 0; at < ascii.length; at++) if (bytes[offset + at] !== ascii.charCodeAt(at)) return false
  return true
}

/** Reads 4 bytes, big-endian and unsigned: `<<` alone would make 2^31 and above negative, and so small enough. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

/** Writes 4 bytes, big-endian. */
export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

const encoder = new TextEncoder()

/** A text in UTF-8. One encoder for all, and no copy of what it gives: that is half the time. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text)
}

/**
 * What an application gives as bytes, as they are. Judged by its form: other realms have a class of their own.
 *
 * @throws SecureNodeError `invalid-argument`
 */
export function viewBytes(bytes: unknown): Uint8Array | undefined {
  if (bytes === undefined) return undefined
  if (!ArrayBuffer.isView(bytes)) throw invalidArgument('bytes', 'a Uint8Array', bytes)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** A copy of what an application gives as bytes. @throws as {@link viewBytes} */
export function copyBytes(bytes: unknown): Uint8Array | undefined {
  return viewBytes(bytes)?.slice()
}
