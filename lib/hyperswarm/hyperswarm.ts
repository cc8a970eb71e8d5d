import type { Clock } from '../ground/clock.ts'
import { DHT_CLOSE_TIMEOUT } from '../limits/dht-limits.ts'
import { connectFailed, handshakeFailed, invalidOption, notStarted } from '../errors.ts'
import { isStrictPublicKey } from '../identity/ed25519.ts'
import { secretSeed } from '../identity/identity.ts'
import { checkNames } from '../ground/names.ts'
import type {
  Channel,
  DialOptions,
  IdListenHandlers,
  IdTransport,
  Listener,
  ListenOptions,
  TransportMaker,
  TransportSelf,
} from '../transport/transport.ts'
import { type Address, isPort, toAddress } from '../wire/address.ts'
import { toHex } from '../wire/hex.ts'
import type { NodeId } from '../wire/ids.ts'
import { DhtChannel } from './dht-channel.ts'
import {
  type Dht,
  type DhtKeyPair,
  type DhtServer,
  loadHyperdht,
  PEER_HANDSHAKE,
  type SecretStream,
} from './hyperdht.ts'
import { Knocks } from './knocks.ts'
import { guardDialled, guardRaw } from './stream-guard.ts'
import { topicOf, TopicWatch } from './topic.ts'

/** Options of {@link hyperswarm}. */
export interface HyperswarmOptions {
  /**
   * Nodes of the DHT to begin with: `'host:port'` or `{ host, port }`. `'public'` asks those that the package
   * hyperdht knows; no public host is contacted unless this says so.
   */
  readonly bootstrap: 'public' | readonly (string | Address)[]
  /**
   * Where the nodes of the network meet in the DHT: a text that all of them know, or `false` to be there for those
   * alone who know this node's ID. @default the name of the network
   */
  readonly topic?: string | false | undefined
  /** IPv4 address to send from and listen at. @default '0.0.0.0' */
  readonly host?: string | undefined
  /** UDP port. @default 49_737, or any other if it is taken */
  readonly port?: number | undefined
}

/** What runs while the node runs. */
interface Running {
  readonly dht: Dht
  readonly server: DhtServer
  readonly keyPair: DhtKeyPair
  readonly handlers: IdListenHandlers
  readonly knocks: Knocks
  readonly topic: TopicWatch | undefined
}

/**
 * A transport on HyperDHT, for the option `transports`: nodes find each other by topic or by ID over a DHT, and punch
 * through their routers. It needs the package `hyperdht`.
 *
 * @throws SecureNodeError `invalid-option`; starting the node, `transport-unavailable` without the package
 */
export function hyperswarm(options: HyperswarmOptions): TransportMaker {
  const checked = checkOptions(options)
  return (self) => new HyperswarmTransport(self, checked)
}

/** What is checked, in one form. */
type CheckedOptions = Omit<HyperswarmOptions, 'bootstrap'> & { bootstrap: readonly Address[] | undefined }

function checkOptions(options: HyperswarmOptions): CheckedOptions {
  checkNames(options, ['bootstrap', 'topic', 'host', 'port'])
  const { bootstrap, topic, host, port } = options
  const isList = Array.isArray(bootstrap) && bootstrap.length > 0
  const addresses = isList ? bootstrap.map((item) => toAddress(item)) : []
  if (bootstrap !== 'public' && (!isList || addresses.includes(undefined))) {
    throw invalidOption('bootstrap', '"public", or addresses like "203.0.113.5:49737"', bootstrap)
  }
  const isTopic = topic === undefined || topic === false || (typeof topic === 'string' && topic !== '')
  if (!isTopic) throw invalidOption('topic', 'a text that is not empty, or false', topic)
  if (host !== undefined && (typeof host !== 'string' || !/^[\d.]+$/.test(host)))
    throw invalidOption('host', 'an IPv4 address', host)
  if (port !== undefined && !isPort(port)) throw invalidOption('port', 'an integer from 1 to 65535', port)
  return { topic, host, port, bootstrap: bootstrap === 'public' ? undefined : (addresses as Address[]) }
}

/** See {@link hyperswarm}. */
class HyperswarmTransport implements IdTransport {
  readonly name = 'hyperswarm'
  readonly #self: TransportSelf
  readonly #options: CheckedOptions
  readonly #streams = new Set<SecretStream>()
  #running: Running | undefined

  constructor(self: TransportSelf, options: CheckedOptions) {
    this.#self = self
    this.#options = options
  }

