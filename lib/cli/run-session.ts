import { fstatSync } from 'node:fs'
import { Deferred } from '../ground/deferred.ts'
import { type Identity, type NodeConnection, SecureNodeError } from '../index.ts'
import { type Address, formatAddress } from './address.ts'
import { describeError, FAILED, Failure, INTERRUPTED, oneLine } from './failure.ts'
import { LineReader } from './line-reader.ts'
import { describeNotice, type Notice } from './notice.ts'
import { jsonLine } from './safe-text.ts'
import { Shell } from './shell.ts'
import { TalkingNode } from './talking-node.ts'
import { painter, plain } from './terminal.ts'
import { firstPeer, hostOf, type WayIn } from './way-in.ts'
import { statusAt } from './watch/status-option.ts'
import { within } from './within.ts'

/** What `run` was asked for. */
export interface RunOptions extends WayIn {
  readonly port: number
  readonly key?: string
  readonly peersFile?: string
  readonly net: string
  readonly encryption: boolean
  readonly json?: true
  readonly debug?: true
  /** Port of the status interface. */
  readonly status?: number
}

/** How long the peers may take to read the last lines of an input that has ended, in ms. */
const FLUSH_TIMEOUT = 10_000
/** What stands on stderr, unless somebody sits at the terminal. */
const FAULTS: ReadonlySet<Notice['event']> = new Set<Notice['event']>(['alone', 'error', 'unreachable'])
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** One node at one terminal, or in one pipe. */
export class RunSession {
  readonly #options: RunOptions
  readonly #node: TalkingNode
  readonly #reader: LineReader
  readonly #shell: Shell
  readonly #isInteractive: boolean
  readonly #paint = painter(process.stdout)
  /** Addresses that are dialled again whatever happens; each learns of its first failure. */
  readonly #kept = new Map<string, Deferred<void>>()
  readonly #ended = new Deferred<void>()
  #isEnding = false

  constructor(options: RunOptions, identity: Identity | undefined) {
    const { port, net, encryption, lan = false, debug = false, json, peersFile: peerBookFile } = options
    const status = options.status === undefined ? undefined : statusAt(options.status, false)
    const host = hostOf(options)
    const { stdin: input, stdout: output } = process
    this.#options = options
    this.#isInteractive = input.isTTY && output.isTTY && json !== true
    const say = (notice: Notice): void => this.#say(notice)
    const terms = { host, port, identity, net, encryption, debug, lan, peerBookFile, status }
    this.#node = new TalkingNode(terms, say)
    this.#node.on('nodeReconnectionError', (...args) => this.#onUnreachable(...args))
    const onInterrupt = (): void => this.#end()
    this.#reader = new LineReader({ input, output, isInteractive: this.#isInteractive, onInterrupt })
    const connect = (address: Address): Promise<void> => this.#connect(address)
    this.#shell = new Shell({ node: this.#node, connect, stop: onInterrupt }, say)
  }

