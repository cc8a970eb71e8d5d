import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { invalidArgument, messageTooLarge } from '../errors.ts'
import { type Identity, secretSeed } from '../identity/identity.ts'
import { MAX_DEPTH, MAX_MESSAGE_BYTES } from '../limits/limits.ts'
import { SEAL_BYTES_STEP, SEAL_DATA_STEP } from '../limits/direct-limits.ts'
import { hasForbiddenKey, isCanonical, type Json, parseJson, writeCanonical } from '../message/canonical.ts'
import type { SealedHead } from '../message/draft.ts'
import { isSeal, type Seal } from '../message/seal-shape.ts'
import { joinBytes, utf8 } from '../wire/bytes.ts'
import { fromHex, toHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { defaultSealEngine } from './default-engine.ts'
import { pad, unpad } from './padding.ts'
import type { Agreement, SealEngine } from './seal-engine.ts'
import { agreementKey, agreementSecret } from './x25519.ts'

export type { Seal } from '../message/seal-shape.ts'

/** What a seal depends on: all of the body but `data`, `seal` and `bytes`. */
export type SealHead = SealedHead

// Labels keep each use of a key apart from all others.
const WRAP_LABEL = utf8('secure-node/1 seal wrap\0')
const COMMIT_LABEL = utf8('secure-node/1 seal commit\0')
const DATA_LABEL = 'secure-node/1 seal data\0'
const BYTES_LABEL = 'secure-node/1 seal bytes\0'
const KEY_BYTES = 32
// A content key encrypts one payload and one attachment in its life, and a wrapping key one content key.
const NONCE_0 = new Uint8Array(12)
const NONCE_1 = Uint8Array.of(...new Uint8Array(11), 1)
const NOTHING = new Uint8Array(0)

/** What is fresh in each seal. Whoever uses either twice gives payloads away. */
export interface SealSecrets {
  readonly ephemeral: Agreement
  /** 32 bytes. It is wiped when the payload is sealed. */
  readonly contentKey: Uint8Array
}

/** A payload that its addressees alone can read. */
export interface Sealed {
  readonly seal: Seal
  /** In base64: what stands in the body. */
  readonly data: string
  /** What travels beside the document. */
  readonly bytes?: Uint8Array
}

/**
 * Makes a payload one that only the addressees can read. Everything else of the message, who it is from and for
 * included, is bound to it: under another name, or for other addressees, it cannot be opened.
 *
 * @param secrets for vectors; else random, and never given twice
 * @param engine what computes. @default the fastest of this platform
 * @throws SecureNodeError `invalid-argument` for an addressee whose key is of small order or no point of the curve,
 *   `message-too-large`
 */
export function seal(
  head: SealHead,
  data: Json,
  bytes: Uint8Array | undefined,
  engine: SealEngine = defaultSealEngine(),
  secrets: SealSecrets = freshSecrets(engine),
): Sealed {
  const plain = utf8(writeCanonical(data))
  // Before it is encrypted, padded and written in base64, all for nothing.
  if (plain.length > MAX_MESSAGE_BYTES) throw messageTooLarge(plain.length, MAX_MESSAGE_BYTES)
  const { ephemeral, contentKey } = secrets
  const k = head.to.map((id) => {
    const key = agreementKey(id)
    const shared = key && ephemeral.sharedWith(key)
    if (!key || !shared) throw invalidArgument('to', 'node IDs that are keys of somebody', id)
    const wrappingKey = deriveKey(shared, ephemeral.publicKey, key, head.from, id)
    const wrapped = engine.encrypt(wrappingKey, NONCE_0, contentKey, NOTHING)
    wrappingKey.fill(0)
    return toBase64(wrapped)
  })
  const sealed = {
    seal: { e: toHex(ephemeral.publicKey), k, m: commitmentOf(contentKey), v: 1 } as const,
    data: toBase64(
      engine.encrypt(contentKey, NONCE_0, pad(plain, SEAL_DATA_STEP), context(DATA_LABEL, head)),
    ),
    ...(bytes && {
      bytes: engine.encrypt(contentKey, NONCE_1, pad(bytes, SEAL_BYTES_STEP), context(BYTES_LABEL, head)),
    }),
  }
  contentKey.fill(0)
  return sealed
}

function freshSecrets(engine: SealEngine): SealSecrets {
  const contentKey = globalThis.crypto.getRandomValues(new Uint8Array(KEY_BYTES))
  return { ephemeral: engine.agreement(), contentKey }
}

/** What was sealed. There is one answer for all that may be wrong: whoever tries gets no hint. */
export type OpenResult =
  { readonly ok: true; readonly data: Json; readonly bytes?: Uint8Array } | { readonly ok: false }

const REFUSED: OpenResult = Object.freeze({ ok: false })

/** Opens what is sealed for one node. What the node has sealed for others, it cannot open either. */
export class Unsealer {
  readonly #identity: Identity
  readonly #engine: SealEngine | undefined
  #agreement: Agreement | undefined

  /** @param engine What computes. @default the fastest of this platform */
  constructor(identity: Identity, engine?: SealEngine) {
    this.#identity = identity
    this.#engine = engine
  }

  /**
   * Opens a payload, and the bytes beside it where some are given. Remote input is ordinary input: this never throws.
   *
   * @param head the body of a message whose signature was found good, without `data`, `seal` and `bytes`
   */
  open(head: SealHead, seal: Seal, data: Json, bytes: Uint8Array | undefined): OpenResult {
    const key = this.#contentKey(head, seal)
    if (key === undefined || typeof data !== 'string') return REFUSED
    const opened = this.#openWith(key, head, data, bytes)
    key.fill(0)
    return opened
  }

  #openWith(key: Uint8Array, head: SealHead, data: string, bytes: Uint8Array | undefined): OpenResult {
    const plain = this.#decrypt(key, NONCE_0, fromBase64(data), context(DATA_LABEL, head), SEAL_DATA_STEP)
    const payload = plain && readPayload(plain)
    if (payload === undefined) return REFUSED
    if (bytes === undefined) return { ok: true, data: payload }
    const attachment = this.#decrypt(key, NONCE_1, bytes, context(BYTES_LABEL, head), SEAL_BYTES_STEP)
    // A copy, so that what is handed out is not a view of something longer.
    return attachment === undefined ? REFUSED : { ok: true, data: payload, bytes: attachment.slice() }
  }

  #contentKey(head: SealHead, seal: Seal): Uint8Array | undefined {
    const { id } = this.#identity
    const wrapped = isSeal(seal as unknown as Json, head.to.length)
      ? fromBase64(seal.k[head.to.indexOf(id)])
      : undefined
    const own = agreementKey(id)
    if (wrapped === undefined || own === undefined) return undefined
    const ephemeral = fromHex(seal.e)
    const shared = this.#own().sharedWith(ephemeral)
    if (shared === undefined) return undefined
    const wrappingKey = deriveKey(shared, ephemeral, own, head.from, id)
    const key = this.#engineInUse.decrypt(wrappingKey, NONCE_0, wrapped, NOTHING)
    wrappingKey.fill(0)
    // One ciphertext can be made that opens under two keys, into two texts (Poly1305 binds nobody to a key). So the
    // author says before all addressees which key it is.
    return key !== undefined && commitmentOf(key) === seal.m ? key : undefined
  }

  #decrypt(
    key: Uint8Array,
    nonce: Uint8Array,
    sealed: Uint8Array | undefined,
    about: Uint8Array,
    step: number,
  ): Uint8Array | undefined {
    const padded = sealed && this.#engineInUse.decrypt(key, nonce, sealed, about)
    return padded && unpad(padded, step)
  }

  /** At first use: most nodes of a simulation open nothing. */
  #own(): Agreement {
    if (this.#agreement !== undefined) return this.#agreement
    const seed = secretSeed(this.#identity)
    const secret = agreementSecret(seed)
    this.#agreement = this.#engineInUse.agreement(secret)
    seed.fill(0)
    secret.fill(0)
    return this.#agreement
  }

  get #engineInUse(): SealEngine {
    return this.#engine ?? defaultSealEngine()
  }
}

