import { factList, linkButton, make } from './dom.ts'
import { type LinkView, type NodeView, type Picture, summarizeLink } from './picture.ts'
import { bytes, compact, encryptedWord, figure, latency, nodeLabel, span } from './words.ts'

/** Links of one node that are listed. */
const MAX_LISTED = 100

/** What is known of a node, or what there is to see while none is chosen. */
export function nodePane(
  picture: Picture,
  id: string | undefined,
  self: string | undefined,
  onSelect: (id: string) => void,
): Node[] {
  const node = id === undefined ? undefined : picture.nodes.get(id)
  if (node !== undefined) return details(picture, node, self, onSelect)
  const hint = id === undefined ? 'Choose a node in the picture, or in the table of nodes.' : 'This node is not there at this moment.' // prettier-ignore
  return [make('h2', {}, 'The network'), overview(picture), make('p', { class: 'hint' }, hint)]
}

/** The links of a node, those of the relay tree first. */
export function linksOf({ links }: Picture, id: string): LinkView[] {
  const own = [...links.values()].filter(({ a, b }) => a === id || b === id)
  const rank = (link: LinkView): number => ({ eager: 0, lazy: 1 })[summarizeLink(link).tree ?? 'lazy']
  return own.sort((one, other) => rank(one) - rank(other))
}

/** A node in a sentence: what a screen reader says when it is chosen. */
export function spokenNode(picture: Picture, id: string, self: string | undefined): string {
  const node = picture.nodes.get(id)
  if (node === undefined) return 'This node is not there at this moment.'
  const links = linksOf(picture, id).map(summarizeLink)
  const eager = links.filter(({ tree }) => tree === 'eager').length
  const words = [
    nodeLabel(id, node) + (id === self ? ', the node that this page is connected to' : ''),
    node.isWatched ? undefined : 'known from others only',
    `${links.length} links, ${eager} of them in the relay tree`,
    `${node.sent} messages sent, ${node.reached} received, ${node.refused} refused`,
  ]
  return `${words.filter((word) => word !== undefined).join('. ')}.`
}

function overview(picture: Picture): HTMLElement {
  const links = [...picture.links.values()].map(summarizeLink)
  const trees = links.filter(({ tree }) => tree === 'eager').length
  const lazy = links.filter(({ tree }) => tree === 'lazy').length
  const open = links.filter(({ encrypted }) => encrypted === false).length
  const watched = [...picture.nodes.values()].filter(({ isWatched }) => isWatched)
  const sum = (pick: (node: NodeView) => number | undefined): number =>
    watched.reduce((total, node) => total + (pick(node) ?? 0), 0)
  return factList([
    [
      'Nodes',
      watched.length === picture.nodes.size
        ? compact(picture.nodes.size)
        : `${compact(picture.nodes.size)}; ${compact(watched.length)} tell of themselves`,
    ],
    ['Links', `${compact(links.length)}: ${compact(trees)} eager, ${compact(lazy)} lazy`],
    ['Not encrypted', String(open)],
    ['Messages', `${compact(picture.totals.messages)} over ${compact(picture.totals.hops)} hops`],
    ['Refused', compact(picture.totals.refused)],
    ['Received', `${figure(sum(({ figures }) => figures.received))} a second, in all`],
  ])
}

function details(
  picture: Picture,
  node: NodeView,
  self: string | undefined,
  onSelect: (id: string) => void,
): Node[] {
  const { id, name, address, isWatched, figures } = node
  const heading = make('h2', {}, name ?? `Node ${id.slice(0, 6)}`)
  const parts: Node[] = [heading, make('p', { class: 'id' }, id)]
  if (id === self) parts.push(make('p', { class: 'hint' }, 'This page is connected to it.'))
  if (!isWatched) {
    parts.push(make('p', { class: 'hint' }, 'It does not tell of itself: what you see is what others told.'))
  }
  const facts: [string, string][] = [
    ['Address', address ?? '–'],
    ['Messages', `${compact(node.sent)} sent, ${compact(node.reached)} received`],
    ['Refused', compact(node.refused)],
  ]
  if (isWatched) facts.push(...rates(node))
  parts.push(factList(facts))
  if (figures.cache !== undefined && figures.cacheLimit !== undefined && figures.cacheLimit > 0) {
    parts.push(make('h3', {}, 'Message IDs remembered'), cacheMeter(figures.cache, figures.cacheLimit))
  }
  const links = linksOf(picture, id)
  parts.push(make('h3', {}, `Links (${links.length})`), linkTable(picture, id, links, onSelect))
  return parts
}

function rates({ figures }: NodeView): [string, string][] {
  return [
    [
      'Rates',
      `${figure(figures.received)}/s in, ${figure((figures.sent ?? 0) + (figures.relayed ?? 0))}/s out`,
    ],
    ['Copies', `${figure(figures.duplicates)}/s`],
    ['Traffic', `${bytes(figures.bytesIn)}/s in, ${bytes(figures.bytesOut)}/s out`],
    ['Peer book', figure(figures.peerBook)],
    ['Network', figures.networkSize === undefined ? '–' : `about ${compact(figures.networkSize)} nodes`],
  ]
}

function cacheMeter(cache: number, limit: number): HTMLElement {
  const meter = make('meter', {
    min: '0',
    max: String(limit),
    value: String(cache),
    'aria-label': 'Message IDs remembered',
  })
  return make('div', {}, meter, make('p', { class: 'hint' }, `${compact(cache)} of ${compact(limit)}`))
}

function linkTable(
  picture: Picture,
  id: string,
  links: readonly LinkView[],
  onSelect: (id: string) => void,
): HTMLElement {
  const rows = links.slice(0, MAX_LISTED).map((link) => {
    const peer = link.a === id ? link.b : link.a
    const facts = link.a === id ? link.fromA : link.fromB
    const summary = summarizeLink(link)
    const arrow = summary.opener === undefined ? '' : summary.opener === id ? '→ ' : '← '
    const label = arrow + nodeLabel(peer, picture.nodes.get(peer))
    const age = facts?.since === undefined ? '' : `up for ${span(Math.max(0, picture.at - facts.since))}, `
    const title = `${age}${encryptedWord(summary)}${summary.via === undefined ? '' : `, via ${summary.via}`}`
    return make(
      'tr',
      { title },
      make(
        'td',
        {},
        linkButton(label, () => onSelect(peer), `peer-${peer}`),
      ),
      make('td', {}, summary.temporary ? 'temporary' : (summary.tree ?? '–')),
      make('td', { class: 'number' }, latency(summary.latency)),
    )
  })
  const head = make('tr', {}, headCell('Peer'), headCell('Tree'), headCell('Latency', 'number'))
  return make('table', {}, make('thead', {}, head), make('tbody', {}, ...rows))
}

/** The head of a column. */
export function headCell(text: string, kind = ''): HTMLElement {
  return make('th', { scope: 'col', class: kind }, text)
}
