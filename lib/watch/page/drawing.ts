import type { Palette } from './palette.ts'
import { type LinkSummary, type LinkView, type NodeView, type Picture, summarizeLink } from './picture.ts'
import { latency, shortId, shortLabel } from './words.ts'

/** From units of the picture to pixels. */
export interface View {
  readonly x: number
  readonly y: number
  readonly k: number
  readonly width: number
  readonly height: number
}

/** What somebody looks at. */
export interface Attention {
  readonly selected: string | undefined
  readonly hovered: string | undefined
  /** The node that the page is connected to. */
  readonly self: string | undefined
  /** Whether all labels are wanted, whatever the number of nodes. */
  readonly allLabels: boolean
}

/** Lines of one look: drawn at one go. */
export interface Strokes {
  readonly colour: string
  readonly width: number
  readonly dash: readonly number[]
  /** x1, y1, x2, y2 of each. */
  readonly lines: number[]
}

/** A node. */
export interface Disc {
  readonly id: string
  readonly x: number
  readonly y: number
  readonly radius: number
  readonly fill: string
  readonly stroke: string
  readonly width: number
  /** A ring around it, further out. */
  readonly ring: string | undefined
}

/** A text, centred at its place. */
export interface Label {
  readonly x: number
  readonly y: number
  readonly text: string
  readonly size: number
  readonly colour: string
  readonly isBold: boolean
}

/** A picture as shapes in pixels: the same for the screen and for a file. */
export interface Drawing {
  readonly strokes: readonly Strokes[]
  /** Triangles of three points each, by colour. */
  readonly arrows: readonly { readonly colour: string; readonly points: readonly number[] }[]
  readonly discs: readonly Disc[]
  readonly labels: readonly Label[]
}

/** Where a node is. */
export type Spots = (id: string) => { readonly x: number; readonly y: number } | undefined

/** Up to this many nodes all have their labels, and links up to this many have arrows and latencies. */
const LABELLED_NODES = 45
const ARROWED_LINKS = 160
const LABELLED_LINKS = 24
const DENSE_LINKS = 400
/** Beyond this magnification everything in sight is labelled. */
const CLOSE = 1.6

/** Draws a picture. */
export function draw(
  picture: Picture,
  spots: Spots,
  view: View,
  attention: Attention,
  palette: Palette,
): Drawing {
  const sketch = new Sketch(picture, spots, view, attention, palette)
  for (const link of picture.links.values()) sketch.addLink(link)
  for (const node of picture.nodes.values()) sketch.addNode(node)
  return sketch.finish()
}

/** How large nodes are, in pixels: of few nodes each is large. */
export function nodeRadius(nodes: number, k: number): number {
  const size = nodes <= 12 ? 15 : nodes <= 60 ? 10 : nodes <= 200 ? 8 : 7
  return Math.min(24, Math.max(2.5, size * Math.sqrt(k)))
}

class Sketch {
  readonly #spots: Spots
  readonly #view: View
  readonly #attention: Attention
  readonly #palette: Palette
  readonly #radius: number
  readonly #isLabelled: boolean
  readonly #hasArrows: boolean
  readonly #hasLatencies: boolean
  /** Of very many links those that only announce are a veil, and the tree is what one sees. */
  readonly #isDense: boolean
  readonly #strokes = new Map<string, Strokes>()
  readonly #arrows = new Map<string, number[]>()
  readonly #discs: Disc[] = []
  readonly #labels: Label[] = []

  constructor(picture: Picture, spots: Spots, view: View, attention: Attention, palette: Palette) {
    this.#spots = spots
    this.#view = view
    this.#attention = attention
    this.#palette = palette
    const isClose = view.k > CLOSE
    this.#radius = nodeRadius(picture.nodes.size, view.k)
    this.#isLabelled = attention.allLabels || picture.nodes.size <= LABELLED_NODES || isClose
    this.#hasArrows = picture.links.size <= ARROWED_LINKS || isClose
    this.#hasLatencies = picture.links.size <= LABELLED_LINKS
    this.#isDense = picture.links.size > DENSE_LINKS && !isClose
  }

