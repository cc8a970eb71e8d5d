import { invalidOption } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import { checkNames } from '../names.ts'
import { formatAddress } from '../wire/address.ts'
import { shakeHandsOver } from './noise-link.ts'
import type { Channel, DialOptions, Listener, ListenHandlers, ListenOptions, Transport } from './transport.ts'
import { listenForWebSockets, openWebSocket } from './websocket-platform.ts'
import { WebSocketPipe } from './websocket-pipe.ts'

/** Options of a {@link WebSocketTransport}. */
export interface WebSocketOptions {
  /**
   * Pages that may connect, by their origin, like `'https://example.org'`; `'*'` allows all of them. Programs that are
   * no browsers send none, and are always let in.
   *
   * @default pages that come from this machine: `localhost`, `127.0.0.1` and `[::1]`
   */
  readonly origins?: readonly string[] | '*' | undefined
  /** The path of the URL. @default '/' */
  readonly path?: string | undefined
  /** Dial `wss:`, where a proxy in front of the nodes adds TLS. @default as the page was loaded; else `false` */
  readonly secure?: boolean | undefined
}

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
    checkNames(options, ['origins', 'path', 'secure'])
    checkWebSocketOptions(options)
    this.#identity = identity
    this.#options = options
  }

  /** @throws the platform's error, such as `EADDRINUSE` */
  async listen(
    host: string,
    port: number,
    handlers: ListenHandlers,
    options: ListenOptions,
  ): Promise<Listener> {
    const { origins, path = '/' } = this.#options
    const identity = this.#identity
    const { clock, handshakeTimeout } = options
    return listenForWebSockets!(
      host,
      port,
      { origins, path, handshakeTimeout, clock },
      handlers,
      async (opened) => {
        const pipe = new WebSocketPipe(opened.socket, opened, clock)
        const acceptedAt = opened.acceptedAt
        const terms = { role: 'responder', identity, clock, timeout: handshakeTimeout, acceptedAt } as const
        return shakeHandsOver(pipe, terms)
      },
    )
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

/** @throws SecureNodeError `invalid-option` */
export function checkWebSocketOptions({ origins, path, secure }: WebSocketOptions): void {
  const areOrigins =
    origins === undefined || origins === '*' || (Array.isArray(origins) && origins.every(isOrigin))
  if (!areOrigins) throw invalidOption('origins', '"*", or origins like "https://example.org"', origins)
  if (path !== undefined && !(typeof path === 'string' && /^\/[\w\-./~]*$/.test(path))) {
    throw invalidOption('path', 'a path like "/network"', path)
  }
  if (secure !== undefined && typeof secure !== 'boolean')
    throw invalidOption('secure', 'true or false', secure)
}

function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value
}

/** A page that was loaded over https may open no other sockets. */
function isSecurePage(): boolean {
  const { location } = globalThis as { location?: { protocol?: string } }
  return location?.protocol === 'https:'
}
