import type { AnyWebSocket } from '../transport/websocket-pipe.ts'

// WebSockets of a page, in place of those of the package `ws`.

/** A page cannot listen. */
export const listenForWebSockets = undefined

/** Opens a WebSocket. Of the cause of a failure, pages are told nothing. */
export function openWebSocket(url: string, signal?: AbortSignal): Promise<AnyWebSocket> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const socket = new WebSocket(url)
    const settle = (): void => signal?.removeEventListener('abort', signalOnAbort)
    const signalOnAbort = (): void => {
      socket.close()
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', signalOnAbort, { once: true })
    socket.addEventListener('open', () => {
      settle()
      resolve(socket)
    })
    socket.addEventListener('error', () => {
      settle()
      reject(new Error(`no WebSocket could be opened at ${url}`))
    })
  })
}
