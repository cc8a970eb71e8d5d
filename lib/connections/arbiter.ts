import type { Clock, Timer } from '../ground/clock.ts'
import { PROBE_TIMEOUT } from '../limits/limits.ts'
import type { NodeConnection } from '../node-connection.ts'
import type { PeerSet } from './peer-set.ts'
import type { CloseReason } from '../wire/close-code.ts'

/** What deciding about peers needs of its node. */
export interface ArbiterPort {
  /** The ID of this node. */
  readonly self: string
  readonly clock: Clock
  readonly peers: PeerSet
  /** Connections, both directions together. */
  readonly maxConnections: number
  /** How many of them are kept free for connections that this node opens, at this moment. */
  reserved(): number
  isBanned(id: string): boolean
  /** Whether the node wants this peer, apart from limits; otherwise, why not. */
  judge(connection: NodeConnection): CloseReason | undefined
}

/** Decides whether a node wants a peer whose hello is in order. */
export class Arbiter {
  readonly #port: ArbiterPort

  constructor(port: ArbiterPort) {
    this.#port = port
  }

  /** Accepts the connection, or says why not: at once, unless an older connection must be asked first. */
  decide(connection: NodeConnection): CloseReason | undefined | Promise<CloseReason | undefined> {
    const { id } = connection
    const { self, peers } = this.#port
    if (this.#port.isBanned(id)) return ours('banned', 'for what came from here before')
    const rival = peers.acceptedById(id)
    // Of two ends, the one with the larger ID decides which of two connections stays: two that decide at once
    // could each close the one that the other keeps.
    if (rival !== undefined && self > id) return this.#arbitrate(rival, connection)
    // A second connection takes no second place.
    const refusal = rival === undefined ? this.#refusal(connection) : undefined
    if (refusal === undefined) peers.accept(connection)
    return refusal
  }

  #refusal(connection: NodeConnection): CloseReason | undefined {
    const { peers, maxConnections } = this.#port
    // Strangers come as many as they like: with all places, they would choose whom this node hears of.
    const reserved = connection.direction === 'inbound' ? this.#port.reserved() : 0
    if (peers.size < maxConnections - reserved) return this.#port.judge(connection)
    const kept = reserved > 0 ? `, ${reserved} of them for peers that this node dials` : ''
    return ours('too-many-connections', `the limit is ${maxConnections}${kept}`)
  }

  /** The older connection stays if it is alive. A peer that vanished and came back has left a dead one behind. */
  async #arbitrate(rival: NodeConnection, connection: NodeConnection): Promise<CloseReason | undefined> {
    if (rival.isUp && !(await this.#answers(rival)))
      rival.close('timeout', 'its peer has opened another connection')
    const { id, closeReason } = connection
    // It may have ended while the old one was asked: accepted now, it would lock its peer out for ever.
    if (closeReason !== undefined) return closeReason
    if (this.#port.peers.acceptedById(id) !== undefined) return ours('duplicate', '')
    this.#port.peers.accept(connection)
    return undefined
  }

  async #answers(connection: NodeConnection): Promise<boolean> {
    const { promise: late, cancel } = this.#after(PROBE_TIMEOUT)
    const answered = connection.ping().then(
      () => true,
      () => false,
    )
    return Promise.race([answered, late]).finally(cancel)
  }

  #after(ms: number): { promise: Promise<false>; cancel: () => void } {
    let timer: Timer | undefined
    const promise = new Promise<false>((resolve) => {
      timer = this.#port.clock.setTimer(() => resolve(false), ms)
    })
    return { promise, cancel: () => timer?.cancel() }
  }
}

function ours(code: CloseReason['code'], text: string): CloseReason {
  return { code, text, by: 'us' }
}
