import { OverlayNode } from './overlay-node.ts'
import type { NodeConnection } from './node-connection.ts'
import type { Refusal } from './relay/relay-port.ts'
import type { SecureSendOptions, SentMessage } from './sending.ts'
import type { SignedNodeStats } from './signed-node.ts'
import type { LinkEars, StatusAddress, WatchedPort } from './status/status-port.ts'
import { StatusReporter } from './status/status-reporter.ts'
import type { StatusServer } from './status/status-server.ts'
import type { NoTypes, TypeMap } from './typing/type-map.ts'

const UP = ['outboundNodeConnected', 'inboundNodeConnected'] as const
const DOWN = ['outboundNodeDisconnected', 'inboundNodeDisconnected'] as const

type Listener = (...args: never[]) => void
interface Emitter {
  on(event: string, listener: Listener): unknown
  off(event: string, listener: Listener): unknown
}

/** A node that can be watched: it tells what it does, to programs in its process and over its status interface. */
export abstract class WatchedNode<T extends TypeMap = NoTypes> extends OverlayNode<T> {
  #reporter: StatusReporter<NodeConnection, SignedNodeStats> | undefined
  #server: StatusServer | undefined
  #startedAt: number | undefined

  /**
   * What tells of this node: a snapshot, and events while somebody watches. One can watch at a time; with the option
   * `status` that is the status interface.
   */
  get reporter(): StatusReporter<NodeConnection, SignedNodeStats> {
    return (this.#reporter ??= new StatusReporter(this.#watchedPort(), this.settings.status?.preview))
  }

  /** Where the status interface is; undefined without the option `status`, and while the node is not running. */
  get statusInterface(): StatusAddress | undefined {
    return this.#server?.address
  }

  #watchedPort(): WatchedPort<NodeConnection, SignedNodeStats> {
    const { clock, net, maxMessageIds, transport, encryption } = this.settings
    const transportName = transport?.name ?? (encryption ? 'tls' : 'tcp')
    return {
      id: this.id,
      net,
      clock,
      cacheLimit: maxMessageIds,
      place: () => ({ host: this.host, port: this.port }),
      startedAt: () => this.#startedAt,
      stats: () => this.stats(),
      links: () => this.links,
      // A transport that has several ways says which one a connection took.
      via: (link) => (link as { readonly via?: string }).via ?? transportName,
      treeOf: (link) => this.relay.treeOf(link),
      networkSize: () => this.networkSize,
      peerBook: () => this.peerBook.size,
      tap: (tap) => (this.relay.tap = tap),
      listen: (ears) => this.#listen(ears),
      discover: (timeout) => this.#discover(timeout),
      send: (type, data) => this.#send(type, data),
    }
  }

  /** As an application would: by the events. */
  #listen(ears: LinkEars<NodeConnection>): () => void {
    const onUp = (link: NodeConnection): void => ears.up(link)
    const onDown = (link: NodeConnection): void => ears.down(link)
    const onRejected = (link: NodeConnection, refusal: Refusal): void => ears.refused(link, refusal)
    const all: (readonly [string, Listener])[] = [
      ...UP.map((event) => [event, onUp] as const),
      ...DOWN.map((event) => [event, onDown] as const),
      ['rejected', onRejected],
    ]
    const emitter = this as unknown as Emitter
    for (const [event, listener] of all) emitter.on(event, listener)
    return () => {
      for (const [event, listener] of all) emitter.off(event, listener)
    }
  }

  async #discover(timeout: number): Promise<unknown> {
    return await this.discover({ timeout })
  }

  #send(type: string | undefined, data: unknown): Promise<SentMessage> {
    const send = this.sendToNodes.bind(this) as (
      data: unknown,
      options: SecureSendOptions,
    ) => Promise<SentMessage>
    return send(data, type === undefined ? {} : { type })
  }

  /** First of all: a port that is taken must not be found out when others have heard of this node already. */
  protected override async starting(): Promise<void> {
    const { status } = this.settings
    if (status !== undefined) {
      // Loaded by those alone who want it.
      const { StatusServer: Server } = await import('./status/status-server.ts')
      this.#server = new Server([this.reporter], status)
      await this.#server.open()
    }
    try {
      await super.starting()
    } catch (error) {
      await this.#server?.close()
      throw error
    }
  }

  protected override started(): void {
    this.#startedAt = this.settings.clock.now()
    super.started()
    this.#reporter?.changed('started')
  }

  protected override async stopped(): Promise<void> {
    this.#startedAt = undefined
    try {
      await super.stopped()
    } finally {
      this.#reporter?.changed('stopped')
      await this.#server?.close()
    }
  }
}
