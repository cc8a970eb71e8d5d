import {
  connect,
  createSecureContext,
  type SecureContext,
  type SecureContextOptions,
  type TLSSocket,
} from 'node:tls'
import { handshakeFailed } from '../errors.ts'
import { formatAddress } from '../wire/address.ts'
import type { Identity } from '../identity/identity.ts'
import { ALPN } from '../limits/limits.ts'
import { type ConnectedSocket, dialSocket, ignore, listenSocket, machineHosts } from './socket.ts'
import { SocketChannel } from './socket-channel.ts'
import { explainTlsError, judgeRemote, tlsCredentials } from './tls-handshake.ts'
import { TlsInbound } from './tls-inbound.ts'
import type { Channel, DialOptions, Listener, ListenHandlers, ListenOptions, Transport } from './transport.ts'

/**
 * TCP with TLS 1.3 (RFC 8446), in which both ends prove their identity: each shows a certificate whose key is
 * its node ID. No authorities, no names, no dates.
 *
 * A channel that was dialled is handed out before the remote end has judged our certificate; one that it
 * refuses closes soon after. So a link is up when the remote end has said something, not before.
 */
export class TlsTransport implements Transport {
  readonly name = 'tls'
  /** For listeners, each of which makes a context of its own of them. */
  readonly #credentials: SecureContextOptions
  /** For all dials together: making one takes as long as a handshake. */
  readonly #context: SecureContext

  constructor(identity: Identity) {
    this.#credentials = tlsCredentials(identity)
    this.#context = createSecureContext(this.#credentials)
  }

  /** @throws the platform's error, such as `EADDRINUSE` */
  async listen(
    host: string,
    port: number,
    handlers: ListenHandlers,
    options: ListenOptions,
  ): Promise<Listener> {
    const inbound = new TlsInbound(this.#credentials, handlers, options)
    const listener = await listenSocket(host, port, {
      onSocket: (connected) => inbound.accept(connected),
      onError(error) {
        // It has ended: no channel may come of it any more.
        inbound.close()
        handlers.onError(error)
      },
    })
    return {
      host: listener.host,
      port: listener.port,
      close() {
        inbound.close()
        return listener.close()
      },
    }
  }

  /**
   * @throws the platform's error, such as `ECONNREFUSED`; SecureNodeError `handshake-failed`; the signal's
   *   reason when it was aborted
   */
  async dial(host: string, port: number, options: DialOptions): Promise<Channel> {
    const connected = await dialSocket(host, port, options.signal)
    if (options.signal?.aborted === true) {
      // In the turn between the connection and this one, when nobody listened to the signal.
      connected.socket.destroy()
      throw options.signal.reason
    }
    return this.#shakeHands(connected, formatAddress(host, port), options)
  }

  hosts(): readonly string[] {
    return machineHosts()
  }

  /** The timer starts here: how long TCP took is for the signal to bound. */
  #shakeHands(connected: ConnectedSocket, address: string, options: DialOptions): Promise<SocketChannel> {
    return new Promise((resolve, reject) => {
      const { clock, handshakeTimeout, signal } = options
      // No server name: it would tell everybody on the way whom this node looks for.
      const socket: TLSSocket = connect({
        socket: connected.socket,
        secureContext: this.#context,
        ALPNProtocols: [ALPN],
        // Certificates are self-signed, and judged by us. No session is given, so none is resumed.
        rejectUnauthorized: false,
      })
      const settle = () => {
        timer.cancel()
        signal?.removeEventListener('abort', signalOnAbort)
        socket.off('close', socketOnClose)
        // Not just taken away: an error without a listener would end the process.
        socket.on('error', ignore).off('error', socketOnError)
      }
      const fail = (error: Error) => {
        settle()
        socket.destroy()
        reject(error)
      }
      const signalOnAbort = () => fail(signal?.reason as Error)
      const socketOnClose = () => fail(handshakeFailed(address, 'the connection was closed'))
      const timer = clock.setTimer(() => {
        fail(handshakeFailed(address, `it took longer than ${handshakeTimeout} ms`))
      }, handshakeTimeout)
      signal?.addEventListener('abort', signalOnAbort, { once: true })
      socket.once('close', socketOnClose)
      const socketOnError = (error: Error) => fail(handshakeFailed(address, explainTlsError(error), error))
      socket.on('error', socketOnError)
      socket.once('secureConnect', () => {
        const verdict = judgeRemote(socket)
        // Before a byte was sent over it: who is not the right kind of peer learns nothing of us.
        if (!verdict.ok) {
          fail(handshakeFailed(address, verdict.why))
          return
        }
        settle()
        resolve(new SocketChannel({ ...connected, socket, peerId: verdict.id, encrypted: true }))
      })
    })
  }
}
