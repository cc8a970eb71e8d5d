/** What a link looks like from one of its ends; what is left out is not known, or as before. */
export interface LinkFacts {
  readonly host?: string | undefined
  readonly port?: number | undefined
  /** Who opened it, as this end sees it. */
  readonly direction?: 'inbound' | 'outbound' | undefined
  /** Since when it is up, in ms since the epoch. */
  readonly since?: number | undefined
  /** Round-trip time, in ms. */
  readonly latency?: number | undefined
  readonly encrypted?: boolean | undefined
  /** How it was made: a transport, or the relay that it leads through. */
  readonly via?: string | undefined
  /** Whether it was opened for a moment only. */
  readonly temporary?: boolean | undefined
  /** Whether this end sends messages over it at once, or only announces them. */
  readonly tree?: 'eager' | 'lazy' | undefined
  /** What this end expects the other one to do. */
  readonly peerTree?: 'eager' | 'lazy' | undefined
  /** Bytes a second. */
  readonly inRate?: number | undefined
  readonly outRate?: number | undefined
}

/** The names of the figures of a node. */
export const FIGURES = [
  'received',
  'sent',
  'relayed',
  'refused',
  'duplicates',
  'skipped',
  'bytesIn',
  'bytesOut',
  'cache',
  'cacheLimit',
  'peerBook',
  'networkSize',
] as const

/** Figures of a node that tells of itself: those up to `bytesOut` per second, the others at this moment. */
export type Figures = { readonly [K in (typeof FIGURES)[number]]?: number | undefined }

/** Something happens at a moment, in ms since the epoch. */
interface Moment {
  readonly at: number
  /** The node that tells of it. */
  readonly node: string
}

/** A link in a snapshot. */
export interface LinkStatus extends LinkFacts {
  readonly peer: string
}

/** All that a node tells of itself; what was known of its links before is to be forgotten. */
export interface Snapshot extends Moment {
  readonly kind: 'snapshot'
  readonly status: Figures & {
    readonly name?: string | undefined
    readonly host?: string | undefined
    readonly port?: number | undefined
    readonly net?: string | undefined
    readonly links: readonly LinkStatus[]
  }
}

/** A node has stopped, or is not watched any more. */
export interface NodeGone extends Moment {
  readonly kind: 'gone'
}

/** A link is there, or looks different now. */
export interface LinkSeen extends Moment, LinkFacts {
  readonly kind: 'link'
  readonly peer: string
  readonly isNew?: boolean | undefined
}

/** A link has ended. */
export interface LinkGone extends Moment {
  readonly kind: 'unlink'
  readonly peer: string
  readonly code?: string | undefined
  readonly by?: string | undefined
  readonly text?: string | undefined
}

/** A node tells its figures. */
export interface Measured extends Moment {
  readonly kind: 'figures'
  readonly figures: Figures
}

/** A message was sent, received, or passed on by a node. */
export interface MessageSeen extends Moment {
  readonly kind: 'message'
  readonly id: string
  readonly author?: string | undefined
  readonly type?: string | undefined
  readonly size?: number | undefined
  readonly verdict: 'sent' | 'delivered' | 'relayed'
  /** The peer that brought it; undefined where the node is its author. */
  readonly from?: string | undefined
  /** Peers that it was sent on to. */
  readonly to?: readonly string[] | undefined
  readonly sealed?: boolean | undefined
  /** The beginning of its payload. */
  readonly preview?: string | undefined
}

/** A message was refused. */
export interface Refused extends Moment {
  readonly kind: 'refused'
  readonly from?: string | undefined
  readonly id?: string | undefined
  /** The author that it names: unproven. */
  readonly author?: string | undefined
  readonly type?: string | undefined
  readonly code: string
  readonly text?: string | undefined
}

/** The network has answered: nodes that do not tell of themselves, as others told. */
export interface Mapped extends Moment {
  readonly kind: 'graph'
  readonly graph: {
    readonly nodes: readonly string[]
    readonly links: readonly {
      readonly a: string
      readonly b: string
      readonly latency?: number | undefined
    }[]
  }
}

/** All that the picture is made of: what the status interface sends, and the answers of the network. */
export type Happening = Snapshot | NodeGone | LinkSeen | LinkGone | Measured | MessageSeen | Refused | Mapped
