import type { Clock, Timer } from '../ground/clock.ts'
import { errorText } from '../ground/texts.ts'
import type { Engine } from '../identity/engine.ts'
import {
  LAN_ANSWER_RATE,
  LAN_INTERVAL,
  LAN_QUESTION_PAUSE,
  LAN_QUESTIONS,
  LAN_READ_RATE,
  LAN_SOURCE_ANSWER_RATE,
  LAN_SOURCE_BURST,
  LAN_SOURCE_RATE,
  LAN_VERIFY_BURST,
  LAN_VERIFY_RATE,
  MAX_BEACON_BYTES,
  MAX_LAN_SOURCES,
} from '../limits/network-limits.ts'
import type { Sign } from '../message/statement.ts'
import { RecentMap } from '../ground/recent-map.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import { type Address, reachOf } from '../wire/address.ts'
import type { NodeId } from '../wire/ids.ts'
import { type Attachment, attachmentsFor, speakersOf } from './attachment.ts'
import { type BeaconDraft, isGenuineBeacon, makeBeacon, readBeacon } from './beacon.ts'

/** What finding the local network needs of its node. */
export interface LanPort {
  readonly self: { readonly id: NodeId; readonly net: string }
  readonly clock: Clock
  /** Where jitter comes from: numbers from 0 to below 1. */
  readonly random: () => number
  readonly sign: Sign
  readonly engine?: Engine | undefined
  /** Where the node listens; asked for anew each time. */
  listenHost(): string
  listenPort(): number
  /**
   * A node of the same network is said to be here: its beacon is genuine, the address is where it came from. At most
   * 128 at once, and 64 a second; the same ones again and again. An IPv6 address may have a zone (`fe80::1%eth0`).
   */
  found(id: NodeId, address: Address): void
  /** Something that a person who wonders why nobody is found should read. */
  report?(text: string): void
}

/** What arrives. */
export interface DatagramHandlers {
  received(bytes: Uint8Array, source: Address): void
  failed(text: string): void
}

/** How beacons travel. */
export interface Datagrams {
  /** The addresses of this machine, now. */
  attachments(): readonly Attachment[]
  /**
   * Opens what is needed to send and receive on these, and on no others, and tries again where that has failed
   * before. Resolves when it is done. Never fails: what does not work is told to the handlers.
   */
  open(attachments: readonly Attachment[], handlers: DatagramHandlers): Promise<void>
  /** Sends to one address, or else to all nodes there; lost, as UDP may lose it, where that does not work. */
  send(bytes: Uint8Array, through: Attachment, to?: Address): void
  /** Resolves when nothing is left open. */
  close(): Promise<void>
}

/**
 * Finds the nodes of the same network that are on the same local one, without any address: calls, listens, and
 * answers. Whoever is there may send what he likes, so all of it is counted: what is read, verified, answered.
 */
export class Lan {
  readonly #port: LanPort
  readonly #datagrams: Datagrams
  #attachments: readonly Attachment[] = []
  /** How often was called on each attachment. */
  #calls = new Map<string, number>()
  #timer: Timer | undefined
  #isRunning = false
  /** Starting, calling and stopping, one after the other. */
  #work: Promise<void> = Promise.resolve()
  readonly #reads: TokenBucket
  readonly #verifications: TokenBucket
  readonly #answers: TokenBucket
  readonly #readsOf = new RecentMap<string, TokenBucket>(MAX_LAN_SOURCES)
  readonly #answersOf = new RecentMap<string, TokenBucket>(MAX_LAN_SOURCES)

  constructor(port: LanPort, datagrams: Datagrams) {
    this.#port = port
    this.#datagrams = datagrams
    const now = port.clock.now()
    // For the whole life of the node: who could reset them by a restart would have a way around them.
    this.#reads = new TokenBucket(LAN_READ_RATE, LAN_READ_RATE, now)
    this.#verifications = new TokenBucket(LAN_VERIFY_RATE, LAN_VERIFY_BURST, now)
    this.#answers = new TokenBucket(LAN_ANSWER_RATE, LAN_ANSWER_RATE, now)
  }

  /** Begins to call and to listen. To be called when the node listens, or it is found before it can be reached. */
  start(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    this.#next()
  }