  /** Runs until it is told to stop, or until its input has ended. Resolves with the exit code. */
  async run(): Promise<number> {
    await this.#node.start()
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
    try {
      const { id, host, port } = this.#node
      const { net, encryption, lan = false } = this.#options
      this.#say({ event: 'started', id, host, port, net, encryption, lan })
      const { statusInterface: status } = this.#node
      if (status !== undefined) this.#say({ event: 'status', ...status })
      return (await this.#talk()) ? 0 : FAILED
    } finally {
      this.#end()
      const { sent, received } = this.#node.stats()
      // Without a key it never comes back: nobody needs to remember where it was.
      if (this.#isForming && this.#options.key === undefined) await this.#node.leave()
      await this.#node.stop()
      for (const signal of SIGNALS) process.off(signal, this.#onSignal)
      this.#say({ event: 'stopped', sent, received })
    }
  }

  /** Whether all went well until the end. */
  async #talk(): Promise<boolean> {
    const stopped = this.#ended.promise.then(() => true)
    const isReady = this.#enter()
    // A person sees who is there. A program's lines wait for somebody to send them to.
    if (this.#isInteractive) isReady.catch((error: unknown) => this.#onError(error))
    else await Promise.race([isReady, stopped])
    return Promise.race([stopped, ...(hasInput() ? [this.#readLines()] : [])])
  }

  async #readLines(): Promise<boolean> {
    let isGood = true
    for await (const line of this.#reader.lines()) {
      // Lines that were read together with "/stop" come after it all the same.
      if (this.#isEnding) break
      isGood = (await this.#shell.execute(line)) && isGood
    }
    return this.#isInteractive || this.#isEnding || ((await this.#flush()) && isGood)
  }

  /** Frames are in order: a peer that answers a ping has all that was sent before. */
  async #flush(): Promise<boolean> {
    const peers = [...this.#node.allNodes]
    const answers = await Promise.all(peers.map((peer) => within(peer.ping(), FLUSH_TIMEOUT)))
    // In a network that forms itself peers come and go: who has all of it passes it on.
    const isGone = (at: number): boolean => this.#isForming && !peers[at]!.isUp && answers.includes(true)
    if (answers.every((hasAll, at) => hasAll || isGone(at))) return true
    this.#say({ event: 'error', error: 'some peers have not confirmed that they have the last lines' })
    return false
  }

  /** Whether the node looks for others, or is connected with those alone that it was told. */
  get #isForming(): boolean {
    const { join, lan, peersFile } = this.#options
    return join.length > 0 || lan === true || peersFile !== undefined
  }

  /** Resolves when each address was tried once and a peer is there; at once if nothing says where to look. */
  async #enter(): Promise<void> {
    const { connect, join, lan } = this.#options
    const tried: Promise<unknown>[] = []
    const peers: Promise<unknown>[] = connect.map((address) => {
      const failed = new Deferred<void>()
      this.#kept.set(formatAddress(address), failed)
      const peer = this.#dial(address)
      tried.push(Promise.race([peer, failed.promise]).catch(() => {}))
      return peer
    })
    if (join.length > 0) tried.push(this.#join(join))
    // Whoever looks for others goes on looking.
    if (join.length > 0 || lan || this.#node.peerBook.size > 0) peers.push(firstPeer(this.#node))
    if (peers.length === 0) return
    const onePeer = Promise.any(peers)
    // Looked at later, or never when it is stopped before.
    onePeer.catch(() => {})
    await Promise.all(tried)
    await onePeer.catch((cause: unknown) => {
      throw new Failure('there is nobody left to connect with', FAILED, { cause })
    })
  }

  /** Whether somebody was found or not is said once; the node goes on trying by itself. */
  async #join(addresses: readonly Address[]): Promise<void> {
    try {
      const { peers, failures } = await this.#node.join(addresses)
      const texts = failures.map(({ error }) => oneLine(error))
      if (!this.#isEnding) this.#say({ event: 'joined', peers, failures: texts })
    } catch (error) {
      if (!this.#isEnding) this.#say({ event: 'alone', error: oneLine(error) })
    }
  }

  #dial({ host, port }: Address): Promise<NodeConnection> {
    return this.#node.connectWithNode(host, port, { reconnect: true })
  }

  /** Of a typed address that cannot be reached at once, it says so; one that was reached is kept. */
  async #connect(address: Address): Promise<void> {
    const attempt = this.#dial(address)
      .then(() => void this.#kept.set(formatAddress(address), new Deferred<void>()))
      .catch((error: unknown) => {
        const isOurs = error instanceof SecureNodeError && error.code === 'reconnect-stopped'
        throw isOurs ? error.cause : error
      })
    // Whoever types goes on typing meanwhile; a program's next line may be meant for the new peer.
    if (this.#isInteractive) attempt.catch((error: unknown) => this.#onError(error))
    else await attempt
  }

  /** Whether to go on trying. */
  #onUnreachable(host: string, port: number, trials: number, error: unknown): boolean {
    const kept = this.#kept.get(formatAddress({ host, port }))
    if (kept === undefined) return false
    kept.resolve()
    if (error instanceof SecureNodeError && error.code === 'self-connection') {
      // No pause makes it another node.
      this.#onError(error)
      return false
    }
    this.#say({ event: 'unreachable', host, port, trials, error: oneLine(error) })
    return true
  }

  #onError(error: unknown): void {
    if (!this.#isEnding) this.#say({ event: 'error', error: oneLine(error) })
  }

  #say(notice: Notice): void {
    if (notice.event === 'message' || (notice.event === 'refused' && notice.id !== undefined))
      this.#shell.remember(notice.id!)
    if (this.#options.json) {
      process.stdout.write(`${jsonLine(notice)}\n`)
      return
    }
    const isFault = FAULTS.has(notice.event)
    // On a terminal they belong among the rest; in a pipe they are not what the next program reads.
    if (this.#isInteractive || !isFault) this.#reader.print(describeNotice(notice, this.#paint))
    else for (const line of describeNotice(notice, plain)) process.stderr.write(describeError(line, false))
  }

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    // Whoever presses Ctrl-C twice does not want to wait for goodbyes.
    if (this.#isEnding && signal === 'SIGINT') process.exit(INTERRUPTED)
    this.#end()
  }

  #end(): void {
    this.#isEnding = true
    this.#ended.resolve()
    this.#reader.close()
  }
}

/**
 * Whether stdin is something to read from. /dev/null is not: services are started with it, and a node that took
 * its end for the end of its work would stop at once.
 */
function hasInput(): boolean {
  return process.stdin.isTTY || !fstatSync(0).isCharacterDevice()
}
