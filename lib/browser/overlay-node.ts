import type { ReadonlyPeerBook } from '../book/known-peer.ts'
import type { NetworkSearch } from '../discovery/network-search.ts'
import { aborted, joinFailed, notInBrowsers, type SecureNodeError, unreachable } from '../errors.ts'
import type { LookupResult } from '../lookup/finder-port.ts'
import { checkNames } from '../ground/names.ts'
import { JOIN_TIMEOUT } from '../limits/network-limits.ts'
import type { NodeConnection } from '../node-connection.ts'
import { checkConnectOptions, checkedAddress } from '../options/options.ts'
import type { OverlayNode as FullOverlayNode } from '../overlay-node.ts'
import { ClockCheck } from '../overlay/clock-check.ts'
import type { Joined, JoinOptions } from '../overlay/joining.ts'
import type { Reached, ReachOptions } from '../reach.ts'
import type { SecureNodeEvents } from '../secure-events.ts'
import type { SentMessage } from '../sending.ts'
import { SignedNode } from '../signed-node.ts'
import type { NoTypes, TypeMap } from '../typing/type-map.ts'
import { type Address, formatAddress } from '../wire/address.ts'
import type { Frame } from '../wire/frame.ts'
import type { NodeId } from '../wire/ids.ts'
import { Visitor } from './visitor.ts'

/** What the class of the same name has for everybody, and this one has too. */
type Public = Pick<
  FullOverlayNode<TypeMap>,
  Exclude<keyof FullOverlayNode<TypeMap>, keyof SignedNode<TypeMap>>
>

/**
 * In place of the class of this name where nobody can dial the node: a page. It stays connected with the addresses that
 * it was given, tells nobody of itself, and dials nobody else: what a peer book says is where nodes listen for nodes.
 */
export abstract class OverlayNode<T extends TypeMap = NoTypes> extends SignedNode<T> implements Public {
  readonly #visitor: Visitor<NodeConnection>
  /** Addresses that the node is to stay connected with and that nothing dials again yet. */
  readonly #homes = new Set<string>()
  readonly #clockCheck = new ClockCheck()
  #ended = new AbortController()

  constructor(...args: ConstructorParameters<typeof SignedNode<T>>) {
    super(...args)
    const { clock, net, engine, banTime } = this.settings
    this.#visitor = new Visitor({
      self: { id: this.id, net },
      clock,
      engine,
      sign: (bytes) => this.identity.sign(bytes),
      links: () => this.peers,
      write: (link, frame) => this.write([link], frame),
      expel: (link, code) => this.expel(link, code, banTime),
    })
  }

  /**
   * Joins a network at some addresses. Resolves as soon as one of them has answered; the node stays connected with
   * all of them, and tries those that have failed again.
   *
   * @throws SecureNodeError `join-failed` with the reason of every address, `aborted`, `invalid-argument`,
   *   `not-in-browsers` without an address, `not-started`
   */
  async join(
    addresses: readonly (string | Address)[] | string | Address = [],
    options: JoinOptions = {},
  ): Promise<Joined> {
    checkNames(options, ['timeout', 'signal'])
    checkConnectOptions(options)
    const list: readonly unknown[] = Array.isArray(addresses) ? addresses : [addresses]
    const checked = list.map(checkedAddress)
    if (checked.length === 0) throw notInBrowsers('join() without an address')
    this.assertRunning('join()')
    const terms = { timeout: JOIN_TIMEOUT, ...options }
    const failures: { address: Address; error: SecureNodeError }[] = []
    const dial = async (address: Address): Promise<void> => {
      try {
        await super.connectWithNode(address.host, address.port, terms)
        this.#homes.add(textOf(address))
      } catch (error) {
        failures.push({ address, error: error as SecureNodeError })
        throw error
      }
    }
    try {
      await Promise.any(checked.map(dial))
    } catch {
      if (options.signal?.aborted === true) throw aborted('joining', options.signal.reason)
      throw joinFailed(failures.map(({ address, error }) => [textOf(address), error]))
    }
    for (const { address } of failures) this.#keep(address)
    return { peers: this.allNodes.size, failures }
  }

  /** Dials an address until it answers, and again whenever the connection is lost. */
  #keep({ host, port }: Address): void {
    const { signal } = this.#ended
    // What fails is told by an event, each time.
    super.connectWithNode(host, port, { reconnect: true, signal }).catch(() => {})
  }

  /** Says goodbye to every peer, and dials nobody again. The node goes on running. */
  async leave(): Promise<void> {
    this.assertRunning('leave()')
    this.#forget()
    await Promise.all([...this.links].map((connection) => this.disconnectWithNode(connection)))
  }

  override async disconnectWithNode(connection: NodeConnection): Promise<void> {
    this.#homes.delete(textOf(connection))
    await super.disconnectWithNode(connection)
  }

  /** A page cannot dial what it would find. @throws SecureNodeError `not-in-browsers` */
  async lookup(): Promise<LookupResult> {
    throw notInBrowsers('lookup()')
  }

  /** See `lookup()`. @throws SecureNodeError `not-in-browsers` */
  discover(): NetworkSearch {
    throw notInBrowsers('discover()')
  }

  /** See `lookup()`. @throws SecureNodeError `not-in-browsers` */
  get peerBook(): ReadonlyPeerBook {
    throw notInBrowsers('the peer book')
  }

  /** See `lookup()`. @throws SecureNodeError `not-in-browsers` */
  async sendToPeerBook(): Promise<readonly SentMessage[]> {
    throw notInBrowsers('the peer book')
  }

  /** The peers, and this node: a page knows of no others. */
  get networkSize(): number {
    return this.peers.size + 1
  }

  /** How far the clocks of the peers are ahead of this machine's, in ms: the median; undefined without peers. */
  get clockOffset(): number | undefined {
    return ClockCheck.offset(this.peers)
  }

  /** See {@link SecureNodeEvents}. */
  clockWarning(..._args: SecureNodeEvents['clockWarning']): unknown {
    return
  }

  /** Over a link if there is one, else through the nodes between. @throws SecureNodeError `unreachable` */
  protected async reach(nodeId: NodeId, { connection }: ReachOptions): Promise<Reached<NodeConnection>> {
    const link = this.linkTo(nodeId)
    if (link !== undefined && connection === 'lasting') link.stay()
    if (link === undefined && this.peers.size === 0) throw unreachable(nodeId)
    return { way: link === undefined ? 'relay' : 'link', link }
  }

  protected override started(): void {
    this.#ended = new AbortController()
    for (const address of this.settings.bootstrap) this.#keep(checkedAddress(address))
  }

  protected override async stopping(): Promise<void> {
    this.#forget()
    await super.stopping()
  }

  protected override peerUp(connection: NodeConnection): void {
    super.peerUp(connection)
    const offset = this.#clockCheck.check(this.peers)
    if (offset !== undefined) this.notify('clockWarning', offset, this.peers.size)
  }

  protected override peerDown(connection: NodeConnection): void {
    super.peerDown(connection)
    if (this.#homes.delete(textOf(connection))) this.#keep(connection)
  }

  protected override receive(connection: NodeConnection, frame: Frame): void {
    // A connection that was retired still brings messages, and nothing else that counts.
    if (connection.isUp && this.#visitor.receive(connection, frame)) return
    super.receive(connection, frame)
  }

  #forget(): void {
    this.#homes.clear()
    this.#ended.abort()
    this.#ended = new AbortController()
  }
}

function textOf({ host, port }: Address): string {
  return formatAddress(host, port)
}
