import type { Address } from '../../lib/wire/address.ts'
import type { CloseReason } from '../../lib/wire/close-code.ts'
import type { OverlayLink } from '../../lib/overlay/overlay-link.ts'
import type { Happening } from './event-wheel.ts'
import type { SimFrame } from './relaying.ts'
import type { SimNode } from './sim-node.ts'

/** One end of a link. Frames happen to the end that they arrive at. */
export class SimLink implements OverlayLink, Happening {
  readonly owner: SimNode
  readonly peer: SimNode
  readonly direction: 'inbound' | 'outbound'
  readonly connectedAt: number
  back!: SimLink
  isUp = true
  closeReason: CloseReason | undefined = undefined
  /** Frames on their way to the other end arrive in order: not before this. */
  arrival = 0
  /** When the peer was asked last whom it knows, and whether it has not answered yet. */
  askedAt = -Infinity
  isAsked = false

  constructor(owner: SimNode, peer: SimNode, direction: 'inbound' | 'outbound', now: number) {
    this.owner = owner
    this.peer = peer
    this.direction = direction
    this.connectedAt = now
  }

  get id(): string {
    return this.peer.id
  }

  get host(): string {
    return this.peer.address.host
  }

  get port(): number {
    return this.peer.address.port
  }

  get remoteHost(): string {
    return this.peer.address.host
  }

  // What no part of the simulation looks at.
  get seenAt(): Address | undefined {
    return undefined
  }

  get clockOffset(): number {
    return 0
  }

  get latency(): undefined {
    return undefined
  }

  get isCongested(): boolean {
    return false
  }

  /** What this end has ended itself still brings messages, until the peer knows; nothing else counts any more. */
  happen(data: unknown): void {
    const frame = data as SimFrame
    const isRetired = this.closeReason?.by === 'us'
    if (this.isUp || (isRetired && frame.kind === 'payload')) this.owner.receive(this, frame)
  }
}
