import nacl from 'tweetnacl'

const TAG_BYTES = 16

interface OneTime {
  crypto_onetimeauth(
    out: Uint8Array,
    at: number,
    message: Uint8Array,
    from: number,
    n: number,
    key: Uint8Array,
  ): number
}

/** In place of the one of this package: the library has its own, which is in the file anyway. */
export function poly1305(key: Uint8Array, message: Uint8Array): Uint8Array {
  const tag = new Uint8Array(TAG_BYTES)
  const { lowlevel } = nacl as unknown as { readonly lowlevel: OneTime }
  lowlevel.crypto_onetimeauth(tag, 0, message, 0, message.length, key)
  return tag
}
