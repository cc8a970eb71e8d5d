import type { Drawing } from './drawing.ts'

/** A drawing as an SVG file: no scripts, no fonts and no pictures from elsewhere. */
export function toSvg(
  drawing: Drawing,
  width: number,
  height: number,
  background: string,
  title: string,
): string {
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" role="img" font-family="system-ui, sans-serif" text-anchor="middle">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="${background}"/>`,
  ]
  for (const { colour, width: stroke, dash, lines } of drawing.strokes) {
    const dashes = dash.length === 0 ? '' : ` stroke-dasharray="${dash.map(round).join(' ')}"`
    parts.push(
      `<path fill="none" stroke="${colour}" stroke-width="${round(stroke)}" stroke-linecap="round"${dashes} d="${linesPath(lines)}"/>`,
    )
  }
  for (const { colour, points } of drawing.arrows)
    parts.push(`<path fill="${colour}" d="${trianglesPath(points)}"/>`)
  for (const { id, x, y, radius, fill, stroke, width: rim, ring } of drawing.discs) {
    const at = `cx="${round(x)}" cy="${round(y)}"`
    parts.push(
      `<circle ${at} r="${round(radius)}" fill="${fill}" stroke="${stroke}" stroke-width="${round(rim)}"><title>${escapeXml(id)}</title></circle>`,
    )
    if (ring !== undefined) {
      parts.push(`<circle ${at} r="${round(radius + 4.5)}" fill="none" stroke="${ring}" stroke-width="2.5"/>`)
    }
  }
  for (const { x, y, text, size, colour, isBold } of drawing.labels) {
    const weight = isBold ? ' font-weight="650"' : ''
    parts.push(
      `<text x="${round(x)}" y="${round(y + size / 3)}" font-size="${size}"${weight} fill="${colour}" stroke="${background}" stroke-width="4" stroke-linejoin="round" paint-order="stroke">${escapeXml(text)}</text>`,
    )
  }
  return `${parts.join('\n')}\n</svg>\n`
}

function linesPath(lines: readonly number[]): string {
  let path = ''
  for (let index = 0; index < lines.length; index += 4) {
    path += `M${round(lines[index]!)} ${round(lines[index + 1]!)}L${round(lines[index + 2]!)} ${round(lines[index + 3]!)}`
  }
  return path
}

function trianglesPath(points: readonly number[]): string {
  let path = ''
  for (let index = 0; index < points.length; index += 6) {
    const [ax, ay, bx, by, cx, cy] = points.slice(index, index + 6).map(round)
    path += `M${ax} ${ay}L${bx} ${by}L${cx} ${cy}Z`
  }
  return path
}

/** Names come from other nodes: one with an angle bracket would be markup in whatever opens the file. */
function escapeXml(text: string): string {
  const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  // Characters that XML does not allow at all would make the file unreadable.
  const allowed = text.replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD]/g, '\uFFFD')
  return allowed.replace(/[&<>"]/g, (character) => escapes[character]!)
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
