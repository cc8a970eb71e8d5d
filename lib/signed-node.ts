import { notAnIdentity } from './errors.ts'
import type { ConnectionEvents, NodeCallback } from './events.ts'
import { verifySignature } from './identity/ed25519.ts'
import { Identity } from './identity/identity.ts'
import { readKeyFile } from './identity/key-file.ts'
import type { Json } from './message/canonical.ts'
import type { MessageFields, SignedMessage } from './message/message.ts'
import { checkNames } from './names.ts'
import { Node, type NodeStats, type Sent } from './node.ts'
import type { NodeConnection } from './node-connection.ts'
import {
  type NodeOptions,
  nodeOptionsOf,
  type SecureNodeOptions,
  secureNodeSettings,
  type SecureNodeSettings,
} from './options.ts'
import { Outbox } from './outbox.ts'
import { type Refusal, Relay, type RelayPort, type RelayStats } from './relay/relay.ts'
import type { Explanation } from './relay/traces.ts'
import { TcpTransport } from './transport/tcp.ts'
import { TlsTransport } from './transport/tls.ts'
import { type Frame, Kind } from './wire/frame.ts'
import type { Mode } from './wire/hello.ts'
import { fromHex } from './wire/hex.ts'
import type { MessageId, NodeId } from './wire/ids.ts'

/** Events of a {@link SecureNode}: those of `Node`, with verified messages. */
export interface SecureNodeEvents extends ConnectionEvents {
  /**
   * A message was verified and is for this node. `connection` is the link that it came over, `message.from` its
   * author. Once per message.
   */
  nodeMessage: [connection: NodeConnection, data: Json, message: SignedMessage]
  /** A message was refused. Where its code is one that `isReject`, the connection was closed for it. */
  rejected: [connection: NodeConnection, refusal: Refusal]
  /** The clocks of `peers` peers are `offset` ms ahead of this machine's, in the middle: more than 10 s. */
  clockWarning: [offset: number, peers: number]
}

/** What goes with a payload. */
export interface SecureSendOptions extends Pick<MessageFields, 'type' | 'to' | 're' | 'exp'> {
  /** Connections that this node does not send it over; it may still reach those peers through others. */
  readonly exclude?: Iterable<NodeConnection> | undefined
}

/** For one peer: it is the addressee. Signed messages travel as they are. */
export type SecureSendOneOptions = Pick<SecureSendOptions, 'type' | 're' | 'exp'> & {
  readonly compression?: undefined
}

/** A message on its way. */
export interface SentMessage extends Sent {
  /** Its ID: what the receivers see in `message.id`, and what `explain` asks for. */
  readonly id: MessageId
}

/** What a node has done since it was made. */
export interface SecureNodeStats extends NodeStats, RelayStats {}

/**
 * What a `SecureNode` does with messages: signs what goes out, verifies what comes in, relays it. It is connected
 * with whom it is told to; how a network forms is the business of the class that extends it.
 */
export abstract class SignedNode extends Node<SecureNodeEvents> {
  declare readonly id: NodeId
  protected readonly identity: Identity
  protected readonly settings: SecureNodeSettings
  readonly #relay: Relay<NodeConnection>
  readonly #outbox: Outbox

  constructor(
    host: string,
    port: number,
    keyFile: string | URL | Identity | undefined,
    options: SecureNodeOptions,
    callback: NodeCallback<never, SecureNodeEvents> | undefined,
  ) {
    const settings = secureNodeSettings(options)
    const identity = openIdentity(keyFile, settings.password)
    super(host, port, baseOptions(settings, identity), callback as NodeCallback<Node> | undefined)
    this.identity = identity
    this.settings = settings
    this.#relay = new Relay(this.#relayPort(), settings)
    this.#outbox = new Outbox(
      { assertRunning: (what) => this.assertRunning(what), hasRoom: () => this.#relay.hasRoom },
      identity,
      settings,
    )
  }

  #relayPort(): RelayPort<NodeConnection> {
    const { clock, banTime } = this.settings
    return {
      self: this.id,
      clock,
      links: () => this.peers,
      write: (links, frame) => this.write(links, frame),
      isBacklogged: (link) => this.isBackloggedBeside(link),
      // What is verified only after stop() comes too late: the application has said that it is done.
      deliver: (link, message) => this.isRunning && this.deliver(link, message.data, message),
      refuse: (link, refusal) => this.#onRefusal(link, refusal),
      expel: (link, code) => this.expel(link, code, banTime),
    }
  }

  override stats(): SecureNodeStats {
    return { ...super.stats(), ...this.#relay.stats }
  }

  /**
   * Signs a payload, once, and sends it to the whole network. Resolves when it is on its way, paced as in `Node`;
   * a node without peers sends it to nobody, which is not an error.
   *
   * @throws SecureNodeError `invalid-payload`, `message-too-large`, `invalid-argument`, `overload`, `not-started`
   */
  override async sendToNodes(data: unknown, options: SecureSendOptions = {}): Promise<SentMessage> {
    checkNames(options, ['type', 'to', 're', 'exp', 'exclude'])
    const excluded = new Set(options.exclude)
    const links = (): NodeConnection[] => [...this.peers].filter((connection) => !excluded.has(connection))
    const sent = await this.#send(data, options, links)
    await this.room()
    return sent
  }

  /**
   * Signs a payload for one peer and sends it over this connection alone.
   *
   * @throws as {@link sendToNodes}, and SecureNodeError `connection-closed`
   */
  override async sendToNode(
    connection: NodeConnection,
    data: unknown,
    options: SecureSendOneOptions = {},
  ): Promise<SentMessage> {
    checkNames(options, ['type', 're', 'exp'])
    this.assertUp(connection)
    const sent = await this.#send(data, { ...options, to: [connection.id] }, () => {
      this.assertUp(connection)
      return [connection]
    })
    await connection.room()
    return sent
  }

  async #send(data: unknown, fields: SecureSendOptions, links: () => NodeConnection[]): Promise<SentMessage> {
    return this.#outbox.post({ ...fields, data }, (draft) => {
      // Whoever is connected when it is signed gets it.
      const targets = links()
      this.#relay.send(draft, targets)
      this.countSent()
      return { id: draft.id, peers: targets.length }
    })
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
    this.#relay.start()
  }

  /** Sending and stopping right after must not lose a message without a word. */
  protected override stopping(): Promise<void> {
    return this.#outbox.settled()
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
    if (frame.kind === Kind.message) this.#relay.receive(connection, frame.payload)
    else connection.close('unexpected-frame', `kind ${frame.kind} has no place among signed messages`)
  }

  protected override peersDrained(): void {
    this.#relay.wake()
  }

  #onRefusal(connection: NodeConnection, refusal: Refusal): void {
    this.debugPrint(`refused a message from ${connection.id}: ${refusal.code}`)
    this.notify('rejected', connection, refusal)
  }
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
