import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import t, { type Test } from 'tap'
import { systemClock } from '../../lib/ground/clock.ts'
import { dialSocket, listenSocket, plainHost } from '../../lib/transport/socket.ts'
import { SocketChannel } from '../../lib/transport/socket-channel.ts'
import { TcpTransport } from '../../lib/transport/tcp.ts'
import type { Channel, Listener } from '../../lib/transport/transport.ts'
import { ChannelRecorder, ListenRecorder, turns } from '../fixtures/channel-recorder.ts'

const HOST = '127.0.0.1'
const OPTIONS = { handshakeTimeout: 1_000, clock: systemClock }
const tcp = new TcpTransport()

const addresses = Object.values(networkInterfaces()).flat()
const noIpv6 = !addresses.some((address) => address?.address === '::1') && 'this machine has no IPv6'

async function listen(t: Test, owner: ListenRecorder, host = HOST): Promise<Listener> {
  const listener = await tcp.listen(host, 0, owner)
  t.teardown(() => listener.close())
  return listener
}

/** A channel that is ours, and a socket that does what it likes. */
async function connectRaw(t: Test, options: { allowHalfOpen?: boolean } = {}) {
  const owner = new ListenRecorder()
  const { port } = await listen(t, owner)
  const socket = connect({ port, host: HOST, ...options })
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  const far = await owner.channel()
  t.teardown(() => far.channel.destroy())
  return { owner, socket, far }
}

t.test('IPv6 addresses work, at both ends', { skip: noIpv6 }, async (t) => {
  const owner = new ListenRecorder()
  const listener = await listen(t, owner, '::1')
  t.equal(listener.host, '::1')
  const near = new ChannelRecorder(await tcp.dial('::1', listener.port, OPTIONS))
  const far = await owner.channel()
  t.same(owner.asked, ['::1'])
  t.equal(near.channel.remoteHost, '::1')
  t.equal(far.channel.remoteHost, '::1')
  near.channel.destroy()
  await far.closed()
})

t.test('an IPv4 address has one spelling, also on a socket for both kinds', { skip: noIpv6 }, async (t) => {
  const owner = new ListenRecorder()
  const listener = await listen(t, owner, '::')
  const channel = await tcp.dial(HOST, listener.port, OPTIONS)
  const far = await owner.channel()
  t.same(owner.asked, [HOST])
  t.equal(far.channel.remoteHost, HOST)
  channel.destroy()
  await far.closed()
})

t.test('only IPv4 addresses inside IPv6 ones are spelled anew', (t) => {
  t.equal(plainHost('::ffff:192.0.2.1'), '192.0.2.1')
  t.equal(plainHost('192.0.2.1'), '192.0.2.1')
  t.equal(plainHost('2001:db8::1'), '2001:db8::1')
  t.equal(plainHost('::ffff:0:1'), '::ffff:0:1')
  t.end()
})

t.test('a name is dialled at one of its addresses', async (t) => {
  const owner = new ListenRecorder()
  const listener = await listen(t, owner, 'localhost')
  t.match(listener.host, /^(127\.0\.0\.1|::1)$/)
  const channel = await tcp.dial('localhost', listener.port, OPTIONS)
  t.equal(channel.remoteHost, listener.host)
  const far = await owner.channel()
  channel.destroy()
  await far.closed()
})

t.test('impossible addresses reject', async (t) => {
  const owner = new ListenRecorder()
  await t.rejects(tcp.dial(HOST, 65_536, OPTIONS), { code: 'ERR_SOCKET_BAD_PORT' })
  await t.rejects(tcp.listen(HOST, -1, owner), { code: 'ERR_SOCKET_BAD_PORT' })
  await t.rejects(tcp.listen('192.0.2.1', 0, owner), { code: 'EADDRNOTAVAIL' })
})

