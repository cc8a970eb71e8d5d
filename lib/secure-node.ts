import { CHANNELS } from './ground/channels.ts'
import { invalidArgument, invalidContent } from './errors.ts'
import type { NodeCallback } from './events.ts'
import type { Identity } from './identity/identity.ts'
import type { Json } from './message/canonical.ts'
import type { SignedMessage } from './message/message.ts'
import { checkNames } from './ground/names.ts'
import type { NodeConnection } from './node-connection.ts'
import { checkConnectOptions, checkedAddress, checkNodeId } from './options/options.ts'
import type { SecureNodeOptions } from './options/options.ts'
import { snapshotOf } from './outbox.ts'
import type { SignedNodeStats } from './signed-node.ts'
import type { ReachOptions, Way } from './reach.ts'
import type { Answer } from './requests/answer.ts'
import type { Handler } from './requests/handlers.ts'
import type { OutgoingCall, Posted, PostOptions, RequestPort } from './requests/request-port.ts'
import { type RequestOptions, Requests, type RequestsStats } from './requests/requests.ts'
import type { SecureNodeEvents } from './secure-events.ts'
import type { OfType, SecureSendOneOptions, SentMessage } from './sending.ts'
import type { ContentKind, ContentVerdict } from './typing/message-types.ts'
import type {
  AnswerDataOf,
  AnswerOf,
  DataOf,
  NoTypes,
  PayloadOf,
  TypeMap,
  TypeName,
} from './typing/type-map.ts'
import type { IdTransport } from './transport/transport.ts'
import { WebSocketDoor } from './transport/websocket-door.ts'
import type { Address } from './wire/address.ts'
import { copyBytes } from './wire/bytes.ts'
import { WatchedNode } from './watched-node.ts'
import type { NodeId } from './wire/ids.ts'

/** Options of `sendTo`. */
export interface SendToOptions extends Omit<SecureSendOneOptions, 'compression'>, ReachOptions {}

/** Options of `sendToAddress`. */
export interface SendToAddressOptions extends Omit<SendToOptions, 'relay'> {
  /** The ID that must be found there. @default any */
  readonly expect?: string | undefined
  /** For the connection, in ms. @default the option `handshakeTimeout` */
  readonly timeout?: number | undefined
}

/** A message on its way to one node. */
export interface SentTo extends SentMessage {
  /** The node that it is for. */
  readonly to: NodeId
  /** How it goes there. */
  readonly way: Way
}

/** Options of `request` and `requestStream`. */
export interface SecureRequestOptions
  extends Omit<RequestOptions, 'reach'>, Pick<ReachOptions, 'connection' | 'relay'> {}

/** What a node has done since it was made. */
export interface SecureNodeStats extends SignedNodeStats {
  /** Requests that are under way, and what was dropped of them. */
  readonly requests: RequestsStats
}

const SEND_NAMES = ['type', 're', 'exp', 'bytes', 'seal']

/**
 * A node in a network in which every message is a signed JSON document: verified before it is shown or passed
 * on, relayed through every node, delivered exactly once. Its ID *is* its Ed25519 public key. Links are
 * encrypted, and each end proves its ID. Nodes form the network by themselves, and each can talk to each other
 * one by its ID: send to it, ask it, and read what others cannot.
 */
export class SecureNode<T extends TypeMap = NoTypes> extends WatchedNode<T> {
  readonly #requests: Requests
  readonly #door: WebSocketDoor | undefined

  /**
   * @param host Address to listen at: `127.0.0.1` for this machine alone, `0.0.0.0` or `::` for the network.
   * @param port Port to listen at; 0 for any free one, filled in by `start()`.
   * @param keyFile Path of a key file (`npx secure-node keygen`), or an identity. Without one, the node has a new
   *   identity that lives as long as the process.
   * @param options Options, or the callback in their place.
   * @param callback Called for every event.
   * @throws SecureNodeError `invalid-argument`, `invalid-option`, and those of `Identity.load`
   */
  constructor(
    host: string,
    port: number,
    keyFile?: string | URL | Identity,
    options: SecureNodeOptions<T> | NodeCallback<SecureNode<T>, SecureNodeEvents<T>> = {},
    callback?: NodeCallback<SecureNode<T>, SecureNodeEvents<T>>,
  ) {
    if (typeof options === 'function') super(host, port, keyFile, {}, options)
    else super(host, port, keyFile, options, callback)
    this.#requests = new Requests(this.#requestPort())
    const { websocket } = this.settings
    this.#door = websocket && new WebSocketDoor(this.identity, host, websocket)
  }

