import { linkButton, make } from './dom.ts'
import { headCell } from './node-pane.ts'
import { MAX_ROWS } from './page-limits.ts'
import { type LinkView, type Picture, summarizeLink } from './picture.ts'
import { compact, encryptedWord, figure, latency, nodeLabel, shortLabel, treeWord } from './words.ts'

/** All nodes and links as tables: the picture for those who do not see it, and for those who look for one of many. */
export interface TableView {
  readonly picture: Picture
  readonly selected: string | undefined
  readonly filter: string
  readonly onSelect: (id: string) => void
}

/** The table of the nodes, those with the most links first. */
export function nodeTable({ picture, selected, filter, onSelect }: TableView): Node[] {
  const degrees = new Map<string, { links: number; eager: number }>()
  for (const link of picture.links.values()) {
    const isEager = summarizeLink(link).tree === 'eager'
    for (const id of [link.a, link.b]) {
      const degree = degrees.get(id) ?? { links: 0, eager: 0 }
      degrees.set(id, { links: degree.links + 1, eager: degree.eager + (isEager ? 1 : 0) })
    }
  }
  const degreeOf = (id: string): { links: number; eager: number } => degrees.get(id) ?? { links: 0, eager: 0 }
  const found = [...picture.nodes.values()].filter(({ id, name, address }) =>
    matches(filter, id, name, address),
  )
  found.sort(
    (one, other) =>
      Number(other.isWatched) - Number(one.isWatched) ||
      (one.name ?? '').localeCompare(other.name ?? '', 'en', { numeric: true }) ||
      degreeOf(other.id).links - degreeOf(one.id).links,
  )
  const rows = found.slice(0, MAX_ROWS).map((node) => {
    const { links, eager } = degreeOf(node.id)
    return make(
      'tr',
      node.id === selected ? { 'aria-current': 'true' } : {},
      make(
        'td',
        {},
        linkButton(nodeLabel(node.id, node), () => onSelect(node.id), `node-${node.id}`),
      ),
      numberCell(`${links} (${eager})`),
      numberCell(node.isWatched ? figure(node.figures.received) : '–'),
      numberCell(compact(node.sent)),
      numberCell(compact(node.refused)),
    )
  })
  const head = [
    headCell('Node'),
    ...['Links (eager)', 'In/s', 'Sent', 'Refused'].map((text) => headCell(text, 'number')),
  ]
  return withTotal(found.length, picture.nodes.size, 'nodes', table(head, rows))
}

/** The table of the links, the busiest first. */
export function linkTable({ picture, selected, filter, onSelect }: TableView): Node[] {
  const nameOf = (id: string): string | undefined => picture.nodes.get(id)?.name
  const found = [...picture.links.values()].filter(({ a, b }) => matches(filter, a, b, nameOf(a), nameOf(b)))
  found.sort((one, other) => other.messages - one.messages || (one.key < other.key ? -1 : 1))
  const rows = found.slice(0, MAX_ROWS).map((link) => linkRow(picture, link, selected, onSelect))
  const head = [headCell('Link'), headCell('Tree'), headCell('How'), headCell('Latency', 'number'), headCell('Msgs', 'number')] // prettier-ignore
  return withTotal(found.length, picture.links.size, 'links', table(head, rows))
}

function linkRow(
  picture: Picture,
  link: LinkView,
  selected: string | undefined,
  onSelect: (id: string) => void,
): HTMLElement {
  const summary = summarizeLink(link)
  const from = summary.opener ?? link.a
  const to = from === link.a ? link.b : link.a
  const nodeButton = (id: string): Node =>
    linkButton(shortLabel(id, picture.nodes.get(id)), () => onSelect(id), `${link.key} ${id}`)
  const arrow = summary.opener === undefined ? ' – ' : ' → '
  const isCurrent = link.a === selected || link.b === selected
  const way =
    summary.via?.length === 64 ? shortLabel(summary.via, picture.nodes.get(summary.via)) : summary.via
  const how = summary.encrypted === false ? [way, 'in the clear'] : [way ?? encryptedWord(summary)]
  return make(
    'tr',
    isCurrent ? { 'aria-current': 'true' } : {},
    make('td', { class: 'nowrap' }, nodeButton(from), arrow, nodeButton(to)),
    make('td', {}, summary.temporary ? 'temporary' : treeWord(summary)),
    make('td', {}, how.filter((word) => word !== undefined).join(', ')),
    numberCell(latency(summary.latency)),
    numberCell(compact(link.messages)),
  )
}

function table(head: readonly Node[], rows: readonly Node[]): HTMLElement {
  return make('table', {}, make('thead', {}, make('tr', {}, ...head)), make('tbody', {}, ...rows))
}

function numberCell(text: string): HTMLElement {
  return make('td', { class: 'number' }, text)
}

function withTotal(found: number, all: number, noun: string, content: HTMLElement): Node[] {
  const shown = Math.min(found, MAX_ROWS)
  const text = shown === all ? `${all} ${noun}` : `${shown} of ${all} ${noun}: the filter finds the others`
  return [make('p', { class: 'hint' }, text), content]
}

/** Whether one of the texts has the words in it, in upper or lower case. */
function matches(filter: string, ...texts: (string | undefined)[]): boolean {
  const wanted = filter.trim().toLowerCase()
  return wanted === '' || texts.some((text) => text?.toLowerCase().includes(wanted) === true)
}