t.test('a remote end that is finished but does not close is closed', async (t) => {
  const { socket, far } = await connectRaw(t, { allowHalfOpen: true })
  socket.end('last words')
  socket.resume()
  t.equal(await far.closed(), undefined)
  t.equal(far.text, 'last words')
  await once(socket, 'end')
})

t.test('what is queued for a remote end that is finished still leaves', async (t) => {
  const { socket, far } = await connectRaw(t, { allowHalfOpen: true })
  let received = 0
  socket.on('data', (bytes) => (received += bytes.length))
  socket.pause()
  far.channel.write(new Uint8Array(24 * 1_024 * 1_024))
  socket.end()
  await turns(50)
  t.same(far.closes, [])
  far.channel.write(new Uint8Array(1))
  socket.resume()
  t.equal(await far.closed(), undefined)
  await once(socket, 'end')
  t.equal(received, 24 * 1_024 * 1_024, 'and nothing that was written after it had finished')
})

t.test('destroy ends it with a remote end that neither reads nor closes', async (t) => {
  const { socket, far } = await connectRaw(t)
  socket.pause()
  far.channel.write(new Uint8Array(24 * 1_024 * 1_024))
  far.channel.end()
  await turns(50)
  t.same(far.closes, [])
  far.channel.destroy()
  t.equal(await far.closed(), undefined)
  t.equal(far.closes.length, 1)
})

t.test('a reset is told as the error that ended the channel', async (t) => {
  const { socket, far } = await connectRaw(t)
  socket.resetAndDestroy()
  t.match(await far.closed(), { code: 'ECONNRESET' })
  t.equal(far.closes.length, 1)
})

t.test('a reset that came before the channel was opened is told when it opens', async (t) => {
  const channels: Channel[] = []
  const owner = new ListenRecorder((channel) => {
    channels.push(channel)
  })
  const { port } = await listen(t, owner)
  const socket = connect(port, HOST)
  await once(socket, 'connect')
  await turns(20)
  socket.resetAndDestroy()
  await turns(50)
  const far = new ChannelRecorder(channels[0]!)
  t.match(await far.closed(), { code: 'ECONNRESET' })
  await turns()
  t.equal(far.closes.length, 1)
})

t.test('a socket that is gone before its channel is made closes it when it opens', async (t) => {
  const server = createServer()
  server.listen(0, HOST)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  for (const error of [undefined, new Error('broken')]) {
    const connected = await dialSocket(HOST, port)
    connected.socket.destroy(error)
    await once(connected.socket, 'close').catch(() => {})
    await turns()
    const channel = new SocketChannel({ ...connected, encrypted: false })
    channel.write(Buffer.from('x'))
    const recorder = new ChannelRecorder(channel)
    t.same(recorder.closes, [], 'never within open()')
    t.equal(await recorder.closed(), error)
    await turns()
    t.equal(recorder.closes.length, 1)
  }
})

t.test('a listener of which one connection cannot be accepted goes on', async (t) => {
  const sockets: Socket[] = []
  const errors: Error[] = []
  const servers: { emit(event: 'error', error: Error): boolean }[] = []
  const listener = await listenSocket(HOST, 0, {
    onSocket: ({ socket }) => {
      sockets.push(socket)
      servers.push((socket as unknown as { server: (typeof servers)[0] }).server)
    },
    onError: (error) => errors.push(error),
  })
  const first = connect(listener.port, HOST)
  await once(first, 'connect')
  while (sockets.length < 1) await turns(1)
  servers[0]!.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' }))
  t.same(errors, [])
  const second = connect(listener.port, HOST)
  await once(second, 'connect')
  while (sockets.length < 2) await turns(1)
  const broken = new Error('the network is gone')
  servers[0]!.emit('error', broken)
  t.same(errors, [broken])
  await listener.close()
  await t.rejects(dialSocket(HOST, listener.port), { code: 'ECONNREFUSED' })
  for (const socket of [first, second, ...sockets]) socket.destroy()
})
