import { Deferred } from '../ground/deferred.ts'
import type { NodeConnection } from '../node-connection.ts'

/** Somebody waits for a connection to a node. */
class AwaitedPeer extends Deferred<NodeConnection> {
  readonly id: string

  constructor(id: string) {
    super()
    this.id = id
  }
}

/** The connections of a node: those that are up, and those on their way. */
export class PeerSet {
  readonly #all = new Set<NodeConnection>()
  readonly #up = new Set<NodeConnection>()
  readonly #lasting = new Set<NodeConnection>()
  readonly #upById = new Map<string, NodeConnection>()
  /** By peer ID, the connections that this node has decided for, up or waiting for the peer's welcome: newest last. */
  readonly #accepted = new Map<string, NodeConnection[]>()
  readonly #awaited = new Set<AwaitedPeer>()
  readonly #congested = new Set<NodeConnection>()
  readonly #backlogged = new Set<NodeConnection>()
  #roomWaiters: (() => void)[] = []

  /** Every connection, also those whose handshake is under way. */
  get all(): ReadonlySet<NodeConnection> {
    return this.#all
  }

  /** Connections that are up. */
  get up(): ReadonlySet<NodeConnection> {
    return this.#up
  }

  /** Those of them that last: the peers that messages are relayed to. */
  get lasting(): ReadonlySet<NodeConnection> {
    return this.#lasting
  }

  /** Nodes that this node has decided to be connected with. */
  get size(): number {
    return this.#accepted.size
  }

  /** The connection to a node that is up. */
  byId(id: string): NodeConnection | undefined {
    return this.#upById.get(id)
  }

  /** The connection to a node that this node has decided for: it is up or about to be. */
  acceptedById(id: string): NodeConnection | undefined {
    return this.#accepted.get(id)?.at(-1)
  }

  add(connection: NodeConnection): void {
    this.#all.add(connection)
  }

  /** This node has decided for the connection; its peer has still to. */
  accept(connection: NodeConnection): void {
    const { id } = connection
    const accepted = this.#accepted.get(id)
    if (accepted === undefined) this.#accepted.set(id, [connection])
    else accepted.push(connection)
  }

  /** The connection is up. Returns the older one to the same node, if there is one. */
  raise(connection: NodeConnection): NodeConnection | undefined {
    const { id } = connection
    const older = this.#upById.get(id)
    this.#up.add(connection)
    if (!connection.isTemporary) this.#lasting.add(connection)
    this.#upById.set(id, connection)
    for (const awaited of this.#awaited) if (awaited.id === id) awaited.resolve(connection)
    // One more peer that reads: the congested ones may not be the majority any more.
    this.#wakeSenders()
    return older
  }

  /** A temporary connection lasts from now on. */
  keep(connection: NodeConnection): void {
    if (this.#up.has(connection)) this.#lasting.add(connection)
  }

  /** The connection has ended. Returns whether it had been up. */
  remove(connection: NodeConnection): boolean {
    this.#all.delete(connection)
    const { id } = connection
    if (this.#upById.get(id) === connection) this.#upById.delete(id)
    // Others of the peer stay as they were: one that is given up here could still come up, and count for nothing.
    const others = this.#accepted.get(id)?.filter((other) => other !== connection) ?? []
    if (others.length === 0) this.#accepted.delete(id)
    else this.#accepted.set(id, others)
    const wasUp = this.#up.delete(connection)
    this.#lasting.delete(connection)
    this.#congested.delete(connection)
    this.#backlogged.delete(connection)
    this.#wakeSenders()
    return wasUp
  }

  /** The connection to a node, now or as soon as it is up. Rejects with the signal's reason. */
  async whenUp(id: string, signal: AbortSignal): Promise<NodeConnection> {
    const connection = this.byId(id)
    if (connection !== undefined) return connection
    signal.throwIfAborted()
    const awaited = new AwaitedPeer(id)
    const onAbort = (): void => awaited.reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#awaited.add(awaited)
    try {
      return await awaited.promise
    } finally {
      this.#awaited.delete(awaited)
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Queues a frame for one peer. */
  write(connection: NodeConnection, frame: Uint8Array): void {
    connection.sendFrame(frame)
    if (!connection.isUp || connection.isTemporary || !connection.isCongested) return
    this.#congested.add(connection)
    if (connection.isBacklogged) this.#backlogged.add(connection)
  }

  /**
   * Whether senders should pause: more than half of the peers have more waiting than they read. The middle
   * sets the pace, so that a few slow peers can neither hold up the others nor the sender.
   */
  get isCongested(): boolean {
    return this.#congested.size * 2 > this.#lasting.size
  }

  /**
   * Whether what comes over a connection should be read more slowly: it piles up before more than half of the
   * other peers. The peer that brings it does not count, for nothing is sent back to it.
   */
  isBackloggedBeside(connection: NodeConnection): boolean {
    const others = this.#lasting.size - (this.#lasting.has(connection) ? 1 : 0)
    const backlogged = this.#backlogged.size - (this.#backlogged.has(connection) ? 1 : 0)
    return backlogged * 2 > others
  }

  /** Resolves when senders may go on: at once, if nothing holds them up. */
  async room(): Promise<void> {
    while (this.isCongested) await new Promise<void>((resolve) => this.#roomWaiters.push(resolve))
  }

  /** A peer has read what was queued for it. */
  drained(connection: NodeConnection): void {
    if (!connection.isBacklogged) this.#backlogged.delete(connection)
    if (connection.isCongested || !this.#congested.delete(connection)) return
    this.#wakeSenders()
  }

  #wakeSenders(): void {
    if (this.#roomWaiters.length === 0 || this.isCongested) return
    const waiters = this.#roomWaiters
    this.#roomWaiters = []
    for (const wake of waiters) wake()
  }
}
