/** The identity of a node: its Ed25519 public key as 64 lower-case hexadecimal digits. */
export type NodeId = string & { readonly __brand: 'NodeId' }

/** The identity of a message: SHA-256 over its label and body as 64 lower-case hexadecimal digits. */
export type MessageId = string & { readonly __brand: 'MessageId' }

const HEX_32 = /^[0-9a-f]{64}$/
const HEX_64 = /^[0-9a-f]{128}$/

/** Whether a text is 32 bytes in lower-case hexadecimal: the one spelling that exists for them. */
export function isHex32(value: unknown): value is string {
  return typeof value === 'string' && HEX_32.test(value)
}

/** Whether a text is 64 bytes in lower-case hexadecimal. */
export function isHex64(value: unknown): value is string {
  return typeof value === 'string' && HEX_64.test(value)
}
