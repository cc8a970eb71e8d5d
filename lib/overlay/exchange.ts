import type { Clock } from '../ground/clock.ts'
import type { Engine } from '../identity/engine.ts'
import {
  ASK_BURST,
  ASK_INTERVAL,
  ASK_REFILL,
  ASK_TIMEOUT,
  MAX_RECORD_BYTES,
  MAX_RECORDS_PER_ANSWER,
} from '../limits/network-limits.ts'
import { readStatement, readStatements, type Statement } from '../message/statement.ts'
import { TokenBucket } from '../ground/token-bucket.ts'
import { reachOf } from '../wire/address.ts'
import type { CloseCode } from '../wire/close-code.ts'
import { encodeFrame, type Frame, Kind } from '../wire/frame.ts'
import type { Source } from '../book/known-peer.ts'
import type { PeerBook } from '../book/peer-book.ts'
import { type PeerRecord, readRecord, verifyRecord } from '../book/peer-record.ts'

/** A link, as far as peer records go. */
export interface ExchangeLink {
  readonly id: string
  /** Its peer's IP address: what the peer may tell depends on where it is. */
  readonly remoteHost: string
  readonly isUp: boolean
}

/** What exchanging records needs of its node. */
export interface ExchangePort<L> {
  readonly self: { readonly id: string; readonly net: string }
  readonly clock: Clock
  readonly engine: Engine | undefined
  readonly book: PeerBook
  /** This node's own record, if there is one to tell. */
  own(): PeerRecord | undefined
  write(link: L, frame: Uint8Array): void
  /** The link did what no correct node does. */
  expel(link: L, code: CloseCode): void
  /** A record of a node was verified, and is in the book. */
  learned(record: PeerRecord, source: Source): void
  /** The peer of this link has told where it is. */
  onRecord(link: L): void
  /** An answer has come, and is in the book. */
  onPeers(link: L): void
}

interface State {
  /** When the question under way was asked. One at a time, so an answer can be told from what nobody asked for. */
  askedAt: number | undefined
  lastAsked: number
  /** Questions of the peer that are answered, and records of its own that are looked at. */
  readonly questions: TokenBucket
  readonly records: TokenBucket
}

const EMPTY = new Uint8Array(0)
/** Bytes of a list: the records, their commas and brackets. */
const MAX_LIST_BYTES = MAX_RECORDS_PER_ANSWER * (MAX_RECORD_BYTES + 1) + 1

/**
 * Peer records between two nodes: each tells its own, and asks the other whom it knows. Nobody is told what he did
 * not ask for, an answer has a bounded size, and everything in it is signed by whom it is about.
 */
export class PeerExchange<L extends ExchangeLink> {
  readonly #port: ExchangePort<L>
  readonly #states = new Map<L, State>()
  /** Answers whose records are being verified. */
  #reading = 0

  constructor(port: ExchangePort<L>) {
    this.#port = port
  }

