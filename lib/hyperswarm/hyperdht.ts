/** What is used of the package hyperdht, which has no types of its own, and how it is loaded. */
import { transportUnavailable } from '../errors.ts'

/** A key pair in the form of libsodium: the secret key is the seed with the public key behind it. */
export interface DhtKeyPair {
  readonly publicKey: Uint8Array
  readonly secretKey: Uint8Array
}

/** The stream of UDP packets below an encrypted one. */
export interface RawStream {
  readonly remoteHost: string | null
  readonly remotePort: number
  on(event: 'data', listener: (bytes: Uint8Array) => void): unknown
  on(event: string, listener: (...args: never[]) => void): unknown
  listenerCount(event: string): number
  destroy(error?: Error): void
}

/** An encrypted stream of messages: each write arrives as one. */
export interface SecretStream {
  readonly remotePublicKey: Uint8Array
  readonly rawStream: RawStream | null
  /** `true` once the stream is connected, `false` if it never will be. */
  readonly opened: Promise<boolean>
  /** Begins on a raw stream; the package calls it for streams that were dialled. */
  start(raw: RawStream, options?: object): void
  on(event: 'data', listener: (message: Uint8Array) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end' | 'drain' | 'close', listener: () => void): unknown
  write(message: Uint8Array): boolean
  end(): void
  destroy(error?: Error): void
}

/** A request of another node of the DHT. */
export interface DhtRequest {
  readonly command: number
  readonly target: Uint8Array | null
}

/** What is asked before a handshake is answered; `true` refuses it. */
export type Firewall = (key: Uint8Array, payload: unknown, claimed: { readonly host: string }) => boolean

/** What accepts connections for one key. */
export interface DhtServer {
  readonly relayAddresses: readonly object[]
  /** The hash of the key, under which it is asked for; `null` before it listens. */
  readonly target: Uint8Array | null
  listen(keyPair: DhtKeyPair): Promise<unknown>
  close(): Promise<void>
}

/** One node of the DHT. */
export interface Dht {
  /** Answers a request of others; `true` if there is nothing more to do for it. */
  onrequest(request: DhtRequest): boolean
  /** Opens its sockets. */
  bind(): Promise<void>
  createServer(options: { firewall: Firewall }, onConnection: (stream: SecretStream) => void): DhtServer
  connect(key: Uint8Array, options?: object): SecretStream
  announce(
    topic: Uint8Array,
    keyPair: DhtKeyPair,
    relays: readonly object[],
  ): AsyncIterable<{ readonly peers: readonly { readonly publicKey: Uint8Array }[] }>
  unannounce(topic: Uint8Array, keyPair: DhtKeyPair): Promise<void>
  destroy(options?: { force?: boolean }): Promise<void>
}

/** Options of a node of the DHT. */
export interface DhtOptions {
  readonly keyPair: DhtKeyPair
  /** Undefined stands for the public nodes that the package knows. */
  readonly bootstrap?: readonly { readonly host: string; readonly port: number }[] | undefined
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** What makes nodes of the DHT. */
export interface DhtClass {
  new (options: DhtOptions): Dht
  keyPair(seed: Uint8Array): DhtKeyPair
}

/** The number of the request with which a handshake begins. */
export const PEER_HANDSHAKE = 0

/** By a name that the compiler does not follow: the package has no types, and may not be there. */
const PACKAGE: string = 'hyperdht'

/** Loads the package. @throws SecureNodeError `transport-unavailable` */
export async function loadHyperdht(name: string = PACKAGE): Promise<DhtClass> {
  try {
    const loaded = (await import(name)) as { readonly default: DhtClass }
    return loaded.default
  } catch (cause) {
    throw transportUnavailable('hyperswarm', PACKAGE, cause)
  }
}
