import type { Clock } from '../ground/clock.ts'
import type { Json } from '../message/canonical.ts'
import type { SignedMessage } from '../message/message.ts'
import type { NodeId } from '../wire/ids.ts'
import type { OutgoingCall, Side } from './request-port.ts'

/** An ask that is for this node, and how it came to be. */
export interface ReceivedAsk {
  readonly message: SignedMessage
  /** Parts that may be sent at first; 0 where one answer is expected. */
  readonly want: number
  /** When the asker gives up, in ms since the epoch. */
  readonly deadline: number
  /** The documents of the bounces that brought it here. */
  readonly by: readonly string[]
  /** The nodes that have passed it on. */
  readonly bounces: readonly NodeId[]
}

/** What the answering of one ask needs. */
export interface ExchangePort {
  readonly self: NodeId
  readonly clock: Clock
  post(call: OutgoingCall): Promise<unknown>
  check?(type: string, side: Side, data: Json): Json | Promise<Json>
  onError(error: unknown, type: string): void
  /** Nothing more will be said to this ask. */
  onOver(ask: ReceivedAsk): void
}

/** What goes with an answer. */
export interface RespondOptions {
  /** Bytes that travel beside the data, at most 767 KiB. @default none */
  readonly bytes?: Uint8Array | undefined
}