  /** Resolves when all is closed; after that, nothing is found. */
  async stop(): Promise<void> {
    this.#isRunning = false
    this.#timer?.cancel()
    this.#work = this.#work.then(() => {
      // Who starts again asks again.
      this.#calls.clear()
      return this.#datagrams.close()
    })
    await this.#work
  }

  #next(): void {
    this.#work = this.#work.then(() => (this.#isRunning ? this.#round() : undefined))
  }

  /** Looks at the interfaces, calls on each, and sets the time of the next round. */
  async #round(): Promise<void> {
    try {
      await this.#look()
      await this.#call()
    } catch (error) {
      this.#report(errorText(error))
    }
    this.#timer?.cancel()
    if (this.#isRunning) this.#timer = this.#port.clock.setTimer(() => this.#next(), this.#pause())
  }

  /** Cables are plugged in, and machines go from one network to another. */
  async #look(): Promise<void> {
    const host = this.#port.listenHost()
    this.#attachments = attachmentsFor(host, this.#datagrams.attachments())
    if (this.#attachments.length === 0) this.#report(`no interface has the address ${host}`)
    const calls = speakersOf(this.#attachments).map(({ key }) => [key, this.#calls.get(key) ?? 0] as const)
    this.#calls = new Map(calls)
    await this.#datagrams.open(this.#attachments, {
      received: (bytes, source) => this.#receive(bytes, source),
      failed: (text) => this.#report(text),
    })
  }

  /** The first calls on a network ask. Later ones tell: since everybody does, nobody needs to answer them. */
  async #call(): Promise<void> {
    // The same for all interfaces, as no address is in them: two signatures a round, however many there are.
    const [question, notice] = [await this.#beacon(true), await this.#beacon(false)]
    if (!this.#isRunning) return
    for (const attachment of this.#attachments) {
      const count = this.#calls.get(attachment.key)
      if (count === undefined) continue
      this.#datagrams.send(count < LAN_QUESTIONS ? question : notice, attachment)
      this.#calls.set(attachment.key, Math.min(count + 1, LAN_QUESTIONS))
    }
  }

  #beacon(ask: boolean): Promise<Uint8Array> {
    const { self, clock, sign } = this.#port
    const { id, net } = self
    const beacon = { ask, id, net, port: this.#port.listenPort(), time: Math.floor(clock.now()) }
    return makeBeacon(beacon, sign)
  }

  /** Jitter, so that machines which got their power back together do not call together for ever. */
  #pause(): number {
    const fewest = Math.min(LAN_QUESTIONS, ...this.#calls.values())
    const pause = fewest < LAN_QUESTIONS ? LAN_QUESTION_PAUSE * 2 ** Math.max(0, fewest - 1) : LAN_INTERVAL
    return pause * (1 - this.#port.random() / 4)
  }

  /** Each step costs less than the next. Nothing is said about what is refused: a flood must not fill a log. */
  #receive(bytes: Uint8Array, source: Address): void {
    if (!this.#isRunning || bytes.length > MAX_BEACON_BYTES) return
    // From outside, or by a router, it is none of our neighbours, and an answer would leave the network.
    const way = this.#attachments.find(({ includes }) => includes(source.host))
    if (way === undefined || !this.#mayRead(source)) return
    const { self, clock } = this.#port
    const result = readBeacon(bytes, self.net, clock.now())
    // Our own calls come back to us as well.
    if (!result.ok || result.draft.id === self.id) return
    if (this.#verifications.take(clock.now())) void this.#judge(result.draft, way, source)
  }

  async #judge(draft: BeaconDraft, way: Attachment, source: Address): Promise<void> {
    const isGenuine = await isGenuineBeacon(draft, this.#port.engine)
    // It may have been stopped meanwhile, and its node must not dial any more.
    if (!isGenuine || !this.#isRunning) return
    // Where it came from, and not where it says: nobody can name the address of a third one without forging that.
    this.#port.found(draft.id, { host: source.host, port: draft.port })
    if (draft.ask && this.#mayAnswer(source)) await this.#answer(way, source)
  }

  /** As large as the question: all beacons of a network are. Its source may be forged, so few are sent. */
  async #answer(way: Attachment, source: Address): Promise<void> {
    // Fails only with the key; nobody waits for it who could be told.
    try {
      const notice = await this.#beacon(false)
      if (this.#isRunning) this.#datagrams.send(notice, way, source)
    } catch (error) {
      this.#report(errorText(error))
    }
  }

  /** First the source's own share, so that a single one cannot use up that of all. */
  #mayRead(source: Address): boolean {
    const now = this.#port.clock.now()
    return (
      bucketOf(this.#readsOf, source, now, LAN_SOURCE_RATE, LAN_SOURCE_BURST).take(now) &&
      this.#reads.take(now)
    )
  }

  #mayAnswer(source: Address): boolean {
    const now = this.#port.clock.now()
    const rate = LAN_SOURCE_ANSWER_RATE
    return bucketOf(this.#answersOf, source, now, rate, rate).take(now) && this.#answers.take(now)
  }

  #report(text: string): void {
    this.#port.report?.(`local network: ${text}`)
  }
}

/** What a source is allowed. All nodes of this machine have one host, so there it is the port that tells them apart. */
function bucketOf(
  buckets: RecentMap<string, TokenBucket>,
  { host, port }: Address,
  now: number,
  rate: number,
  burst: number,
): TokenBucket {
  const key = reachOf(host) === 'loopback' ? `${host} ${port}` : host
  let bucket = buckets.get(key)
  if (bucket === undefined) buckets.set(key, (bucket = new TokenBucket(rate, burst, now)))
  return bucket
}