  addLink(link: LinkView): void {
    const from = this.#pixel(link.a)
    const to = this.#pixel(link.b)
    if (from === undefined || to === undefined || this.#isOutside(from, to)) return
    const summary = summarizeLink(link)
    const isChosen = this.#attention.selected === link.a || this.#attention.selected === link.b
    const look = this.#look(summary, isChosen)
    let strokes = this.#strokes.get(look.key)
    if (strokes === undefined) this.#strokes.set(look.key, (strokes = { ...look, lines: [] }))
    strokes.lines.push(from.x, from.y, to.x, to.y)
    if (summary.opener !== undefined && (this.#hasArrows || isChosen)) {
      const isForward = summary.opener === link.a
      this.#addArrow(isForward ? from : to, isForward ? to : from, look.colour)
    }
    if (this.#hasLatencies || isChosen) this.#addFacts(from, to, summary, isChosen)
  }

  addNode(node: NodeView): void {
    const place = this.#pixel(node.id)
    if (place === undefined || this.#isOutside(place, place)) return
    const { selected, hovered, self } = this.#attention
    const { background, node: blue, stranger, focus, ink, faint } = this.#palette
    const isSelected = selected === node.id
    this.#discs.push({
      id: node.id,
      ...place,
      radius: this.#radius,
      fill: node.isWatched ? blue : background,
      stroke: node.isWatched ? background : stranger,
      width: node.isWatched ? 1.5 : Math.min(2.5, this.#radius / 3),
      ring: isSelected ? focus : self === node.id ? blue : undefined,
    })
    if (!this.#isLabelled && !isSelected && hovered !== node.id && self !== node.id) return
    // The first line is larger where there is room: it is read from the last row.
    const size = this.#radius > 16 ? 15 : 13
    const y = place.y + this.#radius + size + 1
    const text = shortLabel(node.id, node)
    this.#labels.push({ x: place.x, y, text, size, colour: ink, isBold: isSelected || self === node.id })
    if (node.name === undefined) return
    const second = { x: place.x, y: y + size + 1, text: shortId(node.id), size: 11 }
    this.#labels.push({ ...second, colour: faint, isBold: false })
  }

  finish(): Drawing {
    // The quiet ones first: the tree lies on top, and the links of the chosen node above all.
    const strokes = [...this.#strokes.values()].sort((one, other) => one.width - other.width)
    const arrows = [...this.#arrows].map(([colour, points]) => ({ colour, points }))
    return { strokes, arrows, discs: this.#discs, labels: this.#labels }
  }

  #look(
    { tree, encrypted, temporary }: LinkSummary,
    isChosen: boolean,
  ): { key: string; colour: string; width: number; dash: number[] } {
    const { eager, lazy, veil, open, ink } = this.#palette
    const isLazy = tree === 'lazy'
    const base = isLazy ? (this.#isDense ? veil : lazy) : eager
    const colour = isChosen ? ink : encrypted === false ? open : base
    const scale = Math.min(1.4, Math.max(0.45, Math.sqrt(this.#view.k)))
    // Dots for what lasts a moment, dashes for what only announces.
    const dash = temporary ? [0.5, 5 * scale] : isLazy ? [5 * scale, 5 * scale] : []
    const width =
      (tree === 'eager' ? 2.6 : isLazy ? (this.#isDense && !isChosen ? 0.55 : 1.2) : 1.6) * scale +
      (isChosen ? 0.4 : 0)
    return { key: `${colour} ${width} ${dash.length} ${dash[0]}`, colour, width, dash }
  }

  #addArrow(from: Place, to: Place, colour: string): void {
    const length = Math.hypot(to.x - from.x, to.y - from.y)
    if (length < 4 * this.#radius) return
    const [dx, dy] = [(to.x - from.x) / length, (to.y - from.y) / length]
    const size = Math.min(6.5, this.#radius * 0.6 + 1)
    // Not in the middle: there stands the latency, and a message passes.
    const x = from.x + dx * length * 0.62
    const y = from.y + dy * length * 0.62
    const points = this.#arrows.get(colour) ?? []
    points.push(x + dx * size, y + dy * size, x - dx * size - dy * size, y - dy * size + dx * size)
    points.push(x - dx * size + dy * size, y - dy * size - dx * size)
    this.#arrows.set(colour, points)
  }

  #addFacts(from: Place, to: Place, { latency: time, via, encrypted }: LinkSummary, isChosen: boolean): void {
    if (Math.hypot(to.x - from.x, to.y - from.y) < 70) return
    const how =
      via !== undefined && (isChosen || via.length === 64)
        ? `via ${via.length === 64 ? shortId(via) : via}`
        : ''
    const words = [time === undefined ? '' : latency(time), how, encrypted === false ? 'in the clear' : '']
    const text = words.filter((word) => word !== '').join(' · ')
    if (text === '') return
    // Beside the line, on its upper side.
    const length = Math.hypot(to.x - from.x, to.y - from.y)
    const side = to.x < from.x ? -1 : 1
    const away = 11 + (Math.abs(to.y - from.y) / length) * text.length * 2.6
    const x = (from.x + to.x) / 2 + (side * away * (to.y - from.y)) / length
    const y = (from.y + to.y) / 2 - (side * away * (to.x - from.x)) / length
    this.#labels.push({ x, y, text, size: 11, colour: this.#palette.faint, isBold: false })
  }

  #pixel(id: string): Place | undefined {
    const spot = this.#spots(id)
    if (spot === undefined) return undefined
    const { x, y, k } = this.#view
    return { x: spot.x * k + x, y: spot.y * k + y }
  }

  #isOutside(one: Place, other: Place): boolean {
    const { width, height } = this.#view
    const margin = 40
    return (
      Math.max(one.x, other.x) < -margin ||
      Math.min(one.x, other.x) > width + margin ||
      Math.max(one.y, other.y) < -margin ||
      Math.min(one.y, other.y) > height + margin
    )
  }
}

interface Place {
  readonly x: number
  readonly y: number
}
