import { utf8 } from '../wire/bytes.ts'
import type * as NodeCrypto from 'node:crypto'
import { scryptAsync } from '@noble/hashes/scrypt.js'
import { invalidArgument } from '../errors.ts'
import { MAX_PASSWORD_BYTES } from '../limits/limits.ts'
import { BOX_SCRYPT } from '../limits/direct-limits.ts'

/**
 * Checks a password before it is used: a string of 1 to 1,024 bytes of UTF-8 without NUL, as for key files. It is taken
 * as it is: no form of Unicode is made of it.
 *
 * @throws SecureNodeError `invalid-argument`; its text never shows the password
 */
export function checkBoxPassword(password: unknown): asserts password is string {
  const refuse = (found: string): never => {
    throw invalidArgument('the password', `a string of 1 to ${MAX_PASSWORD_BYTES} bytes without NUL`, found)
  }
  if (typeof password !== 'string') return refuse(`a value of type ${typeof password}`)
  // UTF-8 writes all of them alike, so that many passwords would be one.
  if (!password.isWellFormed()) return refuse('one with a lone surrogate')
  // HMAC fills a short key up with zeros, so to scrypt "abc" and "abc\0" are one password.
  if (password.includes('\0')) return refuse('one with NUL')
  const { length } = utf8(password)
  if (length === 0 || length > MAX_PASSWORD_BYTES) return refuse(`one of ${length} bytes`)
}

/**
 * Bytes made of a password by scrypt (RFC 7914): in the thread pool of Node, else in JavaScript, a few milliseconds at a
 * time.
 *
 * @param cost the exponent of N; memory is 2^cost KiB
 */
export function stretchPassword(
  password: string,
  salt: Uint8Array,
  cost: number,
  length: number,
): Promise<Uint8Array> {
  const scrypt = findScrypt()
  return scrypt === undefined
    ? stretchInScript(password, salt, cost, length)
    : stretchNatively(scrypt, password, salt, cost, length)
}

/** {@link stretchPassword} where there is no `node:crypto`. */
export function stretchInScript(
  password: string,
  salt: Uint8Array,
  cost: number,
  length: number,
): Promise<Uint8Array> {
  const { blockSize: r, parallelization: p } = BOX_SCRYPT
  return scryptAsync(utf8(password), salt, { N: 2 ** cost, r, p, dkLen: length })
}

function stretchNatively(
  scrypt: typeof NodeCrypto.scrypt,
  password: string,
  salt: Uint8Array,
  cost: number,
  length: number,
): Promise<Uint8Array> {
  // Node allows 32 MiB unless it is told otherwise. What is needed is 128 N r bytes and a little more.
  const maxmem = 2 * 128 * 2 ** cost * BOX_SCRYPT.blockSize
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { cost: 2 ** cost, ...BOX_SCRYPT, maxmem }, (error, key) => {
      if (error === null) resolve(new Uint8Array(key.buffer, key.byteOffset, key.length))
      else reject(error)
    })
  })
}

/** Asked of the process, not imported: a bundle for browsers then has no import that it cannot resolve. */
function findScrypt(): typeof NodeCrypto.scrypt | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }
  return (process?.getBuiltinModule?.('node:crypto') as typeof NodeCrypto | undefined)?.scrypt
}
