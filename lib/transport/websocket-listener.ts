import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { handshakeFailed } from '../errors.ts'
import { MAX_NOISE_BYTES, MAX_UPGRADE_BYTES } from '../limits/web-limits.ts'
import { closeServer, plainHost } from './socket.ts'
import type { Channel, Listener, ListenHandlers } from './transport.ts'
import type { AnyWebSocket, OpenedSocket, WebListenOptions } from './websocket-pipe.ts'

type ShakeHands = (opened: OpenedSocket) => Promise<Channel>

/** Names under which a page comes from this machine. */
const OWN_HOSTS = ['localhost', '127.0.0.1', '[::1]']

/** A raw connection that was let in and is no channel yet. */
interface Pending {
  readonly host: string
  readonly port: number
  readonly acceptedAt: number
}

/**
 * Listens for HTTP requests that open WebSockets, and answers no other. Resolves when it does.
 *
 * @throws the platform's error, such as `EADDRINUSE`
 */
export async function listenForUpgrades(
  host: string,
  port: number,
  options: WebListenOptions,
  handlers: ListenHandlers,
  shakeHands: ShakeHands,
): Promise<Listener> {
  const upgrades = new Upgrades(options, handlers, shakeHands)
  const { server } = upgrades
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', (error) => handlers.onError(error))
  const address = server.address() as { address: string; port: number }
  return { host: address.address, port: address.port, close: () => upgrades.close() }
}

class Upgrades {
  readonly server: Server
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // It would let a stranger make us inflate; and what is encrypted does not shrink.
    perMessageDeflate: false,
    maxPayload: MAX_NOISE_BYTES,
  })
  readonly #options: WebListenOptions
  readonly #handlers: ListenHandlers
  readonly #shakeHands: ShakeHands
  readonly #pending = new Map<Duplex, Pending>()

  constructor(options: WebListenOptions, handlers: ListenHandlers, shakeHands: ShakeHands) {
    this.#options = options
    this.#handlers = handlers
    this.#shakeHands = shakeHands
    const { handshakeTimeout } = options
    this.server = createServer({
      maxHeaderSize: MAX_UPGRADE_BYTES,
      headersTimeout: handshakeTimeout,
      requestTimeout: handshakeTimeout,
      connectionsCheckingInterval: Math.max(1, Math.floor(handshakeTimeout / 4)),
      keepAlive: false,
    })
    this.server.on('connection', (socket) => this.#onSocket(socket))
    this.server.on('request', (_request, response) => {
      response
        .writeHead(426, { connection: 'close', upgrade: 'websocket' })
        .end('a node listens here for WebSockets\n')
    })
    this.server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head))
    this.server.on('clientError', (_error, socket) => socket.destroy())
  }

  /** Stops listening; handshakes that are under way fail, and channels are left alone. */
  close(): Promise<void> {
    for (const socket of this.#pending.keys()) socket.destroy()
    return closeServer(this.server)
  }

  #onSocket(socket: Socket): void {
    const host = plainHost(socket.remoteAddress ?? '')
    if (!this.#handlers.shouldAccept(host)) {
      socket.resetAndDestroy()
      return
    }
    socket.setNoDelay(true)
    this.#pending.set(socket, { host, port: socket.remotePort ?? 0, acceptedAt: this.#options.clock.now() })
    socket.once('close', () => this.#fail(socket, handshakeFailed(host, 'the connection was closed')))
    // Node stops to watch the time of a request once it has been upgraded; the handshake has a time of its own then.
    socket.on('error', () => {})
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { headers, url } = request
    const status =
      url !== this.#options.path ? '404 Not Found' : this.#mayOpen(headers.origin) ? '' : '403 Forbidden'
    if (status !== '') socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
    else this.#sockets.handleUpgrade(request, socket, head, (opened) => this.#onOpen(opened, socket))
  }

  #onOpen(opened: AnyWebSocket, raw: Duplex): void {
    const pending = this.#pending.get(raw)
    if (pending === undefined) {
      opened.terminate?.()
      return
    }
    this.#shakeHands({ socket: opened, ...pending }).then(
      (channel) => {
        // It may have gone meanwhile, and then it was counted as a failure.
        if (!this.#pending.delete(raw)) channel.destroy()
        else this.#handlers.onChannel(channel)
      },
      (error: unknown) => {
        this.#fail(raw, error instanceof Error ? error : new Error(String(error)))
        raw.destroy()
      },
    )
  }

  #fail(socket: Duplex, error: Error): void {
    const pending = this.#pending.get(socket)
    if (pending === undefined) return
    this.#pending.delete(socket)
    this.#handlers.onFailure(pending.host, error)
  }

  /** A page of anybody's may try to connect with a node of its visitor's machine: only those that are named get in. */
  #mayOpen(origin: string | undefined): boolean {
    const { origins } = this.#options
    if (origin === undefined || origins === '*') return true
    if (origins !== undefined) return origins.includes(origin)
    return URL.canParse(origin) && OWN_HOSTS.includes(new URL(origin).hostname)
  }
}