  /** @throws SecureNodeError `transport-unavailable`; the platform's error where no socket can be opened */
  async listen(handlers: IdListenHandlers, options: ListenOptions): Promise<Pick<Listener, 'close'>> {
    const Dht = await loadHyperdht()
    const { bootstrap, host, port } = this.#options
    const keyPair = Dht.keyPair(Buffer.from(secretSeed(this.#self.identity)))
    const dht = new Dht({ keyPair, bootstrap, host, port })
    const knocks = new Knocks(options.clock, options.handshakeTimeout)
    const server = dht.createServer(
      { firewall: (key, _payload, { host }) => !isStrictPublicKey(key) || !knocks.begin(toHex(key), host) },
      (stream) => this.#onStream(stream, running, options),
    )
    const topic = this.#watchTopic(dht, server, keyPair, handlers, options.clock)
    const running: Running = { dht, server, keyPair, handlers, knocks, topic }
    limitKnocks(running)
    await dht.bind()
    this.#running = running
    // It announces the node, which takes as long as the DHT likes: the node itself is up before.
    server.listen(keyPair).then(
      () => topic?.start(),
      // It was closed meanwhile.
      () => {},
    )
    return { close: () => this.#close(running) }
  }

  #watchTopic(
    dht: Dht,
    server: DhtServer,
    keyPair: DhtKeyPair,
    handlers: IdListenHandlers,
    clock: Clock,
  ): TopicWatch | undefined {
    const { identity, net, random } = this.#self
    const { topic = net } = this.#options
    if (topic === false) return undefined
    const place = Buffer.from(topicOf(topic))
    return new TopicWatch({
      self: identity.id,
      clock,
      random,
      async *look() {
        for await (const { peers } of dht.announce(place, keyPair, server.relayAddresses)) {
          yield peers.map(({ publicKey }) => publicKey)
        }
      },
      onFound: (id) => handlers.onFound(id),
    })
  }

  /**
   * Somebody's packets have come through. It is a link to be judged when its first message is here: only then the
   * address is more than a claim.
   */
  #onStream(stream: SecretStream, running: Running, { clock, handshakeTimeout }: ListenOptions): void {
    const { knocks, handlers } = running
    const knock = knocks.find(toHex(stream.remotePublicKey))
    this.#streams.add(stream)
    guardRaw(stream.rawStream!)
    const acceptedAt = knock?.since ?? clock.now()
    const timer = clock.setTimer(
      () => stream.destroy(),
      Math.max(1, acceptedAt + handshakeTimeout - clock.now()),
    )
    const settle = (): void => {
      timer.cancel()
      if (knock !== undefined) knocks.end(knock)
    }
    stream.on('close', () => {
      this.#streams.delete(stream)
      settle()
    })
    const channel = new DhtChannel(stream, acceptedAt, () => {
      settle()
      if (this.#running !== running || !handlers.shouldAccept(channel.remoteHost)) {
        stream.destroy()
        return
      }
      channel.begin()
      handlers.onChannel(channel)
    })
  }

  /**
   * @throws SecureNodeError `connect-failed` where the node is not found or cannot be punched to, `handshake-failed`,
   *   `not-started`; the signal's reason when it was aborted
   */
  async dial(id: NodeId, options: DialOptions): Promise<Channel> {
    const { clock, handshakeTimeout, signal } = options
    signal?.throwIfAborted()
    if (this.#running === undefined) throw notStarted('dialling')
    const stream = this.#running.dht.connect(Buffer.from(id, 'hex'))
    guardDialled(stream)
    this.#streams.add(stream)
    let failure: Error | undefined
    stream.on('error', (error) => (failure ??= error))
    stream.on('close', () => this.#streams.delete(stream))
    const fail = (error: Error): void => {
      failure = error
      stream.destroy()
    }
    const signalOnAbort = (): void => fail(signal?.reason as Error)
    const timer = clock.setTimer(
      () => fail(handshakeFailed(id, `it took longer than ${handshakeTimeout} ms`)),
      handshakeTimeout,
    )
    signal?.addEventListener('abort', signalOnAbort, { once: true })
    const isOpen = await stream.opened
    timer.cancel()
    signal?.removeEventListener('abort', signalOnAbort)
    signal?.throwIfAborted()
    if (!isOpen || failure !== undefined) throw dialError(id, failure)
    const channel = new DhtChannel(stream, clock.now())
    channel.begin()
    return channel
  }

  async #close(running: Running): Promise<void> {
    const { dht, server, keyPair, topic } = running
    if (this.#running !== running) return
    this.#running = undefined
    topic?.stop()
    const { topic: name = this.#self.net } = this.#options
    const farewell = Promise.allSettled([
      server.close(),
      name === false ? undefined : dht.unannounce(Buffer.from(topicOf(name)), keyPair),
    ])
    // Nodes that are gone do not answer, and are asked again for many seconds.
    let timer: NodeJS.Timeout | undefined
    await Promise.race([farewell, new Promise((resolve) => (timer = setTimeout(resolve, DHT_CLOSE_TIMEOUT)))])
    clearTimeout(timer)
    for (const stream of this.#streams) stream.destroy()
    await dht.destroy({ force: true })
  }
}

/** Each request for a handshake is remembered below for 10 s, so not all of them are passed on. */
function limitKnocks({ dht, server, knocks }: Running): void {
  const onrequest = dht.onrequest.bind(dht)
  dht.onrequest = (request) => {
    const { command, target } = request
    const isForUs =
      command === PEER_HANDSHAKE &&
      target !== null &&
      server.target !== null &&
      toHex(target) === toHex(server.target)
    return (isForUs && !knocks.hears()) || onrequest(request)
  }
}

/** An error with a code of ours is told as it is; the package's own say why nobody was found, or no hole. */
function dialError(id: string, failure: Error | undefined): Error {
  const isOurs = failure?.name === 'SecureNodeError' || failure?.name === 'AbortError'
  return isOurs ? failure : connectFailed(`node ${id}`, failure ?? new Error('the connection was closed'))
}
