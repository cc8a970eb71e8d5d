import { createPrivateKey, randomBytes, sign, type X509Certificate } from 'node:crypto'
import {
  bitString,
  boolean,
  explicit,
  generalizedTime,
  integer,
  octetString,
  oid,
  sequence,
  set,
  utcTime,
  utf8String,
} from '../identity/der.ts'
import { isStrictPublicKey } from '../identity/ed25519.ts'
import { type Identity, secretSeed } from '../identity/identity.ts'
import { pkcs8Of } from '../identity/seed.ts'
import type { NodeId } from '../wire/ids.ts'

/** The two halves of what a TLS end shows: PEM texts. The key is the node's private key. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

const ED25519 = sequence(oid('1.3.101.112'))
/** Subject and issuer: says what made it. Whose it is, the key says. */
const NAME = sequence(set(sequence(oid('2.5.4.3'), utf8String('secure-node'))))
/**
 * All time, as X.509 can say it (RFC 5280, 4.1.2.5): who the peer is follows from the key alone, and a node
 * whose clock is wrong must be able to connect.
 */
const VALIDITY = sequence(
  utcTime(new Date('2000-01-01T00:00:00Z')),
  generalizedTime(new Date('9999-12-31T23:59:59Z')),
)
/** Signs handshakes, and no other certificates: libraries that are strict about version 3 want it said. */
const EXTENSIONS = explicit(
  3,
  sequence(
    extension('2.5.29.19', sequence()), // basicConstraints: no CA, which DER writes as nothing
    extension('2.5.29.15', Uint8Array.of(0x03, 0x02, 0x07, 0x80)), // keyUsage: bit 0, digitalSignature
  ),
)
const VERSION_3 = explicit(0, integer(2))
/** Bytes of a serial number: random, so that two certificates of one node are never mistaken for one. */
const SERIAL_BYTES = 16

/** SubjectPublicKeyInfo of an Ed25519 key, up to the key's 32 bytes (RFC 8410, 4). */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const SPKI_BYTES = SPKI_PREFIX.length + 32

/**
 * Makes the certificate with which a node shows its identity: X.509 version 3, self-signed with Ed25519
 * (RFC 5280, RFC 8410). Only its serial number differs from one call to the next.
 */
export function makeCertificate(identity: Identity): Certificate {
  const pkcs8 = Buffer.from(pkcs8Of(secretSeed(identity)))
  const body = sequence(
    VERSION_3,
    integer(randomSerial()),
    ED25519,
    NAME,
    VALIDITY,
    NAME,
    sequence(ED25519, bitString(identity.publicKey)),
    EXTENSIONS,
  )
  const signature = sign(null, body, createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }))
  const certificate = sequence(body, ED25519, bitString(signature))
  return { key: pem('PRIVATE KEY', pkcs8), cert: pem('CERTIFICATE', certificate) }
}

/** Whose certificate it is, or why it is nobody's. */
export type CertificateVerdict =
  { readonly ok: true; readonly id: NodeId } | { readonly ok: false; readonly why: string }

/**
 * Judges the certificate that a remote end showed. It must be self-signed with an Ed25519 key that may be an
 * identity. Dates, names and extensions mean nothing here: the key is the identity, and the TLS handshake has
 * proven that the remote end holds it.
 */
export function judgeCertificate(certificate: X509Certificate | undefined): CertificateVerdict {
  if (certificate === undefined) return refused('it shows no Ed25519 certificate')
  try {
    const { publicKey } = certificate
    const kind = publicKey.asymmetricKeyType
    if (kind !== 'ed25519')
      return refused(`the key of its certificate is of type ${kind ?? 'unknown'}, not ed25519`)
    const spki = publicKey.export({ type: 'spki', format: 'der' })
    if (spki.length !== SPKI_BYTES || !spki.subarray(0, SPKI_PREFIX.length).equals(SPKI_PREFIX)) {
      return refused('the key of its certificate is not encoded as RFC 8410 says')
    }
    const key = spki.subarray(SPKI_PREFIX.length)
    // Asked before the signature: everybody can sign for a key of small order, and OpenSSL, in a certificate,
    // takes that signature.
    if (!isStrictPublicKey(key))
      return refused('the key of its certificate can be used by everybody (small order)')
    if (!certificate.verify(publicKey)) return refused('its certificate is not signed with its own key')
    return { ok: true, id: key.toString('hex') as NodeId }
  } catch {
    return refused('the key of its certificate cannot be read')
  }
}

/** The ID of the node that a certificate belongs to; undefined where {@link judgeCertificate} refuses it. */
export function peerIdOfCertificate(certificate: X509Certificate | undefined): NodeId | undefined {
  const verdict = judgeCertificate(certificate)
  return verdict.ok ? verdict.id : undefined
}

function refused(why: string): CertificateVerdict {
  return { ok: false, why }
}

/** Positive, and of one length: the first bit is 0, the second 1. */
function randomSerial(): bigint {
  const bytes = randomBytes(SERIAL_BYTES)
  bytes[0] = (bytes[0]! & 0x3f) | 0x40
  return BigInt(`0x${bytes.toString('hex')}`)
}

function extension(id: string, value: Uint8Array): Uint8Array {
  return sequence(oid(id), boolean(true), octetString(value))
}

/** The textual form of DER (RFC 7468). */
function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .match(/.{1,64}/g)
  return `-----BEGIN ${label}-----\n${lines?.join('\n') ?? ''}\n-----END ${label}-----\n`
}
