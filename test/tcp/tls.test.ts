import { once } from 'node:events'
import { connect as connectTcp, createServer } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import t from 'tap'
import { ALPN } from '../../lib/limits/limits.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { judgeRemote } from '../../lib/transport/tls-handshake.ts'
import { TlsTransport } from '../../lib/transport/tls.ts'
import { ChannelRecorder } from '../fixtures/channel-recorder.ts'
import { alice, bob, bobsCredentials, HOST, listen, OPTIONS, serve } from '../fixtures/tls-peers.ts'

t.test('both ends learn who the other one is', async (t) => {
  const { owner, port } = await listen(t)
  const near = new ChannelRecorder(await new TlsTransport(bob).dial(HOST, port, OPTIONS))
  const far = await owner.channel()
  t.equal(near.channel.peerId, alice.id)
  t.equal(far.channel.peerId, bob.id)
  t.ok(near.channel.encrypted && far.channel.encrypted)
  near.channel.end()
  await far.closed()
  t.same(owner.failures, [])
})

t.test('one identity may be at both ends: the node finds out', async (t) => {
  const { owner, port } = await listen(t)
  const near = new ChannelRecorder(await new TlsTransport(alice).dial(HOST, port, OPTIONS))
  const far = await owner.channel()
  t.equal(far.channel.peerId, near.channel.peerId)
  near.channel.destroy()
  await far.closed()
})

t.test('what travels cannot be read, and names nobody', async (t) => {
  const { owner, port } = await listen(t)
  const wire: Buffer[] = []
  const relay = createServer((inner) => {
    const outer = connectTcp(port, HOST)
    outer.on('error', () => {})
    inner.on('data', (bytes) => wire.push(bytes)).pipe(outer)
    outer.on('data', (bytes) => wire.push(bytes)).pipe(inner)
  })
  const near = new ChannelRecorder(await new TlsTransport(bob).dial(HOST, await serve(t, relay), OPTIONS))
  const far = await owner.channel()
  near.channel.write(Buffer.from('a secret of Bob'))
  far.channel.write(Buffer.from('a secret of Alice'))
  await near.received(17)
  await far.received(15)
  near.channel.destroy()
  await far.closed()
  const seen = Buffer.concat(wire)
  for (const secret of [Buffer.from('secret'), alice.publicKey, bob.publicKey]) {
    t.equal(seen.indexOf(secret), -1)
  }
})

t.test('a relay that changes one byte ends the connection', async (t) => {
  const { owner, port } = await listen(t)
  let isTampering = false
  const relay = createServer((inner) => {
    const outer = connectTcp(port, HOST)
    outer.on('error', () => {})
    inner.on('data', (bytes) => {
      if (isTampering) bytes[bytes.length - 1]! ^= 1
      outer.write(bytes)
    })
    inner.on('close', () => outer.destroy())
    outer.on('close', () => inner.destroy())
    outer.pipe(inner)
  })
  const near = new ChannelRecorder(await new TlsTransport(bob).dial(HOST, await serve(t, relay), OPTIONS))
  const far = await owner.channel()
  isTampering = true
  near.channel.write(Buffer.from('pay 1 coin'))
  t.match(await far.closed(), { code: /BAD_RECORD_MAC|DECRYPTION_FAILED/ })
  t.equal(far.byteLength, 0)
  await near.closed()
})

t.test('the timer of a handshake is over when the handshake is', async (t) => {
  const clock = new ManualClock()
  const { owner, port } = await listen(t, clock)
  const channel = await new TlsTransport(bob).dial(HOST, port, { ...OPTIONS, clock })
  const near = new ChannelRecorder(channel)
  const far = await owner.channel()
  t.equal(clock.pendingTimers, 0)
  await clock.advanceAsync(3_600_000)
  far.channel.write(Buffer.from('still here'))
  await near.received(10)
  near.channel.destroy()
  await far.closed()
})

t.test('no session is resumed', async (t) => {
  t.test('when a client wants to', async (t) => {
    const { owner, port } = await listen(t)
    const options = { ...bobsCredentials, port, host: HOST, rejectUnauthorized: false, ALPNProtocols: [ALPN] }
    const sessions: Buffer[] = []
    const first = connectTls(options)
    first.on('session', (session) => sessions.push(session))
    const far = await owner.channel()
    far.channel.write(Buffer.from('x'))
    await once(first, 'data')
    first.destroy()
    await far.closed()
    t.not(sessions.length, 0, 'a ticket was offered, and is worth nothing')
    for (const session of sessions) {
      const again = connectTls({ ...options, session })
      await once(again, 'secureConnect')
      t.notOk(again.isSessionReused())
      const farAgain = await owner.channel()
      t.equal(farAgain.channel.peerId, bob.id, 'it had to prove who it is')
      again.destroy()
      await farAgain.closed()
    }
    t.same(owner.failures, [])
  })

  t.test('when a server offers it', async (t) => {
    const reused: boolean[] = []
    const server = createTlsServer({ ...bobsCredentials, ALPNProtocols: [ALPN] })
    server.on('secureConnection', (socket) => {
      reused.push(socket.isSessionReused())
      socket.write('x')
    })
    const port = await serve(t, server)
    const transport = new TlsTransport(alice)
    for (let trial = 0; trial < 3; trial++) {
      const near = new ChannelRecorder(await transport.dial(HOST, port, OPTIONS))
      await near.received(1)
      t.equal(near.channel.peerId, bob.id)
      near.channel.destroy()
      await near.closed()
    }
    t.same(reused, [false, false, false])
  })

  t.test('and one that was is refused', async (t) => {
    const server = createTlsServer({ ...bobsCredentials, ALPNProtocols: [ALPN], minVersion: 'TLSv1.3' })
    server.on('secureConnection', (socket) => socket.write('x'))
    const port = await serve(t, server)
    const options = { port, host: HOST, rejectUnauthorized: false, ALPNProtocols: [ALPN] }
    const first = connectTls(options)
    const [session] = (await once(first, 'session')) as [Buffer]
    t.ok(judgeRemote(first).ok)
    first.destroy()
    const again = connectTls({ ...options, session })
    await once(again, 'secureConnect')
    t.ok(again.isSessionReused())
    t.match(judgeRemote(again), { ok: false, why: /resumed a session/ })
    again.destroy()
  })
})

t.test('no server name is sent', async (t) => {
  const server = createTlsServer({ ...bobsCredentials, ALPNProtocols: [ALPN] })
  const name = once(server, 'secureConnection').then(
    ([socket]) => (socket as { servername: unknown }).servername,
  )
  const port = await serve(t, server)
  const channel = await new TlsTransport(alice)
    .dial('localhost', port, OPTIONS)
    .catch(() => new TlsTransport(alice).dial(HOST, port, OPTIONS))
  t.equal(await name, false)
  channel.destroy()
})
