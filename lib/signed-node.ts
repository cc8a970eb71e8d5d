import { HISTORY_MAX_AGE, HISTORY_MAX_BYTES } from './limits/direct-limits.ts'
import { notAnIdentity } from './errors.ts'
import type { NodeCallback } from './events.ts'
import type { History } from './history/history.ts'
import type { HistoryPort } from './history/history-port.ts'
import type { HistoryOptions } from './options/history-options.ts'
import { makeHistory } from './make-history.ts'
import { verifySignature } from './identity/ed25519.ts'
import { Identity } from './identity/identity.ts'
import { readKeyFile } from './identity/key-file.ts'
import { Inbox, type InboxPort } from './inbox.ts'
import type { Draft } from './message/draft.ts'
import type { SignedMessage } from './message/message.ts'
import { checkNames } from './ground/names.ts'
import { Node, type NodeStats } from './node.ts'
import type { NodeConnection } from './node-connection.ts'
import {
  type NodeOptions,
  nodeOptionsOf,
  type SecureNodeOptions,
  secureNodeSettings,
  type SecureNodeSettings,
} from './options/options.ts'
import { Outbox, type OutgoingMessage } from './outbox.ts'
import { Relay } from './relay/relay.ts'
import type { Refusal, RelayPort, RelayStats } from './relay/relay-port.ts'
import type { Explanation } from './relay/traces.ts'
import { seal, Unsealer } from './seal/sealed.ts'
import { unseal } from './seal/unseal.ts'
import type { SecureNodeEvents } from './secure-events.ts'
import type { OfType, SecureSendOneOptions, SecureSendOptions, SentMessage } from './sending.ts'
import { TcpTransport } from './transport/tcp.ts'
import { TlsTransport } from './transport/tls.ts'
import { MessageTypes, type Outgoing } from './typing/message-types.ts'
import type { NoTypes, PayloadOf, TypeMap, TypeName } from './typing/type-map.ts'
import { pathOf } from './ground/whole-file.ts'
import { type Frame, Kind } from './wire/frame.ts'
import { HISTORY, type Mode } from './wire/hello.ts'
import { fromHex } from './wire/hex.ts'
import type { MessageId, NodeId } from './wire/ids.ts'

/** What a node has done since it was made. */
export interface SignedNodeStats extends NodeStats, RelayStats {}

/**
 * What a `SecureNode` does with messages: signs what goes out, verifies what comes in, relays it. It is connected
 * with whom it is told to; how a network forms is the business of the class that extends it.
 */
export abstract class SignedNode<T extends TypeMap = NoTypes> extends Node<SecureNodeEvents<T>> {
  declare readonly id: NodeId
  protected readonly identity: Identity
  protected readonly settings: SecureNodeSettings
  readonly #relay: Relay<NodeConnection>
  readonly #outbox: Outbox
  readonly #inbox: Inbox<NodeConnection>
  /** From the first start, if there is one. */
  #history: History<NodeConnection> | undefined
  /** What the application allows for each type. */
  protected readonly types: MessageTypes

  constructor(
    host: string,
    port: number,
    keyFile: string | URL | Identity | undefined,
    options: SecureNodeOptions<T>,
    callback: NodeCallback<never, SecureNodeEvents<T>> | undefined,
  ) {
    const settings = secureNodeSettings(options)
    const identity = openIdentity(keyFile, settings.password)
    super(host, port, baseOptions(settings, identity), callback as NodeCallback<Node> | undefined)
    this.identity = identity
    this.settings = settings
    this.types = new MessageTypes(settings.types)
    this.#relay = new Relay(this.#relayPort(), settings)
    this.#inbox = new Inbox(this.#inboxPort(new Unsealer(identity)))
    this.#outbox = new Outbox(
      { assertRunning: (what) => this.assertRunning(what), hasRoom: () => this.#relay.hasRoom, seal },
      identity,
      settings,
    )
  }

