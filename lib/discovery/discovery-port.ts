import type { Clock } from '../ground/clock.ts'
import type { Engine } from '../identity/engine.ts'
import type { Sign } from '../message/statement.ts'
import type { CloseCode } from '../wire/close-code.ts'
import type { NodeId } from '../wire/ids.ts'

/** A link, as far as discovery goes. */
export interface DiscoveryLink {
  /** The peer at its other end. */
  readonly id: string
  /** Its round-trip time, in ms, once it was measured. */
  readonly latency: { readonly smoothed: number } | undefined
  /** Whether much waits to be sent over it. */
  readonly isCongested: boolean
}

/** What discovery needs of its node. */
export interface DiscoveryPort<L> {
  readonly self: { readonly id: NodeId; readonly net: string }
  readonly clock: Clock
  /** Where chance comes from: numbers from 0 to below 1. */
  readonly random: () => number
  readonly sign: Sign
  /** What verifies signatures. @default the fastest of this platform */
  readonly engine?: Engine | undefined
  /** Links that are up. */
  links(): ReadonlySet<L>
  write(link: L, kind: number, payload: Uint8Array): void
  /** The link brought what no correct node passes on. */
  reject(link: L, code: CloseCode, text: string): void
}

/** Why a question or an answer went no further. */
export type DiscoveryRefusal =
  /** No question of this network; the link was rejected. */
  | 'bad-question'
  /** No answer of this network; the link was rejected. */
  | 'bad-answer'
  /** A question older than 30 s. */
  | 'stale'
  /** A question further ahead of our clock than 60 s. */
  | 'early'
  /** A question in this node's name that it did not ask: of an earlier run, or somebody has its key. */
  | 'own'
  /** More than is taken from one link, or passed back over it, in this time. */
  | 'rate'
  /** More than is taken from all links together. */
  | 'overload'
  /** An answer that came too late, or to a question that was not sent there. */
  | 'unasked'
  /** A second answer of a node to a question. */
  | 'repeated'
  /** Not sent, since too much waits for that peer already. */
  | 'congested'
  /** The link that a question came from has ended. */
  | 'lost'

/** What a node has done for discoveries. */
export interface DiscoveryStats {
  /** Questions that were passed on, or asked. */
  readonly questions: number
  /** Answers that this node has given. */
  readonly answered: number
  /** Answers of others that were passed back. */
  readonly relayedAnswers: number
  /** What went no further, by reason. Copies of a question, which a flood is full of, do not count. */
  readonly refused: Readonly<Partial<Record<DiscoveryRefusal, number>>>
}
