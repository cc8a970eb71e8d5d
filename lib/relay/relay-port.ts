import type { Clock } from '../ground/clock.ts'
import type { Engine } from '../identity/engine.ts'
import type { SignedMessage } from '../message/message.ts'
import type { VerdictCode } from '../message/verdict.ts'
import type { CloseCode } from '../wire/close-code.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'
import type { IntakeLink, IntakeOptions } from './intake.ts'
import type { TreeOptions, TreeStats } from './tree-port.ts'

/** A message that was not delivered, and why. */
export interface Refusal {
  readonly code: VerdictCode
  /** Its ID, where it could be read. */
  readonly id: MessageId | undefined
  /** The author that it names: unproven. */
  readonly from: NodeId | undefined
  readonly type: string | undefined
  /** With `invalid-content`: what its check has found. */
  readonly text?: string
}

/** A link, as far as relaying goes. */
export interface RelayLink extends IntakeLink {
  /** The peer at its other end. */
  readonly id: string
  /** Whether so much waits for its peer that no more should be added that can wait. */
  readonly isBacklogged: boolean
}

/** What this node keeps for those who were away, as far as relaying goes. */
export interface RelayHistory {
  /** The oldest time that a message may have to be taken while catching up, in ms since the epoch. */
  floor(now: number): number
  has(id: MessageId): boolean
  /** Keeps a message. The promise, if there is one, resolves when it would survive the end of the process. */
  add(message: KeptMessage, needsDelivery: boolean): Promise<void> | undefined
}

/** A message as the history keeps it. */
export interface KeptMessage {
  readonly id: MessageId
  readonly from: NodeId
  readonly time: number
  readonly exp?: number | undefined
  /** The payload of the frame that carries it. */
  readonly parcel: Uint8Array
  readonly hasAttachment: boolean
}

/** What relaying needs of its node. */
export interface RelayPort<L> {
  readonly self: NodeId
  readonly clock: Clock
  /** Links that are up. */
  links(): ReadonlySet<L>
  /** The link to a node that is up, also one over which nothing else is relayed. */
  linkTo(id: string): L | undefined
  write(links: readonly L[], frame: Uint8Array): void
  /** Whether what comes over a link piles up before the others. */
  isBacklogged(link: L): boolean
  /** What keeps messages for those who were away, from the start of the node; undefined where nothing does. */
  history(): RelayHistory | undefined
  /** A message for this node. `kept`: when it would survive the end of the process; undefined for at once. */
  deliver(link: L, message: SignedMessage, kept: Promise<void> | undefined): unknown
  refuse(link: L, refusal: Refusal): void
  /** The link brought what no correct node passes on. */
  expel(link: L, code: CloseCode): void
}

/** What messages are judged by, and how many are remembered. */
export interface RelayOptions extends IntakeOptions, TreeOptions {
  readonly net: string
  readonly windowPast: number
  readonly windowFuture: number
  readonly maxMessageIds: number
  readonly maxTraces: number
  /** What verifies signatures. @default the fastest of this platform */
  readonly engine?: Engine | undefined
}

/** What became of the messages of others. */
export interface RelayStats {
  /** Messages passed on, each counted once whatever the number of peers. */
  readonly relayed: number
  /** Further copies of messages that this node had already. */
  readonly duplicates: number
  /** Messages refused, by code. */
  readonly refused: Readonly<Partial<Record<VerdictCode, number>>>
  /** Message IDs remembered. */
  readonly messageIds: number
  /** What the relay tree looks like from here. */
  readonly tree: TreeStats
}
