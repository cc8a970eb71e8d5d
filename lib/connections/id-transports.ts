import { unreachable } from '../errors.ts'
import type {
  DialOptions,
  IdListenHandlers,
  IdTransport,
  Listener,
  ListenOptions,
  Transport,
} from '../transport/transport.ts'
import type { NodeId } from '../wire/ids.ts'

/** What dials: the host is the ID, and the port means nothing. */
type Dialler = Pick<Transport, 'name' | 'dial'>

/** The further transports of a node that runs: those that dial by ID. */
export class IdTransports {
  readonly #running: { transport: IdTransport; listener: Pick<Listener, 'close'> }[] = []

  /** Starts all of them, or none: rejects with the error of the first one that fails. */
  async start(
    transports: readonly IdTransport[],
    handlersOf: (name: string) => IdListenHandlers,
    options: ListenOptions,
  ): Promise<void> {
    try {
      for (const transport of transports) {
        const listener = await transport.listen(handlersOf(transport.name), options)
        this.#running.push({ transport, listener })
      }
    } catch (error) {
      await this.close()
      throw error
    }
  }

  /** Stops them all. */
  async close(): Promise<void> {
    await Promise.all(this.#running.splice(0).map(({ listener }) => listener.close()))
  }

  /** Tries one after the other. Rejects with the last error, or with `unreachable` where there is none. */
  async firstOf<T>(id: NodeId, dial: (dialler: Dialler) => Promise<T>): Promise<T> {
    let failure: unknown = unreachable(id)
    for (const { transport } of this.#running) {
      try {
        return await dial({
          name: transport.name,
          dial: (host: string, _port: number, options: DialOptions) =>
            transport.dial(host as NodeId, options),
        })
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }
}
