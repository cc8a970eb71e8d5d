import type { Socket } from 'node:net'
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls'
import type { Timer } from '../ground/clock.ts'
import { handshakeFailed } from '../errors.ts'
import { ALPN } from '../limits/limits.ts'
import { type ConnectedSocket, ignore } from './socket.ts'
import { SocketChannel } from './socket-channel.ts'
import { explainTlsError, judgeRemote } from './tls-handshake.ts'
import type { ListenHandlers, ListenOptions } from './transport.ts'

/** An inbound connection whose handshake is under way. */
interface Pending extends ConnectedSocket {
  readonly timer: Timer
  readonly acceptedAt: number
  /** Listens to the raw socket, for as long as the handshake lasts. */
  readonly socketOnClose: () => void
  /** Why it has failed; it counts as failed once its socket is closed. */
  fault: Error | undefined
}

/** The inbound TLS handshakes of one listener. Each ends as a channel or as a failure: exactly one of them. */
export class TlsInbound {
  readonly #server: Server
  readonly #handlers: ListenHandlers
  readonly #options: ListenOptions
  /** By both addresses: what the raw socket and the TLS socket around it have in common. */
  readonly #pending = new Map<string, Pending>()

  constructor(credentials: SecureContextOptions, handlers: ListenHandlers, options: ListenOptions) {
    this.#handlers = handlers
    this.#options = options
    // It never listens: connections are handed to it, so that none costs anything before it was let in.
    this.#server = createServer({
      ...credentials,
      ALPNProtocols: [ALPN],
      requestCert: true,
      // Certificates are self-signed, and judged by us. This also lets in who shows none at all.
      rejectUnauthorized: false,
      // node:tls starts this anew with every byte, so it is the second line, behind our own timer.
      handshakeTimeout: options.handshakeTimeout,
    })
    this.#server.on('secureConnection', (socket) => this.#serverOnSecure(socket))
    this.#server.on('tlsClientError', (error, socket) => this.#serverOnError(error, socket))
  }

  /** Takes over a raw connection. */
  accept(connected: ConnectedSocket): void {
    const { socket, host } = connected
    const key = keyOf(socket)
    // A client that resets and comes back from the same port can be here before its old socket has closed. Two
    // with one key would be taken for each other, and the first never be counted as over: so it may try again.
    if (this.#pending.has(key) || !this.#handlers.shouldAccept(host)) {
      socket.resetAndDestroy()
      return
    }
    const { handshakeTimeout, clock } = this.#options
    const timer = clock.setTimer(() => {
      this.#fail(pending, handshakeFailed(host, `it took longer than ${handshakeTimeout} ms`))
    }, handshakeTimeout)
    const socketOnClose = (): void => this.#socketOnClose(key, pending)
    const acceptedAt = clock.now()
    const pending: Pending = { ...connected, timer, acceptedAt, socketOnClose, fault: undefined }
    this.#pending.set(key, pending)
    socket.on('close', socketOnClose)
    this.#server.emit('connection', socket)
  }

  /** The listener is closing: handshakes that are under way fail. */
  close(): void {
    for (const pending of this.#pending.values()) {
      this.#fail(pending, handshakeFailed(pending.host, 'this node stopped listening'))
    }
  }

  #serverOnSecure(socket: TLSSocket): void {
    // node:tls has let go of the socket: from here on its errors are ours.
    socket.on('error', ignore)
    const key = keyOf(socket)
    const pending = this.#pending.get(key)
    if (pending === undefined) {
      // The remote end is gone, and with it its address.
      socket.destroy()
      return
    }
    const verdict = judgeRemote(socket)
    if (!verdict.ok) this.#fail(pending, handshakeFailed(pending.host, verdict.why), socket)
    if (!verdict.ok || pending.fault !== undefined) return
    this.#pending.delete(key)
    pending.timer.cancel()
    // It would keep all of the handshake for as long as the link is up.
    pending.socket.off('close', pending.socketOnClose)
    const { host, port, acceptedAt } = pending
    const { id: peerId } = verdict
    this.#handlers.onChannel(new SocketChannel({ socket, host, port, peerId, acceptedAt, encrypted: true }))
  }

  #serverOnError(error: Error, socket: TLSSocket): void {
    const pending = this.#pending.get(keyOf(socket))
    // node:tls only reports: whoever is silent, or stops half way, would keep the socket for ever.
    if (pending === undefined) socket.destroy()
    else this.#fail(pending, handshakeFailed(pending.host, explainTlsError(error), error), socket)
  }

  /**
   * The first reason counts; what follows from it does not. And the first socket: a TLS socket that is
   * destroyed in the same turn as, and after, the raw one below it makes Node.js 20 crash (memory is used
   * after it was freed; the test "a client is refused" dies of it). Either of them takes the other along.
   */
  #fail(pending: Pending, fault: Error, socket: Socket = pending.socket): void {
    if (pending.fault !== undefined) return
    pending.fault = fault
    socket.destroy()
  }

  #socketOnClose(key: string, pending: Pending): void {
    this.#pending.delete(key)
    pending.timer.cancel()
    const { host, fault } = pending
    this.#handlers.onFailure(host, fault ?? handshakeFailed(host, 'the connection was closed'))
  }
}

function keyOf(socket: Socket): string {
  const { localAddress = '', remoteAddress = '', remotePort = 0 } = socket
  return `${localAddress} ${remoteAddress} ${remotePort}`
}
