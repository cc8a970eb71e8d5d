/** The implementations of Ed25519 that this package can use, the fastest first. */
export type EngineName = 'node' | 'webcrypto' | 'tweetnacl'

/** One private key, ready to sign. */
export interface Signer {
  /** The 32 bytes that everybody may know. Do not change them. */
  readonly publicKey: Uint8Array
  /**
   * Signs bytes of any length; 64 bytes come back. At once with `node` and `tweetnacl`, and the same each time
   * (RFC 8032); a browser's WebCrypto may mix in randomness, so two signatures of one thing can differ.
   */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** A bare implementation of Ed25519. It does not decide what is valid: `verifySignature` does. */
export interface Engine {
  /** `fake` is the one of simulations, whose signatures prove nothing. */
  readonly name: EngineName | 'fake'
  /**
   * The cofactorless equation, `encode([S]B - [k]A) === R`, and nothing more. Call it only for what passed
   * `passesStrictCheck`: about the rest the engines disagree. It may throw for a key it cannot read.
   */
  verify(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): boolean | Promise<boolean>
  /**
   * Makes a signer of a seed: the 32 bytes of the private key (RFC 8032, 5.1.5). The seed is copied.
   *
   * @throws SecureNodeError `invalid-argument` for a seed of another length
   */
  signer(seed: Uint8Array): Signer
}
