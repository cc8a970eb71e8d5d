import { invalidArgument } from '../errors.ts'
import { checkNames } from '../ground/names.ts'
import { checkSignal } from '../ground/signal.ts'
import type { NetworkMap, NetworkNode } from './network-map.ts'
import type { Survey } from './survey.ts'

/** Options of `discover()`. */
export interface DiscoverOptions {
  /**
   * How long answers are waited for, in ms. The network passes answers back for 30 s, so nothing is waited for
   * longer than that.
   *
   * @default 5_000
   */
  readonly timeout?: number | undefined
  /** Ends the search with the error `aborted`. @default none */
  readonly signal?: AbortSignal | undefined
}

/**
 * Checks the options of `discover()`.
 *
 * @throws SecureNodeError `invalid-option` for a name that is none, `invalid-argument` for a wrong value
 */
export function checkDiscoverOptions(options: DiscoverOptions): void {
  checkNames(options, ['timeout', 'signal'])
  const { timeout, signal } = options as { timeout?: unknown; signal?: unknown }
  // A timer of 2^31 ms or more fires at once.
  if (timeout !== undefined && !(typeof timeout === 'number' && timeout > 0 && timeout < 2 ** 31)) {
    throw invalidArgument('timeout', 'a positive number of milliseconds below 2^31', timeout)
  }
  checkSignal(signal)
}

/**
 * A search for all nodes of the network that is under way. Wait for it, and it is the map of the network; iterate
 * over it, and it is each node as its answer arrives, the node that asks first.
 *
 * ```ts
 * const map = await node.discover()
 * for await (const { id, latency } of node.discover()) console.log(id, latency)
 * ```
 *
 * It ends when every node that was named has answered, when its time is over, or when an iteration over it is left
 * early; the map is then what has come. Nothing is kept for an iteration that does not take place. Its map and its
 * error may be left alone: an error that nobody waits for is no unhandled rejection.
 */
export class NetworkSearch implements Promise<NetworkMap>, AsyncIterable<NetworkNode> {
  /** What `Object.prototype.toString` shows; a `Promise` has one. */
  readonly [Symbol.toStringTag] = 'NetworkSearch'
  readonly #survey: Survey

  constructor(survey: Survey) {
    this.#survey = survey
  }

  /** As of a promise; rejects with SecureNodeError `aborted`, or `overload` if too many searches were begun. */
  then<R = NetworkMap, E = never>(
    onFulfilled?: ((map: NetworkMap) => R | PromiseLike<R>) | null,
    onRejected?: ((error: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    return this.#survey.result.then(onFulfilled, onRejected)
  }

  /** As of a promise. */
  catch<E = never>(onRejected?: ((error: unknown) => E | PromiseLike<E>) | null): Promise<NetworkMap | E> {
    return this.#survey.result.catch(onRejected)
  }

  /** As of a promise. */
  finally(onFinally?: (() => void) | null): Promise<NetworkMap> {
    return this.#survey.result.finally(onFinally)
  }

  /**
   * Each node once, in the order of the answers, from the first one on whenever the iteration begins. A node's
   * `distance` is the shortest way that was known when it came by; the map's is the final one. An error ends it.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<NetworkNode, void, void> {
    const survey = this.#survey
    try {
      for (let at = 0; ; at++) {
        while (at >= survey.count && !survey.isOver) await survey.changed
        if (survey.failure !== undefined) throw survey.failure
        if (at >= survey.count) return
        yield survey.node(at)
      }
    } finally {
      survey.leave()
    }
  }
}
