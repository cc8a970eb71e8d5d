import type { WebSocket } from 'ws'
import type { Clock } from '../clock.ts'
import type { Channel, Listener, ListenHandlers } from './transport.ts'
import type { AnyWebSocket } from './websocket-pipe.ts'
import { MAX_NOISE_BYTES } from '../web-limits.ts'

// WebSockets of Node.js, by the package `ws`, which is loaded when the first one is needed. The build for browsers has
// a file of its own in the place of this one.

/** A WebSocket that was opened by a client. */
export interface OpenedSocket {
  readonly socket: AnyWebSocket
  readonly host: string
  readonly port: number
  /** When the raw connection was accepted, in ms since the epoch. */
  readonly acceptedAt: number
}

/** What listening goes by. */
export interface WebListenOptions {
  readonly origins: readonly string[] | '*' | undefined
  readonly path: string
  /** In ms. */
  readonly handshakeTimeout: number
  readonly clock: Clock
}

/** Listens; every socket that is opened is handed to `shakeHands`. Undefined where the platform cannot. */
export const listenForWebSockets:
  | ((
      host: string,
      port: number,
      options: WebListenOptions,
      handlers: ListenHandlers,
      shakeHands: (opened: OpenedSocket) => Promise<Channel>,
    ) => Promise<Listener>)
  | undefined = async (...args) => {
  const { listenForUpgrades } = await import('./websocket-listener.ts')
  return listenForUpgrades(...args)
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
      resolve(socket as unknown as AnyWebSocket)
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
