import type { Clock } from '../ground/clock.ts'
import type { Engine } from '../identity/engine.ts'
import type { Json } from '../message/canonical.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'

/** What a message is in a request. */
export type Op = 'ask' | 'more' | 'cancel' | 'answer' | 'part' | 'end' | 'fail' | 'bounce'

/** A message of a request that is to be signed and sent. */
export interface OutgoingCall {
  readonly op: Op
  readonly type: string
  readonly to: readonly NodeId[]
  /** The ID of the ask; the ask itself has none. */
  readonly re?: MessageId
  /** When it ends, in ms since the epoch. */
  readonly exp?: number
  /** The envelope: plain JSON. */
  readonly data: Json
  readonly bytes?: Uint8Array
  /** Whether only its addressees may read it. */
  readonly seal: boolean
}

/** How a message of a request is sent. */
export interface PostOptions {
  /** `reach`: find a way to the addressee. `back`: over the live link if there is one, else through relays. */
  readonly route: 'reach' | 'back'
  /** How far the finding of a way may go: handed on as the caller of the request gave it. */
  readonly reach?: unknown
  /** Ends the attempt: nobody waits any more. */
  readonly signal?: AbortSignal
  /** Called with the ID after signing and before sending: no answer can be faster. */
  readonly onSigned?: (id: MessageId) => void
}

/** A message that is on its way. */
export interface Posted {
  readonly id: MessageId
  /** Which way it took. */
  readonly way: string
  /** When it was signed, in ms since the epoch. */
  readonly time: number
}

/** Which side of a request a payload is. */
export type Side = 'request' | 'answer'

/** What requests need of their node. */
export interface RequestPort {
  readonly self: NodeId
  readonly clock: Clock
  /** The name of the network. */
  readonly net: string
  /** What verifies signatures. @default the fastest of this platform */
  readonly engine?: Engine | undefined
  /** Signs and sends. */
  post(call: OutgoingCall, options: PostOptions): Promise<Posted>
  /** The application failed while it answered a request, or an answer could not be sent. */
  onHandlerError(error: unknown, type: string): void
  /**
   * Checks content by the application's schema. What arrived is delivered as this returns it; what is sent is
   * checked, and sent as it was given. Throws SecureNodeError `invalid-content`.
   */
  check?(type: string, side: Side, data: Json): Json | Promise<Json>
}
