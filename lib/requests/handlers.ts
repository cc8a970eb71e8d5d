import { invalidArgument } from '../errors.ts'
import { isName, NAME } from '../message/document.ts'
import type { Json } from '../message/canonical.ts'
import type { Incoming } from './incoming.ts'

/**
 * Answers requests of a type, and hears plain messages of it. What it returns, or its promise resolves with, is the
 * answer, unless it has answered itself before that; nothing is answered as null. An async iterable is sent part by
 * part. It throws a {@link RequestError} to answer with a reason.
 */
export type Handler<D = Json, A = unknown> = (
  incoming: Incoming<D, A>,
) => A | AsyncIterable<A> | Nothing | Promise<A | AsyncIterable<A> | Nothing>

/** A handler that has answered itself, or answers nothing. */
type Nothing = ReturnType<() => void>

/** The handlers of a node, one for each type. A Map: types are the words of strangers, `constructor` among them. */
export class Handlers {
  readonly #handlers = new Map<string, Handler>()

  /** @throws SecureNodeError `invalid-argument` for what is no type or no function, and for a second handler */
  set(type: string, handler: Handler): void {
    const given: unknown = handler
    if (!isName(type)) throw invalidArgument('type', `a name like ${NAME.source}`, type)
    if (typeof given !== 'function') throw invalidArgument('handler', 'a function', given)
    // The first one would never be called again, and nobody would know why.
    if (this.#handlers.has(type)) throw invalidArgument('type', 'one without a handler yet', type)
    this.#handlers.set(type, handler)
  }

  get(type: string): Handler | undefined {
    return this.#handlers.get(type)
  }

  /** Says whether there was one. */
  remove(type: string): boolean {
    return this.#handlers.delete(type)
  }
}
