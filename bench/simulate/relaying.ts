import type { MessageId } from '../../lib/wire/ids.ts'
import type { SimLink } from './sim-link.ts'

/** What frames are about; `graft` and `prune` also in the mesh, with the same sizes. */
export type FrameKind = 'payload' | 'have' | 'want' | 'graft' | 'prune'

/** A frame of one relay, shared by all links that it goes to. */
export interface SimFrame {
  /** Which relay it belongs to: its place in the list of relays. */
  readonly relay: number
  readonly kind: FrameKind
  /** With `payload` one, with `have` and `want` any number. */
  readonly ids: readonly MessageId[]
  /** With `payload`: steps from the author, this one included. */
  readonly hop: number
}

/** How one node passes messages on. */
export interface Relaying {
  /** Entries of collections that are held now: links, messages, whatever there is one of for each. */
  readonly entries: number
  up(link: SimLink): void
  down(link: SimLink): void
  /** A message of this node's own. */
  publish(id: MessageId): void
  receive(link: SimLink, frame: SimFrame): void
  /** Whether messages come and go over a link. */
  isNeeded?(link: SimLink): boolean
  /** Called about once a second where the relay needs it. */
  beat?(): void
}

/** Bytes of a frame's length and kind. */
export const HEADER_BYTES = 5
/** Bytes of an ID. */
export const ID_BYTES = 32
