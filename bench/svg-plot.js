// Plots as SVG without a library: lines and bars, on a ground of their own, so that they can be read on any page.

const WIDTH = 760
const HEIGHT = 420
/** Room around the plot: left for numbers, right for nothing, below for the axis. */
const MARGIN = { top: 48, right: 24, bottom: 56, left: 72 }
const BAR = 26
const LEGEND_LINE = 20
/** Okabe and Ito's colours, which also those tell apart who see few. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8a6d3b', '#888888']
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 15px; font-weight: 600 }
  .ground { fill: #ffffff }
  .grid { stroke: #d8dee4 }
  .spread { stroke: #24292f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ground { fill: #0d1117 }
    .grid { stroke: #30363d }
    .spread { stroke: #e6edf3 }
  }`

/**
 * Lines over an axis of numbers; `xLog` and `yLog` make an axis logarithmic, where values of zero or less are left out.
 * Series may have fewer points than others.
 */
export function lineChart({ title, xLabel, yLabel, xLog = false, yLog = false, series }) {
  const isDrawable = ([x, y]) => isOnScale(x, xLog) && isOnScale(y, yLog)
  const lines = series.map(({ name, points }) => ({ name, points: points.filter(isDrawable) }))
  const all = lines.flatMap(({ points }) => points)
  const right = WIDTH - MARGIN.right
  const bottom = HEIGHT - MARGIN.bottom
  const x = scale(
    all.map(([value]) => value),
    xLog,
    [MARGIN.left, right],
  )
  const y = scale(
    all.map(([, value]) => value),
    yLog,
    [bottom, MARGIN.top],
  )
  const parts = [
    ...x.ticks.map((tick) => vertical(x.at(tick), MARGIN.top, bottom) + label(x.at(tick), bottom + 18, tick)),
    ...y.ticks.map(
      (tick) =>
        `<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${y.at(tick)}" y2="${y.at(tick)}"/>` +
        text(MARGIN.left - 8, y.at(tick) + 4, short(tick), 'end'),
    ),
    text((MARGIN.left + right) / 2, bottom + 40, xLabel, 'middle'),
    `<g transform="translate(18 ${(MARGIN.top + bottom) / 2}) rotate(-90)">${text(0, 0, yLabel, 'middle')}</g>`,
    ...lines.map(({ points }, index) => drawLine(points, x, y, colour(index))),
  ]
  const names = lines.map(({ name }) => name)
  return document(title, parts, HEIGHT, names)
}

/**
 * Horizontal bars, one for each `{ name, value }`; `low` and `high` draw the spread, and `colour` is the number of a
 * colour, for those that belong together.
 */
export function barChart({ title, xLabel, xLog = false, bars }) {
  const drawn = bars.filter(({ value }) => isOnScale(value, xLog))
  const left = 16 + 6.6 * Math.max(0, ...drawn.map(({ name }) => name.length))
  const bottom = MARGIN.top + drawn.length * BAR
  // The number stands behind its bar.
  const values = drawn.flatMap(({ value, high = value }) => [value, high])
  const x = scale(xLog ? [...values, ...values.map((value) => value / 2)] : [0, ...values], xLog, [
    left,
    WIDTH - MARGIN.right - 56,
  ])
  const start = x.at(x.ticks[0])
  const parts = x.ticks.map(
    (tick) => vertical(x.at(tick), MARGIN.top, bottom) + label(x.at(tick), bottom + 18, tick),
  )
  drawn.forEach(({ name, value, low, high, colour: number = 0 }, index) => {
    const top = MARGIN.top + index * BAR
    const middle = top + BAR / 2
    parts.push(
      text(left - 8, middle + 4, name, 'end'),
      `<rect x="${start}" y="${top + 4}" width="${round(Math.max(1, x.at(value) - start))}" height="${BAR - 8}" fill="${colour(number)}"/>`,
    )
    if (low !== undefined && high !== undefined && high > low) {
      const from = Math.max(start, x.at(Math.max(low, x.ticks[0])))
      parts.push(
        `<line class="spread" x1="${from}" x2="${x.at(high)}" y1="${middle}" y2="${middle}" stroke-width="1.5"/>`,
      )
    }
    parts.push(text(x.at(Math.max(value, high ?? value)) + 6, middle + 4, short(value), 'start'))
  })
  parts.push(text((left + WIDTH - MARGIN.right) / 2, bottom + 40, xLabel, 'middle'))
  return document(title, parts, bottom + MARGIN.bottom, [])
}

