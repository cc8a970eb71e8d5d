import { type Clock, systemClock } from '../clock.ts'
import { invalidArgument, invalidOption, unknownOption } from '../errors.ts'
import { Random } from '../testing/random.ts'
import { MemoryLink } from './memory-link.ts'
import type { PipePort } from './memory-pipe.ts'
import type { Channel, DialOptions, Listener, ListenHandlers, Transport } from './transport.ts'

/** The weather of a {@link MemoryNetwork}. */
export interface MemoryNetworkOptions {
  /**
   * Where the random numbers start. The same seed gives the same delays and losses.
   * @default 1
   */
  readonly seed?: number
  /**
   * How long a packet travels, in ms: always as long, or evenly spread between two bounds.
   * @default 0, which uses no timers
   */
  readonly latency?: number | { readonly min: number; readonly max: number }
  /**
   * Share of the packets that have to be sent again, from 0 to below 1. Nothing is lost for good, and the order
   * stays, as with TCP: each loss delays its packet, and all that follow it, by 200 ms, then 400, then 800.
   * @default 0
   */
  readonly loss?: number
  /**
   * What delays are measured with.
   * @default the clock of the machine
   */
  readonly clock?: Clock
}

/** First wait for an acknowledgement, in ms: the least that Linux waits. Each further loss doubles it. */
const RETRANSMISSION_DELAY = 200
/** Where the ports begin that nobody asks for by number (RFC 6335). */
const FIRST_FREE_PORT = 49_152
const LAST_PORT = 65_535
/** Hosts that stand for every address of a machine. */
const WILDCARDS = ['', '0.0.0.0', '::']
const OPTIONS = ['seed', 'latency', 'loss', 'clock']

/**
 * A network within one process: any number of hosts, without sockets. Every node gets a transport of its own
 * from {@link transport}. Deliveries are always asynchronous, and take the same course for the same seed.
 *
 * As open sockets do, open listeners and connections keep the process alive.
 */
export class MemoryNetwork {
  readonly #clock: Clock
  readonly #random: Random
  readonly #latency: { readonly min: number; readonly max: number }
  readonly #loss: number
  readonly #listeners = new Map<string, ListenHandlers>()
  readonly #links = new Set<MemoryLink>()
  readonly #cuts = new Set<string>()
  #tasks: (() => void)[] = []
  #nextPort = FIRST_FREE_PORT
  #bytesSent = 0
  #chunksSent = 0
  #keepAlive: NodeJS.Timeout | undefined

  /** @throws SecureNodeError `invalid-option` */
  constructor(options: MemoryNetworkOptions = {}) {
    const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
    if (unknown !== undefined) throw unknownOption(unknown, OPTIONS)
    const { seed = 1, latency = 0, loss = 0, clock = systemClock } = options
    const { min, max } = typeof latency === 'number' ? { min: latency, max: latency } : latency
    if (!(min >= 0 && max >= min && max < Infinity)) {
      throw invalidOption('latency', 'milliseconds, or { min, max } of them', latency)
    }
    if (!(loss >= 0 && loss < 1)) throw invalidOption('loss', 'a number from 0 to below 1', loss)
    if (!Number.isSafeInteger(seed)) throw invalidOption('seed', 'a whole number', seed)
    this.#clock = clock
    this.#random = new Random(seed)
    this.#latency = { min, max }
    this.#loss = loss
  }

  /** Bytes handed to the network by all of its nodes together. */
  get bytesSent(): number {
    return this.#bytesSent
  }

  /** Chunks handed to the network by all of its nodes together: writes, or what a cork held together. */
  get chunksSent(): number {
    return this.#chunksSent
  }

  /**
   * A way into this network.
   *
   * @param host the address that the nodes it dials see, and that listening on a wildcard stands for
   */
  transport(host = '127.0.0.1'): Transport {
    return {
      name: 'memory',
      listen: (at, port, handlers) => this.#listen(WILDCARDS.includes(at) ? host : at, at, port, handlers),
      dial: (to, port, options) => this.#dial(host, to, port, options),
    }
  }

