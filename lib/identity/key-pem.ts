/**
 * The text of a key file: a title, the ID, and the private key as PKCS#8 PEM (RFC 5958, RFC 7468), so that
 * Node.js, openssl and every language read it. Node.js only.
 */
import type { KeyObject } from 'node:crypto'
import { invalidOption } from '../errors.ts'
import { keyCorrupt, keyNotAKey, keyPasswordMissing, keyPasswordWrong } from '../errors.ts'
import { quote } from '../ground/texts.ts'
import { KEY_SCRYPT, MAX_PASSWORD_BYTES } from '../limits/limits.ts'
import { integer, octetString, oid, sequence } from './der.ts'
import { pkcs8Of, SEED_BYTES } from './seed.ts'

// Asked of the process, not imported: a bundle for browsers then has no import that it cannot resolve.
const crypto = process.getBuiltinModule('node:crypto')

const TITLE = 'secure-node identity'
const PLAIN = 'PRIVATE KEY'
const ENCRYPTED = 'ENCRYPTED PRIVATE KEY'

const ID_PBES2 = '1.2.840.113549.1.5.13'
const ID_SCRYPT = '1.3.6.1.4.1.11591.4.11'
const ID_AES256_CBC = '2.16.840.1.101.3.4.1.42'

/**
 * Checks a password before it is used.
 *
 * @throws SecureNodeError `invalid-option` for what is no string of 1 to 1,024 bytes without NUL; its text
 *   never shows the password
 */
export function checkPassword(password: unknown): asserts password is string {
  const rule = `a string of 1 to ${MAX_PASSWORD_BYTES} bytes`
  if (password === undefined) throw invalidOption('password', `${rule}, or left out`, undefined)
  if (typeof password !== 'string') throw invalidOption('password', rule, `a ${typeof password}`)
  const bytes = Buffer.byteLength(password)
  if (bytes === 0 || bytes > MAX_PASSWORD_BYTES) throw invalidOption('password', rule, `${bytes} bytes`)
  // HMAC fills a short key up with zeros, so to scrypt and PBKDF2 "abc" and "abc\0" are one password.
  if (password.includes('\0')) throw invalidOption('password', `${rule} without NUL`, 'one with NUL')
}

/**
 * Writes a private key as the text of a key file.
 *
 * @param password encrypts the key (PBES2 with scrypt and AES-256-CBC, RFC 7914 and RFC 8018); checked before
 * @throws SecureNodeError `invalid-argument` unless the seed has 32 bytes
 */
export async function encodeKey(seed: Uint8Array, password?: string): Promise<string> {
  const plain = pkcs8Of(seed)
  try {
    const head = `${TITLE}\nId: ${idOf(readPkcs8(plain))}\n`
    if (password === undefined) return head + armor(PLAIN, plain)
    return head + armor(ENCRYPTED, await encrypt(plain, password))
  } finally {
    plain.fill(0)
  }
}

/**
 * Reads the text of a key file: ours, or one that openssl wrote, with or without a password. A password that
 * is not needed is ignored, as ssh does.
 *
 * @param file the file's name, for errors
 * @returns the seed: the 32 bytes of the private key
 * @throws SecureNodeError `key-not-a-key`, `key-corrupt`, `key-password-missing`, `key-password-wrong`
 */
export function decodeKey(text: string, file: string, password?: string): Uint8Array {
  const { label, der, head } = unarmor(text, file)
  if (label === ENCRYPTED && password === undefined) throw keyPasswordMissing(file)
  const key = openKey(der, file, {
    isOurs: isOurs(head),
    password: label === ENCRYPTED ? password : undefined,
  })
  // Small buffers share their memory with whatever the process allocates next: no key is left behind there.
  der.fill(0)
  if (key.asymmetricKeyType !== 'ed25519') {
    throw keyNotAKey(file, `it holds a private key of type ${quote(key.asymmetricKeyType)}; ${NEW_KEY}`)
  }
  // A flipped bit is still a seed, and CBC does not notice one either: a working key, but of another node.
  const id = idOf(key)
  const claimed = [...head.matchAll(/^Id:(.*)$/gm)].map((line) => line[1]!.trim())
  if (claimed.some((claim) => claim !== id) || (isOurs(head) && claimed.length === 0)) {
    throw keyCorrupt(file, `its key is that of ${id}, its "Id:" line does not say so`)
  }
  const plain = key.export({ format: 'der', type: 'pkcs8' })
  const seed = Uint8Array.from(plain.subarray(-SEED_BYTES))
  plain.fill(0)
  return seed
}

const NEW_KEY = 'make an Ed25519 key with: npx secure-node keygen'

/** Why a PEM block of another label is of no use. */
function labelHint(label: string): string {
  if (label === 'OPENSSH PRIVATE KEY') return `it is in the format of OpenSSH, not in PKCS#8; ${NEW_KEY}`
  if (label.includes('PUBLIC KEY')) return 'it holds a public key; give the file with the private key'
  if (label.includes('CERTIFICATE')) return 'it holds a certificate; give the file with the private key'
  const kind = label.replace(/ (PRIVATE KEY|PARAMETERS)$/, '')
  return `it holds a key or other data of type ${quote(kind)}; ${NEW_KEY}`
}

/** Whether the text before a key says that this package wrote it. What is wrong with it then is damage. */
function isOurs(head: string): boolean {
  return head.startsWith(TITLE) || /^Id:/m.test(head)
}

