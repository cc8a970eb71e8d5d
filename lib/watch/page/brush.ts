import type { Drawing, Spots, View } from './drawing.ts'
import type { Palette } from './palette.ts'
import type { Dot, Glow } from './travels.ts'

/** The fonts of the whole page: those that the machine has. */
export const FONT = 'system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif'

const WHOLE_TURN = 2 * Math.PI

/** Paints a drawing onto a canvas, over whatever is there. */
export function paint(context: CanvasRenderingContext2D, drawing: Drawing, palette: Palette): void {
  context.lineCap = 'round'
  for (const { colour, width, dash, lines } of drawing.strokes) {
    context.strokeStyle = colour
    context.lineWidth = width
    context.setLineDash([...dash])
    context.beginPath()
    for (let index = 0; index < lines.length; index += 4) {
      context.moveTo(lines[index]!, lines[index + 1]!)
      context.lineTo(lines[index + 2]!, lines[index + 3]!)
    }
    context.stroke()
  }
  context.setLineDash([])
  for (const { colour, points } of drawing.arrows) paintTriangles(context, points, colour)
  for (const { x, y, radius, fill, stroke, width, ring } of drawing.discs) {
    context.fillStyle = fill
    context.strokeStyle = stroke
    context.lineWidth = width
    circle(context, x, y, radius)
    context.fill()
    context.stroke()
    if (ring === undefined) continue
    context.strokeStyle = ring
    context.lineWidth = 2.5
    circle(context, x, y, radius + 4.5)
    context.stroke()
  }
  paintLabels(context, drawing, palette)
}

/** Paints what moves: messages on their way, and rings around nodes that they reached or that refused them. */
export function paintMotion(
  context: CanvasRenderingContext2D,
  { dots, glows }: { readonly dots: readonly Dot[]; readonly glows: readonly Glow[] },
  spots: Spots,
  { x, y, k }: View,
  radius: number,
  palette: Palette,
  colourOf: (author: string) => string,
): void {
  const pixel = (id: string): { x: number; y: number } | undefined => {
    const spot = spots(id)
    return spot && { x: spot.x * k + x, y: spot.y * k + y }
  }
  for (const { node, age, isRefusal, from } of glows) {
    const place = pixel(node)
    if (place === undefined) continue
    context.globalAlpha = (1 - age) * (isRefusal ? 1 : 0.55)
    context.strokeStyle = isRefusal ? palette.refusal : palette.node
    context.lineWidth = isRefusal ? 3 : 2
    circle(context, place.x, place.y, radius + 2 + age * radius * (isRefusal ? 1.4 : 0.9))
    context.stroke()
    if (isRefusal) paintCross(context, place, from === undefined ? undefined : pixel(from), radius)
  }
  context.globalAlpha = 1
  const size = Math.max(3, Math.min(8, radius * 0.45))
  for (const { from, to, progress, author } of dots) {
    const begin = pixel(from)
    const end = pixel(to)
    if (begin === undefined || end === undefined) continue
    const way = ease(progress)
    context.fillStyle = colourOf(author)
    context.strokeStyle = palette.background
    context.lineWidth = 1.5
    circle(context, begin.x + (end.x - begin.x) * way, begin.y + (end.y - begin.y) * way, size)
    context.fill()
    context.stroke()
  }
}

/** At the node's edge, on the side that the refused message came from. */
function paintCross(
  context: CanvasRenderingContext2D,
  node: { x: number; y: number },
  from: { x: number; y: number } | undefined,
  radius: number,
): void {
  const angle = from === undefined ? -Math.PI / 2 : Math.atan2(from.y - node.y, from.x - node.x)
  const distance = radius + 9
  const x = node.x + Math.cos(angle) * distance
  const y = node.y + Math.sin(angle) * distance
  const size = Math.max(4, Math.min(7, radius * 0.6))
  context.lineWidth = 3.5
  context.beginPath()
  context.moveTo(x - size, y - size)
  context.lineTo(x + size, y + size)
  context.moveTo(x + size, y - size)
  context.lineTo(x - size, y + size)
  context.stroke()
}

function paintTriangles(context: CanvasRenderingContext2D, points: readonly number[], colour: string): void {
  context.fillStyle = colour
  context.beginPath()
  for (let index = 0; index < points.length; index += 6) {
    context.moveTo(points[index]!, points[index + 1]!)
    context.lineTo(points[index + 2]!, points[index + 3]!)
    context.lineTo(points[index + 4]!, points[index + 5]!)
  }
  context.fill()
}

function paintLabels(context: CanvasRenderingContext2D, { labels }: Drawing, palette: Palette): void {
  context.textAlign = 'center'
  context.textBaseline = 'middle'
  context.lineJoin = 'round'
  context.strokeStyle = palette.background
  context.lineWidth = 4
  for (const { x, y, text, size, colour, isBold } of labels) {
    context.font = `${isBold ? '650' : '450'} ${size}px ${FONT}`
    // A rim in the colour of the ground keeps it readable on links.
    context.strokeText(text, x, y)
    context.fillStyle = colour
    context.fillText(text, x, y)
  }
}

function circle(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath()
  context.arc(x, y, radius, 0, WHOLE_TURN)
}

/** Slow at both ends: the eye follows it from node to node. */
function ease(progress: number): number {
  return progress * progress * (3 - 2 * progress)
}