  /** The port at which it accepts WebSockets; undefined without the option `websocket`, and while it does not run. */
  get websocketPort(): number | undefined {
    return this.#door?.port
  }

  protected override transports(): readonly IdTransport[] {
    return this.#door === undefined ? super.transports() : [...super.transports(), this.#door]
  }

  #requestPort(): RequestPort {
    const { clock, net, engine } = this.settings
    return {
      self: this.id,
      clock,
      net,
      engine,
      post: (call, options) => this.#postCall(call, options),
      onHandlerError: (error, type) => this.notify('handlerError', error, type),
      check: (type, side, data) => contentOf(type, side, this.types.checkIn(type, side, data)),
    }
  }

  /**
   * Answers requests of a type, and hears plain messages of it; one handler for each type. What it returns is the
   * answer; what it throws becomes the event `handlerError`, and the asker is told that it failed.
   *
   * @throws SecureNodeError `invalid-argument` for a name that is none, or that has a handler already
   */
  handle<K extends TypeName<T>>(type: K, handler: Handler<DataOf<T, K>, AnswerOf<T, K>>): void {
    this.#requests.handle(type, handler as Handler)
  }

  /** Takes the handler of a type away. Says whether there was one. */
  unhandle(type: string): boolean {
    return this.#requests.unhandle(type)
  }

  /**
   * Asks a node for something and resolves with its answer: over a link, a temporary one if need be, or through the
   * network. The question and the answer are signed messages for these two nodes.
   *
   * @throws SecureNodeError `request-timeout`, `request-failed` with what the other node said, `unreachable`,
   *   `aborted`, `overload`, `invalid-argument`, `invalid-payload`, `invalid-content`, `message-too-large`,
   *   `not-started`
   */
  async request<K extends TypeName<T>>(
    nodeId: string,
    type: K,
    data: PayloadOf<T, K>,
    options: SecureRequestOptions = {},
  ): Promise<Answer<AnswerDataOf<T, K>>> {
    this.#beginRequest('request()', nodeId, type)
    const answer: Answer<unknown> = await this.#requests.request(nodeId, type, data, termsOf(options))
    return answer as Answer<AnswerDataOf<T, K>>
  }

  /**
   * Asks a node for something that it answers part by part. Parts come in order, and no faster than they are taken.
   *
   * @throws SecureNodeError as {@link request}; while iterating, too
   */
  requestStream<K extends TypeName<T>>(
    nodeId: string,
    type: K,
    data: PayloadOf<T, K>,
    options: SecureRequestOptions = {},
  ): AsyncIterable<Answer<AnswerDataOf<T, K>>> {
    this.#beginRequest('requestStream()', nodeId, type)
    const answers: AsyncIterable<Answer<unknown>> = this.#requests.requestStream(
      nodeId,
      type,
      data,
      termsOf(options),
    )
    return answers as AsyncIterable<Answer<AnswerDataOf<T, K>>>
  }

  #beginRequest(what: string, nodeId: string, type: string): void {
    checkNodeId(nodeId)
    this.assertRunning(what)
    if (CHANNELS.request.hasSubscribers) CHANNELS.request.publish({ node: this, to: nodeId, type })
  }

  /**
   * Signs a payload for one node and sends it there, wherever it is: over a link if there is one; else over one to an
   * address that is known, or that the network finds; else through the nodes between.
   *
   * @throws SecureNodeError `unreachable` without a way and without a peer, and those of `sendToNodes`
   */
  async sendTo<K extends TypeName<T> = 'message'>(
    nodeId: string,
    data: PayloadOf<T, K>,
    options: SendToOptions & OfType<K> = {},
  ): Promise<SentTo> {
    const { connection, relay, signal, bytes, ...fields } = options
    checkNames(options, [...SEND_NAMES, 'connection', 'relay', 'signal'])
    checkNodeId(nodeId)
    checkReach(options)
    this.assertRunning('sending')
    // A way may take seconds to find, and the caller may go on using what he has given.
    const copies = { ...fields, data: snapshotOf(data), bytes: copyBytes(bytes) }
    const { way, link } = await this.reach(nodeId, { connection, relay, signal })
    return this.#sendOver(link, way, nodeId, copies)
  }

  /**
   * Signs a payload for the node at an address, and sends it over a connection to it: a temporary one, unless one is
   * there or `connection` is `'lasting'`.
   *
   * @throws SecureNodeError those of `connectWithNode` and of `sendToNodes`
   */
  async sendToAddress<K extends TypeName<T> = 'message'>(
    address: string | Address,
    data: PayloadOf<T, K>,
    options: SendToAddressOptions & OfType<K> = {},
  ): Promise<SentTo> {
    const { connection, expect, timeout, signal, bytes, ...fields } = options
    checkNames(options, [...SEND_NAMES, 'connection', 'expect', 'timeout', 'signal'])
    checkReach(options)
    const { host, port } = checkedAddress(address)
    const temporary = connection !== 'lasting'
    const copies = { ...fields, data: snapshotOf(data), bytes: copyBytes(bytes) }
    const link = await this.connectWithNode(host, port, { expect, timeout, signal, temporary })
    return this.#sendOver(link, 'address', link.id as NodeId, copies)
  }

  async #sendOver(
    link: NodeConnection | undefined,
    way: Way,
    to: NodeId,
    message: SecureSendOneOptions & { readonly data: unknown },
  ): Promise<SentTo> {
    const sent = await this.post({ ...message, to: [to] }, () => this.#linksFor([to], link))
    await (link?.room() ?? this.room())
    // The link may have ended while the message was signed.
    return { ...sent, to, way: link?.isUp === false ? 'relay' : way }
  }

  /** The links to all of the addressees, or else those to all peers, who relay. */
  #linksFor(to: readonly NodeId[], link?: NodeConnection): readonly NodeConnection[] {
    if (link?.isUp === true) return [link]
    const links = to.map((id) => this.linkTo(id)).filter((direct) => direct !== undefined)
    // Who only visits can be reached over its own link alone.
    return links.length === to.length ? links : [...new Set([...links, ...this.peers])]
  }

  async #postCall(call: OutgoingCall, options: PostOptions): Promise<Posted> {
    const { route, reach, signal, onSigned } = options
    const [first] = call.to
    const { link, way } =
      route === 'reach'
        ? await this.reach(first!, { ...(reach as ReachOptions), signal })
        : { link: undefined, way: this.#linksFor(call.to).length === call.to.length ? 'link' : 'relay' }
    let time = 0
    const sent = await this.post(
      call,
      () => this.#linksFor(call.to, link),
      ({ id, body }) => {
        time = body.time
        onSigned?.(id)
      },
    )
    if (link !== undefined) await link.room()
    else await this.#roomFor(call.to)
    return { id: sent.id, way, time }
  }

  /** Streams are paced by whoever reads them. */
  async #roomFor(to: readonly NodeId[]): Promise<void> {
    const links = this.#linksFor(to)
    await (links.length === 1 ? links[0]!.room() : this.room())
  }

  override stats(): SecureNodeStats {
    return { ...super.stats(), requests: this.#requests.stats }
  }

  protected override call(_connection: NodeConnection, message: SignedMessage): void {
    this.#requests.receive(message)
  }

  protected override show(connection: NodeConnection, message: SignedMessage, data: unknown): void {
    super.show(connection, message, data)
    this.#requests.deliverPlain(message, data)
  }

  protected override async stopping(): Promise<void> {
    this.#requests.stop()
    await super.stopping()
  }
}

/** How a way is found is the node's business, not that of the request. */
function termsOf({ connection, relay, ...terms }: SecureRequestOptions): RequestOptions {
  checkReach({ connection, relay })
  return { ...terms, reach: { connection, relay } satisfies ReachOptions }
}

function checkReach(options: { connection?: unknown; relay?: unknown; signal?: unknown }): void {
  const { connection, relay, signal } = options
  const isKnown = connection === undefined || connection === 'temporary' || connection === 'lasting'
  if (!isKnown) throw invalidArgument('connection', '"temporary" or "lasting"', connection)
  if (relay !== undefined && typeof relay !== 'boolean')
    throw invalidArgument('relay', 'true or false', relay)
  checkConnectOptions({ signal })
}

/** What the application's schema has made of a content. @throws SecureNodeError `invalid-content` */
function contentOf(
  type: string,
  side: ContentKind,
  verdict: ContentVerdict | Promise<ContentVerdict>,
): Json | Promise<Json> {
  if (verdict instanceof Promise) return verdict.then((settled) => contentOf(type, side, settled))
  if (!verdict.ok) throw invalidContent(type, side, verdict.issues)
  return verdict.value as Json
}
