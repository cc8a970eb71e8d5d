import { type Clock, systemClock } from '../ground/clock.ts'
import { invalidArgument, unknownOption } from '../errors.ts'
import { formatAddress } from '../wire/address.ts'
import { MemoryCuts } from './memory-cuts.ts'
import { type LinkTarget, MemoryLink } from './memory-link.ts'
import type { PipePort } from './memory-pipe.ts'
import { MemoryTransport } from './memory-transport.ts'
import { EventLoopTurns, type Turns } from './memory-turns.ts'
import { MemoryWeather, type WeatherOptions } from './memory-weather.ts'
import type { Channel, DialOptions, Listener, ListenHandlers } from './transport.ts'

/** Options of a {@link MemoryNetwork}: its weather, and its time. */
export interface MemoryNetworkOptions extends WeatherOptions {
  /**
   * What delays are measured with.
   * @default the clock of the machine
   */
  readonly clock?: Clock
  /**
   * Runs tasks that need no time: later, at the same time of the clock, in the order of asking. For simulations:
   * what is written at one time leaves together then, and nothing keeps the process alive.
   * @default setImmediate
   */
  readonly soon?: (task: () => void) => void
  /** Told of every chunk that is sent. @default nobody is */
  readonly onSend?: (bytes: Uint8Array) => void
}

/** Who listens at an address: of the dead without power, who did. */
interface Listening extends LinkTarget {
  readonly owner: MemoryTransport
}

/** Where the ports begin that nobody asks for by number (RFC 6335). */
const FIRST_FREE_PORT = 49_152
const LAST_PORT = 65_535
/** Hosts that stand for every address of a machine. */
const WILDCARDS = ['', '0.0.0.0', '::']
const OPTIONS = ['seed', 'latency', 'loss', 'clock', 'soon', 'route', 'onSend']

/**
 * A network within one process: any number of hosts, without sockets. Every node gets a transport of its own
 * from {@link transport}. Deliveries are always asynchronous, and take the same course for the same seed.
 *
 * As open sockets do, open listeners and connections keep the process alive.
 */
export class MemoryNetwork {
  readonly #clock: Clock
  readonly #weather: MemoryWeather
  readonly #turns: Turns
  /** Whether time and tasks are somebody else's: nothing of the event loop is used. */
  readonly #isSimulated: boolean
  readonly #hears: (bytes: Uint8Array) => void
  readonly #listeners = new Map<string, Listening>()
  readonly #links = new Set<MemoryLink>()
  readonly #cuts = new MemoryCuts()
  readonly #dials = new Map<string, number>()
  #nextPort = FIRST_FREE_PORT
  #bytesSent = 0
  #chunksSent = 0

