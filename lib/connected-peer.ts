import type { Address } from './wire/address.ts'
import { type Hello, HISTORY } from './wire/hello.ts'

/** Where a peer is, as far as the connection itself tells. */
export interface PeerPlace {
  readonly direction: 'inbound' | 'outbound'
  readonly host: string
  readonly port: number
  readonly remoteHost: string
}

/** The peer at the other end of a connection: where it is, what it has said about itself, and notes about it. */
export abstract class ConnectedPeer {
  /** Who opened the connection: `outbound` if this node did. */
  readonly direction: 'inbound' | 'outbound'
  /** The remote address; for an outbound connection, the one that was dialled. */
  readonly host: string
  readonly port: number
  /** The remote IP address, also where a name was dialled. */
  readonly remoteHost: string
  readonly #info = new Map<string, unknown>()
  #hello: Hello | undefined
  #helloAt = 0

  constructor({ direction, host, port, remoteHost }: PeerPlace) {
    this.direction = direction
    this.host = host
    this.port = port
    this.remoteHost = remoteHost
  }

  /** The peer's ID: proven in a `SecureNode`, a claim in a plain `Node`; empty until its hello came. */
  get id(): string {
    return this.#hello?.id ?? ''
  }

  /** Where the peer says that it accepts connections; an empty or wildcard host means {@link host}. */
  get listen(): readonly Address[] {
    return this.#hello?.listen ?? []
  }

  /** At which address the peer says that it sees this node. */
  get seenAt(): Address | undefined {
    return this.#hello?.seen
  }

  /** How far the peer's clock is ahead of ours, in ms, as its hello told: right up to the time that it travelled. */
  get clockOffset(): number {
    return this.#hello === undefined ? 0 : this.#hello.time - this.#helloAt
  }

  /** Whether the peer has said that it can do something beyond the minimum. */
  can(capability: string): boolean {
    return this.#hello?.caps.includes(capability) ?? false
  }

  /** Whether the peer keeps messages for those who were away. */
  get hasHistory(): boolean {
    return this.can(HISTORY)
  }

  /** Keeps a value of yours with this connection. */
  setInfo(key: string, value: unknown): void {
    this.#info.set(key, value)
  }

  /** A value kept with {@link setInfo}. */
  getInfo(key: string): unknown {
    return this.#info.get(key)
  }

  /** The peer has introduced itself, at this time. */
  protected introduce(hello: Hello, now: number): void {
    this.#hello = hello
    this.#helloAt = now
  }
}
