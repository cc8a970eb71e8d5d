import { connect, createServer, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { KEEP_ALIVE_DELAY } from '../limits/limits.ts'
import type { Listener } from './transport.ts'

/**
 * Small frames must not wait for the acknowledgement of the one before (Nagle's algorithm with delayed
 * acknowledgements costs 40 ms a frame). Keepalive finds dead peers even when nobody sends a ping.
 */
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY }

/** A socket with its remote end. It reads nothing yet, and an error of it does not end the process. */
export interface ConnectedSocket {
  readonly socket: Socket
  /** The address of the remote end, never a name. */
  readonly host: string
  readonly port: number
}

/** What {@link listenSocket} tells its owner. */
export interface SocketListenHandlers {
  onSocket(connected: ConnectedSocket): void
  /** The listening socket itself failed and is closed. */
  onError(error: Error): void
}

/**
 * Listens on a TCP address; IPv4 and IPv6.
 *
 * @throws the platform's error, such as `EADDRINUSE`
 */
export async function listenSocket(
  host: string,
  port: number,
  handlers: SocketListenHandlers,
): Promise<Listener> {
  const server = createServer(SOCKET_OPTIONS)
  server.on('connection', (socket) => serverOnConnection(socket, handlers))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // Exclusive: the workers of a cluster have identities of their own and must not share a port.
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', (error: NodeJS.ErrnoException) => {
    // One connection could not be accepted, for want of file descriptors for instance. Whoever can exhaust
    // them for a moment must not be able to end the listener with it.
    if (error.syscall === 'accept' && server.listening) return
    server.close()
    handlers.onError(error)
  })
  return { ...listeningAddress(server), close: () => closeServer(server) }
}

function serverOnConnection(socket: Socket, handlers: SocketListenHandlers): void {
  socket.on('error', ignore)
  const { remoteAddress, remotePort } = socket
  // Reset by the other end before it could be accepted: there is nobody to talk to, and nobody to count.
  if (remoteAddress === undefined || remotePort === undefined) socket.destroy()
  else handlers.onSocket({ socket, host: plainHost(remoteAddress), port: remotePort })
}

function listeningAddress(server: Server): { host: string; port: number } {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the listener has no TCP address')
  return { host: address.address, port: address.port }
}

/** Stops listening. The callback of `Server.close` waits for every connection to end, so it is not waited for. */
export function closeServer(server: Server): Promise<void> {
  if (server.listening) server.close()
  // Handles are closed at the end of the event loop's turn, which is before the next immediate but one.
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}

/**
 * Connects to a TCP address, or to a name that stands for one.
 *
 * @throws the platform's error, such as `ECONNREFUSED`; the signal's reason when it was aborted
 */
export function dialSocket(host: string, port: number, signal?: AbortSignal): Promise<ConnectedSocket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason as Error)
      return
    }
    const socket = connect({ host, port, ...SOCKET_OPTIONS })
    const signalOnAbort = () => {
      socket.destroy()
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', signalOnAbort, { once: true })
    const socketOnError = (error: Error) => {
      signal?.removeEventListener('abort', signalOnAbort)
      reject(error)
    }
    socket.on('error', socketOnError)
    socket.once('connect', () => {
      signal?.removeEventListener('abort', signalOnAbort)
      // Not just taken away: an error without a listener would end the process.
      socket.on('error', ignore).off('error', socketOnError)
      resolve({ socket, host: plainHost(socket.remoteAddress ?? host), port: socket.remotePort ?? port })
    })
  })
}

/** An IPv4 address as IPv4, also on a socket of both kinds: limits per address must not see it twice. */
export function plainHost(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address
}

/** For errors that a later event, `close`, reports as well. */
export function ignore(): void {}

/** The addresses of this machine's network interfaces. */
export function machineHosts(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.map(({ address }) => address),
  )
}
