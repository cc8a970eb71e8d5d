import type { Json } from '../message/canonical.ts'
import type { SignedMessage } from '../message/message.ts'
import type { MessageId, NodeId } from '../wire/ids.ts'

/** An answer to a request, or one part of it. */
export interface Answer<D = Json> {
  /** What was answered. */
  readonly data: D
  /** Who answered: the node that was asked, or the one that the last bounce names. */
  readonly from: NodeId
  /** What came beside the data. */
  readonly bytes?: Uint8Array
  /** The ID of the answer: what `explain` asks for. */
  readonly id: MessageId
  /** Nodes that have passed the request on, from the one that was asked. Empty if it has answered itself. */
  readonly bounces: readonly NodeId[]
  /** Which way the request took. */
  readonly way: string
  /** The answer as it was signed: whoever gets it can verify who said what. */
  readonly document: string
  /** The bounces as they were signed: why somebody else may answer. */
  readonly proof: readonly string[]
}

/** The right of a node to answer a request. */
export interface Warrant {
  readonly from: NodeId
  readonly bounces: readonly NodeId[]
  readonly proof: readonly string[]
}

/** Makes the answer out of a message and the right of its author to say so. */
export function answerOf(message: SignedMessage, data: Json, warrant: Warrant, way: string): Answer {
  const { id, bytes } = message
  return Object.freeze({
    data,
    ...warrant,
    ...(bytes && { bytes }),
    id,
    way,
    // Made when it is asked for: most callers want the data alone.
    get document() {
      return message.document
    },
  })
}
