import { decodeHappening } from './decode.ts'
import type { Happening, LinkFacts, LinkStatus } from './happening.ts'
import { CHUNK_HAPPENINGS, MAX_CHUNKS } from './page-limits.ts'
import type { Picture } from './picture.ts'

/** What a trace says of itself. */
const FORMAT = 'secure-node/trace'

/**
 * What was recorded, as the text of a file: the events of the status interface as they came, one a line. What was
 * known before the first of them comes first, as snapshots.
 */
export function writeTrace(origin: Picture, happenings: readonly Happening[]): string {
  const all = [...snapshots(origin, happenings[0]?.at ?? origin.at), ...happenings]
  const lines = all.map((happening) => JSON.stringify(happening))
  return `{"format":"${FORMAT}","v":1,"events":[\n${lines.join(',\n')}\n]}\n`
}

/**
 * Reads such a file, or the lines that a tool has written of the events, one JSON object each. What is no event is
 * left out and counted.
 *
 * @throws SyntaxError if it is neither
 */
export function readTrace(text: string): { happenings: Happening[]; skipped: number } {
  const values = traceEvents(text) ?? lineEvents(text)
  // The newest: older ones would be dropped again.
  const recent = values.slice(-CHUNK_HAPPENINGS * MAX_CHUNKS)
  const happenings = recent.map(decodeHappening).filter((happening) => happening !== undefined)
  if (happenings.length === 0) throw new SyntaxError('this file has no events of a network')
  return { happenings, skipped: values.length - happenings.length }
}

/** Undefined if it is no trace: lines are one by one JSON, and together they are none. */
function traceEvents(text: string): unknown[] | undefined {
  let trace: { format?: unknown; v?: unknown; events?: unknown } | null
  try {
    trace = JSON.parse(text) as typeof trace
  } catch {
    return undefined
  }
  if (trace?.format !== FORMAT || !Array.isArray(trace.events)) return undefined
  if (trace.v !== 1) throw new SyntaxError('this trace was written by a newer version')
  return trace.events as unknown[]
}

function lineEvents(text: string): unknown[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) => JSON.parse(line) as unknown)
}

/** A picture as what has led to it. */
function snapshots({ nodes, links }: Picture, at: number): Happening[] {
  const linksOf = new Map<string, LinkStatus[]>([...nodes.keys()].map((id) => [id, []]))
  const add = (node: string, peer: string, facts: LinkFacts | undefined): void => {
    if (facts !== undefined) linksOf.get(node)?.push({ peer, ...facts })
  }
  for (const { a, b, fromA, fromB } of links.values()) {
    add(a, b, fromA)
    add(b, a, fromB)
  }
  const told = [...links.values()].flatMap(({ a, b, told: facts }) => (facts ? [{ a, b, ...facts }] : []))
  const named = [...nodes.values()].filter(({ isTold }) => isTold).map(({ id }) => id)
  const watched = [...nodes.values()].filter(({ isWatched }) => isWatched)
  const happenings = watched.map(({ id, name, address, figures }): Happening => {
    const [, host, port] = /^(.*):(\d+)$/.exec(address ?? '') ?? []
    const place = { host, port: port === undefined ? undefined : Number(port) }
    return { kind: 'snapshot', at, node: id, status: { name, ...place, ...figures, links: linksOf.get(id)! } }
  })
  const [first] = watched
  if (first === undefined || named.length === 0) return happenings
  return [...happenings, { kind: 'graph', at, node: first.id, graph: { nodes: named, links: told } }]
}
