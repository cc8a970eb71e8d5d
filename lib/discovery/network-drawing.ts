import type { NetworkMap, NetworkNode, NodeLink } from './network-map.ts'

/** Digits of a shortened ID, unless more are needed to tell two apart. */
const SHORT = 8
/** Links of a node that are written out in a text; the rest is counted. */
const MAX_SHOWN = 8

/**
 * A network as text for a terminal: its nodes in the order of their distance from the node that asked, each with the
 * time of its answer and with its links. Ends with a line break.
 */
export function drawText(map: NetworkMap): string {
  const short = shortener(map)
  const levels = new Map<number, NetworkNode[]>()
  for (const node of map.nodes.values()) {
    const distance = node.distance ?? Infinity
    const level = levels.get(distance)
    if (level === undefined) levels.set(distance, [node])
    else level.push(node)
  }
  const width = widest([...map.nodes.values()].map(({ latency }) => ms(latency)))
  const lines = [...levels]
    .sort(([a], [b]) => a - b)
    .flatMap(([distance, nodes]) => [
      '',
      titleOf(distance),
      ...nodes.sort(byId).map((node) => lineOf(node, map.asker, short, width)),
    ])
  return [summaryOf(map), ...lines, ...silentLines(map, short), ''].join('\n')
}

/** A network for Graphviz: an undirected graph (`… | neato -Tsvg`), the node that asked in bold. */
export function drawDot(map: NetworkMap): string {
  const short = shortener(map)
  const nodes = [...map.nodes.values()].map(({ id, latency }) => {
    const isAsker = id === map.asker
    const label = isAsker ? short(id) : `${short(id)}\\n${ms(latency)}`
    return `  ${quoted(id)} [label="${label}"${isAsker ? ' style=bold' : ''}];`
  })
  const silent = map.silent.map((id) => `  ${quoted(id)} [label="${short(id)}" style=dashed];`)
  const links = map.links.map(
    ({ a, b, latency }) =>
      `  ${quoted(a)} -- ${quoted(b)}${latency === undefined ? '' : ` [label="${ms(latency)}"]`};`,
  )
  return ['graph network {', ...nodes, ...silent, ...links, '}', ''].join('\n')
}

/** A network for Mermaid: a flowchart, the node that asked in a circle, those that did not answer rounded. */
export function drawMermaid(map: NetworkMap): string {
  const short = shortener(map)
  const ids = [...map.nodes.keys(), ...map.silent]
  // Names of their own: an ID may be nothing but digits.
  const names = new Map(ids.map((id, index) => [id, `n${index}`]))
  const nodes = [...map.nodes.values()].map(({ id, latency }) =>
    id === map.asker
      ? `  ${names.get(id)!}(("${short(id)}"))`
      : `  ${names.get(id)!}["${short(id)}<br/>${ms(latency)}"]`,
  )
  const silent = map.silent.map((id) => `  ${names.get(id)!}("${short(id)}")`)
  const links = map.links.map(
    ({ a, b, latency }) =>
      `  ${names.get(a)!} ---${latency === undefined ? '' : `|${ms(latency)}|`} ${names.get(b)!}`,
  )
  return ['flowchart LR', ...nodes, ...silent, ...links, ''].join('\n')
}

function summaryOf({ size, links, silent, isComplete }: NetworkMap): string {
  const counts = `${plural(size, 'node')}, ${plural(links.length, 'link')}`
  if (isComplete) return counts
  return silent.length === 0 ? `${counts}; some may be missing` : `${counts}; ${silent.length} did not answer`
}

function titleOf(distance: number): string {
  if (distance === 0) return 'this node'
  return distance === Infinity ? 'somewhere' : plural(distance, 'hop')
}

function lineOf(
  { id, links, latency, more }: NetworkNode,
  asker: string,
  short: (id: string) => string,
  width: number,
): string {
  const shown = links.slice(0, MAX_SHOWN).map((link) => describe(link, short))
  const left = links.length - shown.length + more
  if (left > 0) shown.push(`${left} more`)
  const time = id === asker ? '' : ms(latency)
  return `  ${short(id)}  ${time.padStart(width)}  ${shown.join(', ')}`.trimEnd()
}

function describe({ id, latency }: NodeLink, short: (id: string) => string): string {
  return latency === undefined ? short(id) : `${short(id)} ${ms(latency)}`
}

function silentLines({ silent }: NetworkMap, short: (id: string) => string): string[] {
  return silent.length === 0 ? [] : ['', 'no answer', ...silent.map((id) => `  ${short(id)}`)]
}

function shortener({ nodes, silent }: NetworkMap): (id: string) => string {
  const ids = [...nodes.keys(), ...silent].sort()
  let length = SHORT
  // Somebody may have made keys until two began alike.
  for (let at = 1; at < ids.length; at++) {
    while (length < 64 && ids[at]!.slice(0, length) === ids[at - 1]!.slice(0, length)) length++
  }
  return (id) => id.slice(0, length)
}

/** Whole milliseconds from ten on: nobody compares tenths there. */
function ms(latency: number): string {
  return `${latency < 10 ? Math.round(latency * 10) / 10 : Math.round(latency)} ms`
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function widest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 0)
}

function byId(a: NetworkNode, b: NetworkNode): number {
  return a.id < b.id ? -1 : 1
}

/** In quotes: bare, an ID that begins with a digit would be read as a number, and cut in two. */
function quoted(id: string): string {
  return `"${id}"`
}
