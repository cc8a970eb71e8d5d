import type { Clock, Timer } from '../ground/clock.ts'
import {
  MAX_KEPT_EVENT_BYTES,
  MAX_KEPT_EVENTS,
  MAX_STREAM_QUEUE,
  MAX_STREAMS,
  STREAM_HEARTBEAT,
  STREAM_LINGER,
} from '../limits/status-limits.ts'
import type { StatusEvent } from './status-event.ts'
import type { StatusSource } from './status-port.ts'

/** One who reads the events. */
export interface StreamClient {
  /** Characters and bytes that wait to be read. */
  readonly queuedBytes: number
  write(text: string): void
  /** There will be no more. */
  end(): void
  /** It reads too slowly: what waits for it is thrown away. */
  drop(): void
}

/**
 * The events of some nodes, for all who read them: server-sent events (WHATWG HTML, 9.2). The nodes are watched while
 * somebody reads, and for a moment longer, so that who was cut off can go on where it was.
 */
export class EventStream {
  readonly #sources: readonly StatusSource[]
  readonly #clock: Clock
  readonly #clients = new Set<StreamClient>()
  /** The last events, the oldest first; the number of the last one is {@link #count}. */
  #kept: string[] = []
  #keptBytes = 0
  #count = 0
  /** Names the time of watching: a number of another one says nothing. */
  #epoch = 0
  #ends: (() => void)[] | undefined
  #linger: Timer | undefined
  #heartbeat: Timer | undefined

  constructor(sources: readonly StatusSource[], clock: Clock) {
    this.#sources = sources
    this.#clock = clock
  }

  /** Whether one more can read. */
  get hasRoom(): boolean {
    return this.#clients.size < MAX_STREAMS
  }

  /** Whether the nodes are watched at the moment. */
  get isWatching(): boolean {
    return this.#ends !== undefined
  }

  /** Somebody reads. `lastId` is that of the last event that it has, if it was here before. */
  add(client: StreamClient, lastId?: string): void {
    this.#linger?.cancel()
    this.#start()
    const missed = this.#missed(lastId)
    if (missed === undefined) {
      for (const source of this.#sources) {
        const event = { kind: 'snapshot', at: this.#clock.now(), node: source.id, status: source.status() }
        client.write(this.#textOf(event as StatusEvent))
      }
    } else if (missed.length > 0) client.write(missed.join(''))
    this.#clients.add(client)
  }

  /** It has gone. */
  delete(client: StreamClient): void {
    if (!this.#clients.delete(client) || this.#clients.size > 0) return
    this.#linger = this.#clock.setTimer(() => this.#stop(), STREAM_LINGER)
  }

  /** Ends all of it. */
  close(): void {
    for (const client of this.#clients) client.end()
    this.#clients.clear()
    this.#linger?.cancel()
    this.#stop()
  }

  #start(): void {
    if (this.#ends !== undefined) return
    // Two of them in one millisecond are still two.
    this.#epoch = Math.max(this.#epoch + 1, this.#clock.now())
    this.#ends = this.#sources.map((source) => source.watch((event) => this.#publish(event)))
    this.#beat()
  }

  #stop(): void {
    for (const end of this.#ends ?? []) end()
    this.#ends = undefined
    this.#heartbeat?.cancel()
    this.#kept = []
    this.#keptBytes = this.#count = 0
  }

  #publish(event: StatusEvent): void {
    this.#count++
    const text = this.#textOf(event)
    this.#kept.push(text)
    this.#keptBytes += text.length
    // Half at once: taking the first one away from a long list, one by one, costs more than all the rest.
    if (this.#kept.length > 2 * MAX_KEPT_EVENTS) this.#forget(MAX_KEPT_EVENTS)
    while (this.#keptBytes > MAX_KEPT_EVENT_BYTES) this.#forget(Math.max(1, this.#kept.length >> 1))
    for (const client of this.#clients) this.#write(client, text)
  }

  #forget(count: number): void {
    for (const text of this.#kept.splice(0, count)) this.#keptBytes -= text.length
  }

  #write(client: StreamClient, text: string): void {
    if (client.queuedBytes > MAX_STREAM_QUEUE) {
      client.drop()
      this.delete(client)
    } else client.write(text)
  }

  /** What somebody has missed; undefined where nobody can tell any more. */
  #missed(lastId: string | undefined): readonly string[] | undefined {
    const [, epoch, number] = /^(\d{1,15})\.(\d{1,15})$/.exec(lastId ?? '') ?? []
    const count = this.#count - Number(number)
    if (Number(epoch) !== this.#epoch || !(count >= 0) || count > this.#kept.length) return undefined
    return count === 0 ? [] : this.#kept.slice(-count)
  }

  #textOf(event: StatusEvent): string {
    return `id: ${this.#epoch}.${this.#count}\ndata: ${JSON.stringify(event)}\n\n`
  }

  #beat(): void {
    this.#heartbeat = this.#clock.setTimer(() => {
      for (const client of this.#clients) this.#write(client, ':\n\n')
      this.#beat()
    }, STREAM_HEARTBEAT)
  }
}
