import type { Identity } from '../identity/identity.ts'
import { formatAddress } from '../wire/address.ts'
import { shakeHandsOver } from './noise-link.ts'
import type { Channel, DialOptions, Listener, ListenHandlers, ListenOptions, Transport } from './transport.ts'
import { checkWebSocketOptions, type WebSocketOptions } from './websocket-options.ts'
import { listenForWebSockets, openWebSocket } from './websocket-platform.ts'
import { WebSocketPipe } from './websocket-pipe.ts'

/**
 * WebSockets (RFC 6455) with Noise XX inside, in which both ends prove their identity: so pages can be nodes, and no
 * authority needs to know anybody. Listening needs Node.js.
 */
export class WebSocketTransport implements Transport {
  readonly name = 'websocket'
  readonly dialsOnly = listenForWebSockets === undefined
  readonly #identity: Identity
  readonly #options: WebSocketOptions

  /** @throws SecureNodeError `invalid-option`, `unknown-option` */
  constructor(identity: Identity, options: WebSocketOptions = {}) {
    checkWebSocketOptions(options)
    this.#identity = identity
    this.#options = options
  }

  /** @throws the platform's error, such as `EADDRINUSE` */
  listen(host: string, port: number, handlers: ListenHandlers, options: ListenOptions): Promise<Listener> {
    return listenForWebSockets!(host, port, this.#identity, this.#options, handlers, options)
  }

  /**
   * @throws the platform's error, such as `ECONNREFUSED`; SecureNodeError `handshake-failed`; the signal's
   *   reason when it was aborted
   */
  async dial(host: string, port: number, { clock, handshakeTimeout, signal }: DialOptions): Promise<Channel> {
    const { path = '/', secure = isSecurePage() } = this.#options
    const url = `${secure ? 'wss' : 'ws'}://${formatAddress(host, port)}${path}`
    const socket = await openWebSocket(url, signal)
    const pipe = new WebSocketPipe(socket, { host, port }, clock)
    const timeout = handshakeTimeout
    return shakeHandsOver(pipe, { role: 'initiator', identity: this.#identity, clock, timeout, signal })
  }
}

/** A page that was loaded over https may open no other sockets. */
function isSecurePage(): boolean {
  const { location } = globalThis as { location?: { protocol?: string } }
  return location?.protocol === 'https:'
}
