import { linkButton, make } from './dom.ts'
import type { AuthorColours, Palette } from './palette.ts'
import type { MessageView, Picture, RefusalView } from './picture.ts'
import { bytes, clockTime, count, nodeLabel, shortId } from './words.ts'

/** Entries that are shown. */
const MAX_ENTRIES = 60
/** Hops of a message that are listed. */
const MAX_LISTED_HOPS = 100

/** What the list of messages needs to know. */
export interface FeedView {
  readonly picture: Picture
  readonly palette: Palette
  readonly colours: AuthorColours
  /** The message whose way is listed. */
  readonly chosen: string | undefined
  readonly onChoose: (message: MessageView) => void
  readonly onSelect: (id: string) => void
}

/** The latest messages and refusals, the newest first. */
export function feed(view: FeedView): Node[] {
  const { picture } = view
  if (picture.messages.size === 0 && picture.refusals.length === 0) {
    return [make('p', { class: 'hint' }, 'No message yet at this moment.')]
  }
  const entries = [
    ...[...picture.messages.values()].map((message) => ({
      at: message.at,
      item: () => messageItem(view, message),
    })),
    ...picture.refusals.map((refusal) => ({ at: refusal.at, item: () => refusalItem(view, refusal) })),
  ]
  entries.sort((one, other) => other.at - one.at)
  return [make('ul', { class: 'feed' }, ...entries.slice(0, MAX_ENTRIES).map(({ item }) => item()))]
}

function messageItem(view: FeedView, message: MessageView): HTMLElement {
  const { picture, palette, colours, chosen, onChoose, onSelect } = view
  const { id, author, type, at, hops, holders, refusals, preview, isSealed, size } = message
  const swatch = make('span', { class: 'swatch', 'aria-hidden': 'true' })
  if (author !== undefined) swatch.style.backgroundColor = colours.of(author, palette)
  const title = linkButton(type ?? 'message', () => onChoose(message), `message-${id}`)
  title.setAttribute('aria-expanded', String(chosen === id))
  const who = author === undefined ? 'unknown' : nodeLabel(author, picture.nodes.get(author))
  const nodes = new Set([...holders, ...hops.flatMap(({ from, to }) => [from, to])])
  const facts = [
    `by ${who}`,
    `at ${count(nodes.size, 'node')}`,
    count(hops.length, 'hop'),
    ...(size === undefined ? [] : [bytes(size)]),
    ...(refusals === 0 ? [] : [count(refusals, 'refusal')]),
  ]
  const text = isSealed ? 'sealed: only its addressees can read it' : preview
  return make(
    'li',
    {},
    make('time', {}, clockTime(at, true)),
    swatch,
    make('b', {}, title),
    make('div', { class: 'hint' }, facts.join(' · ')),
    ...(text === undefined ? [] : [make('div', {}, text)]),
    ...(chosen === id ? [way(picture, message, onSelect)] : []),
  )
}

/** The hops in their order: the way for those who do not see it. */
function way(picture: Picture, { hops }: MessageView, onSelect: (id: string) => void): HTMLElement {
  const nodeButton = (id: string, key: string): Node =>
    linkButton(nodeLabel(id, picture.nodes.get(id)), () => onSelect(id), key)
  const items = hops
    .slice(0, MAX_LISTED_HOPS)
    .map(({ from, to }) =>
      make('li', {}, nodeButton(from, `${from}>${to}<`), ' → ', nodeButton(to, `${from}>${to}`)),
    )
  const more = hops.length - items.length
  return make(
    'div',
    {},
    make('ol', {}, ...items),
    ...(more > 0 ? [make('p', { class: 'hint' }, `and ${count(more, 'more hop')}`)] : []),
  )
}

function refusalItem({ picture, onSelect }: FeedView, refusal: RefusalView): HTMLElement {
  const { at, node, from, id, author, code, text } = refusal
  const nodeButton = (peer: string, part: string): Node =>
    linkButton(
      nodeLabel(peer, picture.nodes.get(peer)),
      () => onSelect(peer),
      `refusal-${at}-${node}-${part}`,
    )
  return make(
    'li',
    { class: 'refusal' },
    make('time', {}, clockTime(at, true)),
    make('b', {}, `✕ Refused: ${code}`),
    make(
      'div',
      {},
      'by ',
      nodeButton(node, 'by'),
      ...(from === undefined ? [] : [', brought by ', nodeButton(from, 'from')]),
    ),
    ...(author === undefined
      ? []
      : [
          make(
            'div',
            { class: 'hint' },
            `it claims to be by ${nodeLabel(author, picture.nodes.get(author))}`,
          ),
        ]),
    ...(id === undefined ? [] : [make('div', { class: 'hint' }, `message ${shortId(id)}`)]),
    ...(text === undefined ? [] : [make('div', {}, text)]),
  )
}
