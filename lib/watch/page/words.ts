import type { LinkSummary, NodeView } from './picture.ts'

const SHORT_ID = 6
const NUMBERS = new Intl.NumberFormat('en', { maximumFractionDigits: 1 })
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 })

/** The beginning of an ID: enough to tell nodes of one picture apart. */
export function shortId(id: string): string {
  return id.slice(0, SHORT_ID)
}

/** What a node is called: by its name where it has one, and always by its ID, because names prove nothing. */
export function nodeLabel(id: string, node: Pick<NodeView, 'name'> | undefined): string {
  return node?.name === undefined ? shortId(id) : `${node.name} · ${shortId(id)}`
}

/** What a node is called where there is little room. */
export function shortLabel(id: string, node: Pick<NodeView, 'name'> | undefined): string {
  return node?.name ?? shortId(id)
}

/** A number for people; a dash for what is not known. */
export function figure(value: number | undefined, unit = ''): string {
  return value === undefined ? '–' : `${NUMBERS.format(value)}${unit}`
}

/** A large number in few characters. */
export function compact(value: number): string {
  return value < 100_000 ? NUMBERS.format(value) : COMPACT.format(value)
}

/** Bytes a second, or in all. */
export function bytes(value: number | undefined): string {
  if (value === undefined) return '–'
  if (value < 1_000) return `${Math.round(value)} B`
  return value < 1_000_000 ? `${NUMBERS.format(value / 1_000)} kB` : `${NUMBERS.format(value / 1_000_000)} MB`
}

/** A round-trip time: tenths where they matter. */
export function latency(value: number | undefined): string {
  if (value === undefined) return '–'
  if (value < 1) return '< 1 ms'
  return `${value < 10 ? NUMBERS.format(value) : Math.round(value)} ms`
}

/** A moment of this day. */
export function clockTime(at: number, withMilliseconds = false): string {
  const date = new Date(at)
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()]
  const text = parts.map((part) => String(part).padStart(2, '0')).join(':')
  return withMilliseconds ? `${text}.${String(date.getMilliseconds()).padStart(3, '0')}` : text
}

/** A span of time. */
export function span(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`
  const seconds = Math.round(milliseconds / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A count and its noun. */
export function count(number: number, noun: string): string {
  return `${NUMBERS.format(number)} ${noun}${number === 1 ? '' : 's'}`
}

/** What becomes of messages on a link. */
export function treeWord({ tree }: LinkSummary): string {
  return tree ?? '–'
}

/** Whether bytes can be read on their way. */
export function encryptedWord({ encrypted }: LinkSummary): string {
  if (encrypted === undefined) return '–'
  return encrypted ? 'encrypted' : 'in the clear'
}
