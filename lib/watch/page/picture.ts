import type { Figures, LinkFacts } from './happening.ts'

/** A node of the picture. */
export interface NodeView {
  readonly id: string
  readonly name: string | undefined
  readonly address: string | undefined
  /** Whether it tells of itself; the others are known from what their peers tell. */
  readonly isWatched: boolean
  /** Whether it was named when the network was asked. */
  readonly isTold: boolean
  readonly figures: Figures
  /** Messages that it sent as their author, that came first to it, and that it refused. */
  readonly sent: number
  readonly reached: number
  readonly refused: number
  /** When a message reached it last, and when it refused one last, in ms since the epoch; 0 for never. */
  readonly reachedAt: number
  readonly refusedAt: number
}

/** A link of the picture. `a` is the smaller ID; what the two ends tell is kept apart, because they may differ. */
export interface LinkView {
  readonly key: string
  readonly a: string
  readonly b: string
  readonly fromA: LinkFacts | undefined
  readonly fromB: LinkFacts | undefined
  /** What others answered about it when the network was asked. */
  readonly told: { readonly latency: number | undefined } | undefined
  /** Messages that travelled over it, both ways. */
  readonly messages: number
}

/** A message goes over a link. */
export interface Hop {
  readonly from: string
  readonly to: string
  /** In ms since the epoch. */
  readonly at: number
}

/** A message of the picture. */
export interface MessageView {
  readonly id: string
  readonly author: string | undefined
  readonly type: string | undefined
  /** When it was first heard of, in ms since the epoch. */
  readonly at: number
  /** The ways of its copies; of two that crossed each other on one link, the first. */
  readonly hops: readonly Hop[]
  /** Nodes that told that they have it, the first one first. */
  readonly holders: readonly string[]
  readonly refusals: number
  readonly size: number | undefined
  readonly isSealed: boolean
  /** The beginning of its payload. */
  readonly preview: string | undefined
}

/** A message was refused. */
export interface RefusalView {
  readonly at: number
  readonly node: string
  readonly from: string | undefined
  readonly id: string | undefined
  readonly author: string | undefined
  readonly code: string
  readonly text: string | undefined
}

/** The state of the network at a moment. It is never changed: {@link file://./reduce.ts} makes the next one. */
export interface Picture {
  /** When, in ms since the epoch; 0 before anything has happened. */
  readonly at: number
  readonly nodes: ReadonlyMap<string, NodeView>
  readonly links: ReadonlyMap<string, LinkView>
  /** The latest messages, the oldest first. */
  readonly messages: ReadonlyMap<string, MessageView>
  /** The latest refusals, the oldest first. */
  readonly refusals: readonly RefusalView[]
  /** Since the first happening, forgotten ones included. */
  readonly totals: { readonly messages: number; readonly hops: number; readonly refused: number }
}

/** Nothing has happened. */
export const EMPTY: Picture = Object.freeze({
  at: 0,
  nodes: new Map(),
  links: new Map(),
  messages: new Map(),
  refusals: [],
  totals: { messages: 0, hops: 0, refused: 0 },
})

/** The name of the link between two nodes, whoever tells of it. */
export function linkKey(one: string, other: string): string {
  return one < other ? `${one} ${other}` : `${other} ${one}`
}

/** What both ends say, as one answer to each question. */
export interface LinkSummary {
  /** The end that opened it; undefined where nobody has told. */
  readonly opener: string | undefined
  /** Round-trip time in ms, the smaller one where several have measured. */
  readonly latency: number | undefined
  readonly encrypted: boolean | undefined
  readonly via: string | undefined
  readonly temporary: boolean
  /** `eager` where one end at least sends messages over it at once. */
  readonly tree: 'eager' | 'lazy' | undefined
  /** Bytes a second, both ways. */
  readonly rate: number | undefined
}

/** Sums up what both ends of a link say. */
export function summarizeLink({ a, b, fromA, fromB, told }: LinkView): LinkSummary {
  const one = fromA ?? {}
  const other = fromB ?? {}
  const trees = [one.tree ?? other.peerTree, other.tree ?? one.peerTree]
  const rates = fromA === undefined ? other : one
  return {
    opener: openerOf(one, a, b) ?? openerOf(other, b, a),
    latency: least([one.latency, other.latency, told?.latency]),
    // One end that says "in the clear" is enough to be warned.
    encrypted:
      one.encrypted === false || other.encrypted === false ? false : (one.encrypted ?? other.encrypted),
    via: one.via ?? other.via,
    temporary: one.temporary === true || other.temporary === true,
    tree: trees.includes('eager') ? 'eager' : (trees[0] ?? trees[1]),
    rate: rates.inRate === undefined ? undefined : rates.inRate + (rates.outRate ?? 0),
  }
}

function openerOf({ direction }: LinkFacts, self: string, peer: string): string | undefined {
  if (direction === undefined) return undefined
  return direction === 'outbound' ? self : peer
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
