import { unreachable } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import type { NodeId } from '../wire/ids.ts'
import type { Channel, IdListenHandlers, IdTransport, Listener, ListenOptions } from './transport.ts'
import { WebSocketTransport } from './websocket.ts'
import type { WebSocketOptions } from './websocket-options.ts'

/** Where a node accepts WebSockets, beside its own address. */
export interface WebSocketListenOptions extends Pick<WebSocketOptions, 'origins' | 'path'> {
  /** The port; 0 for any free one. */
  readonly port: number
  /** The address to listen at. @default that of the node */
  readonly host?: string | undefined
}

/** The door of a node for pages: it accepts WebSockets, and dials nobody. */
export class WebSocketDoor implements IdTransport {
  readonly name = 'websocket'
  readonly #transport: WebSocketTransport
  readonly #host: string
  readonly #port: number
  #listener: Listener | undefined

  constructor(
    identity: Identity,
    host: string,
    { port, host: own = host, ...options }: WebSocketListenOptions,
  ) {
    this.#transport = new WebSocketTransport(identity, options)
    this.#host = own
    this.#port = port
  }

  /** The port that it listens at; undefined while it does not. */
  get port(): number | undefined {
    return this.#listener?.port
  }

  async listen(handlers: IdListenHandlers, options: ListenOptions): Promise<Pick<Listener, 'close'>> {
    this.#listener = await this.#transport.listen(this.#host, this.#port, handlers, options)
    return {
      close: async () => {
        await this.#listener?.close()
        this.#listener = undefined
      },
    }
  }

  /** Nobody can be found by ID here. */
  dial(id: NodeId): Promise<Channel> {
    return Promise.reject(unreachable(id))
  }
}
