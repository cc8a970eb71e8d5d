import { DialBackOff } from '../../lib/book/back-off.ts'
import {
  ASK_INTERVAL,
  ASK_TIMEOUT,
  MAX_OUTBOUND_PER_GROUP,
  TARGET_CONNECTIONS,
} from '../../lib/limits/network-limits.ts'
import { BootstrapList } from '../../lib/overlay/bootstrap-list.ts'
import { Neighbourhood } from '../../lib/overlay/neighbourhood.ts'
import type { Address } from '../../lib/wire/address.ts'
import type { CloseReason } from '../../lib/wire/close-code.ts'
import { PassiveView } from './passive-view.ts'
import type { Relaying, SimFrame } from './relaying.ts'
import type { SimLink } from './sim-link.ts'
import type { SimNet } from './sim-net.ts'

/** A node without sockets, keys and JSON: the package's neighbourhood, a view instead of a book, and its relays. */
export class SimNode {
  readonly net: SimNet
  readonly index: number
  readonly id: string
  readonly address: Address
  /** Where it is on the unit square: what is far takes longer. */
  readonly x: number
  readonly y: number
  readonly bornAt: number
  readonly links = new Set<SimLink>()
  readonly view: PassiveView<SimNode>
  readonly neighbourhood: Neighbourhood<SimLink>
  /** One for each relay of the network, in its order. */
  readonly relays: Relaying[] = []
  isAlive = true
  /** Whether its machine is gone as well, so that nobody even refuses. */
  isSilent = false

  constructor(net: SimNet, index: number, bootstrap: readonly Address[]) {
    const { wheel, random } = net
    this.net = net
    this.index = index
    this.id = `n${index}`
    this.address = { host: `h${index}`, port: 7_000 }
    this.x = random()
    this.y = random()
    this.bornAt = wheel.now()
    this.view = new PassiveView<SimNode>(this, random)
    const list = new BootstrapList(random)
    list.add(bootstrap)
    this.neighbourhood = new Neighbourhood<SimLink>(
      {
        self: this.id,
        clock: wheel,
        random,
        book: this.view,
        backOff: new DialBackOff(random),
        bootstrap: list,
        links: () => this.links,
        isAwake: () => this.isAlive,
        freePlaces: () => net.freePlaces(this),
        dial: (address) => net.dial(this, address),
        retire: (link, code) => net.close(link, { code, text: '', by: 'us' }),
        isNeeded: (link) => this.relays.some((relay) => relay.isNeeded?.(link) === true),
        ask: (link) => this.#ask(link),
        isAsking: () => this.#isAsking(),
        sayEnough: (link) => net.tell(link, 0, (back) => back.owner.neighbourhood.onEnough(back)),
      },
      { target: TARGET_CONNECTIONS, maxPerGroup: MAX_OUTBOUND_PER_GROUP },
    )
    for (const make of net.makers) this.relays.push(make(this))
    this.neighbourhood.activate()
  }

  /** One more relay. */
  attach(relay: Relaying): void {
    this.relays.push(relay)
    for (const link of this.links) relay.up(link)
  }

  onUp(link: SimLink): void {
    this.links.add(link)
    this.view.met(link.peer)
    this.net.onIntroduction()
    this.neighbourhood.onUp(link)
    for (const relay of this.relays) relay.up(link)
  }

  onDown(link: SimLink, reason: CloseReason): void {
    link.isUp = false
    link.closeReason = reason
    this.links.delete(link)
    this.neighbourhood.onDown(link)
    for (const relay of this.relays) relay.down(link)
  }

  receive(link: SimLink, frame: SimFrame): void {
    if (!this.isAlive) return
    this.net.onArrival(this, frame)
    this.relays[frame.relay]!.receive(link, frame)
  }

  #ask(link: SimLink): void {
    const now = this.net.wheel.now()
    if (link.isAsked || now - link.askedAt < ASK_INTERVAL) return
    link.askedAt = now
    link.isAsked = true
    this.net.tell(link, 0, (asked) => asked.owner.#answer(asked))
  }

  #answer(link: SimLink): void {
    const nodes = this.view.sample(link.peer)
    this.net.tell(link, nodes.length, (asker) => asker.owner.#onPeers(asker, nodes))
  }

  #onPeers(link: SimLink, nodes: readonly SimNode[]): void {
    link.isAsked = false
    for (const node of nodes) this.view.heard(node)
    this.neighbourhood.wake(0)
  }

  #isAsking(): boolean {
    const now = this.net.wheel.now()
    for (const { isAsked, askedAt } of this.links) if (isAsked && now - askedAt < ASK_TIMEOUT) return true
    return false
  }
}