  /** @throws SecureNodeError `invalid-option` */
  constructor(options: MemoryNetworkOptions = {}) {
    const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name))
    if (unknown !== undefined) throw unknownOption(unknown, OPTIONS)
    const { clock = systemClock, soon, onSend = () => {} } = options
    this.#weather = new MemoryWeather(options)
    this.#clock = clock
    this.#isSimulated = soon !== undefined
    this.#turns = soon === undefined ? new EventLoopTurns() : { soon, hold: () => {} }
    this.#hears = onSend
  }

  /** Bytes handed to the network by all of its nodes together. */
  get bytesSent(): number {
    return this.#bytesSent
  }

  /** Chunks handed to the network by all of its nodes together: writes, or what a cork held together. */
  get chunksSent(): number {
    return this.#chunksSent
  }

  /** How often somebody has dialled an address `host:port`, whether anybody was there or not. */
  dialsTo(address: string): number {
    return this.#dials.get(address) ?? 0
  }

  /**
   * A way into this network.
   *
   * @param host the address that the nodes it dials see, and that listening on a wildcard stands for
   * @param isHidden whether dials to it vanish, as behind a router that translates addresses
   */
  transport(host = '127.0.0.1', isHidden = false): MemoryTransport {
    return new MemoryTransport(host, isHidden, {
      listen: (owner, at, port, handlers) => this.#listen(owner, at, port, handlers),
      dial: (owner, to, port, options) => this.#dial(owner, to, port, options),
      onDeath: (owner) => this.#onDeath(owner),
    })
  }

  /**
   * Packets between two hosts vanish from now on, and nobody is told: connections go silent, new dials wait.
   * After {@link heal} they arrive after all, as with TCP, wherever both ends have been patient.
   */
  cut(hostA: string, hostB: string): void {
    this.#cuts.cut(hostA, hostB)
    this.#review()
  }

  /** Undoes {@link cut}. */
  heal(hostA: string, hostB: string): void {
    this.#cuts.heal(hostA, hostB)
    this.#review()
  }

  /**
   * Cuts groups of hosts off from each other, as {@link cut} does. Hosts that are in none of them make up one more
   * group, those that come later included. It takes the place of the partition before.
   */
  partition(groups: Iterable<Iterable<string>>): void {
    this.#cuts.partition(groups)
    this.#review()
  }

  /** Undoes every {@link cut} and every {@link partition}. */
  healAll(): void {
    this.#cuts.healAll()
    this.#review()
  }

  /** All connections and dials between two hosts break at once, at both ends, with `ECONNRESET`. */
  reset(hostA: string, hostB: string): void {
    for (const link of [...this.#links]) {
      const { fromHost, toHost } = link.ends
      if ((fromHost === hostA && toHost === hostB) || (fromHost === hostB && toHost === hostA)) link.reset()
    }
  }

  /** That share of all connections, chosen at random, breaks as with {@link reset}. Returns how many did. */
  resetShare(share: number): number {
    const links = [...this.#links].filter(({ isConnected }) => isConnected)
    const count = Math.round(links.length * share)
    for (let done = 0; done < count; done++) {
      const [link] = links.splice(this.#weather.below(links.length), 1)
      link!.reset()
    }
    return count
  }

  async #listen(
    owner: MemoryTransport,
    at: string,
    port: number,
    handlers: ListenHandlers,
  ): Promise<Listener> {
    checkPort(port)
    const host = owner.isHidden || WILDCARDS.includes(at) ? owner.host : at
    const actualPort = port === 0 ? this.#freePort(host) : port
    const key = addressOf(host, actualPort)
    const before = this.#listeners.get(key)
    if (before !== undefined && !before.owner.isSilent) throw addressInUse(host, actualPort)
    const listening = { owner, handlers }
    this.#listeners.set(key, listening)
    // A machine that was off is on again.
    before?.owner.powerOn()
    if (before !== undefined) this.#review()
    this.#holdProcess()
    const close = async () => {
      if (this.#listeners.get(key) === listening) this.#listeners.delete(key)
      this.#holdProcess()
    }
    return { host: at, port: actualPort, close }
  }

  async #dial(
    owner: MemoryTransport,
    toHost: string,
    toPort: number,
    { signal }: DialOptions,
  ): Promise<Channel> {
    signal?.throwIfAborted()
    checkPort(toPort)
    const fromHost = owner.host
    const key = formatAddress(toHost, toPort)
    this.#dials.set(key, (this.#dials.get(key) ?? 0) + 1)
    const ends = { fromHost, fromPort: this.#freePort(fromHost), toHost, toPort }
    const link = new MemoryLink(ends, owner, {
      there: this.#pipePort(fromHost, toHost),
      back: this.#pipePort(toHost, fromHost),
      joinsWrites: this.#isSimulated,
      onSend: (bytes) => this.#onSend(bytes),
      targetOf: (target) => this.#targetOf(target.toHost, target.toPort),
      onGone: (gone) => this.#onGone(gone),
    })
    this.#links.add(link)
    owner.links.add(link)
    this.#holdProcess()
    if (this.#isHeld(link)) link.hold()
    const signalOnAbort = () => link.abort(signal?.reason as Error)
    signal?.addEventListener('abort', signalOnAbort, { once: true })
    try {
      return await link.connect()
    } finally {
      signal?.removeEventListener('abort', signalOnAbort)
    }
  }

  #onDeath(owner: MemoryTransport): void {
    for (const [key, listening] of this.#listeners) {
      if (listening.owner === owner && !owner.isSilent) this.#listeners.delete(key)
    }
    for (const link of [...owner.links]) link.bereave(owner)
    if (owner.isSilent) this.#review()
    this.#holdProcess()
  }

  #targetOf(host: string, port: number): LinkTarget | undefined {
    return this.#listeners.get(addressOf(host, port))
  }

  /** Whether packets of a link vanish now: on their way, or because one of its ends is without power. */
  #isHeld(link: MemoryLink): boolean {
    const { fromHost, toHost, toPort } = link.ends
    return this.#cuts.isCut(fromHost, toHost) || link.isDeaf(this.#targetOf(toHost, toPort)?.owner)
  }

  /** Who can reach whom has changed. */
  #review(): void {
    for (const link of [...this.#links]) {
      if (this.#isHeld(link)) link.hold()
      else link.release()
    }
  }

  #onSend(bytes: Uint8Array): void {
    this.#bytesSent += bytes.length
    this.#chunksSent++
    this.#hears(bytes)
  }

  #onGone(link: MemoryLink): void {
    this.#links.delete(link)
    this.#holdProcess()
  }

  #pipePort(from: string, to: string): PipePort {
    return {
      clock: this.#clock,
      soon: (task) => this.#turns.soon(task),
      delay: this.#weather.delays(from, to),
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

  #holdProcess(): void {
    this.#turns.hold(this.#listeners.size > 0 || this.#links.size > 0)
  }
}

function addressOf(host: string, port: number): string {
  return `${host} ${port}`
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
