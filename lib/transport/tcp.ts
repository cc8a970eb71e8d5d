import { dialSocket, listenSocket, machineHosts } from './socket.ts'
import { SocketChannel } from './socket-channel.ts'
import type { Channel, DialOptions, Listener, ListenHandlers, Transport } from './transport.ts'

/**
 * TCP, in the clear: whoever carries the bytes can read and change them. Has no handshake of its own, so
 * `handshakeTimeout` means nothing here; a dial ends with its signal or when the platform gives up.
 */
export class TcpTransport implements Transport {
  readonly name = 'tcp'

  /** @throws the platform's error, such as `EADDRINUSE` */
  async listen(host: string, port: number, handlers: ListenHandlers): Promise<Listener> {
    return listenSocket(host, port, {
      onSocket(connected) {
        // A reset instead of a farewell: what is refused must not leave sockets in TIME_WAIT behind.
        if (!handlers.shouldAccept(connected.host)) connected.socket.resetAndDestroy()
        else handlers.onChannel(new SocketChannel({ ...connected, encrypted: false }))
      },
      onError: (error) => handlers.onError(error),
    })
  }

  /** @throws the platform's error, such as `ECONNREFUSED`; the signal's reason when it was aborted */
  async dial(host: string, port: number, options: DialOptions): Promise<Channel> {
    return new SocketChannel({ ...(await dialSocket(host, port, options.signal)), encrypted: false })
  }

  hosts(): readonly string[] {
    return machineHosts()
  }
}
