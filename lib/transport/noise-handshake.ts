import type { Agreement, SealEngine } from '../seal/seal-engine.ts'
import { joinBytes, utf8 } from '../wire/bytes.ts'
import type { Role } from '../wire/hello.ts'
import { type NoiseCipher, NoiseSecrets } from './noise-cipher.ts'

const NAME = utf8('Noise_XX_25519_ChaChaPoly_SHA256')
const KEY_BYTES = 32
const TAG_BYTES = 16

/** What each end does with the tokens of XX (Noise, revision 34, section 7.5), message by message. */
const MESSAGES = [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] as const
type Token = (typeof MESSAGES)[number][number]

/** The key pairs of one end; both are made for this one handshake where none are given. */
export interface NoiseKeys {
  readonly ephemeral: Agreement
  readonly static: Agreement
}

/**
 * The handshake `Noise_XX_25519_ChaChaPoly_SHA256`: three messages, after which both ends share secrets that nobody
 * else has, and who changed a byte of it has spoiled it. Who the other end is, it does not say: that is what the
 * payloads are for, which prove an identity over {@link hash}.
 */
export class NoiseHandshake {
  readonly #role: Role
  readonly #secrets: NoiseSecrets
  readonly #keys: NoiseKeys
  #remoteEphemeral: Uint8Array | undefined
  #remoteStatic: Uint8Array | undefined
  #next = 0

  constructor(role: Role, engine: SealEngine, prologue: Uint8Array, keys?: NoiseKeys) {
    this.#role = role
    this.#secrets = new NoiseSecrets(engine, NAME, prologue)
    this.#keys = keys ?? { ephemeral: engine.agreement(), static: engine.agreement() }
  }

  /** Whether the next message is this end's. */
  get isOurTurn(): boolean {
    return !this.isOver && (this.#next % 2 === 0) === (this.#role === 'initiator')
  }

  get isOver(): boolean {
    return this.#next === MESSAGES.length
  }

  /** The hash of all that both ends have said so far. */
  get hash(): Uint8Array {
    return this.#secrets.hash
  }

  /**
   * The next message. Undefined where the other end's key is of small order; then the handshake has failed.
   *
   * @param makePayload Makes what goes in it, when {@link hash} holds all that it may vouch for.
   */
  async write(makePayload: () => Uint8Array | Promise<Uint8Array>): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = []
    for (const token of this.#tokens()) if (!this.#writeToken(token, parts)) return undefined
    const payload = await makePayload()
    return joinBytes([...parts, this.#secrets.encryptAndHash(payload)])
  }

  /**
   * Reads the next message: its payload, and the hash that the payload may vouch for. Undefined if it is none; then the
   * handshake has failed.
   */
  read(message: Uint8Array): { readonly payload: Uint8Array; readonly vouched: Uint8Array } | undefined {
    let at = 0
    for (const token of this.#tokens()) {
      const length = token === 'e' ? KEY_BYTES : token === 's' ? KEY_BYTES + TAG_BYTES : 0
      if (message.length < at + length) return undefined
      if (!this.#readToken(token, message.subarray(at, at + length))) return undefined
      at += length
    }
    const vouched = this.hash
    const payload = this.#secrets.decryptAndHash(message.subarray(at))
    return payload && { payload, vouched }
  }

  /** What encrypts from now on, and what decrypts. */
  split(): { readonly sends: NoiseCipher; readonly receives: NoiseCipher } {
    const [initiator, responder] = this.#secrets.split()
    return this.#role === 'initiator'
      ? { sends: initiator, receives: responder }
      : { sends: responder, receives: initiator }
  }

  #tokens(): readonly Token[] {
    const tokens = MESSAGES[this.#next++]
    if (tokens === undefined) throw new RangeError('the handshake is over')
    return tokens
  }

  #writeToken(token: Token, parts: Uint8Array[]): boolean {
    const { ephemeral, static: own } = this.#keys
    if (token === 'e') {
      parts.push(ephemeral.publicKey)
      this.#secrets.mixHash(ephemeral.publicKey)
      return true
    }
    if (token !== 's') return this.#mix(token)
    parts.push(this.#secrets.encryptAndHash(own.publicKey))
    return true
  }

  #readToken(token: Token, bytes: Uint8Array): boolean {
    if (token === 'e') {
      this.#remoteEphemeral = bytes.slice()
      this.#secrets.mixHash(bytes)
      return true
    }
    if (token === 's') {
      this.#remoteStatic = this.#secrets.decryptAndHash(bytes)
      return this.#remoteStatic !== undefined
    }
    return this.#mix(token)
  }

  /** `false` for a key of small order, with which everybody would share the same secret. */
  #mix(token: 'ee' | 'es' | 'se'): boolean {
    const isInitiator = this.#role === 'initiator'
    // The first letter is the key of the initiator, the second that of the responder.
    const [own, other] = isInitiator ? [token[0], token[1]] : [token[1], token[0]]
    const pair = own === 'e' ? this.#keys.ephemeral : this.#keys.static
    const remote = other === 'e' ? this.#remoteEphemeral : this.#remoteStatic
    const secret = remote && pair.sharedWith(remote)
    if (secret === undefined) return false
    this.#secrets.mixKey(secret)
    return true
  }
}
