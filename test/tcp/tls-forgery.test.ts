import { randomBytes, sign, createPrivateKey, X509Certificate } from 'node:crypto'
import t, { type Test } from 'tap'
import { systemClock } from '../../lib/ground/clock.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { ALPN } from '../../lib/limits/limits.ts'
import { makeCertificate } from '../../lib/transport/certificate.ts'
import { TlsTransport } from '../../lib/transport/tls.ts'
import {
  certificateDer,
  ED25519,
  ed25519Spki,
  NEUTRAL_KEY,
  UNIVERSAL_SIGNATURE,
} from '../fixtures/certificates.ts'
import { ListenRecorder, turns } from '../fixtures/channel-recorder.ts'
import { RawTlsClient, type RawTlsOptions } from '../fixtures/raw-tls-client.ts'

const HOST = '127.0.0.1'

const alice = Identity.generate()
const mallory = Identity.generate()
const malloryCredentials = makeCertificate(mallory)
const malloryKey = createPrivateKey(malloryCredentials.key)
const malloryCertificate = derOf(malloryCredentials.cert)

function derOf(pem: string): Buffer {
  return new X509Certificate(pem).raw
}

/** Connects the lying client to a listener of Alice's. */
async function attack(t: Test, lie: Partial<RawTlsOptions>) {
  const owner = new ListenRecorder()
  const options = { handshakeTimeout: 10_000, clock: systemClock }
  const listener = await new TlsTransport(alice).listen(HOST, 0, owner, options)
  const client = new RawTlsClient({
    port: listener.port,
    host: HOST,
    alpn: ALPN,
    certificates: [malloryCertificate],
    sign: (content) => sign(null, content, malloryKey),
    ...lie,
  })
  t.teardown(() => {
    client.socket.destroy()
    return listener.close()
  })
  return { owner, client }
}

async function refused(t: Test, lie: Partial<RawTlsOptions>): Promise<Error> {
  const { owner, client } = await attack(t, lie)
  await owner.until(() => owner.failures.length + owner.channelCount > 0)
  t.equal(owner.channelCount, 0)
  const error = await owner.failure()
  await client.closed()
  await turns()
  t.equal(owner.failures.length, 1)
  t.same(client.received, [])
  return error
}

t.test('a client that does not lie is who it says', async (t) => {
  const { owner, client } = await attack(t, {})
  const far = await owner.channel()
  t.equal(far.channel.peerId, mallory.id)
  client.send(Buffer.from('the truth'))
  t.equal((await far.received(9)).toString(), 'the truth')
  client.socket.destroy()
  await far.closed()
  t.same(owner.failures, [])
})

t.test('a forged certificate whose key belongs to everybody is refused', async (t) => {
  const forgery = certificateDer({
    spki: ed25519Spki(NEUTRAL_KEY),
    algorithm: ED25519,
    sign: () => UNIVERSAL_SIGNATURE,
  })
  const error = await refused(t, { certificates: [forgery], sign: () => UNIVERSAL_SIGNATURE })
  t.match(error, { code: 'handshake-failed' })
  // Where OpenSSL takes the forgery, the handshake has succeeded, and nothing but our own check was in the way.
  const certificate = new X509Certificate(forgery)
  if (certificate.verify(certificate.publicKey)) t.match(error.message, /can be used by everybody/)
})

t.test('the certificate of another node is of no use without its key', async (t) => {
  const bob = derOf(makeCertificate(Identity.generate()).cert)
  const error = await refused(t, { certificates: [bob] })
  t.match(error, { code: 'handshake-failed', message: /does not hold the key of its certificate/ })
})

t.test('neither is its signature from another handshake', async (t) => {
  const seen: Uint8Array[] = []
  const first = await attack(t, {
    sign(content) {
      seen.push(sign(null, content, malloryKey))
      return seen[0]!
    },
  })
  await first.owner.channel().then((far) => far.channel.destroy())
  const error = await refused(t, { sign: () => seen[0]! })
  t.match(error.message, /does not hold the key of its certificate/)
})

t.test('signatures and certificates of any other shape are refused', async (t) => {
  const cases: [string, Partial<RawTlsOptions>][] = [
    ['no certificate', { certificates: [] }],
    ['a certificate that is noise', { certificates: [randomBytes(300)] }],
    ['a certificate that is cut off', { certificates: [malloryCertificate.subarray(0, -1)] }],
    [
      'a certificate with a byte after it',
      { certificates: [Buffer.concat([malloryCertificate, Buffer.of(0)])] },
    ],
    ['an empty certificate', { certificates: [Buffer.alloc(0)] }],
    ['an empty signature', { sign: () => Buffer.alloc(0) }],
    ['a signature of 63 bytes', { sign: (content) => sign(null, content, malloryKey).subarray(1) }],
    ['a signature that is noise', { sign: () => randomBytes(64) }],
    ['more certificates than anybody reads', { certificates: Array<Buffer>(500).fill(malloryCertificate) }],
  ]
  for (const [title, lie] of cases) {
    t.test(title, async (t) => {
      t.match(await refused(t, lie), { code: 'handshake-failed', message: /^the handshake .* failed: .*$/ })
    })
  }
})

t.test('certificates after the first one mean nothing', async (t) => {
  const bob = derOf(makeCertificate(Identity.generate()).cert)
  const { owner, client } = await attack(t, { certificates: [malloryCertificate, bob, bob] })
  const far = await owner.channel()
  t.equal(far.channel.peerId, mallory.id)
  client.socket.destroy()
  await far.closed()
})
