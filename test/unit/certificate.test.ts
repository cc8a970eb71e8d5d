import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { judgeCertificate, makeCertificate, peerIdOfCertificate } from '../../lib/transport/certificate.ts'
import {
  certificateDer,
  ED25519,
  ed25519Spki,
  makeCredentials,
  NEUTRAL_KEY,
  UNIVERSAL_SIGNATURE,
} from '../fixtures/certificates.ts'
import { SMALL_ORDER_SPELLINGS } from '../fixtures/forge.ts'

const identity = Identity.fromSeed(new Uint8Array(32).fill(7))

function whyNot(certificate: X509Certificate | undefined): string {
  const verdict = judgeCertificate(certificate)
  return verdict.ok ? 'it is accepted' : verdict.why
}

t.test('the certificate of an identity', async (t) => {
  const { key, cert } = makeCertificate(identity)
  const certificate = new X509Certificate(cert)

  t.test('names the identity', (t) => {
    t.equal(peerIdOfCertificate(certificate), identity.id)
    t.end()
  })

  t.test('is self-signed with the key that comes with it', (t) => {
    t.ok(certificate.verify(certificate.publicKey))
    t.ok(certificate.checkPrivateKey(createPrivateKey(key)))
    t.equal(certificate.issuer, certificate.subject)
    t.notOk(certificate.ca)
    t.end()
  })

  t.test('is valid for all time, and says nothing about its node', (t) => {
    t.equal(certificate.validFrom, 'Jan  1 00:00:00 2000 GMT')
    t.equal(certificate.validTo, 'Dec 31 23:59:59 9999 GMT')
    t.equal(certificate.subject, 'CN=secure-node')
    t.equal(certificate.issuer, 'CN=secure-node')
    t.equal(certificate.subjectAltName, undefined)
    t.end()
  })

  t.test('differs from the next one by its serial number and its signature only', (t) => {
    const other = new X509Certificate(makeCertificate(identity).cert)
    t.equal(peerIdOfCertificate(other), identity.id)
    t.not(other.serialNumber, certificate.serialNumber)
    t.equal(other.raw.length, certificate.raw.length)
    t.match(certificate.serialNumber, /^[4-7][0-9A-F]{31}$/, 'positive, and always of 16 bytes')
    const body = (one: X509Certificate) => one.raw.subarray(30, one.raw.length - 64).toString('hex')
    t.equal(body(other), body(certificate))
    t.end()
  })

  t.test('is read by openssl', { skip: !hasOpenssl() && 'openssl is not installed' }, (t) => {
    const openssl = (...words: string[]) => execFileSync('openssl', words, { input: cert }).toString()
    const shown = openssl('x509', '-noout', '-text')
    t.match(shown, /Version: 3 \(0x2\)/)
    t.match(shown, /Public Key Algorithm: ED25519/i)
    t.match(shown, /Signature Algorithm: ED25519/i)
    t.match(shown, /Basic Constraints: critical\s+CA:FALSE/)
    t.match(shown, /Key Usage: critical\s+Digital Signature/)
    t.equal(openssl('x509', '-outform', 'DER').length > 0, true)
    t.end()
  })
})

function hasOpenssl(): boolean {
  return spawnSync('openssl', ['version']).status === 0
}

t.test('no certificate is nobody', (t) => {
  t.equal(peerIdOfCertificate(undefined), undefined)
  t.match(whyNot(undefined), /no Ed25519 certificate/)
  t.end()
})

for (const kind of ['p256', 'rsa', 'ed448'] as const) {
  t.test(`a certificate with a key of kind ${kind} is nobody's`, (t) => {
    const certificate = new X509Certificate(makeCredentials(kind).cert)
    t.ok(certificate.verify(certificate.publicKey), 'it is a good certificate')
    t.equal(peerIdOfCertificate(certificate), undefined)
    t.match(whyNot(certificate), /of type (ec|rsa|ed448), not ed25519/)
    t.end()
  })
}

t.test('dates mean nothing: clocks differ', (t) => {
  for (const dates of [
    { notBefore: '1990-01-01', notAfter: '1991-01-01' },
    { notBefore: '2998-01-01', notAfter: '2999-01-01' },
    { notBefore: '2030-01-01', notAfter: '2020-01-01' },
  ]) {
    const certificate = new X509Certificate(makeCredentials('ed25519', dates).cert)
    t.match(peerIdOfCertificate(certificate), /^[0-9a-f]{64}$/)
  }
  t.end()
})

t.test('a key of small order is nobody, because it is everybody', (t) => {
  const forged = (publicKey: Uint8Array) =>
    new X509Certificate(
      certificateDer({ spki: ed25519Spki(publicKey), algorithm: ED25519, sign: () => UNIVERSAL_SIGNATURE }),
    )
  const neutral = forged(NEUTRAL_KEY)
  if (!neutral.verify(neutral.publicKey)) t.comment('this OpenSSL refuses the forgery by itself')
  t.equal(peerIdOfCertificate(neutral), undefined)
  t.match(whyNot(neutral), /can be used by everybody/)
  t.equal(SMALL_ORDER_SPELLINGS.length, 14)
  for (const { bytes } of SMALL_ORDER_SPELLINGS) {
    t.equal(peerIdOfCertificate(forged(bytes)), undefined, Buffer.from(bytes).toString('hex'))
  }
  t.end()
})

t.test('a certificate that somebody else signed is nobody', (t) => {
  const other = generateKeyPairSync('ed25519').privateKey
  const certificate = new X509Certificate(
    certificateDer({
      spki: ed25519Spki(identity.publicKey),
      algorithm: ED25519,
      sign: (body) => sign(null, body, other),
    }),
  )
  t.equal(peerIdOfCertificate(certificate), undefined)
  t.match(whyNot(certificate), /not signed with its own key/)
  t.end()
})

t.test('a key of another length, or off the curve, is nobody', (t) => {
  const { publicKey } = identity
  const offCurve = Uint8Array.of(2, ...new Uint8Array(31))
  for (const bytes of [publicKey.subarray(1), Uint8Array.of(...publicKey, 0), new Uint8Array(0), offCurve]) {
    const der = certificateDer({
      spki: ed25519Spki(bytes),
      algorithm: ED25519,
      sign: () => UNIVERSAL_SIGNATURE,
    })
    t.equal(peerIdOfCertificate(new X509Certificate(der)), undefined, `a key of ${bytes.length} bytes`)
  }
  t.end()
})

t.test('no changed byte makes another ID, or is accepted', (t) => {
  const { raw } = new X509Certificate(makeCertificate(identity).cert)
  let parsed = 0
  for (let index = 0; index < raw.length; index++) {
    for (const bit of [0x01, 0x80]) {
      const changed = Buffer.from(raw)
      changed[index]! ^= bit
      const certificate = tryParse(changed)
      if (certificate === undefined) continue
      parsed++
      const id = peerIdOfCertificate(certificate)
      if (id !== undefined) t.fail(`accepted with byte ${index} changed`)
    }
  }
  t.ok(parsed > 100, `${parsed} changed certificates could be parsed, and were refused`)
  t.end()
})

function tryParse(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}
