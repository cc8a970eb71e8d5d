import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import {
  connect as connectTls,
  type ConnectionOptions,
  createServer as createTlsServer,
  type TlsOptions,
} from 'node:tls'
import t, { type Test } from 'tap'
import { systemClock } from '../../lib/clock.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { ALPN } from '../../lib/limits.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { makeCertificate } from '../../lib/transport/certificate.ts'
import { judgeRemote } from '../../lib/transport/tls-handshake.ts'
import { TlsTransport } from '../../lib/transport/tls.ts'
import type { DialOptions } from '../../lib/transport/transport.ts'
import { makeCredentials, makeForeignChain } from '../fixtures/certificates.ts'
import { ChannelRecorder, ListenRecorder, turns } from '../fixtures/channel-recorder.ts'

const HOST = '127.0.0.1'
const OPTIONS: DialOptions = { handshakeTimeout: 10_000, clock: systemClock }

const alice = Identity.generate()
const bob = Identity.generate()
const bobsCredentials = makeCertificate(bob)

/** A listener of Alice's. */
async function listen(t: Test, clock?: ManualClock) {
  const owner = new ListenRecorder()
  const options = clock === undefined ? OPTIONS : { ...OPTIONS, clock }
  const listener = await new TlsTransport(alice).listen(HOST, 0, owner, options)
  t.teardown(() => listener.close())
  return { owner, listener, port: listener.port }
}

/** A client that is none of ours; resolves when its connection has closed. */
async function attack(port: number, options: ConnectionOptions): Promise<void> {
  const socket = connectTls({ port, host: HOST, rejectUnauthorized: false, ...options })
  socket.on('error', () => {})
  socket.resume()
  await closed(socket)
}

/** Resolves when a socket is gone, whether or not an error ended it. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve))
}

/** A client that does not speak TLS; it has an `error` listener. */
async function connectRaw(t: Test, port: number, bytes: Uint8Array | string = ''): Promise<Socket> {
  const socket = connectTcp(port, HOST)
  socket.on('error', () => {})
  socket.resume()
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  if (bytes.length > 0) socket.write(bytes)
  return socket
}

/** A server that is none of ours; its connections are destroyed when the test ends. */
async function serve(t: Test, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {})
    sockets.add(socket)
  })
  server.on('secureConnection', (socket: Socket) => socket.on('error', () => {}))
  server.listen(0, HOST)
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

/** The first bytes that a node sends. */
async function clientHello(t: Test): Promise<Buffer> {
  const server = createServer()
  const hello = once(server, 'connection').then(([socket]) => once(socket as Socket, 'data'))
  const port = await serve(t, server)
  const controller = new AbortController()
  const dialled = new TlsTransport(bob).dial(HOST, port, { ...OPTIONS, signal: controller.signal })
  const [bytes] = await hello
  controller.abort()
  await t.rejects(dialled, { name: 'AbortError' })
  return bytes as Buffer
}

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

t.test('a client is refused', async (t) => {
  const good = { ...bobsCredentials, ALPNProtocols: [ALPN] }
  const cases: [string, ConnectionOptions, RegExp][] = [
    ['that speaks TLS 1.2', { ...good, maxVersion: 'TLSv1.2' }, /does not speak TLSv1\.3/],
    ['without a certificate', { ALPNProtocols: [ALPN] }, /shows no Ed25519 certificate/],
    ['with a P-256 key', { ...good, ...makeCredentials('p256') }, /shows no Ed25519 certificate/],
    ['with an RSA key', { ...good, ...makeCredentials('rsa') }, /shows no Ed25519 certificate/],
    ['with an Ed448 key', { ...good, ...makeCredentials('ed448') }, /shows no Ed25519 certificate/],
    [
      'that accepts RSA signatures only',
      { ...good, sigalgs: 'rsa_pss_rsae_sha256' },
      /no Ed25519 certificate/,
    ],
    ['that asks for HTTP/2', { ...good, ALPNProtocols: ['h2'] }, /not secure-node\/1/],
    ['that asks for a later version', { ...good, ALPNProtocols: ['secure-node/2'] }, /not secure-node\/1/],
    ['that asks for no protocol', { ...bobsCredentials }, /not secure-node\/1/],
    ['whose certificate an authority signed', { ...good, cert: makeForeignChain(bob.publicKey) }, /own key/],
  ]
  for (const [title, options, why] of cases) {
    t.test(title, async (t) => {
      const { owner, port } = await listen(t)
      await attack(port, options)
      const error = await owner.failure()
      t.match(error, { code: 'handshake-failed', message: why })
      t.match(error.message, /^the handshake with 127\.0\.0\.1 failed: /)
      await turns()
      t.equal(owner.failures.length, 1, 'told once')
      t.equal(owner.channelCount, 0)
      const near = new ChannelRecorder(await new TlsTransport(bob).dial(HOST, port, OPTIONS))
      await owner.channel().then((far) => far.channel.destroy())
      await near.closed()
    })
  }
})

