// Bare TCP: a line of JSON for each message, neither signed nor encrypted. There is no relaying.
import { createServer, connect } from 'node:net'
import { once } from 'node:events'

export async function open({ onMessage }) {
  const sockets = new Set()
  const add = (socket) => {
    let rest = ''
    socket.setEncoding('utf8').setNoDelay(true)
    socket.on('data', (text) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) onMessage(JSON.parse(line))
    })
    socket.on('error', () => sockets.delete(socket))
    sockets.add(socket)
  }
  const server = createServer(add).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: server.address().port,
    connect: async (port) => {
      const socket = connect(port, '127.0.0.1')
      await once(socket, 'connect')
      add(socket)
    },
    send: async (data) => {
      const line = `${JSON.stringify(data)}\n`
      for (const socket of sockets) if (!socket.write(line)) await drained(socket)
    },
    peers: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

const draining = new Map()

/** Resolves when there is room again; many may wait for the same. */
function drained(stream) {
  if (!draining.has(stream))
    draining.set(
      stream,
      once(stream, 'drain').finally(() => draining.delete(stream)),
    )
  return draining.get(stream)
}
