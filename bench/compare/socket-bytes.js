// Counts the bytes of all sockets of this process, as they are on the wire: below TLS, Noise and everything else.
import { subscribe } from 'node:diagnostics_channel'

// The handle, not the socket: a TLS socket shows what it carries, and takes the place of the one below.
const handles = new Set()

/** To be called before the first socket is made. */
export function watchSockets() {
  subscribe('net.server.socket', ({ socket }) => handles.add(socket._handle))
  subscribe('net.client.socket', ({ socket }) => socket.once('connect', () => handles.add(socket._handle)))
}

/** Bytes that have come in so far; what one process sends comes in at another. */
export function bytesIn() {
  let sum = 0
  for (const handle of handles) sum += handle.bytesRead ?? 0
  return sum
}
