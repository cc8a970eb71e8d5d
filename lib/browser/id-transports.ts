import { unreachable } from '../errors.ts'
import type { NodeId } from '../wire/ids.ts'

/** In place of the further transports of a node: a page has none. */
export class IdTransports {
  async start(): Promise<void> {}

  async close(): Promise<void> {}

  firstOf(id: NodeId): Promise<never> {
    return Promise.reject(unreachable(id))
  }
}