t.test('a client that asks for our protocol among others is welcome', async (t) => {
  const { owner, port } = await listen(t)
  const socket = connectTls({
    ...bobsCredentials,
    port,
    host: HOST,
    rejectUnauthorized: false,
    ALPNProtocols: ['h2', ALPN],
  })
  const far = await owner.channel()
  t.equal(far.channel.peerId, bob.id)
  socket.destroy()
  await far.closed()
})

t.test('bytes that are not TLS are refused at once', async (t) => {
  const frame = Buffer.concat([Buffer.from('0000012c01', 'hex'), Buffer.alloc(299, '{')])
  const cases: [string, Buffer | string, RegExp][] = [
    ['HTTP', 'GET / HTTP/1.1\r\nHost: example.org\r\n\r\n', /it speaks HTTP, not TLS/],
    ['a proxy request', 'CONNECT example.org:443 HTTP/1.1\r\n\r\n', /it speaks HTTP, not TLS/],
    ['a frame of a plain node', frame, /does not speak TLS; is it a plain node/],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', /does not speak TLS/],
    ['noise', Buffer.alloc(512, 0xff), /does not speak TLS/],
    ['an alert before any handshake', Buffer.from('15030300020228', 'hex'), /does not speak TLS/],
    ['a record that is too long', Buffer.from('160301ffff010000', 'hex'), /does not speak TLS/],
    ['nothing, and then the end', '', /closed/],
  ]
  for (const [title, bytes, why] of cases) {
    t.test(title, async (t) => {
      const { owner, port } = await listen(t)
      const socket = await connectRaw(t, port, bytes)
      if (bytes.length === 0) socket.end()
      t.match(await owner.failure(), { code: 'handshake-failed', message: why })
      await closed(socket)
      await turns()
      t.equal(owner.failures.length, 1)
    })
  }
})

t.test('a client that takes its time is dropped when its time is up', async (t) => {
  const hello = await clientHello(t)
  const cases: [string, Buffer | string][] = [
    ['in silence', ''],
    ['with half a ClientHello', hello.subarray(0, hello.length >> 1)],
    ['after a whole ClientHello', hello],
  ]
  for (const [title, bytes] of cases) {
    t.test(title, async (t) => {
      const clock = new ManualClock()
      const { owner, port } = await listen(t, clock)
      const socket = await connectRaw(t, port, bytes)
      await owner.until(() => owner.asked.length > 0)
      await clock.advanceAsync(9_999)
      t.same(owner.failures, [])
      t.notOk(socket.closed)
      clock.advance(1)
      t.match(await owner.failure(), { message: /it took longer than 10000 ms/ })
      await closed(socket)
      await turns()
      t.equal(owner.failures.length, 1)
      t.equal(clock.pendingTimers, 0)
    })
  }

  t.test('and bytes that trickle in buy no time', async (t) => {
    const clock = new ManualClock()
    const { owner, port } = await listen(t, clock)
    const socket = await connectRaw(t, port)
    await owner.until(() => owner.asked.length > 0)
    for (let index = 0; index < 9; index++) {
      socket.write(hello.subarray(index, index + 1))
      await clock.advanceAsync(1_000)
    }
    t.same(owner.failures, [])
    clock.advance(1_000)
    t.match(await owner.failure(), { message: /longer than 10000 ms/ })
    await closed(socket)
  })
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

t.test('who is not accepted costs no handshake', async (t) => {
  const { owner, port } = await listen(t)
  owner.isOpen = false
  const socket = connectTcp(port, HOST)
  socket.on('error', () => {})
  let answered = 0
  socket.on('data', (bytes) => (answered += bytes.length))
  socket.write(await clientHello(t))
  await closed(socket)
  t.equal(answered, 0)
  t.same(owner.asked, [HOST])
  t.same(owner.failures, [])
})

t.test('a listener that closes ends the handshakes that are under way', async (t) => {
  const { owner, listener, port } = await listen(t)
  const socket = await connectRaw(t, port, await clientHello(t))
  await owner.until(() => owner.asked.length > 0)
  await listener.close()
  t.match(await owner.failure(), { message: /this node stopped listening/ })
  await closed(socket)
  t.equal(owner.failures.length, 1)
})

t.test('a connection that breaks at any byte of the handshake is one failure', async (t) => {
  const { owner, port } = await listen(t)
  const hello = await clientHello(t)
  const lengths = [1, 4, 5, 6, 9, 10, 43, 44, 80, 120, hello.length - 1, hello.length]
  for (const [count, length] of lengths.entries()) {
    const socket = await connectRaw(t, port, hello.subarray(0, length))
    await owner.until(() => owner.asked.length === count + 1)
    if (length % 2 === 0) socket.resetAndDestroy()
    else socket.end()
    await owner.until(() => owner.failures.length === count + 1)
  }
  await turns()
  t.equal(owner.failures.length, lengths.length)
  t.ok(owner.failures.every(({ host }) => host === HOST))
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
