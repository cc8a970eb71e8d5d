import type {
  Happening,
  LinkFacts,
  LinkGone,
  LinkStatus,
  Mapped,
  Measured,
  MessageSeen,
  Refused,
  Snapshot,
} from './happening.ts'
import { MAX_LINKS, MAX_MESSAGES, MAX_NODES, MAX_REFUSALS } from './page-limits.ts'
import { Path } from './path.ts'
import {
  type Hop,
  linkKey,
  type LinkView,
  type MessageView,
  type NodeView,
  type Picture,
  type RefusalView,
} from './picture.ts'

/**
 * The next picture. The one given stays as it was, so it can be gone back to; entries that did not change are shared
 * by both. Happenings are taken in bunches, because each map that changes is copied once per bunch.
 */
export function reduce(picture: Picture, happenings: readonly Happening[]): Picture {
  if (happenings.length === 0) return picture
  const draft = new Draft(picture)
  for (const happening of happenings) draft.take(happening)
  return draft.finish()
}

/** A picture in the making. A map belongs to it once it was copied; before, it is that of the picture before. */
class Draft {
  readonly #before: Picture
  #at: number
  #nodes: Map<string, NodeView> | undefined
  #links: Map<string, LinkView> | undefined
  #messages: Map<string, MessageView> | undefined
  #refusals: RefusalView[] | undefined
  readonly #paths = new Map<string, Path>()
  readonly #totals: { messages: number; hops: number; refused: number }

  constructor(before: Picture) {
    this.#before = before
    this.#at = before.at
    this.#totals = { ...before.totals }
  }

  take(happening: Happening): void {
    // Clocks of several machines differ: the picture's time never goes back.
    this.#at = Math.max(this.#at, happening.at)
    if (happening.kind === 'snapshot') this.#onSnapshot(happening)
    else if (happening.kind === 'gone') this.#onGone(happening.node)
    else if (happening.kind === 'link') this.#onLink(happening.node, happening)
    else if (happening.kind === 'unlink') this.#onUnlink(happening)
    else if (happening.kind === 'figures') this.#onFigures(happening)
    else if (happening.kind === 'message') this.#onMessage(happening)
    else if (happening.kind === 'refused') this.#onRefused(happening)
    else this.#onGraph(happening)
  }

  finish(): Picture {
    return {
      at: this.#at,
      nodes: this.#nodes ?? this.#before.nodes,
      links: this.#links ?? this.#before.links,
      messages: this.#messages ?? this.#before.messages,
      refusals: this.#refusals ?? this.#before.refusals,
      totals: this.#totals,
    }
  }

  get #ownNodes(): Map<string, NodeView> {
    return (this.#nodes ??= new Map(this.#before.nodes))
  }

  get #ownLinks(): Map<string, LinkView> {
    return (this.#links ??= new Map(this.#before.links))
  }

  get #ownMessages(): Map<string, MessageView> {
    return (this.#messages ??= new Map(this.#before.messages))
  }

