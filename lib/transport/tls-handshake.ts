import { constants } from 'node:crypto'
import type { SecureContextOptions, TLSSocket } from 'node:tls'
import type { Identity } from '../identity/identity.ts'
import { errorText } from '../ground/texts.ts'
import { ALPN } from '../limits/limits.ts'
import { type CertificateVerdict, judgeCertificate, makeCertificate } from './certificate.ts'

/** What both ends of a TLS link insist on. */
export function tlsCredentials(identity: Identity): SecureContextOptions {
  return {
    ...makeCertificate(identity),
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    // A certificate with another key is refused by OpenSSL before it costs anything: checking a signature of
    // a 16,384-bit RSA key takes milliseconds. Not so the certificates that a stranger may send behind the
    // first one: OpenSSL follows their chain before it asks us, for a tenth of a second at worst. So what fails
    // here has to count against its address.
    sigalgs: 'ed25519',
    // The end that resumes a session sees no certificate of the other, and so does not know who it is.
    secureOptions: constants.SSL_OP_NO_TICKET,
    // Without it, the public authorities of the platform would have a say in who is trusted.
    ca: [],
  }
}

/** Judges a remote end once the TLS handshake is over. `authorized` of node:tls is about authorities: unused. */
export function judgeRemote(socket: TLSSocket): CertificateVerdict {
  const protocol = socket.getProtocol()
  if (protocol !== 'TLSv1.3') return { ok: false, why: `it speaks ${protocol ?? 'no TLS'}, not TLSv1.3` }
  // An end that offers no protocol at all gets this far.
  if (socket.alpnProtocol !== ALPN) {
    return { ok: false, why: `it speaks TLS, but not ${ALPN}; is it the port of another program?` }
  }
  if (socket.isSessionReused()) return { ok: false, why: 'it resumed a session, which proves no identity' }
  return judgeCertificate(socket.getPeerX509Certificate())
}

/** What OpenSSL's errors mean here, by what their codes contain. The first that fits is taken. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/HTTP_REQUEST|HTTPS_PROXY_REQUEST/, 'it speaks HTTP, not TLS'],
  [
    /WRONG_VERSION_NUMBER|(PACKET|DATA)_LENGTH_TOO_LONG|RECORD_TOO_SMALL|UNEXPECTED_MESSAGE|BAD_RECORD_TYPE/,
    'it does not speak TLS; is it a plain node, or the port of another program?',
  ],
  [/NO_APPLICATION_PROTOCOL/, `it speaks TLS, but not ${ALPN}; is it the port of another program?`],
  [/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW/, 'it does not speak TLSv1.3'],
  [/SIGNATURE_ALGORITHM|SIGNATURE_TYPE|HANDSHAKE_FAILURE/, 'it has no Ed25519 certificate'],
  [/BAD_SIGNATURE|PROVIDER_SIGNATURE_FAILURE/, 'it does not hold the key of its certificate'],
  [/ALERT_(.*CERTIFICATE|UNKNOWN_CA)/, 'it refused the certificate of this node'],
  [
    /ECONNRESET|EPIPE/,
    'the connection was closed during the handshake; it may not speak TLS, or not want this node',
  ],
  [/HANDSHAKE_TIMEOUT/, 'it took too long'],
]

/** Why a TLS handshake failed, in words, from the error of node:tls. */
export function explainTlsError(error: Error): string {
  const { code = '', reason } = error as { code?: string; reason?: string }
  const meaning = MEANINGS.find(([pattern]) => pattern.test(code))?.[1]
  // The message of an error of OpenSSL has several lines, with file names of its source in them.
  return meaning ?? (reason === undefined ? errorText(error) : `OpenSSL reports "${reason}"`)
}