  /**
   * Packets between two hosts vanish from now on, and nobody is told: connections go silent, new dials wait.
   * After {@link heal} they arrive after all, as with TCP, wherever both ends have been patient.
   */
  cut(hostA: string, hostB: string): void {
    this.#cuts.add(pairOf(hostA, hostB))
    for (const link of this.#linksBetween(hostA, hostB)) link.hold()
  }

  /** Undoes {@link cut}. */
  heal(hostA: string, hostB: string): void {
    this.#cuts.delete(pairOf(hostA, hostB))
    for (const link of this.#linksBetween(hostA, hostB)) link.release()
  }

  /** All connections and dials between two hosts break at once, at both ends, with `ECONNRESET`. */
  reset(hostA: string, hostB: string): void {
    for (const link of this.#linksBetween(hostA, hostB)) link.reset()
  }

  async #listen(host: string, shown: string, port: number, handlers: ListenHandlers): Promise<Listener> {
    checkPort(port)
    const actualPort = port === 0 ? this.#freePort(host) : port
    const key = addressOf(host, actualPort)
    if (this.#listeners.has(key)) throw addressInUse(host, actualPort)
    this.#listeners.set(key, handlers)
    this.#holdProcess()
    const close = async () => {
      if (this.#listeners.get(key) === handlers) this.#listeners.delete(key)
      this.#holdProcess()
    }
    return { host: shown, port: actualPort, close }
  }

  async #dial(fromHost: string, toHost: string, toPort: number, { signal }: DialOptions): Promise<Channel> {
    signal?.throwIfAborted()
    checkPort(toPort)
    const ends = { fromHost, fromPort: this.#freePort(fromHost), toHost, toPort }
    const link = new MemoryLink(ends, {
      there: this.#pipePort(),
      back: this.#pipePort(),
      onSend: (bytes) => this.#onSend(bytes),
      listenerOf: (target) => this.#listeners.get(addressOf(target.toHost, target.toPort)),
      onGone: (gone) => this.#onGone(gone),
    })
    this.#links.add(link)
    this.#holdProcess()
    if (this.#cuts.has(pairOf(fromHost, toHost))) link.hold()
    const signalOnAbort = () => link.abort(signal?.reason as Error)
    signal?.addEventListener('abort', signalOnAbort, { once: true })
    try {
      return await link.connect()
    } finally {
      signal?.removeEventListener('abort', signalOnAbort)
    }
  }

  #onSend(bytes: number): void {
    this.#bytesSent += bytes
    this.#chunksSent++
  }

  #onGone(link: MemoryLink): void {
    this.#links.delete(link)
    this.#holdProcess()
  }

  #pipePort(): PipePort {
    // Each direction draws for itself: the timing of one connection does not depend on the traffic of others.
    const random = this.#random.fork()
    return { clock: this.#clock, soon: (task) => this.#soon(task), delay: () => this.#delay(random) }
  }

  #delay(random: Random): number {
    const { min, max } = this.#latency
    let delay = min === max ? min : min + random.next() * (max - min)
    if (this.#loss === 0) return delay
    for (let wait = RETRANSMISSION_DELAY; random.next() < this.#loss; wait *= 2) delay += wait
    return delay
  }

  /** All that is at hand is done in one turn of the event loop; what comes of it, in the next. */
  #soon(task: () => void): void {
    if (this.#tasks.push(task) === 1) setImmediate(() => this.#runTasks())
  }

  #runTasks(): void {
    const tasks = this.#tasks
    this.#tasks = []
    let done = 0
    try {
      for (const task of tasks) {
        done++
        task()
      }
    } finally {
      // A handler that throws must not cost the others their deliveries.
      for (const task of tasks.slice(done)) this.#soon(task)
    }
  }

  #freePort(host: string): number {
    for (let trial = FIRST_FREE_PORT; trial <= LAST_PORT; trial++) {
      const port = this.#nextPort
      this.#nextPort = port === LAST_PORT ? FIRST_FREE_PORT : port + 1
      if (!this.#listeners.has(addressOf(host, port))) return port
    }
    throw addressInUse(host, 0)
  }

  *#linksBetween(hostA: string, hostB: string): Iterable<MemoryLink> {
    const pair = pairOf(hostA, hostB)
    for (const link of [...this.#links]) {
      if (pairOf(link.ends.fromHost, link.ends.toHost) === pair) yield link
    }
  }

  /** The timers of a {@link Clock} do not keep a process alive; sockets do, and so does what replaces them. */
  #holdProcess(): void {
    const isOpen = this.#listeners.size > 0 || this.#links.size > 0
    if (isOpen) this.#keepAlive ??= setInterval(() => {}, 2 ** 31 - 1)
    else clearInterval(this.#keepAlive)
    if (!isOpen) this.#keepAlive = undefined
  }
}

function addressOf(host: string, port: number): string {
  return `${host} ${port}`
}

function pairOf(hostA: string, hostB: string): string {
  return hostA < hostB ? `${hostA} ${hostB}` : `${hostB} ${hostA}`
}

function checkPort(port: number): void {
  if (!Number.isInteger(port) || port < 0 || port > LAST_PORT) {
    throw invalidArgument('port', `a whole number from 0 to ${LAST_PORT}`, port)
  }
}

/** What a socket says that cannot listen. */
function addressInUse(address: string, port: number): Error {
  const text = `listen EADDRINUSE: address already in use ${address}:${port}`
  return Object.assign(new Error(text), { code: 'EADDRINUSE', syscall: 'listen', address, port })
}
