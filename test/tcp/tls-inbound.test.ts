import { connect as connectTcp } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import t from 'tap'
import { ALPN } from '../../lib/limits/limits.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { TlsTransport } from '../../lib/transport/tls.ts'
import { makeCredentials, makeForeignChain } from '../fixtures/certificates.ts'
import { ChannelRecorder, turns } from '../fixtures/channel-recorder.ts'
import {
  attack,
  bob,
  bobsCredentials,
  clientHello,
  closed,
  connectRaw,
  HOST,
  listen,
  OPTIONS,
} from '../fixtures/tls-peers.ts'

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

t.test('a client that resets and comes back from the same port is counted each time', async (t) => {
  const { owner, port } = await listen(t)
  const first = await connectRaw(t, port)
  await owner.until(() => owner.asked.length === 1)
  const { localPort } = first
  // Both in one turn: the listener sees the new connection before it has seen that the old one is gone.
  first.resetAndDestroy()
  const second = connectTcp({ port, host: HOST, localPort: localPort! })
  second.on('error', () => {})
  await closed(first)
  await turns(20)
  second.destroy()
  await closed(second)
  const third = await connectRaw(t, port, 'no TLS')
  await closed(third)
  await turns(20)
  t.equal(owner.failures.length, owner.asked.length, 'whatever was let in has ended')
})
