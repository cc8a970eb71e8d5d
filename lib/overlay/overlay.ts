import { notStarted } from '../errors.ts'
import type { Address } from '../wire/address.ts'
import { encodeFrame, type Frame, Kind } from '../wire/frame.ts'
import { DialBackOff } from '../book/back-off.ts'
import { BootstrapList } from './bootstrap-list.ts'
import { ClockCheck } from './clock-check.ts'
import { Discovery } from '../discovery/discovery.ts'
import { PeerExchange } from './exchange.ts'
import { type Joined, joinNetwork, type JoinOptions } from './joining.ts'
import { Lan } from '../lan/lan.ts'
import { Neighbourhood } from './neighbourhood.ts'
import type { DiscoverOptions, NetworkSearch } from '../discovery/network-search.ts'
import type { OverlayLink } from './overlay-link.ts'
import type { OverlayOptions, OverlayPort } from './overlay-port.ts'
import { OwnRecord } from './own-record.ts'
import type { ReadonlyPeerBook } from '../book/known-peer.ts'
import { PeerBook } from '../book/peer-book.ts'
import type { PeerRecord } from '../book/peer-record.ts'
import { Upkeep } from './upkeep.ts'
import { Visits } from './visits.ts'

/**
 * How nodes find each other and stay together: records of who is where, a book of them, enough links at all times,
 * and the map of the network. Each of these is a mechanism of its own; here they are put together.
 */
export class Overlay<L extends OverlayLink> {
  /** The nodes that are known. */
  readonly book: ReadonlyPeerBook
  /** Dials for a moment. */
  readonly visits: Visits<L>
  readonly #book: PeerBook
  readonly #port: OverlayPort<L>
  readonly #options: OverlayOptions
  readonly #own: OwnRecord
  readonly #exchange: PeerExchange<L>
  readonly #bootstrap: BootstrapList
  readonly #neighbourhood: Neighbourhood<L>
  readonly #discovery: Discovery<L>
  readonly #lan: Lan | undefined
  readonly #clockCheck = new ClockCheck()
  readonly #upkeep: Upkeep
  #isRunning = false
  #hasLeft = false
  /** What a peer is told that comes while this node has left: its link may have been on its way. */
  #farewell: PeerRecord | undefined

