import type { Clock } from '../ground/clock.ts'
import { NodeConnection } from '../node-connection.ts'
import { SecureNodeError } from '../errors.ts'
import { SignedMessage } from '../message/message.ts'
import { formatAddress } from '../wire/address.ts'

/** One event of one node. */
interface Entry {
  /** In ms since the simulation began. */
  readonly at: number
  readonly node: number
  readonly event: string
  readonly args: readonly unknown[]
}

type Notify = (event: string, ...args: unknown[]) => boolean

/** Remembers what happened at all nodes of a simulation, the last events of each run at least. */
export class EventLog {
  readonly #clock: Clock
  readonly #start: number
  readonly #limit: number
  readonly #numberOf: (id: string) => number | undefined
  #entries: Entry[] = []

  /**
   * @param limit events that are remembered at least; twice as many at most
   * @param numberOf the number of the node with this ID
   */
  constructor(clock: Clock, limit: number, numberOf: (id: string) => number | undefined) {
    this.#clock = clock
    this.#start = clock.now()
    this.#limit = limit
    this.#numberOf = numberOf
  }

  /**
   * Listens to everything that a node reports. Not as a listener of the node: its errors would count as heard, and
   * not be shown to the user any more.
   */
  listen(node: object, number: number): void {
    const reporter = node as { notify: Notify }
    const notify = reporter.notify
    reporter.notify = (event, ...args) => {
      this.#entries.push({ at: this.#clock.now() - this.#start, node: number, event, args })
      if (this.#entries.length >= 2 * this.#limit) this.#entries = this.#entries.slice(-this.#limit)
      return notify.call(node, event, ...args)
    }
  }

  /** The last events, one line each, such as `+1.250 s  node 3  inboundNodeConnected node 7`. */
  lines(count = Infinity): string[] {
    const entries = count < this.#entries.length ? this.#entries.slice(-count) : this.#entries
    return entries.map(({ at, node, event, args }) => {
      const words = args.map((arg, index) =>
        event === 'nodeMessage' && index === 1 ? briefly(arg) : this.#wordsFor(arg),
      )
      return [`${formatTime(at)}  node ${node}  ${event}`, ...words.filter((text) => text !== '')].join(' ')
    })
  }

  /** What tells it from others, in a few words. */
  #wordsFor(arg: unknown): string {
    if (arg instanceof NodeConnection) return this.#nameOf(arg.id)
    if (arg instanceof SignedMessage) return `${arg.type} ${arg.id.slice(0, 8)} of ${this.#nameOf(arg.from)}`
    if (arg instanceof SecureNodeError) return arg.code
    if (typeof arg === 'string' || typeof arg === 'number') return String(arg)
    const { code, text, host, port } = (arg ?? {}) as Readonly<Record<string, unknown>>
    if (typeof host === 'string' && typeof port === 'number') return formatAddress(host, port)
    if (typeof code !== 'string') return arg instanceof Error ? arg.message : ''
    return typeof text === 'string' && text !== '' ? `${code}, ${text}` : code
  }

  #nameOf(id: string): string {
    const number = this.#numberOf(id)
    return number === undefined ? id.slice(0, 8) : `node ${number}`
  }
}

/** A payload, as far as it fits into a line. */
function briefly(data: unknown): string {
  const text = ArrayBuffer.isView(data)
    ? `${data.byteLength} bytes`
    : ((JSON.stringify(data) as string | undefined) ?? '')
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

/** Milliseconds since the beginning, as `+1.250 s`. */
export function formatTime(ms: number): string {
  return `+${(ms / 1_000).toFixed(3)} s`
}
