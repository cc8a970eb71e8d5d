import type { MessageFields } from './message/draft.ts'
import type { Sent } from './node.ts'
import type { NodeConnection } from './node-connection.ts'
import type { MessageId } from './wire/ids.ts'

/** What goes with a payload. */
export interface SecureSendOptions extends Pick<MessageFields, 'type' | 'to' | 're' | 'exp' | 'bytes'> {
  /** Whether only the addressees can read it: `true` for those in `to`, or a list in its place. @default false */
  readonly seal?: boolean | readonly string[] | undefined
  /** Connections that this node does not send it over; it may still reach those peers through others. */
  readonly exclude?: Iterable<NodeConnection> | undefined
}

/** For one peer: it is the addressee. Signed messages travel as they are. */
export type SecureSendOneOptions = Pick<SecureSendOptions, 'type' | 're' | 'exp' | 'bytes'> & {
  /** Whether only that peer can read it. @default false */
  readonly seal?: boolean | undefined
  readonly compression?: undefined
}

/** The type of what is sent: it tells the compiler what that may be. */
export interface OfType<K extends string> {
  readonly type?: K | undefined
}

/** A message on its way. */
export interface SentMessage extends Sent {
  /** Its ID: what the receivers see in `message.id`, and what `explain` asks for. */
  readonly id: MessageId
}
