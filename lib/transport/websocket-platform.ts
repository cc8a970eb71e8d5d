import type { WebSocket } from 'ws'
import type { Identity } from '../identity/identity.ts'
import { shakeHandsOver } from './noise-link.ts'
import type { Channel, Listener, ListenHandlers, ListenOptions } from './transport.ts'
import { type AnyWebSocket, type OpenedSocket, WebSocketPipe } from './websocket-pipe.ts'
import type { WebSocketOptions } from './websocket-options.ts'
import { MAX_NOISE_BYTES } from '../limits/web-limits.ts'

// WebSockets of Node.js, by the package `ws`, which is loaded when the first one is needed. The build for browsers has
// a file of its own in the place of this one.

/** Listens for those who prove who they are. Undefined where the platform cannot. */
export const listenForWebSockets:
  | ((
      host: string,
      port: number,
      identity: Identity,
      options: WebSocketOptions,
      handlers: ListenHandlers,
      terms: ListenOptions,
    ) => Promise<Listener>)
  | undefined = async (
  host,
  port,
  identity,
  { origins, path = '/' },
  handlers,
  { clock, handshakeTimeout },
) => {
  const { listenForUpgrades } = await import('./websocket-listener.ts')
  const shakeHands = (opened: OpenedSocket): Promise<Channel> => {
    const pipe = new WebSocketPipe(opened.socket, opened, clock)
    const { acceptedAt } = opened
    return shakeHandsOver(pipe, { role: 'responder', identity, clock, timeout: handshakeTimeout, acceptedAt })
  }
  return listenForUpgrades(host, port, { origins, path, handshakeTimeout, clock }, handlers, shakeHands)
}

/** Opens a WebSocket. @throws the platform's error; the signal's reason when it was aborted */
export async function openWebSocket(url: string, signal?: AbortSignal): Promise<AnyWebSocket> {
  const { WebSocket } = await import('ws')
  signal?.throwIfAborted()
  return opened(new WebSocket(url, { perMessageDeflate: false, maxPayload: MAX_NOISE_BYTES }), signal)
}

function opened(socket: WebSocket, signal: AbortSignal | undefined): Promise<AnyWebSocket> {
  return new Promise((resolve, reject) => {
    const signalOnAbort = (): void => {
      socket.terminate()
      reject(signal?.reason as Error)
    }
    const settle = (): void => {
      signal?.removeEventListener('abort', signalOnAbort)
      socket.off('open', onOpen)
    }
    const onOpen = (): void => {
      settle()
      resolve(socket)
    }
    signal?.addEventListener('abort', signalOnAbort, { once: true })
    socket.on('open', onOpen)
    // It stays: an error without a listener would end the process.
    socket.on('error', (error) => {
      settle()
      reject(error)
    })
  })
}
