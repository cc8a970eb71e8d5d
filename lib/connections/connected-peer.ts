import type { Address } from '../wire/address.ts'
import { type Hello, HISTORY } from '../wire/hello.ts'

/** Where a peer is, as far as the connection itself tells. */
export interface PeerPlace {
  readonly direction: 'inbound' | 'outbound'
  /** The remote address; for an outbound connection, the one that was dialled. */
  readonly host: string
  readonly port: number
  readonly remoteHost: string
  /** How the bytes travel: the name of a transport. @default 'tcp' */
  readonly via?: string | undefined
  /** Whether it was opened by the peer's ID, over a transport without addresses. @default false */
  readonly isById?: boolean | undefined
}

/** What most peers say. */
const NONE: readonly never[] = []

/** The peer at the other end of a connection: where it is, what it has said about itself, and notes about it. */
export abstract class ConnectedPeer {
  /** Who opened the connection: `outbound` if this node did. */
  readonly direction: 'inbound' | 'outbound'
  /** The remote address; for an outbound connection, the one that was dialled. */
  readonly host: string
  readonly port: number
  /** The remote IP address, also where a name was dialled. */
  readonly remoteHost: string
  /** How the bytes travel: `'tls'`, `'tcp'`, `'hyperswarm'`, or the name of another transport. */
  readonly via: string
  /** Whether it was opened by ID: its address is that of a hole in a router, where nobody else can connect. */
  readonly isById: boolean
  /** Made by the first note. */
  #info: Map<string, unknown> | undefined
  // What of the hello is asked for later. The rest, such as its nonce, is not kept for as long as the link is up.
  #id = ''
  #listen: readonly Address[] = NONE
  #seenAt: Address | undefined
  #clockOffset = 0
  #caps: readonly string[] = NONE

  constructor({ direction, host, port, remoteHost, via = 'tcp', isById = false }: PeerPlace) {
    this.direction = direction
    this.host = host
    this.port = port
    this.remoteHost = remoteHost
    this.via = via
    this.isById = isById
  }

  /** The peer's ID: proven in a `SecureNode`, a claim in a plain `Node`; empty until its hello came. */
  get id(): string {
    return this.#id
  }

  /** Where the peer says that it accepts connections; an empty or wildcard host means {@link host}. */
  get listen(): readonly Address[] {
    return this.#listen
  }

  /** At which address the peer says that it sees this node. */
  get seenAt(): Address | undefined {
    return this.#seenAt
  }

  /** How far the peer's clock is ahead of ours, in ms, as its hello told: right up to the time that it travelled. */
  get clockOffset(): number {
    return this.#clockOffset
  }

  /** Whether the peer has said that it can do something beyond the minimum. */
  can(capability: string): boolean {
    return this.#caps.includes(capability)
  }

  /** Whether the peer keeps messages for those who were away. */
  get hasHistory(): boolean {
    return this.can(HISTORY)
  }

  /** Keeps a value of yours with this connection. */
  setInfo(key: string, value: unknown): void {
    this.#info ??= new Map()
    this.#info.set(key, value)
  }

  /** A value kept with {@link setInfo}. */
  getInfo(key: string): unknown {
    return this.#info?.get(key)
  }

  /** The peer has introduced itself, at this time. */
  protected introduce({ id, listen, seen, time, caps }: Hello, now: number): void {
    this.#id = id
    if (listen.length > 0) this.#listen = listen
    this.#seenAt = seen
    this.#clockOffset = time - now
    if (caps.length > 0) this.#caps = caps
  }
}