  /** Whether an answer may still come soon, or has come and is not in the book yet. */
  get isAsking(): boolean {
    if (this.#reading > 0) return true
    const now = this.#port.clock.now()
    for (const { askedAt } of this.#states.values()) {
      if (askedAt !== undefined && now - askedAt < ASK_TIMEOUT) return true
    }
    return false
  }

  /** A link is up: this node introduces itself. */
  onUp(link: L): void {
    const own = this.#port.own()
    if (own !== undefined) this.tell(link, own)
  }

  onDown(link: L): void {
    this.#states.delete(link)
  }

  /** Tells a peer this node's own record. */
  tell(link: L, record: PeerRecord): void {
    this.#port.write(link, encodeFrame(Kind.record, new TextEncoder().encode(record.document)))
  }

  /** Asks a peer whom it knows, unless it was asked a moment ago. */
  ask(link: L): void {
    const now = this.#port.clock.now()
    const state = this.#stateOf(link)
    if (state.askedAt !== undefined || now - state.lastAsked < ASK_INTERVAL) return
    state.askedAt = state.lastAsked = now
    this.#port.write(link, encodeFrame(Kind.getPeers, EMPTY))
  }

  /** A frame of one of the three kinds arrived. */
  receive(link: L, { kind, payload }: Frame): void {
    if (kind === Kind.getPeers) this.#onQuestion(link, payload)
    else if (kind === Kind.record) void this.#onRecord(link, payload)
    else void this.#onPeers(link, payload)
  }

  #onQuestion(link: L, payload: Uint8Array): void {
    if (payload.length > 0) this.#port.expel(link, 'bad-payload')
    else if (this.#stateOf(link).questions.take(this.#port.clock.now())) this.#answer(link)
  }

  #answer(link: L): void {
    // Whom this node has met itself: what it only heard of is not worth a dial of somebody else's.
    const records = this.#port.book.sample(
      MAX_RECORDS_PER_ANSWER,
      this.#port.clock.now(),
      ({ id, lastConnected }) => id !== link.id && lastConnected !== undefined,
      reachOf(link.remoteHost),
    )
    const text = `[${records.map(({ document }) => document).join(',')}]`
    this.#port.write(link, encodeFrame(Kind.peers, new TextEncoder().encode(text)))
  }

  async #onRecord(link: L, payload: Uint8Array): Promise<void> {
    if (!this.#stateOf(link).records.take(this.#port.clock.now())) return
    const result = readStatement(payload, MAX_RECORD_BYTES)
    if (!result.ok) return this.#port.expel(link, 'bad-record')
    const isGood = await this.#learn(link, result.statements[0]!, link.id)
    if (!link.isUp) return
    if (isGood) this.#port.onRecord(link)
    else this.#port.expel(link, 'bad-record')
  }

  async #onPeers(link: L, payload: Uint8Array): Promise<void> {
    const state = this.#stateOf(link)
    if (state.askedAt === undefined) return this.#port.expel(link, 'unsolicited')
    // At once: a second answer to the same question must not pass while this one is verified.
    state.askedAt = undefined
    const result = readStatements(payload, MAX_LIST_BYTES, MAX_RECORDS_PER_ANSWER)
    if (!result.ok) return this.#port.expel(link, 'bad-record')
    this.#reading++
    const isGood = await this.#learnAll(link, result.statements)
    this.#reading--
    if (!link.isUp) return
    if (isGood) this.#port.onPeers(link)
    else this.#port.expel(link, 'bad-record')
  }

  async #learnAll(link: L, statements: readonly Statement[]): Promise<boolean> {
    for (const statement of statements) {
      const isGood = await this.#learn(link, statement, undefined)
      if (!isGood || !link.isUp) return isGood
    }
    return true
  }

  /** Takes a record into the book. `false` if it is one that no correct node passes on. */
  async #learn(link: L, statement: Statement, owner: string | undefined): Promise<boolean> {
    const { self, clock, engine, book } = this.#port
    const result = readRecord(statement, self.net)
    if (!result.ok) return false
    const { draft } = result
    const source = { id: link.id, host: link.remoteHost }
    if (owner !== undefined && draft.id !== owner) return false
    // Nothing would come of it: its signature need not be looked at. Nor is its bearer to blame; he may have learned
    // more, or have another clock.
    const outcome = book.judge(draft, source, clock.now())
    if (outcome !== 'added' && outcome !== 'renewed') return true
    const record = await verifyRecord(draft, engine)
    if (record === undefined) return false
    // What somebody says of others ends with his link. What he says of himself may be his farewell.
    if (!link.isUp && owner === undefined) return true
    book.add(record, source, clock.now())
    this.#port.learned(record, source)
    return true
  }

  #stateOf(link: L): State {
    let state = this.#states.get(link)
    if (state === undefined) {
      const now = this.#port.clock.now()
      const bucket = (): TokenBucket => new TokenBucket(1_000 / ASK_REFILL, ASK_BURST, now)
      state = { askedAt: undefined, lastAsked: -Infinity, questions: bucket(), records: bucket() }
      this.#states.set(link, state)
    }
    return state
  }
}
