import type { ConnectionEvents } from './events.ts'
import type { NodeConnection } from './node-connection.ts'
import type { Refusal } from './relay/relay-port.ts'
import type { AnyDataOf, MessageOf, NoTypes, TypeMap } from './typing/type-map.ts'

/** Events of a {@link SecureNode}: those of `Node`, with verified messages. */
export interface SecureNodeEvents<T extends TypeMap = NoTypes> extends ConnectionEvents {
  /**
   * A message was verified and is for this node. `connection` is the link that it came over, `message.from` its
   * author. Once per message.
   */
  nodeMessage: [connection: NodeConnection, data: AnyDataOf<T>, message: MessageOf<T>]
  /** A message was refused. Where its code is one that `isReject`, the connection was closed for it. */
  rejected: [connection: NodeConnection, refusal: Refusal]
  /** The clocks of `peers` peers are `offset` ms ahead of this machine's, in the middle: more than 10 s. */
  clockWarning: [offset: number, peers: number]
}
