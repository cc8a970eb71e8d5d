import type { Clock } from '../ground/clock.ts'
import { Deferred } from '../ground/deferred.ts'
import { aborted, connectionClosed, reconnectStopped } from '../errors.ts'
import { type BackOff, Reconnect } from './reconnect.ts'

/** A connection, as far as keeping it goes. */
export interface KeptConnection {
  readonly id: string
  readonly isUp: boolean
}

/** What keeping links needs of its node. */
export interface KeptLinksPort<C extends KeptConnection> {
  readonly clock: Clock
  readonly backOff: BackOff
  /** The connection to a node that is up, whoever opened it. */
  byId(id: string): C | undefined
}

/** One link to be kept. */
export interface KeepRequest<C extends KeptConnection> {
  /** The address, for errors. */
  readonly address: string
  readonly signal?: AbortSignal | undefined
  /** One attempt to connect; `ended` is aborted when the link is given up meanwhile. */
  dial(ended: AbortSignal): Promise<C>
  /** Reports a failed attempt; `false` gives up. */
  shouldReconnect(trials: number, error: unknown): boolean
}

interface KeptLink<C> {
  readonly reconnect: Reconnect
  readonly first: Deferred<C>
  connection: C | undefined
  peerId: string | undefined
  readonly ended: AbortController
  /** Stops listening to the signal that would end it. */
  unlisten: () => void
}

/** The links that a node was asked to keep: dialled again whenever they fail or are lost. */
export class KeptLinks<C extends KeptConnection> {
  readonly #port: KeptLinksPort<C>
  readonly #links = new Set<KeptLink<C>>()
  /** Connections that nobody is to dial again. One may be released before its link has learned of it. */
  readonly #released = new WeakSet<C>()

  constructor(port: KeptLinksPort<C>) {
    this.#port = port
  }

  /** Keeps a link from now on. Resolves with its first connection; rejects only when it is given up. */
  keep(request: KeepRequest<C>): Promise<C> {
    const { signal } = request
    const onAbort = (): void => this.#drop(link, aborted(`connecting to ${request.address}`, signal?.reason))
    const link: KeptLink<C> = {
      first: new Deferred<C>(),
      connection: undefined,
      peerId: undefined,
      ended: new AbortController(),
      unlisten: () => signal?.removeEventListener('abort', onAbort),
      reconnect: new Reconnect(
        {
          clock: this.#port.clock,
          dial: () => this.#dial(link, request),
          shouldReconnect: (trials, error) => request.shouldReconnect(trials, error),
          onGiveUp: (trials, error) => this.#drop(link, reconnectStopped(request.address, trials, error)),
        },
        this.#port.backOff,
      ),
    }
    this.#links.add(link)
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort)
    link.reconnect.start()
    // Who does not wait for it hears of failures by events; a rejection nobody handles would end the process.
    link.first.promise.catch(() => {})
    return link.first.promise
  }

  /** A connection has ended: if it was kept, it is dialled again. */
  onDown(connection: C): void {
    for (const link of this.#links) if (link.connection === connection) link.reconnect.lost()
  }

  /** The connection is to end: nobody dials it again. */
  release(connection: C): void {
    this.#released.add(connection)
    for (const link of this.#links) {
      if (link.connection === connection) this.#drop(link, connectionClosed('it was given up'))
    }
  }

  stop(): void {
    for (const link of this.#links) this.#drop(link, aborted('reconnecting', undefined))
  }

  async #dial(link: KeptLink<C>, request: KeepRequest<C>): Promise<void> {
    const known = link.peerId === undefined ? undefined : this.#port.byId(link.peerId)
    const connection = known ?? (await request.dial(link.ended.signal))
    link.connection = connection
    link.peerId = connection.id
    if (this.#released.has(connection)) this.release(connection)
    if (!connection.isUp) throw connectionClosed('it ended at once')
    link.first.resolve(connection)
  }

  #drop(link: KeptLink<C>, why: Error): void {
    link.reconnect.stop()
    link.unlisten()
    link.first.reject(why)
    link.ended.abort(why)
    this.#links.delete(link)
  }
}
