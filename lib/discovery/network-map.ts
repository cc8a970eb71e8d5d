import { LinkGraph } from './link-graph.ts'

/** A link of a node, as that node told it. */
export interface NodeLink {
  /** The peer. */
  readonly id: string
  /** Round-trip time, in ms; undefined where it was not measured. */
  readonly latency: number | undefined
}

/** What a node has answered. */
export interface NodeReport {
  readonly id: string
  readonly links: readonly NodeLink[]
  /** Links that it left out, beyond the 64 of an answer. */
  readonly more: number
  /** From the question to its answer, in ms; 0 for the node that asked. */
  readonly latency: number
}

/** A node that answered. */
export interface NetworkNode extends NodeReport {
  /** Hops from the node that asked; undefined where the links that were told do not lead to it. */
  readonly distance: number | undefined
}

/** A link between two nodes; `a` is the smaller ID. */
export interface NetworkLink {
  readonly a: string
  readonly b: string
  /** Round-trip time, in ms: the smaller one where both ends have told one. */
  readonly latency: number | undefined
  /** Whether both ends have told it. What only one end tells may be invented. */
  readonly isMutual: boolean
}

/**
 * The network as it answered to one question. Every answer is signed by the node that gave it, so nobody speaks for
 * another; but what a node says about its own links is its own word, and one person can run many nodes.
 */
export class NetworkMap {
  /** The node that asked. */
  readonly asker: string
  /** The nodes that answered, by ID; the one that asked is the first. */
  readonly nodes: ReadonlyMap<string, NetworkNode>
  /** All links that were told, each once, in the order of their IDs. */
  readonly links: readonly NetworkLink[]
  /** Nodes that others named and that did not answer, in the order of their IDs. */
  readonly silent: readonly string[]
  /** Whether every node that was named has answered, and no node has links that nobody told. */
  readonly isComplete: boolean

  /** @param reports What was answered; the first is that of the node that asked. */
  constructor(reports: readonly [NodeReport, ...NodeReport[]]) {
    this.asker = reports[0].id
    const graph = new LinkGraph(this.asker)
    for (const { id, links } of reports) for (const link of links) graph.connect(id, link.id)
    graph.reach(this.asker)
    this.nodes = new Map(reports.map((report) => [report.id, nodeOf(report, graph)]))
    this.links = Object.freeze(collectLinks(reports))
    this.silent = Object.freeze([...graph.ids].filter((id) => !this.nodes.has(id)).sort())
    this.isComplete = this.silent.length === 0 && reports.every((report) => isWhole(report, graph))
    Object.freeze(this)
  }

  /** Nodes that answered, the one that asked among them. */
  get size(): number {
    return this.nodes.size
  }

  /** As plain data: the nodes are a list. */
  toJSON(): Record<string, unknown> {
    const { asker, size, isComplete, nodes, links, silent } = this
    return { asker, size, isComplete, nodes: [...nodes.values()], links, silent }
  }
}

/** What is shown of an answer; the distance is what the graph knows at this moment. */
export function nodeOf({ id, links, more, latency }: NodeReport, graph: LinkGraph): NetworkNode {
  return Object.freeze({ id, links, more, latency, distance: graph.distance(id) })
}

/** Whether the links that a node left out were told by their other ends. */
export function isWhole({ id, links, more }: NodeReport, graph: LinkGraph): boolean {
  return more === 0 || graph.degree(id) >= links.length + more
}

function collectLinks(reports: readonly NodeReport[]): NetworkLink[] {
  const links = new Map<string, NetworkLink>()
  for (const { id, links: told } of reports) {
    for (const { id: other, latency } of told) {
      const [a, b] = id < other ? [id, other] : [other, id]
      const known = links.get(a + b)
      const link = { a, b, latency: smaller(latency, known?.latency), isMutual: known !== undefined }
      links.set(a + b, Object.freeze(link))
    }
  }
  return [...links].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, link]) => link)
}

function smaller(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other)
}
