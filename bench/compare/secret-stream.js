// Hyperswarm's streams over TCP: encrypted, nothing signed. There is no relaying.
import { createServer, connect } from 'node:net'
import { once } from 'node:events'
import SecretStream from '@hyperswarm/secret-stream'

/** `encode` makes bytes of what is sent, `decode` the reverse: what goes on top of the streams. */
export async function open({ onMessage, encode = toBytes, decode = fromBytes }) {
  const streams = new Set()
  const add = async (isInitiator, socket) => {
    socket.setNoDelay(true)
    const stream = new SecretStream(isInitiator, socket)
    // Each write is one message: the stream keeps their bounds.
    stream.on('data', async (bytes) => onMessage(await decode(bytes)))
    stream.on('error', () => streams.delete(stream))
    await once(stream, 'connect')
    streams.add(stream)
  }
  const server = createServer((socket) => void add(false, socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: server.address().port,
    connect: (port) => add(true, connect(port, '127.0.0.1')),
    send: async (data) => {
      const bytes = await encode(data)
      for (const stream of streams) if (!stream.write(bytes)) await drained(stream)
    },
    peers: () => streams.size,
    close: () => {
      for (const stream of streams) stream.destroy()
      server.close()
    },
  }
}

function toBytes(data) {
  return Buffer.from(JSON.stringify(data))
}

function fromBytes(bytes) {
  return JSON.parse(bytes.toString())
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
