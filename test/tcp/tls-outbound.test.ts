import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import t from 'tap'
import { ALPN } from '../../lib/limits/limits.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { TlsTransport } from '../../lib/transport/tls.ts'
import { makeCredentials } from '../fixtures/certificates.ts'
import { ChannelRecorder } from '../fixtures/channel-recorder.ts'
import { alice, bobsCredentials, closed, HOST, OPTIONS, serve } from '../fixtures/tls-peers.ts'

t.test('a dial fails', async (t) => {
  const good: TlsOptions = { ...bobsCredentials, ALPNProtocols: [ALPN] }
  const cases: [string, () => Server, RegExp][] = [
    [
      'at a plain node',
      () => createServer((socket) => socket.write(Buffer.from('0000010001', 'hex'))),
      /is it a plain node/,
    ],
    ['at a web server', () => createHttpServer(), /does not speak TLS/],
    ['at a port that hangs up', () => createServer((socket) => socket.end()), /closed during the handshake/],
    ['at a port that hangs up later', () => hangUpOnData(), /closed during the handshake/],
    [
      'at a server of HTTPS',
      () => createTlsServer({ ...good, ALPNProtocols: ['http/1.1'] }),
      /not secure-node\/1/,
    ],
    [
      'at a server without protocols',
      () => createTlsServer(bobsCredentials),
      /speaks TLS, but not secure-node\/1/,
    ],
    [
      'at a server of TLS 1.2',
      () => createTlsServer({ ...good, maxVersion: 'TLSv1.2' }),
      /does not speak TLSv1\.3/,
    ],
    [
      'at a server with an RSA key',
      () => createTlsServer({ ...good, ...makeCredentials('rsa') }),
      /no Ed25519/,
    ],
    [
      'at a server with a P-256 key',
      () => createTlsServer({ ...good, ...makeCredentials('p256') }),
      /no Ed25519/,
    ],
  ]
  for (const [title, makeServer, why] of cases) {
    t.test(title, async (t) => {
      const port = await serve(t, makeServer())
      await t.rejects(new TlsTransport(alice).dial(HOST, port, OPTIONS), {
        code: 'handshake-failed',
        message: why,
      })
    })
  }

  t.test('at a silent port, when its time is up', async (t) => {
    const clock = new ManualClock()
    const server = createServer()
    const connected = once(server, 'connection')
    const port = await serve(t, server)
    const dialled = new TlsTransport(alice).dial(HOST, port, { ...OPTIONS, clock })
    const [socket] = (await connected) as [Socket]
    await once(socket, 'data')
    clock.advance(10_000)
    await t.rejects(dialled, {
      code: 'handshake-failed',
      message: `the handshake with 127.0.0.1:${port} failed: it took longer than 10000 ms`,
    })
    await closed(socket)
    t.equal(clock.pendingTimers, 0)
  })

  t.test('when it is aborted in the middle of the handshake', async (t) => {
    const server = createServer()
    const connected = once(server, 'connection')
    const port = await serve(t, server)
    const controller = new AbortController()
    const clock = new ManualClock()
    const { signal } = controller
    const dialled = new TlsTransport(alice).dial(HOST, port, { ...OPTIONS, clock, signal })
    const [socket] = (await connected) as [Socket]
    await once(socket, 'data')
    const reason = new Error('changed my mind')
    controller.abort(reason)
    await t.rejects(dialled, reason)
    await closed(socket)
    t.equal(clock.pendingTimers, 0)
  })
})

function hangUpOnData(): Server {
  return createServer((socket) => socket.once('data', () => socket.end('bye')))
}

t.test('a server that refuses our certificate closes a channel that was up already', async (t) => {
  const server = createTlsServer({
    ...bobsCredentials,
    ALPNProtocols: [ALPN],
    requestCert: true,
    rejectUnauthorized: true,
  })
  const port = await serve(t, server)
  const near = new ChannelRecorder(await new TlsTransport(alice).dial(HOST, port, OPTIONS))
  near.channel.write(Buffer.from('hello'))
  await near.closed()
  t.equal(near.byteLength, 0)
  t.equal(near.closes.length, 1)
})