  #onSnapshot({ node: id, status }: Snapshot): void {
    const { name, host, port, net: _net, links, ...figures } = status
    this.#changeNode(id, (node) => ({
      name: name ?? node.name,
      address: host === undefined || port === undefined ? node.address : `${host}:${port}`,
      isWatched: true,
      figures: { ...node.figures, ...figures },
    }))
    this.#silence(id)
    for (const link of links) this.#onLink(id, link)
    this.#tidy()
  }

  /** It tells of itself no more. Its links to nodes that do are gone when those say so, or were told by it alone. */
  #onGone(id: string): void {
    if (!this.#ownNodes.has(id)) return
    this.#silence(id)
    this.#changeNode(id, () => ({ isWatched: false, isTold: false }))
    this.#tidy()
  }

  #onLink(node: string, { peer, ...facts }: LinkStatus): void {
    if (node === peer) return
    const link = this.#linkOf(node, peer)
    if (link === undefined) return
    const side = node === link.a ? 'fromA' : 'fromB'
    this.#ownLinks.set(link.key, { ...link, [side]: { ...link[side], ...definedFacts(facts) } })
  }

  /** What one end says ends the link: the other may never say so, because it is gone or not watched. */
  #onUnlink({ node, peer }: LinkGone): void {
    this.#ownLinks.delete(linkKey(node, peer))
    this.#tidy([peer, node])
  }

  #onFigures({ node, figures }: Measured): void {
    this.#changeNode(node, (before) => ({ figures: { ...before.figures, ...figures } }))
  }

  /** What was told before counts no more; what nodes tell of themselves goes on counting. */
  #onGraph({ graph }: Mapped): void {
    for (const [id, node] of this.#ownNodes)
      if (node.isTold) this.#ownNodes.set(id, { ...node, isTold: false })
    for (const [key, link] of this.#ownLinks)
      if (link.told) this.#ownLinks.set(key, { ...link, told: undefined })
    for (const id of graph.nodes) this.#changeNode(id, () => ({ isTold: true }))
    for (const { a, b, latency } of graph.links) {
      const link = this.#linkOf(a, b)
      if (link !== undefined) this.#ownLinks.set(link.key, { ...link, told: { latency } })
    }
    this.#tidy()
  }

  #onMessage(seen: MessageSeen): void {
    const { node, id, author, type, from, to, at, verdict, size, sealed, preview } = seen
    const isAuthor = verdict === 'sent'
    const known = this.#messageOf(id, at, author ?? (isAuthor ? node : undefined), type)
    const path = this.#pathOf(known)
    const isNew = path.arrive(node)
    if (from !== undefined && from !== node) this.#travelled(path, { from, to: node, at })
    for (const peer of to ?? []) this.#travelled(path, { from: node, to: peer, at })
    this.#changeNode(node, ({ sent, reached, reachedAt }) => ({
      sent: sent + (isNew && isAuthor ? 1 : 0),
      reached: reached + (isNew && !isAuthor ? 1 : 0),
      reachedAt: isNew ? at : reachedAt,
    }))
    this.#ownMessages.set(id, {
      ...known,
      hops: path.hops,
      holders: path.holders,
      size: known.size ?? size,
      isSealed: known.isSealed || sealed === true,
      preview: known.preview ?? preview,
    })
  }

  #onRefused({ node, from, id, author, code, text, at }: Refused): void {
    this.#refusals ??= [...this.#before.refusals]
    this.#refusals.push({ at, node, from, id, author, code, text })
    if (this.#refusals.length > MAX_REFUSALS) this.#refusals.shift()
    this.#totals.refused++
    this.#changeNode(node, ({ refused }) => ({ refused: refused + 1, refusedAt: at }))
    // What nobody has accepted is no message of the network.
    const message = id === undefined ? undefined : this.#ownMessages.get(id)
    if (message !== undefined) {
      this.#ownMessages.set(message.id, { ...message, refusals: message.refusals + 1 })
    }
  }

  #changeNode(id: string, change: (node: NodeView) => Partial<NodeView>): void {
    const node = this.#ownNodes.get(id) ?? (this.#ownNodes.size < MAX_NODES ? newNode(id) : undefined)
    if (node !== undefined) this.#ownNodes.set(id, { ...node, ...change(node) })
  }

  /** The link of two nodes, made if there is none and there is room for it; and both its ends. */
  #linkOf(one: string, other: string): LinkView | undefined {
    const key = linkKey(one, other)
    const known = this.#ownLinks.get(key)
    if (known !== undefined) return known
    if (this.#ownLinks.size >= MAX_LINKS) return undefined
    for (const id of [one, other]) this.#changeNode(id, () => ({}))
    if (!this.#ownNodes.has(one) || !this.#ownNodes.has(other)) return undefined
    const [a, b] = one < other ? [one, other] : [other, one]
    return { key, a, b, fromA: undefined, fromB: undefined, told: undefined, messages: 0 }
  }

  /** What a node told of its links is forgotten. */
  #silence(id: string): void {
    for (const [key, link] of this.#ownLinks) {
      if (link.a === id && link.fromA) this.#ownLinks.set(key, { ...link, fromA: undefined })
      else if (link.b === id && link.fromB) this.#ownLinks.set(key, { ...link, fromB: undefined })
    }
  }

  /** Links that nobody tells of go, and nodes that nobody but a link has named. */
  #tidy(candidates: Iterable<string> = this.#ownNodes.keys()): void {
    const linked = new Set<string>()
    for (const [key, { a, b, fromA, fromB, told }] of this.#ownLinks) {
      if (fromA === undefined && fromB === undefined && told === undefined) this.#ownLinks.delete(key)
      else linked.add(a).add(b)
    }
    for (const id of [...candidates]) {
      const node = this.#ownNodes.get(id)
      if (node !== undefined && !node.isWatched && !node.isTold && !linked.has(id)) this.#ownNodes.delete(id)
    }
  }

  #messageOf(id: string, at: number, author?: string, type?: string): MessageView {
    const known = this.#ownMessages.get(id)
    if (known !== undefined) {
      return { ...known, author: known.author ?? author, type: known.type ?? type }
    }
    this.#totals.messages++
    // Maps keep the order of insertion: the first one is the oldest.
    for (const oldest of this.#ownMessages.keys()) {
      if (this.#ownMessages.size < MAX_MESSAGES) break
      this.#ownMessages.delete(oldest)
    }
    return {
      id,
      author,
      type,
      at,
      hops: [],
      holders: [],
      refusals: 0,
      size: undefined,
      isSealed: false,
      preview: undefined,
    }
  }

  #pathOf(message: MessageView): Path {
    const known = this.#paths.get(message.id)
    if (known !== undefined) return known
    const path = new Path(message)
    this.#paths.set(message.id, path)
    return path
  }

  #travelled(path: Path, hop: Hop): void {
    if (!path.travel(hop)) return
    this.#totals.hops++
    const link = this.#ownLinks.get(linkKey(hop.from, hop.to))
    if (link !== undefined) this.#ownLinks.set(link.key, { ...link, messages: link.messages + 1 })
  }
}

/** What is known of a link. */
const FACTS = [
  'host',
  'port',
  'direction',
  'since',
  'latency',
  'encrypted',
  'via',
  'temporary',
  'tree',
  'peerTree',
  'inRate',
  'outRate',
] as const satisfies (keyof LinkFacts)[]

/** Without those that are not known: they would overwrite what was known before. */
function definedFacts(facts: LinkFacts): LinkFacts {
  const known = FACTS.filter((name) => facts[name] !== undefined)
  return Object.fromEntries(known.map((name) => [name, facts[name]]))
}

function newNode(id: string): NodeView {
  return {
    id,
    name: undefined,
    address: undefined,
    isWatched: false,
    isTold: false,
    figures: {},
    sent: 0,
    reached: 0,
    refused: 0,
    reachedAt: 0,
    refusedAt: 0,
  }
}
