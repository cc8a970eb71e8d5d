import { joinBytes } from '../wire/bytes.ts'
import { toHex } from '../wire/hex.ts'
import { NodeSealEngine, type SealCrypto } from './engine-node.ts'
import { scriptEngine } from './engine-script.ts'
import type { SealEngine } from './seal-engine.ts'

let fastest: SealEngine | undefined

/** The fastest engine of this platform: `node:crypto`, else JavaScript. Chosen at first use, then always the same. */
export function defaultSealEngine(): SealEngine {
  return (fastest ??= chooseSealEngine(findCrypto()))
}

/**
 * The engine over a `node:crypto`, where there is one that gives the right answers; else the one in JavaScript. A
 * platform may have the module without the cipher: Electron does, and OpenSSL in FIPS mode.
 */
export function chooseSealEngine(crypto: SealCrypto | undefined): SealEngine {
  if (crypto === undefined) return scriptEngine
  const engine = new NodeSealEngine(crypto)
  try {
    return givesKnownAnswers(engine) ? engine : scriptEngine
  } catch {
    return scriptEngine
  }
}

/** Asked of the process, not imported: a bundle for browsers then has no import that it cannot resolve. */
function findCrypto(): SealCrypto | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } }
  return process?.getBuiltinModule?.('node:crypto') as SealCrypto | undefined
}

/** One byte, 32 times: a key of the comparison. */
const bytesOf = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31))
const NONCE = Uint8Array.from({ length: 12 }, (_, at) => at)

/**
 * Whether an engine answers as the one in JavaScript does, which the vectors of the RFCs were tried on. Takes a few
 * milliseconds, once.
 */
function givesKnownAnswers(engine: SealEngine): boolean {
  return (
    toHex(answerOf(engine)) === toHex(answerOf(scriptEngine)) &&
    // What must not pass: a key of small order, and a ciphertext of which a bit was changed.
    engine.agreement(bytesOf(1)).sharedWith(new Uint8Array(32)) === undefined &&
    engine.decrypt(bytesOf(2), NONCE, bytesOf(3), NONCE) === undefined
  )
}

function answerOf(engine: SealEngine): Uint8Array {
  const agreement = engine.agreement(bytesOf(1))
  const shared = agreement.sharedWith(BASE_POINT) ?? new Uint8Array(0)
  const sealed = engine.encrypt(bytesOf(2), NONCE, bytesOf(3), NONCE)
  const opened = engine.decrypt(bytesOf(2), NONCE, sealed, NONCE) ?? new Uint8Array(0)
  return joinBytes([agreement.publicKey, shared, sealed, opened])
}
