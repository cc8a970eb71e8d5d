import { defaultEngine, engine as engineNamed } from '../identity/ed25519.ts'
import type { Engine, Signer } from '../identity/engine.ts'
import { NodeEngine } from '../identity/engine-node.ts'
import { FakeEngine } from './fake-engine.ts'

/** Whether the signatures of a simulation are real: Ed25519, or a hash that costs a hundredth. */
export type Signatures = 'counted' | 'real'

/**
 * Counts the signatures that are made and verified, by an engine that answers at once: what waits for a thread pool
 * takes another course in every run.
 *
 * ```ts
 * const engine = new CountingEngine()
 * const identity = Identity.fromSeed(seed, engine)
 * const node = new SecureNode('127.0.0.1', 0, identity, { engine })
 * ```
 */
export class CountingEngine implements Engine {
  readonly name: Engine['name']
  readonly #engine: Engine
  #signed = 0
  #verified = 0

  /**
   * @param signatures `counted` ones are fake: they cost a microsecond, and whoever knows a node can forge them.
   *   `real` ones are Ed25519.
   * @default 'counted'
   */
  constructor(signatures: Signatures = 'counted') {
    this.#engine = signatures === 'real' ? realEngine() : new FakeEngine()
    this.name = this.#engine.name
  }

  /** Signatures made. */
  get signed(): number {
    return this.#signed
  }

  /** Signatures verified, good or bad. */
  get verified(): number {
    return this.#verified
  }

  verify(signature: Uint8Array, bytes: Uint8Array, publicKey: Uint8Array): boolean | Promise<boolean> {
    this.#verified++
    return this.#engine.verify(signature, bytes, publicKey)
  }

  signer(seed: Uint8Array): Signer {
    const signer = this.#engine.signer(seed)
    return {
      publicKey: signer.publicKey,
      sign: (bytes) => {
        this.#signed++
        return signer.sign(bytes)
      },
    }
  }
}

/** Ed25519 that answers at once: OpenSSL without the thread pool where there is one, or plain JavaScript. */
function realEngine(): Engine {
  const fastest = defaultEngine()
  if (!(fastest instanceof NodeEngine)) return engineNamed('tweetnacl')
  return {
    name: fastest.name,
    verify: (signature, bytes, publicKey) => fastest.verifyNow(signature, bytes, publicKey),
    signer: (seed) => fastest.signer(seed),
  }
}