function document(title, parts, plotHeight, names) {
  const columns = 2
  const height = plotHeight + Math.ceil(names.length / columns) * LEGEND_LINE + (names.length > 0 ? 12 : 0)
  const legend = names.map((name, index) => {
    const left = MARGIN.left + (index % columns) * ((WIDTH - MARGIN.left) / columns)
    const top = plotHeight + 12 + Math.floor(index / columns) * LEGEND_LINE
    return `<rect x="${left}" y="${top - 9}" width="18" height="4" fill="${colour(index)}"/>${text(left + 26, top - 3, name, 'start')}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escape(title)}">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="ground" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="16" y="26">${escape(title)}</text>`,
    ...parts,
    ...legend,
    '</svg>\n',
  ].join('\n')
}

function drawLine(points, x, y, stroke) {
  const places = points.map(([a, b]) => [x.at(a), y.at(b)])
  const path = places.map(([a, b]) => `${a},${b}`).join(' ')
  const dots = places.map(([a, b]) => `<circle cx="${a}" cy="${b}" r="3" fill="${stroke}"/>`)
  return `<polyline points="${path}" fill="none" stroke="${stroke}" stroke-width="2"/>${dots.join('')}`
}

/** From values to pixels, with round numbers to write at the axis. */
function scale(values, isLog, [from, to]) {
  const low = values.length === 0 ? 1 : Math.min(...values)
  const high = values.length === 0 ? 10 : Math.max(...values)
  const ticks = isLog ? logTicks(low, high) : linearTicks(Math.min(0, low), high)
  const project = isLog ? Math.log10 : (value) => value
  const first = project(ticks[0])
  const span = project(ticks.at(-1)) - first
  return { ticks, at: (value) => round(from + ((project(value) - first) / span) * (to - from)) }
}

function linearTicks(low, high) {
  const span = high - low || 1
  const rough = 10 ** Math.floor(Math.log10(span / 4))
  const step = rough * ([1, 2, 5].find((factor) => span / (rough * factor) <= 6) ?? 10)
  const first = Math.floor(low / step)
  const count = Math.ceil(low / step + span / step - first - 1e-9)
  return Array.from({ length: count + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)))
}

/** Powers of ten, and what lies between them where there are few. */
function logTicks(low, high) {
  const first = Math.floor(Math.log10(low))
  const last = Math.max(first + 1, Math.ceil(Math.log10(high) - 1e-9))
  const factors = last - first <= 2 ? [1, 2, 5] : [1]
  const ticks = []
  for (let power = first; power <= last; power++) {
    for (const factor of factors) ticks.push(Number((factor * 10 ** power).toPrecision(12)))
  }
  // The axis ends at the first number that is not below everything.
  const end = ticks.findIndex((tick) => tick >= high)
  const start = ticks.findLastIndex((tick) => tick <= low)
  return ticks.slice(Math.max(0, start), Math.max(start + 1, end) + 1)
}

function isOnScale(value, isLog) {
  return Number.isFinite(value) && (!isLog || value > 0)
}

function vertical(x, top, bottom) {
  return `<line class="grid" x1="${x}" x2="${x}" y1="${top}" y2="${bottom}"/>`
}

function label(x, y, tick) {
  return text(x, y, short(tick), 'middle')
}

function text(x, y, content, anchor) {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escape(content)}</text>`
}

function short(value) {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

function colour(index) {
  return COLOURS[index % COLOURS.length]
}

function round(value) {
  return Math.round(value * 10) / 10
}

function escape(content) {
  return String(content)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
}
