import type { LinkTree } from '../relay/relay-tap.ts'

/** A link, as the status interface tells it. Durations in ms, sizes in bytes, rates in bytes a second. */
export interface LinkStatus extends Partial<LinkTree> {
  /** ID of the node at its other end. */
  readonly peer: string
  readonly host: string
  readonly port: number
  readonly direction: 'inbound' | 'outbound'
  /** When it came up, in ms since the epoch. */
  readonly since: number
  /** Round-trip time, once it was measured. */
  readonly latency?: number
  readonly encrypted: boolean
  /** How it was made: the name of the transport, or the relay that it leads through. */
  readonly via: string
  readonly temporary: boolean
  readonly bytesIn: number
  readonly bytesOut: number
  readonly inRate: number
  readonly outRate: number
}

/** A node, as the status interface tells it. `S` are its statistics. */
export interface NodeStatus<S = unknown> {
  /** Its ID. */
  readonly node: string
  /** What it is called where several are watched together. */
  readonly name?: string
  readonly host: string
  readonly port: number
  readonly net: string
  /** Version of the protocol. */
  readonly version: number
  /** Since it was started, in ms; 0 while it is not running. */
  readonly uptime: number
  readonly networkSize: number
  /** Nodes that it knows of. */
  readonly peerBook: number
  /** Message IDs that it remembers, and how many it may. */
  readonly cache: number
  readonly cacheLimit: number
  readonly stats: S
  readonly links: readonly LinkStatus[]
}

/** What went on in the last second: the first eight per second, the others at this moment. */
export interface Figures {
  readonly received: number
  readonly sent: number
  readonly relayed: number
  readonly refused: number
  readonly duplicates: number
  /** Messages and refusals that were not told one by one, because there were too many. */
  readonly skipped: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly cache: number
  readonly cacheLimit: number
  readonly peerBook: number
  readonly networkSize: number
  readonly links: number
}

/** What happened, without the node that tells of it and the time. */
export type Happening =
  | { readonly kind: 'snapshot'; readonly status: NodeStatus }
  /** A link is up, or something about it has changed. What is left out is as before. */
  | ({ readonly kind: 'link'; readonly peer: string; readonly isNew?: true } & Partial<LinkStatus>)
  | {
      readonly kind: 'unlink'
      readonly peer: string
      readonly code: string
      readonly by: string
      readonly text: string
    }
  | {
      readonly kind: 'message'
      readonly id: string
      readonly author: string
      readonly type: string
      readonly size: number
      readonly verdict: 'sent' | 'delivered' | 'relayed'
      readonly from?: string | undefined
      readonly to: readonly string[]
      readonly sentTo: number
      readonly addressees?: number | undefined
      readonly sealed?: true | undefined
      readonly preview?: string | undefined
    }
  | {
      readonly kind: 'refused'
      readonly from: string
      readonly code: string
      readonly id?: string | undefined
      /** Unproven. */
      readonly author?: string | undefined
      readonly type?: string | undefined
      readonly text?: string | undefined
    }
  | { readonly kind: 'figures'; readonly figures: Figures }
  | { readonly kind: 'gone' }

/** What happened, when, and which node tells of it. */
export type StatusEvent = Happening & { readonly at: number; readonly node: string }
