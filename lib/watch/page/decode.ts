import { isHex32 } from '../../wire/ids.ts'
import {
  type Figures,
  FIGURES,
  type Happening,
  type LinkFacts,
  type LinkStatus,
  type Mapped,
} from './happening.ts'
import { MAX_LINKS, MAX_NODES, MAX_TEXT } from './page-limits.ts'

type Values = Readonly<Record<string, unknown>>

/** More peers than this get no message at once. */
const MAX_PEERS = 64
/** The last moment that a date can show. */
const LAST_MOMENT = 8.64e15

/**
 * An event as it came from the status interface or out of a file, or undefined where it is none. Only what is known
 * is taken over, and only in the right form: a file may have been made by anybody, and a node may be newer than this.
 */
export function decodeHappening(value: unknown): Happening | undefined {
  if (!isObject(value)) return undefined
  const at = value['at']
  const node = value['node']
  if (typeof at !== 'number' || !(at > 0 && at < LAST_MOMENT) || !isHex32(node)) return undefined
  const moment = { at, node }
  switch (value['kind']) {
    case 'snapshot': {
      const status = value['status']
      return isObject(status) ? { kind: 'snapshot', ...moment, status: decodeStatus(status) } : undefined
    }
    case 'gone':
      return { kind: 'gone', ...moment }
    case 'figures': {
      const figures = value['figures']
      return isObject(figures) ? { kind: 'figures', ...moment, figures: decodeFigures(figures) } : undefined
    }
    case 'graph': {
      const graph = decodeGraph(value['graph'])
      return graph && { kind: 'graph', ...moment, graph }
    }
    case 'message':
      return decodeMessage(value, moment)
    case 'refused':
      return decodeRefused(value, moment)
    default:
      return decodeLink(value, moment)
  }
}

/** The answer of the network, as the status interface gives it or as a trace has it. */
export function decodeGraph(value: unknown): Mapped['graph'] | undefined {
  if (!isObject(value) || !Array.isArray(value['nodes']) || !Array.isArray(value['links'])) return undefined
  const silent: unknown = value['silent']
  const named = [...(value['nodes'] as unknown[]), ...(Array.isArray(silent) ? (silent as unknown[]) : [])]
  const nodes = named.map((node) => (isObject(node) ? node['id'] : node)).filter(isHex32)
  const links = (value['links'] as unknown[]).slice(0, MAX_LINKS).flatMap((link) => {
    if (!isObject(link)) return []
    const { a, b } = link
    return isHex32(a) && isHex32(b) && a !== b ? [{ a, b, latency: amount(link['latency']) }] : []
  })
  return { nodes: nodes.slice(0, MAX_NODES), links }
}

interface Moment {
  readonly at: number
  readonly node: string
}

function decodeStatus(status: Values): Extract<Happening, { kind: 'snapshot' }>['status'] {
  const links = Array.isArray(status['links']) ? (status['links'] as unknown[]) : []
  return {
    ...decodeFigures(status),
    name: text(status['name']),
    host: text(status['host']),
    port: amount(status['port']),
    net: text(status['net']),
    links: links.slice(0, MAX_LINKS).flatMap((link): LinkStatus[] => {
      if (!isObject(link) || !isHex32(link['peer'])) return []
      return [{ peer: link['peer'], ...decodeFacts(link) }]
    }),
  }
}

function decodeLink(value: Values, moment: Moment): Happening | undefined {
  const { kind, peer } = value
  if (!isHex32(peer)) return undefined
  if (kind === 'link') {
    return { kind, ...moment, peer, isNew: flag(value['isNew']), ...decodeFacts(value) }
  }
  if (kind !== 'unlink') return undefined
  return {
    kind,
    ...moment,
    peer,
    code: text(value['code']),
    by: text(value['by']),
    text: text(value['text']),
  }
}

function decodeMessage(value: Values, moment: Moment): Happening | undefined {
  const { id, verdict } = value
  if (!isHex32(id) || !isOneOf(verdict, ['sent', 'delivered', 'relayed'])) return undefined
  const to = Array.isArray(value['to']) ? (value['to'] as unknown[]).filter(isHex32) : undefined
  return {
    kind: 'message',
    ...moment,
    id,
    author: hex(value['author']),
    type: text(value['type']),
    size: amount(value['size']),
    verdict,
    from: hex(value['from']),
    to: to?.slice(0, MAX_PEERS),
    sealed: flag(value['sealed']),
    preview: text(value['preview']),
  }
}

function decodeRefused(value: Values, moment: Moment): Happening | undefined {
  const code = text(value['code'])
  if (code === undefined) return undefined
  return {
    kind: 'refused',
    ...moment,
    from: hex(value['from']),
    id: hex(value['id']),
    author: hex(value['author']),
    type: text(value['type']),
    code,
    text: text(value['text']),
  }
}

function decodeFacts(value: Values): LinkFacts {
  const { direction, tree, peerTree } = value
  return {
    host: text(value['host']),
    port: amount(value['port']),
    direction: isOneOf(direction, ['inbound', 'outbound']) ? direction : undefined,
    since: amount(value['since']),
    latency: amount(value['latency']),
    encrypted: flag(value['encrypted']),
    via: text(value['via']),
    temporary: flag(value['temporary']),
    tree: isOneOf(tree, ['eager', 'lazy']) ? tree : undefined,
    peerTree: isOneOf(peerTree, ['eager', 'lazy']) ? peerTree : undefined,
    inRate: amount(value['inRate']),
    outRate: amount(value['outRate']),
  }
}

function decodeFigures(value: Values): Figures {
  const known = FIGURES.flatMap((name) => {
    const number = amount(value[name])
    return number === undefined ? [] : [[name, number] as const]
  })
  return Object.fromEntries(known)
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOneOf<T extends string>(value: unknown, words: readonly T[]): value is T {
  return (words as readonly unknown[]).includes(value)
}

function hex(value: unknown): string | undefined {
  return isHex32(value) ? value : undefined
}

/** Neither negative nor endless. */
function amount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

function flag(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined
}

/** Without characters that move the cursor or turn the direction of writing: names come from anybody. */
function text(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const clean = value.slice(0, 4 * MAX_TEXT).replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]+/gu, ' ')
  return clean.trim() === '' ? undefined : clean.slice(0, MAX_TEXT)
}
