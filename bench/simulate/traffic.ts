import { HEADER_BYTES, ID_BYTES, type SimFrame } from './relaying.ts'
import type { SimNode } from './sim-node.ts'

/** Bytes of a signed peer record, as in the vectors of docs/PROTOCOL.md. */
const RECORD_BYTES = 400

/** What one relay has sent. */
export interface RelayTraffic {
  /** Messages written to links, those to dead nodes and those that get lost included. */
  payloads: number
  controlFrames: number
  controlBytes: number
  /** Frames sent and received, by the index of the node. */
  readonly perNode: Uint32Array
}

/** Counts frames and bytes. Pings, TLS and TCP are not counted: they are the same whatever is relayed. */
export class Traffic {
  readonly relays: RelayTraffic[] = []
  membershipFrames = 0
  membershipBytes = 0
  readonly #capacity: number

  /** @param capacity Nodes that there will ever be. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  addRelay(): void {
    this.relays.push({
      payloads: 0,
      controlFrames: 0,
      controlBytes: 0,
      perNode: new Uint32Array(this.#capacity),
    })
  }

  /** Begins anew. */
  reset(): void {
    this.membershipFrames = this.membershipBytes = 0
    for (const relay of this.relays) {
      relay.payloads = relay.controlFrames = relay.controlBytes = 0
      relay.perNode.fill(0)
    }
  }

  onMembership(records: number): void {
    this.membershipFrames++
    this.membershipBytes += HEADER_BYTES + records * RECORD_BYTES
  }

  onSent({ index }: SimNode, { relay, kind, ids }: SimFrame): void {
    const traffic = this.relays[relay]!
    traffic.perNode[index]!++
    if (kind === 'payload') traffic.payloads++
    else {
      traffic.controlFrames++
      traffic.controlBytes += HEADER_BYTES + ids.length * ID_BYTES
    }
  }

  onArrival({ index }: SimNode, { relay }: SimFrame): void {
    this.relays[relay]!.perNode[index]!++
  }
}
