import type { Clock } from '../ground/clock.ts'
import { handshakeFailed } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import { defaultSealEngine } from '../seal/default-engine.ts'
import { MAX_EARLY_MESSAGES } from '../limits/web-limits.ts'
import { utf8 } from '../wire/bytes.ts'
import type { Role } from '../wire/hello.ts'
import type { NodeId } from '../wire/ids.ts'
import type { MessagePipe } from './message-pipe.ts'
import { NoiseChannel } from './noise-channel.ts'
import { NoiseHandshake } from './noise-handshake.ts'
import { makeNoiseProof, readNoiseProof } from './noise-proof.ts'

const PROLOGUE = utf8('secure-node/1 noise\0')
const NOTHING = new Uint8Array(0)
/** Messages of the handshake that prove an identity: the first one goes out before there is a secret. */
const PROVEN_FROM = 1

/** What a handshake over a pipe goes by. */
export interface NoiseTerms {
  readonly role: Role
  readonly identity: Identity
  readonly clock: Clock
  /** In ms. */
  readonly timeout: number
  readonly acceptedAt?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs the handshake over a pipe, at both ends of which nodes prove who they are, and makes the channel.
 *
 * @throws SecureNodeError `handshake-failed`; the signal's reason when it was aborted. The pipe is gone then.
 */
export function shakeHandsOver(pipe: MessagePipe, terms: NoiseTerms): Promise<NoiseChannel> {
  return new Promise((resolve, reject) => {
    const { clock, timeout, signal, role } = terms
    const isInitiator = role === 'initiator'
    const handshake = new NoiseHandshake(role, defaultSealEngine(), PROLOGUE)
    /** What comes while a proof is made or judged: the next message, or what the other end sends after the last one. */
    const early: Uint8Array[] = []
    let isBusy = false
    let isSettled = false
    let peerId: NodeId | undefined
    let count = 0

    const settle = (): void => {
      isSettled = true
      timer.cancel()
      signal?.removeEventListener('abort', signalOnAbort)
    }
    const fail = (error: Error): void => {
      if (isSettled) return
      settle()
      pipe.handlers = undefined
      pipe.destroy(error)
      reject(error)
    }
    const refuse = (why: string): void => fail(handshakeFailed(pipe.remoteHost, why))
    const signalOnAbort = (): void => fail(signal?.reason as Error)
    const timer = clock.setTimer(() => refuse(`it took longer than ${timeout} ms`), timeout)
    signal?.addEventListener('abort', signalOnAbort, { once: true })

    const read = async (message: Uint8Array): Promise<void> => {
      const result = handshake.read(message)
      if (result === undefined) return refuse('it is no node')
      if (count++ < PROVEN_FROM) return
      const other = isInitiator ? 'responder' : 'initiator'
      peerId = await readNoiseProof(result.payload, other, result.vouched)
      if (peerId === undefined) refuse('it did not prove who it is')
    }
    const write = async (): Promise<void> => {
      const isProven = count++ >= PROVEN_FROM
      const message = await handshake.write(() =>
        isProven ? makeNoiseProof(terms.identity, role, handshake.hash) : NOTHING,
      )
      if (message === undefined) refuse('its key is not one')
      else if (!isSettled) pipe.send(message)
    }
    const advance = async (message?: Uint8Array): Promise<void> => {
      isBusy = true
      if (message !== undefined) await read(message)
      if (!isSettled && handshake.isOurTurn) await write()
      isBusy = false
      if (isSettled) return
      if (handshake.isOver && peerId !== undefined) {
        settle()
        const channel = new NoiseChannel(pipe, { ...handshake.split(), peerId, acceptedAt: terms.acceptedAt })
        for (const waiting of early) channel.onMessage(waiting)
        resolve(channel)
      } else if (early.length > 0) await advance(early.shift())
    }
    const go = (message?: Uint8Array): void => {
      advance(message).catch((error: unknown) =>
        fail(error instanceof Error ? error : new Error(String(error))),
      )
    }
    pipe.handlers = {
      onMessage(message) {
        if (!isBusy) go(message)
        else if (early.push(message) > MAX_EARLY_MESSAGES) refuse('it sent too much')
      },
      onDrain() {},
      onClose: () => refuse('the connection was closed'),
    }
    if (signal?.aborted === true) signalOnAbort()
    else {
      pipe.resume()
      if (isInitiator) go()
    }
  })
}
