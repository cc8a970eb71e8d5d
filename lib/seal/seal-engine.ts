/** Names of the engines: OpenSSL through `node:crypto`, and JavaScript alone. */
export type SealEngineName = 'node' | 'script'

/** What seals and opens: X25519 (RFC 7748) and ChaCha20-Poly1305 (RFC 8439). All engines give the same bytes. */
export interface SealEngine {
  readonly name: SealEngineName

  /**
   * A key pair for X25519.
   *
   * @param secret 32 bytes. @default random ones
   */
  agreement(secret?: Uint8Array): Agreement

  /**
   * Encrypts and authenticates; the tag of 16 bytes stands at the end.
   *
   * @param key 32 bytes
   * @param nonce 12 bytes, never twice with one key
   * @param context What is authenticated as well, without being part of it.
   */
  encrypt(key: Uint8Array, nonce: Uint8Array, plain: Uint8Array, context: Uint8Array): Uint8Array

  /** Undoes `encrypt`; undefined for what it did not make with the same key, nonce and context. */
  decrypt(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, context: Uint8Array): Uint8Array | undefined
}

/** One end's half of a secret that two share. */
export interface Agreement {
  /** 32 bytes. */
  readonly publicKey: Uint8Array

  /**
   * The secret shared with the owner of a public key of 32 bytes; undefined where it is zero. Keys of small order give
   * that, so that everybody would know it (RFC 7748, section 6.1).
   */
  sharedWith(publicKey: Uint8Array): Uint8Array | undefined
}

/** Whether a shared secret is one: not all of its bytes are 0. Looks at all of them. */
export function isSecret(shared: Uint8Array): boolean {
  return shared.reduce((bits, byte) => bits | byte, 0) !== 0
}