  constructor(port: OverlayPort<L>, options: OverlayOptions) {
    const { self, clock, sign } = port
    const { random, engine } = options
    this.#port = port
    this.#options = options
    this.#book = new PeerBook({ self: self.id, random })
    this.book = this.#book.view()
    this.#own = new OwnRecord(port, options.advertise)
    this.#bootstrap = new BootstrapList(random)
    this.#upkeep = new Upkeep(
      { ...port, book: this.#book, renew: () => this.#keepRecord() },
      options.peerBookFile,
    )
    this.#lan = options.lan ? this.#makeLan() : undefined
    this.#exchange = new PeerExchange<L>({
      self,
      clock,
      engine,
      book: this.#book,
      own: () => this.ownRecord,
      learned: (record, source) => port.learned(record, source),
      write: (link, frame) => port.write(link, frame),
      expel: (link, code) => port.expel(link, code),
      onRecord: (link) => this.#onRecord(link),
      onPeers: () => this.#neighbourhood.wake(0),
    })
    const backOff = new DialBackOff(random)
    this.visits = new Visits({
      clock,
      backOff,
      book: this.#book,
      dial: (address, terms) => port.dial(address, terms),
    })
    this.#neighbourhood = new Neighbourhood<L>(
      {
        self: self.id,
        clock,
        random,
        book: this.#book,
        backOff,
        bootstrap: this.#bootstrap,
        links: () => port.links(),
        isAwake: () => this.#isRunning && !this.#hasLeft,
        freePlaces: () => port.freePlaces(),
        dial: (address, terms) => port.dial(address, terms),
        retire: (link, code) => port.retire(link, code),
        ask: (link) => this.#exchange.ask(link),
        isAsking: () => this.#exchange.isAsking,
        isNeeded: (link) => port.isNeeded(link),
        sayEnough: (link) => port.write(link, encodeFrame(Kind.enough, new Uint8Array(0))),
      },
      { target: options.targetConnections, maxPerGroup: options.maxOutboundPerGroup },
    )
    this.#discovery = new Discovery<L>({
      self,
      clock,
      random,
      sign,
      engine,
      links: () => port.links(),
      write: (link, kind, payload) => port.write(link, encodeFrame(kind, payload)),
      reject: (link, code) => port.expel(link, code),
    })
  }

  /** What this node tells others about itself, if anything. */
  get ownRecord(): PeerRecord | undefined {
    return this.#hasLeft ? this.#farewell : this.#own.current
  }

  #makeLan(): Lan {
    const { self, clock, sign } = this.#port
    return new Lan(
      {
        self,
        clock,
        sign,
        random: this.#options.random,
        engine: this.#options.engine,
        listenHost: () => this.#port.listening()?.host ?? '',
        listenPort: () => this.#port.listening()?.port ?? 0,
        found: (id, address) => this.#neighbourhood.found(id, address),
        report: (text) => this.#port.report(text),
      },
      this.#port.datagrams(),
    )
  }

  /** Whether this node looks for others from its start on: it was told where. */
  get isLooking(): boolean {
    const { bootstrap, hasFurther = false } = this.#options
    return bootstrap.length > 0 || this.#upkeep.hasFile || this.#lan !== undefined || hasFurther
  }

  /** Whether this node has left on purpose: nobody is to come in. */
  get hasLeft(): boolean {
    return this.#hasLeft
  }

  /** Places to keep free for outbound links. */
  get missingOutbound(): number {
    return this.#neighbourhood.missingOutbound
  }

  /** How far the clocks of the peers are ahead of ours, in ms: the median. */
  get clockOffset(): number | undefined {
    return ClockCheck.offset(this.#port.links())
  }

  /** How many nodes there are: of the last discovery, or else those of the book, this node included. */
  get networkSize(): number {
    return this.#discovery.lastMap?.size ?? this.#book.size + 1
  }

  /**
   * Reads the peer book, before the node listens.
   *
   * @throws SecureNodeError `peer-book-unreadable`
   */
  async open(): Promise<void> {
    await this.#upkeep.load(this.#options.engine)
    for (const { record, source } of this.#book) this.#port.learned(record, source)
  }

  /** The node listens. */
  start(): void {
    this.#isRunning = true
    this.#hasLeft = false
    this.#bootstrap.add(this.#options.bootstrap)
    this.#keepRecord()
    this.#upkeep.start()
    this.#lan?.start()
    if (this.isLooking) this.#neighbourhood.activate()
  }

  /** The node is about to stop. Resolves when the book is saved. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return
    this.#isRunning = false
    this.#upkeep.stop()
    this.#neighbourhood.deactivate()
    this.#discovery.stop()
    // They end now; the file tells until when they were there.
    for (const { id } of this.#port.links()) this.#book.disconnected(id, this.#port.clock.now())
    await Promise.all([this.#upkeep.save(), this.#lan?.stop()])
  }

  /** See `SecureNode.join`. */
  async join(addresses: readonly Address[], options: JoinOptions): Promise<Joined> {
    // It may be about to stop.
    if (!this.#isRunning) throw notStarted('join()')
    this.#hasLeft = false
    this.#keepRecord()
    this.#bootstrap.add(addresses)
    this.#neighbourhood.activate()
    this.#lan?.start()
    return joinNetwork(addresses, options, {
      clock: this.#port.clock,
      dial: (address, terms) => this.#neighbourhood.connect({ id: undefined, address }, terms),
      peers: () => this.#port.links().size,
      settled: () => this.#neighbourhood.settled(),
    })
  }

  /** Takes this node's record back, and looks for nobody any more. The links are the caller's to end. */
  async leave(): Promise<void> {
    this.#hasLeft = true
    this.#farewell = undefined
    this.#neighbourhood.deactivate()
    await this.#lan?.stop()
    const farewell = (this.#farewell = await this.#own.farewell())
    for (const link of this.#port.links()) this.#exchange.tell(link, farewell)
  }

  /** See `SecureNode.discover`. */
  discover(options: DiscoverOptions): NetworkSearch {
    return this.#discovery.search(options)
  }

  onUp(link: L): void {
    if (this.#hasLeft && link.direction === 'inbound') this.#refuseLate(link)
    if (link.seenAt !== undefined && !link.isById) this.#own.sighted(link, link.remoteHost, link.seenAt)
    this.#noteLink(link)
    this.#exchange.onUp(link)
    this.#neighbourhood.onUp(link)
    this.#keepRecord()
    const offset = this.#clockCheck.check(this.#port.links())
    if (offset !== undefined) this.#port.onClockOff(offset, this.#port.links().size)
  }

  onDown(link: L): void {
    this.#own.unsighted(link)
    this.#discovery.onDown(link)
    this.onVisitOver(link)
    this.#neighbourhood.onDown(link)
  }

  /** A temporary link is up: its ends tell each other where they are, and no more. */
  onVisit(link: L): void {
    if (this.#hasLeft && link.direction === 'inbound') this.#refuseLate(link)
    this.#noteLink(link)
    this.#exchange.onUp(link)
  }

  /** A temporary link has ended. */
  onVisitOver(link: L): void {
    this.#exchange.onDown(link)
    // Not where another link to the same node is up: of two, one goes.
    const isGone = [...this.#port.links()].every(({ id }) => id !== link.id)
    if (isGone) this.#book.disconnected(link.id, this.#port.clock.now())
  }

  /** The application has asked for this link: it is not to be let go. One that was made for want of links may be. */
  claim(link: L, isAsked = true): void {
    if (isAsked) this.#neighbourhood.claim(link)
    else this.#neighbourhood.adopt(link)
  }

  /** A frame arrived. `false` if it is none of the overlay's. */
  receive(link: L, frame: Frame): boolean {
    switch (frame.kind) {
      case Kind.record:
      case Kind.getPeers:
      case Kind.peers:
        this.#exchange.receive(link, frame)
        return true
      case Kind.question:
      case Kind.answer:
        this.#discovery.receive(link, frame)
        return true
      case Kind.enough:
        if (frame.payload.length > 0) this.#port.expel(link, 'bad-payload')
        else this.#neighbourhood.onEnough(link)
        return true
      default:
        return false
    }
  }

  /** It was let in before this node has left. The application hears first that it is up, then that it has ended. */
  #refuseLate(link: L): void {
    queueMicrotask(() => this.#port.retire(link, 'goodbye'))
  }

  /** An outbound link proves an address of its peer; an inbound one proves that the peer is there. */
  #noteLink({ id, direction, isById, remoteHost: host, port }: L): void {
    const address = direction === 'outbound' && !isById ? { host, port } : undefined
    this.#book.connected(id, address, this.#port.clock.now())
  }

  /** The peer of a link has told where it is. */
  #onRecord(link: L): void {
    this.#noteLink(link)
    if (!this.#isRunning) return
    this.#upkeep.hasMet()
    this.#neighbourhood.wake(0)
  }

  /** Makes a new record when the old one has aged or the addresses have changed, and tells the peers. */
  #keepRecord(): void {
    if (this.#hasLeft) return
    const port = this.#port
    this.#own.refresh().then(
      (isNew) => {
        const record = this.#own.current
        if (!isNew || record === undefined || !this.#isRunning || this.#hasLeft) return
        for (const link of port.links()) this.#exchange.tell(link, record)
      },
      // The signer may be the application's own.
      (error: unknown) => port.report(`cannot sign a peer record: ${String(error)}`),
    )
  }
}
