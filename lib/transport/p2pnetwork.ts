import { invalidOption } from '../errors.ts'
import { MAX_FRAME_BYTES } from '../limits/limits.ts'
import { checkNames } from '../ground/names.ts'
import type { Role } from '../wire/hello.ts'
import { P2pNetworkChannel, type P2pNetworkPort } from './p2pnetwork-channel.ts'
import { TcpTransport } from './tcp.ts'
import type { Channel, DialOptions, Listener, ListenHandlers, ListenOptions, Transport } from './transport.ts'

/** Options of a {@link P2pNetworkTransport}. */
export interface P2pNetworkOptions {
  /**
   * What the IDs of this network look like. Nothing marks the end of an ID, and this finds it even where a message
   * came in the same packet; IDs that nobody chose (128 or 64 hexadecimal digits) are known without it.
   *
   * @default none: a chosen ID ends where its sender paused
   */
  readonly idPattern?: RegExp | undefined
}

/** A peer's ID in both forms, for as long as a channel to it is there. */
interface Name {
  readonly id: string
  readonly foreign: string
}

/**
 * The protocol of Python's p2pnetwork over TCP, for a `Node` that is to join networks of it. Nothing is signed and
 * nothing is encrypted: IDs are claims, and whoever carries the bytes can read and change them. A `SecureNode` refuses
 * this transport. See docs/P2PNETWORK.md for what is translated.
 */
export class P2pNetworkTransport implements Transport {
  readonly name = 'p2pnetwork'
  readonly isPlainOnly = true
  readonly #tcp = new TcpTransport()
  readonly #idPattern: RegExp | undefined
  readonly #names = new Map<Channel, Name>()

  /** @throws SecureNodeError `invalid-option` */
  constructor(options: P2pNetworkOptions = {}) {
    checkNames(options, ['idPattern'])
    const { idPattern } = options
    if (idPattern !== undefined && !(idPattern instanceof RegExp))
      throw invalidOption('idPattern', 'a regular expression', idPattern)
    this.#idPattern = idPattern
  }

  /** @throws the platform's error, such as `EADDRINUSE` */
  async listen(
    host: string,
    port: number,
    handlers: ListenHandlers,
    options: ListenOptions,
  ): Promise<Listener> {
    return this.#tcp.listen(host, port, {
      shouldAccept: (remoteHost) => handlers.shouldAccept(remoteHost),
      onFailure: (remoteHost, error) => handlers.onFailure(remoteHost, error),
      onError: (error) => handlers.onError(error),
      onChannel: (channel) => handlers.onChannel(this.#translate(channel, 'responder', options)),
    })
  }

  /** @throws the platform's error, such as `ECONNREFUSED`; the signal's reason when it was aborted */
  async dial(host: string, port: number, options: DialOptions): Promise<Channel> {
    return this.#translate(await this.#tcp.dial(host, port, options), 'initiator', options)
  }

  hosts(): readonly string[] {
    return this.#tcp.hosts()
  }

  /**
   * The ID that a peer has given itself, by the one that `connection.id` has: p2pnetwork's own do not fit our rules,
   * and are shortened. Known while a connection to it is there.
   */
  foreignId(id: string): string | undefined {
    for (const name of this.#names.values()) if (name.id === id) return name.foreign
    return undefined
  }

  #translate(
    channel: Channel,
    role: Role,
    { clock, maxFrameBytes = MAX_FRAME_BYTES }: ListenOptions,
  ): Channel {
    const port: P2pNetworkPort = {
      clock,
      maxFrameBytes,
      idPattern: this.#idPattern,
      onIntroduced: (introduced, id, foreign) => this.#names.set(introduced, { id, foreign }),
      onClosed: (closed) => this.#names.delete(closed),
    }
    return new P2pNetworkChannel(channel, role, port)
  }
}
