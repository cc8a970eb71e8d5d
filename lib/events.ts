import { EventEmitter } from 'node:events'
import type { SecureNodeError } from './errors.ts'
import { errorText } from './ground/texts.ts'
import { NodeConnection } from './node-connection.ts'
import type { CloseReason } from './wire/close-code.ts'
import type { Address } from './wire/address.ts'
import type { PlainData } from './wire/payload.ts'

/**
 * What happens to the connections of a node, and what comes with each event. Each is also a method to override,
 * and is handed to the callback as `(event, node, connectedNode, data)`.
 */
export interface ConnectionEvents {
  /** A connection that this node opened is up. */
  outboundNodeConnected: [connection: NodeConnection]
  /** A connection that a peer opened is up. */
  inboundNodeConnected: [connection: NodeConnection]
  /** A connection that this node opened has ended. Once per connection that was up. */
  outboundNodeDisconnected: [connection: NodeConnection, reason: CloseReason]
  /** A connection that a peer opened has ended. Once per connection that was up. */
  inboundNodeDisconnected: [connection: NodeConnection, reason: CloseReason]
  /** This node is about to end a connection that it opened. */
  nodeDisconnectWithOutboundNode: [connection: NodeConnection]
  /** This node is about to stop. */
  nodeRequestToStop: []
  /** A connection that this node tried to open did not come up. */
  outboundNodeConnectionError: [error: SecureNodeError, address: Address]
  /** A connection that somebody tried to open to this node did not come up. */
  inboundNodeConnectionError: [error: Error, address: Address]
  /** A reconnection failed, for the `trials`-th time in a row. Return `false` to give up. */
  nodeReconnectionError: [host: string, port: number, trials: number, error: unknown]
  /** One of the application's own handlers threw. Unheard, it becomes a process warning. */
  handlerError: [error: unknown, event: string]
}

/** Events of a `Node`. */
export interface NodeEvents extends ConnectionEvents {
  /** Data arrived. */
  nodeMessage: [connection: NodeConnection, data: PlainData]
}

/** What a map of events must have to be one of a node. */
export type AnyNodeEvents<E> = Record<keyof E, unknown[]> & ConnectionEvents & { nodeMessage: unknown[] }

/**
 * The one callback for all events. `connectedNode` is the connection an event is about, where it is about one;
 * `data` is what came with it: several values come as an array.
 */
export type NodeCallback<N, E = NodeEvents> = (
  event: keyof E & string,
  node: N,
  connectedNode: NodeConnection | undefined,
  data: unknown,
  ...rest: unknown[]
) => unknown

type Handler = (...args: unknown[]) => unknown

/**
 * Tells the application what happens: first the method of that name, then the listeners, then the callback.
 * What one of them throws harms neither the others nor the node. Names that come from remote nodes never get
 * here: an emitter that is told to emit `error` by a stranger takes the process down.
 */
export class EventSource<E extends AnyNodeEvents<E>> extends EventEmitter<E> {
  readonly #callback: Handler | undefined

  constructor(callback: NodeCallback<never, E> | undefined) {
    super()
    this.#callback = callback as Handler | undefined
  }

  /** See {@link NodeEvents}; so for all methods named like events. Override those you need. */
  outboundNodeConnected(..._args: E['outboundNodeConnected']): unknown {
    return
  }
  inboundNodeConnected(..._args: E['inboundNodeConnected']): unknown {
    return
  }
  outboundNodeDisconnected(..._args: E['outboundNodeDisconnected']): unknown {
    return
  }
  inboundNodeDisconnected(..._args: E['inboundNodeDisconnected']): unknown {
    return
  }
  nodeMessage(..._args: E['nodeMessage']): unknown {
    return
  }
  nodeDisconnectWithOutboundNode(..._args: E['nodeDisconnectWithOutboundNode']): unknown {
    return
  }
  nodeRequestToStop(..._args: E['nodeRequestToStop']): unknown {
    return
  }
  outboundNodeConnectionError(..._args: E['outboundNodeConnectionError']): unknown {
    return
  }
  inboundNodeConnectionError(..._args: E['inboundNodeConnectionError']): unknown {
    return
  }
  nodeReconnectionError(..._args: E['nodeReconnectionError']): unknown {
    return
  }
  handlerError(..._args: E['handlerError']): unknown {
    return
  }

  /** Reports an event. Returns `false` if a handler returned `false`. */
  protected notify<K extends keyof E & string>(event: K, ...args: E[K]): boolean {
    const method = (this as unknown as Record<string, Handler | undefined>)[event]
    let isWanted = this.#call(event, method, args)
    for (const listener of this.rawListeners(event as never) as unknown as Handler[]) {
      isWanted = this.#call(event, listener, args) && isWanted
    }
    return this.#call(event, this.#callback, this.#callback && this.#callbackArgs(event, args)) && isWanted
  }

  #callbackArgs(event: string, args: unknown[]): unknown[] {
    const [first, ...rest] = args
    if (first instanceof NodeConnection) return [event, this, first, ...rest]
    return [event, this, undefined, args.length > 1 ? args : first]
  }

  #call(event: string, handler: Handler | undefined, args: unknown[] = []): boolean {
    if (handler === undefined) return true
    try {
      const result = handler.apply(this, args)
      if (result instanceof Promise) result.catch((error: unknown) => this.#onHandlerError(error, event))
      return result !== false
    } catch (error) {
      this.#onHandlerError(error, event)
      return true
    }
  }

  /** The last resort must not go through {@link notify} again when it throws itself. */
  #onHandlerError(error: unknown, event: string): void {
    const isOverridden = this.handlerError !== EventSource.prototype.handlerError
    const hasListener = this.listenerCount('handlerError' as never) > 0 || this.#callback !== undefined
    if (event === 'handlerError' || !(isOverridden || hasListener)) {
      process.emitWarning(error instanceof Error ? error : errorText(error), {
        detail: `thrown by a handler of ${event}`,
      })
      return
    }
    ;(this.notify as (event: string, ...args: unknown[]) => boolean)('handlerError', error, event)
  }
}