/** The rules of a payload that is not sealed: what is hidden inside must not be worse than what every node checks. */
function readPayload(plain: Uint8Array): Json | undefined {
  const parsed = parseJson(plain, MAX_DEPTH)
  if (!parsed.ok || !isCanonical(parsed.value, parsed.text)) return undefined
  return hasForbiddenKey(parsed.value) ? undefined : parsed.value
}

/**
 * The key that wraps the content key for one addressee: HKDF-SHA256 (RFC 5869). With the author in it, a thief who
 * signs the same seal in his own name has sealed nothing.
 */
function deriveKey(
  shared: Uint8Array,
  ephemeral: Uint8Array,
  addressee: Uint8Array,
  from: NodeId,
  to: NodeId,
): Uint8Array {
  const info = joinBytes([WRAP_LABEL, fromHex(from), fromHex(to)])
  const key = hkdf(sha256, shared, joinBytes([ephemeral, addressee]), info, KEY_BYTES)
  shared.fill(0)
  return key
}

function commitmentOf(key: Uint8Array): string {
  return toHex(sha256(joinBytes([COMMIT_LABEL, key])))
}

/** What is authenticated with a ciphertext: all of the message but its payload. */
function context(label: string, head: SealHead): Uint8Array {
  return utf8(label + writeCanonical(head))
}
