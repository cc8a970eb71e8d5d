import type { PeerRecord } from '../book/peer-record.ts'
import type { Timer } from '../ground/clock.ts'
import { TABLE_JOIN_DELAY, TABLE_REFRESH, TABLE_TICK } from '../limits/network-limits.ts'
import { formatAddress } from '../wire/address.ts'
import type { FinderLink, FinderPort } from './finder-port.ts'
import { type Place, placeNear } from './place.ts'
import type { RoutingTable } from './routing-table.ts'

/** What keeping a table fresh needs. */
export interface TableKeeperParts<L extends FinderLink> {
  readonly port: FinderPort<L>
  readonly own: Place
  readonly table: RoutingTable
  /** Searches for the nodes near a place. Resolves with how many have answered. */
  search(place: Place): Promise<number>
}

/**
 * Keeps a routing table as it should be: soon after the first link, the node looks for its own place, so that those
 * near it know it; later it looks into each part of the network about once an hour. One search at a time, and at most
 * one a minute: about log2(n) of them an hour. Without a link there is nothing to do, and no timer.
 */
export class TableKeeper<L extends FinderLink> {
  readonly #parts: TableKeeperParts<L>
  /** When each bucket was last searched, in ms since the epoch. */
  readonly #touched: number[] = []
  #timer: Timer | undefined
  #isRunning = false
  #isBusy = false
  /** The addresses that the nodes near this one know, and when they were told, in ms since the epoch. */
  #joined: { readonly addresses: string; readonly at: number } | undefined

  constructor(parts: TableKeeperParts<L>) {
    this.#parts = parts
  }

  start(): void {
    this.#isRunning = true
    if (this.#hasLinks) this.onUp()
  }

  stop(): void {
    this.#isRunning = false
    this.#timer?.cancel()
    this.#timer = undefined
    this.#joined = undefined
  }

  /** There is a link. */
  onUp(): void {
    if (this.#isRunning && this.#timer === undefined && !this.#isBusy) this.#arm(TABLE_JOIN_DELAY)
  }

  /** Somebody has searched near a place. */
  touch(place: Place): void {
    const { table, port } = this.#parts
    this.#touched[table.bucketOf(place)] = port.clock.now()
  }

  get #hasLinks(): boolean {
    for (const link of this.#parts.port.links()) if (link.isUp) return true
    return false
  }

  /** Shortened by chance: nodes that were started together must not go on as one. */
  #arm(ms: number): void {
    const { clock, random } = this.#parts.port
    this.#timer = clock.setTimer(() => void this.#tick(), ms * (1 - random() / 2))
  }

  async #tick(): Promise<void> {
    this.#timer = undefined
    if (!this.#hasLinks) {
      // Those near this node may take it for dead when it is back.
      this.#joined = undefined
      return
    }
    this.#isBusy = true
    await this.#tend()
    this.#isBusy = false
    if (this.#isRunning) this.#arm(TABLE_TICK)
  }

  async #tend(): Promise<void> {
    const { port, table, own } = this.#parts
    const record = port.own()
    const now = port.clock.now()
    table.removeStale(now)
    // A visitor is in nobody's table, and asks its neighbours when it looks for somebody.
    if (record === undefined) return
    if (this.#isJoinDue(record, now)) {
      if ((await this.#parts.search(own)) > 0) this.#joined = { addresses: textOf(record), at: now }
      return
    }
    const bucket = this.#stalest(now)
    if (bucket === undefined) return
    const place = placeNear(own, bucket, port.random)
    this.touch(place)
    await this.#parts.search(place)
  }

  #isJoinDue(record: PeerRecord, now: number): boolean {
    return this.#joined?.addresses !== textOf(record) || now - this.#joined.at >= TABLE_REFRESH
  }

  #stalest(now: number): number | undefined {
    const { table, port } = this.#parts
    let stalest: number | undefined
    for (let bucket = 0; bucket <= table.depth; bucket++) {
      // The first time within the hour, each bucket at another moment.
      const at = (this.#touched[bucket] ??= now - (TABLE_REFRESH / 2) * port.random())
      if (now - at >= TABLE_REFRESH && !(at >= this.#touched[stalest ?? bucket]! && stalest !== undefined))
        stalest = bucket
    }
    return stalest
  }
}

function textOf({ addresses }: PeerRecord): string {
  return addresses
    .map(({ host, port }) => formatAddress(host, port))
    .sort()
    .join()
}
