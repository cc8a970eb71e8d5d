import type { Timer } from '../ground/clock.ts'
import { PROTOCOL_VERSION } from '../limits/limits.ts'
import type { Draft } from '../message/draft.ts'
import type { Refusal } from '../relay/relay-port.ts'
import type { Accepted } from '../relay/relay-tap.ts'
import { sizeOf } from '../relay/tree.ts'
import {
  FIGURES_INTERVAL,
  GRAPH_INTERVAL,
  GRAPH_TIMEOUT,
  MAX_TOLD_MESSAGES,
  MAX_TOLD_PEERS,
  MAX_TOLD_REFUSALS,
  PREVIEW_CHARACTERS,
} from '../limits/status-limits.ts'
import { previewOf } from './preview.ts'
import type { Figures, Happening, NodeStatus, StatusEvent } from './status-event.ts'
import type { StatusSource, WatchedLink, WatchedPort, WatchedStats } from './status-port.ts'
import { WatchedLinks } from './watched-links.ts'

/**
 * Tells what a node does, to one that watches. While nobody does, it hears of nothing: the node does no work for it.
 * While somebody does, what it tells is bounded, whatever the node has to do.
 */
export class StatusReporter<L extends WatchedLink, S extends WatchedStats> implements StatusSource {
  /** What the node is called where several are watched together. @default none */
  name: string | undefined
  readonly #port: WatchedPort<L, S>
  readonly #preview: number
  readonly #links: WatchedLinks<L>
  #tell: ((event: StatusEvent) => void) | undefined
  #stopListening: (() => void) | undefined
  #timer: Timer | undefined
  #tickedAt = 0
  #before: S | undefined
  #messages = 0
  #refusals = 0
  #skipped = 0
  #graph: { readonly at: number; readonly map: Promise<unknown> } | undefined

  /** @param preview characters of a payload that are shown @default 200 */
  constructor(port: WatchedPort<L, S>, preview = PREVIEW_CHARACTERS) {
    this.#port = port
    this.#preview = preview
    this.#links = new WatchedLinks(port)
  }

  get id(): string {
    return this.#port.id
  }

  get clock(): WatchedPort<L, S>['clock'] {
    return this.#port.clock
  }

  /** The node as it is now. */
  status(): NodeStatus<S> {
    const port = this.#port
    const { name } = this
    const startedAt = port.startedAt()
    const stats = port.stats()
    return {
      node: port.id,
      ...(name === undefined ? {} : { name }),
      ...port.place(),
      net: port.net,
      version: PROTOCOL_VERSION,
      uptime: startedAt === undefined ? 0 : Math.max(0, port.clock.now() - startedAt),
      networkSize: port.networkSize(),
      peerBook: port.peerBook(),
      cache: stats.messageIds,
      cacheLimit: port.cacheLimit,
      stats,
      links: this.#links.list(),
    }
  }

  /** Tells what happens from now on, to one at a time. Returns what ends it. */
  watch(tell: (event: StatusEvent) => void): () => void {
    this.#end()
    this.#tell = tell
    this.#links.start()
    const { clock } = this.#port
    this.#tickedAt = clock.now()
    this.#before = this.#port.stats()
    this.#messages = this.#refusals = this.#skipped = 0
    this.#port.tap((draft, via, verdict, to) => this.#onMessage(draft, via, verdict, to))
    this.#stopListening = this.#port.listen({
      up: (link) => this.#links.up(link, (happening) => this.#say(happening)),
      down: (link) => this.#links.down(link, (happening) => this.#say(happening)),
      refused: (link, refusal) => this.#onRefusal(link, refusal),
    })
    this.#schedule()
    return () => {
      // Another one may watch by now.
      if (this.#tell === tell) this.#end()
    }
  }

  #end(): void {
    this.#tell = undefined
    this.#timer?.cancel()
    this.#port.tap(undefined)
    this.#stopListening?.()
    this.#stopListening = undefined
  }

  /** The node was started again, or has stopped. */
  changed(happening: 'started' | 'stopped'): void {
    if (this.#tell === undefined) return
    if (happening === 'stopped') this.#say({ kind: 'gone' })
    else this.#say({ kind: 'snapshot', status: this.status() })
  }

  /** The network as it answers; the same answer for all who ask within 10 s. */
  graph(): Promise<unknown> {
    const now = this.#port.clock.now()
    if (this.#graph === undefined || now - this.#graph.at >= GRAPH_INTERVAL || now < this.#graph.at) {
      const map = this.#port.discover(GRAPH_TIMEOUT)
      this.#graph = { at: now, map }
      // A failure is told to those who waited for it, and not kept.
      map.catch(() => (this.#graph = undefined))
    }
    return this.#graph.map
  }

  /** Sends a message in the node's name. */
  send(type: string | undefined, data: unknown): Promise<{ readonly id: string; readonly peers: number }> {
    return this.#port.send(type, data)
  }

  #onMessage(draft: Draft, via: L | undefined, verdict: Accepted, to: readonly L[]): void {
    if (this.#messages >= MAX_TOLD_MESSAGES) {
      this.#skipped++
      return
    }
    this.#messages++
    const { id, body } = draft
    const isShown = this.#preview > 0 && body.seal === undefined
    this.#say({
      kind: 'message',
      id,
      author: body.from,
      type: body.type,
      size: sizeOf(draft, undefined),
      verdict,
      from: via?.id,
      to: to.slice(0, MAX_TOLD_PEERS).map((link) => link.id),
      sentTo: to.length,
      addressees: body.to?.length,
      sealed: body.seal === undefined ? undefined : true,
      preview: isShown ? previewOf(body.data, this.#preview) : undefined,
    })
  }

  #onRefusal(link: L, { code, id, from: author, type, text }: Refusal): void {
    if (this.#refusals >= MAX_TOLD_REFUSALS) {
      this.#skipped++
      return
    }
    this.#refusals++
    this.#say({ kind: 'refused', from: link.id, code, id, author, type, text })
  }

  #say(happening: Happening): void {
    this.#tell?.({ ...happening, at: this.#port.clock.now(), node: this.#port.id })
  }

  #schedule(): void {
    this.#timer = this.#port.clock.setTimer(() => this.#tick(), FIGURES_INTERVAL)
  }

  #tick(): void {
    const now = this.#port.clock.now()
    // A clock that was set back, or a machine that slept, must give no odd rates.
    const seconds = Math.max(now - this.#tickedAt, FIGURES_INTERVAL / 2) / 1_000
    this.#tickedAt = now
    this.#links.tick(seconds, (happening) => this.#say(happening))
    this.#say({ kind: 'figures', figures: this.#figures(seconds) })
    this.#messages = this.#refusals = this.#skipped = 0
    this.#schedule()
  }

  #figures(seconds: number): Figures {
    const port = this.#port
    const stats = port.stats()
    const before = this.#before ?? stats
    this.#before = stats
    const rate = (amount: number): number => Math.round((Math.max(0, amount) / seconds) * 10) / 10
    return {
      received: rate(stats.received - before.received),
      sent: rate(stats.sent - before.sent),
      relayed: rate(stats.relayed - before.relayed),
      refused: rate(sum(stats.refused) - sum(before.refused)),
      duplicates: rate(stats.duplicates - before.duplicates),
      skipped: rate(this.#skipped),
      bytesIn: rate(stats.bytesIn - before.bytesIn),
      bytesOut: rate(stats.bytesOut - before.bytesOut),
      cache: stats.messageIds,
      cacheLimit: port.cacheLimit,
      peerBook: port.peerBook(),
      networkSize: port.networkSize(),
      links: this.#links.size,
    }
  }
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