  #makeHistory({ maxAge, maxBytes, folder }: HistoryOptions): Promise<History<NodeConnection>> {
    const { id: self } = this
    return makeHistory(this.#historyPort(), {
      maxAge: maxAge ?? HISTORY_MAX_AGE,
      maxBytes: maxBytes ?? HISTORY_MAX_BYTES,
      folder: folder && pathOf(folder),
      self,
      net: this.settings.net,
    })
  }

  #historyPort(): HistoryPort<NodeConnection> {
    const { clock, random, banTime, windowPast } = this.settings
    return {
      clock,
      random,
      windowPast,
      links: () => this.peers,
      write: (link, frame) => this.write([link], frame),
      expel: (link, code) => this.expel(link, code, banTime),
      accept: (link, kind, payload) => this.#relay.receive(link, { kind, payload }),
      report: (text) => this.debugPrint(text),
    }
  }

  #inboxPort(unsealer: Unsealer): InboxPort<NodeConnection> {
    return {
      open: (message) => unseal(message, unsealer),
      check: (type, data) => this.types.checkIn(type, 'message', data),
      call: (link, message) => this.isRunning && this.call(link, message),
      show: (link, message, data) => {
        if (this.isRunning) this.show(link, message, data)
        return this.isRunning
      },
      delivered: ({ id }) => this.#history?.delivered(id),
      refuse: (link, message, code, why) => this.#relay.refuseContent(link, message, code, why),
      wake: () => this.#relay.wake(),
    }
  }

  #relayPort(): RelayPort<NodeConnection> {
    const { clock, banTime } = this.settings
    return {
      self: this.id,
      clock,
      links: () => this.peers,
      write: (links, frame) => this.write(links, frame),
      linkTo: (id) => this.linkTo(id),
      history: () => this.#history,
      isBacklogged: (link) => this.#inbox.isFull || this.isBackloggedBeside(link),
      // What is verified only after stop() comes too late: the application has said that it is done.
      deliver: (link, message, kept) => this.isRunning && this.#inbox.take(link, message, kept),
      refuse: (link, refusal) => this.#onRefusal(link, refusal),
      expel: (link, code) => this.expel(link, code, banTime),
    }
  }

  /** For those who watch. */
  protected get relay(): Relay<NodeConnection> {
    return this.#relay
  }

  override stats(): SignedNodeStats {
    return { ...super.stats(), ...this.#relay.stats }
  }

  /**
   * Signs a payload, once, and sends it to the whole network. Resolves when it is on its way, paced as in `Node`;
   * a node without peers sends it to nobody, which is not an error.
   *
   * @throws SecureNodeError `invalid-payload`, `message-too-large`, `invalid-argument`, `overload`, `not-started`
   */
  override async sendToNodes<K extends TypeName<T> = 'message'>(
    data: PayloadOf<T, K>,
    options: SecureSendOptions & OfType<K> = {},
  ): Promise<SentMessage> {
    checkNames(options, ['type', 'to', 're', 'exp', 'bytes', 'seal', 'exclude'])
    const excluded = options.exclude && new Set(options.exclude)
    const links = (): NodeConnection[] =>
      excluded === undefined ? [...this.peers] : [...this.peers].filter((peer) => !excluded.has(peer))
    const sent = await this.post({ ...options, data }, links)
    await this.room()
    return sent
  }

  /**
   * Signs a payload for one peer and sends it over this connection alone.
   *
   * @throws as {@link sendToNodes}, and SecureNodeError `connection-closed`
   */
  override async sendToNode<K extends TypeName<T> = 'message'>(
    connection: NodeConnection,
    data: PayloadOf<T, K>,
    options: SecureSendOneOptions & OfType<K> = {},
  ): Promise<SentMessage> {
    checkNames(options, ['type', 're', 'exp', 'bytes', 'seal'])
    this.assertUp(connection)
    const sent = await this.post({ ...options, data, to: [connection.id] }, () => {
      this.assertUp(connection)
      return [connection]
    })
    await connection.room()
    return sent
  }

  /**
   * Checks, signs and sends a message over the links that there are when it is signed. `onSigned` hears its ID before
   * it leaves, and so before anybody can answer.
   */
  protected async post(
    message: OutgoingMessage,
    links: () => readonly NodeConnection[],
    onSigned?: (draft: Draft) => void,
  ): Promise<SentMessage> {
    const checked = this.#check(message)
    // Copied in this turn if at all possible: the caller may go on using what he has given.
    const { data } = checked instanceof Promise ? await checked : checked
    const { sent, kept } = await this.#outbox.post({ ...message, data }, (draft) => {
      const targets = links()
      onSigned?.(draft)
      const kept = this.#relay.send(draft, targets)
      this.countSent(targets.length, draft.id, draft.body.type)
      return { sent: { id: draft.id, peers: targets.length }, kept }
    })
    await kept
    return sent
  }

  /** Requests and answers are checked where they are made. */
  #check({ op, type = 'message', data }: OutgoingMessage): Outgoing | Promise<Outgoing> {
    return op === undefined ? this.types.checkOut(type, 'message', data) : { data }
  }

  /** A message of a request or its answer is for this node. */
  protected abstract call(connection: NodeConnection, message: SignedMessage): void

  /** Shows a message to the application. */
  protected show(connection: NodeConnection, message: SignedMessage, data: unknown): void {
    this.deliver(...([connection, data, message] as unknown as SecureNodeEvents<T>['nodeMessage']))
  }

  /** What happened to a message at this node, if it is among the last ones (option `maxTraces`). */
  explain(messageId: string): Explanation | undefined {
    return this.#relay.explain(messageId as MessageId)
  }

  /** See {@link SecureNodeEvents}. */
  rejected(..._args: SecureNodeEvents['rejected']): unknown {
    return
  }

  /** Before the first connection: a message must not find an older beginning. */
  protected override async starting(): Promise<void> {
    const { history } = this.settings
    if (history !== undefined) await (this.#history ??= await this.#makeHistory(history)).open()
    this.#relay.start()
  }

  /** Sending and stopping right after must not lose a message without a word. */
  protected override async stopping(): Promise<void> {
    await this.#outbox.settled()
  }

  /** Not before: what came in last would be shown and not be on the disk, and come once more after the next start. */
  protected override async stopped(): Promise<void> {
    await this.#inbox.settled()
    await this.#history?.close()
  }

  protected override get capabilities(): readonly string[] {
    return this.settings.history === undefined ? [] : [HISTORY]
  }

  protected override peerUp(connection: NodeConnection): void {
    this.#relay.up(connection)
    this.#history?.onUp(connection)
    // What was being delivered when the process was killed.
    for (const kept of this.#history?.takePending() ?? []) void this.#relay.redeliver(connection, kept)
  }

  /** Whether messages run over a connection, while they do not run over all. */
  protected isBranch(connection: NodeConnection): boolean {
    return this.#relay.isBranch(connection)
  }

  protected override peerDown(connection: NodeConnection): void {
    this.#relay.down(connection)
    this.#history?.onDown(connection)
  }

  protected override get mode(): Mode {
    return 'signed'
  }

  protected override signHandshake(bytes: Uint8Array): Promise<Uint8Array> {
    return this.identity.sign(bytes)
  }

  protected override verifyHandshake(signature: Uint8Array, bytes: Uint8Array, id: string): Promise<boolean> {
    return verifySignature(signature, bytes, fromHex(id), this.settings.engine)
  }

  /** Raw frames end here: what is shown has passed the relay's verification. */
  protected override receive(connection: NodeConnection, frame: Frame): void {
    if (isMessages(frame.kind)) this.#relay.receive(connection, frame)
    else if (this.#history?.receive(connection, frame.kind, frame.payload) === true) return
    else connection.close('unexpected-frame', `kind ${frame.kind} has no place among signed messages`)
  }

  protected override peersDrained(): void {
    this.#relay.wake()
  }

  #onRefusal(connection: NodeConnection, refusal: Refusal): void {
    this.logRefusal(connection, refusal)
    this.notify('rejected', connection, refusal)
  }
}

function isMessages(kind: number): boolean {
  return kind >= Kind.message && kind <= Kind.prune
}

function openIdentity(keyFile: unknown, password: string | undefined): Identity {
  if (keyFile === undefined) return Identity.generate()
  if (keyFile instanceof Identity) return keyFile
  if (typeof keyFile !== 'string' && !(keyFile instanceof URL)) throw notAnIdentity(keyFile)
  // An empty variable is one that is not set.
  const fallback = process.env['SECURE_NODE_PASSWORD']
  return Identity.fromSeed(readKeyFile(keyFile, password ?? (fallback === '' ? undefined : fallback)))
}

/** The options that are the base's own, and what follows from the identity. */
function baseOptions(settings: SecureNodeSettings, identity: Identity): NodeOptions {
  const transport =
    settings.transport ?? (settings.encryption ? new TlsTransport(identity) : new TcpTransport())
  return { ...nodeOptionsOf(settings), id: identity.id, transport }
}
