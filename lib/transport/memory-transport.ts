import type { LinkOwner, MemoryLink } from './memory-link.ts'
import type { Channel, DialOptions, Listener, ListenHandlers, ListenOptions, Transport } from './transport.ts'

/** What a way into a network in memory asks of the network. */
export interface MemoryTransportPort {
  listen(owner: MemoryTransport, host: string, port: number, handlers: ListenHandlers): Promise<Listener>
  dial(owner: MemoryTransport, host: string, port: number, options: DialOptions): Promise<Channel>
  /** Its owner is no more: everything that it had open ends. */
  onDeath(owner: MemoryTransport): void
}

/** One node's way into a network in memory. Its owner can die, and is told nothing of it then. */
export class MemoryTransport implements Transport, LinkOwner {
  readonly name = 'memory'
  /** The address that the nodes it dials see, and that listening on a wildcard stands for. */
  readonly host: string
  /** Whether nobody can dial it, as behind a router that translates addresses. */
  readonly isHidden: boolean
  readonly links = new Set<MemoryLink>()
  readonly #port: MemoryTransportPort
  #state: 'alive' | 'dead' | 'silent' = 'alive'

  constructor(host: string, isHidden: boolean, port: MemoryTransportPort) {
    this.host = host
    this.isHidden = isHidden
    this.#port = port
  }

  /** Whether its owner has died without power, and nobody has come back at its place. */
  get isSilent(): boolean {
    return this.#state === 'silent'
  }

  /** The addresses that its machine knows as its own. */
  hosts(): readonly string[] {
    return this.isHidden ? [] : [this.host]
  }

  listen(host: string, port: number, handlers: ListenHandlers, _options?: ListenOptions): Promise<Listener> {
    return this.#state === 'alive' ? this.#port.listen(this, host, port, handlers) : never()
  }

  dial(host: string, port: number, options: DialOptions): Promise<Channel> {
    return this.#state === 'alive' ? this.#port.dial(this, host, port, options) : never()
  }

  /**
   * The process of its owner is killed. Its platform refuses new connections and ends those that there are. With
   * `power` the machine is off: connections go silent, and new dials wait.
   */
  kill(how: 'process' | 'power' = 'process'): void {
    if (this.#state !== 'alive') return
    this.#state = how === 'power' ? 'silent' : 'dead'
    this.#port.onDeath(this)
  }

  /** Its machine has its power again: it knows nothing of earlier connections, and says so whoever asks. */
  powerOn(): void {
    this.#state = 'dead'
  }
}

/** What the dead wait for. */
function never(): Promise<never> {
  return new Promise(() => {})
}