/** Finds the one key in a text, and undoes its base64. */
function unarmor(text: string, file: string): { label: string; der: Buffer; head: string } {
  const labels = [...text.matchAll(/^-----BEGIN ([^\r\n]*?)-----/gm)]
  const label = labels[0]?.[1]
  if (label === undefined) {
    if (isOurs(text)) throw keyCorrupt(file, 'its "BEGIN" line is missing')
    if (text.startsWith('ssh-')) throw keyNotAKey(file, `it holds a public key of OpenSSH; ${NEW_KEY}`)
    throw keyNotAKey(file, `it has no line "-----BEGIN ${PLAIN}-----"; ${NEW_KEY}`)
  }
  if (label !== PLAIN && label !== ENCRYPTED) throw keyNotAKey(file, labelHint(label))
  // Which of two keys is meant would depend on the reader.
  if (labels.length > 1) throw keyNotAKey(file, 'it holds more than the one private key; remove the rest')
  const [, body, end] = /^-----BEGIN .*-----[ \t]*\r?\n([^-]*)^-----END (.*)-----[ \t]*$/m.exec(text) ?? []
  if (body === undefined || end !== label)
    throw keyCorrupt(file, `its line "-----END ${label}-----" is missing`)
  const base64 = body.replace(/\s/g, '')
  const der = Buffer.from(base64, 'base64')
  // Buffer skips what is not base64, and OpenSSL what follows the key; neither is a key that somebody wrote.
  if (der.toString('base64') !== base64) throw keyCorrupt(file, 'its key is not base64')
  if (!isWholeSequence(der)) throw keyCorrupt(file, 'its key is cut off or has something after it')
  return { label, der, head: text.slice(0, labels[0]!.index) }
}

/** Whether bytes are one SEQUENCE from the first to the last, as far as its length says. */
function isWholeSequence(der: Uint8Array): boolean {
  const [tag, length = 0, high = 0, low = 0] = der
  if (tag !== 0x30) return false
  if (length < 0x80) return der.length === 2 + length
  if (length === 0x81) return der.length === 3 + high
  return length === 0x82 && der.length === 4 + high * 0x100 + low
}

interface OpenOptions {
  readonly isOurs: boolean
  /** Only for an encrypted key. */
  readonly password: string | undefined
}

function openKey(der: Buffer, file: string, { isOurs, password }: OpenOptions): KeyObject {
  try {
    return readPkcs8(der, password)
  } catch (cause) {
    if (password !== undefined && isPasswordFault(cause)) throw keyPasswordWrong(file, cause)
    const code = codeOf(cause)
    if (!isOurs && password !== undefined && code.startsWith('ERR_OSSL_EVP_')) {
      const hint = 'encrypt it anew with: openssl pkcs8 -topk8 -v2 aes-256-cbc'
      throw keyNotAKey(file, `it is encrypted in a way that cannot be opened here; ${hint}`)
    }
    if (!isOurs && code.includes('UNSUPPORTED')) {
      throw keyNotAKey(file, `it holds a private key of an unknown type; ${NEW_KEY}`)
    }
    // Only newer versions of OpenSSL read PKCS#8 version 2, which some libraries write.
    if (!isOurs && password === undefined && der[4] === 1) {
      throw keyNotAKey(file, `it is PKCS#8 of version 2, which this Node.js cannot read; ${NEW_KEY}`)
    }
    throw keyCorrupt(file, 'its key cannot be decoded', cause)
  }
}

/**
 * Whether opening an encrypted key failed because of the password. A wrong one gives a bad padding, or, once
 * in 256 times, a good padding around noise, which fails in the decoder of PKCS#12. What fails before that,
 * in the parameters (EVP) or in the structure around them (ASN1), fails with every password.
 */
function isPasswordFault(cause: unknown): boolean {
  const stack = (cause as { opensslErrorStack?: unknown }).opensslErrorStack
  if (Array.isArray(stack) && stack.some((line) => String(line).includes('PKCS12'))) return true
  return !/^ERR_OSSL_(EVP|ASN1)_/.test(codeOf(cause))
}

function codeOf(cause: unknown): string {
  const code = (cause as { code?: unknown }).code
  return typeof code === 'string' ? code : ''
}

function readPkcs8(der: Uint8Array, password?: string): KeyObject {
  const passphrase = password === undefined ? {} : { passphrase: password }
  return crypto.createPrivateKey({ key: viewOf(der), format: 'der', type: 'pkcs8', ...passphrase })
}

/** The ID of a private key: its public key, as SubjectPublicKeyInfo ends with it (RFC 8410, section 4). */
function idOf(key: KeyObject): string {
  return crypto.createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex')
}

/** EncryptedPrivateKeyInfo. Node.js' own export uses PBKDF2 with 2,048 rounds: 1 ms a guess. */
async function encrypt(plain: Uint8Array, password: string): Promise<Uint8Array> {
  const { cost, blockSize, parallelization } = KEY_SCRYPT
  const salt = crypto.randomBytes(16)
  const iv = crypto.randomBytes(16)
  const secret = await new Promise<Buffer>((resolve, reject) => {
    crypto.scrypt(password, salt, 32, { cost, blockSize, parallelization }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
  const cipher = crypto.createCipheriv('aes-256-cbc', secret, iv)
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()])
  secret.fill(0)
  const kdf = sequence(octetString(salt), integer(cost), integer(blockSize), integer(parallelization))
  const parameters = sequence(sequence(oid(ID_SCRYPT), kdf), sequence(oid(ID_AES256_CBC), octetString(iv)))
  return sequence(sequence(oid(ID_PBES2), parameters), octetString(ciphertext))
}

function armor(label: string, der: Uint8Array): string {
  const lines =
    viewOf(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** The same bytes as a Buffer, without a copy of them. */
function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
