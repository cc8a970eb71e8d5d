// What is drawn, without a canvas; and what moves, without a clock.
import t from 'tap'
import { BackOff } from '../../lib/watch/page/back-off.ts'
import { decodeHappening } from '../../lib/watch/page/decode.ts'
import { draw, type Drawing } from '../../lib/watch/page/drawing.ts'
import { LAST_RETRY, MAX_TRAVELS } from '../../lib/watch/page/page-limits.ts'
import { AuthorColours, PALETTES } from '../../lib/watch/page/palette.ts'
import { EMPTY, type Picture } from '../../lib/watch/page/picture.ts'
import { reduce } from '../../lib/watch/page/reduce.ts'
import { toSvg } from '../../lib/watch/page/svg.ts'
import { Travels } from '../../lib/watch/page/travels.ts'
import { bytes, clockTime, compact, count, latency, span } from '../../lib/watch/page/words.ts'
import { FakeNetwork } from '../fixtures/fake-network.ts'

const VIEW = { x: 500, y: 400, k: 1, width: 1_000, height: 800 }
const NOBODY = { selected: undefined, hovered: undefined, self: undefined, allLabels: false }

function pictureOf(net: FakeNetwork): Picture {
  return reduce(EMPTY, net.snapshots().map((event) => decodeHappening(event)!)) // prettier-ignore
}

function drawingOf(net: FakeNetwork, attention = {}): Drawing {
  const spots = new Map(
    net.ids.map((id, index) => [id, { x: Math.cos(index) * 300, y: Math.sin(index) * 300 }]),
  )
  return draw(pictureOf(net), (id) => spots.get(id), VIEW, { ...NOBODY, ...attention }, PALETTES.light)
}

t.test('of few nodes all have names and IDs, and links their latencies', async (t) => {
  const { discs, labels, arrows } = drawingOf(new FakeNetwork(5))
  t.equal(discs.length, 5)
  t.ok(labels.some(({ text }) => text === 'node 3'))
  t.ok(labels.some(({ text }) => / ms$/.test(text)))
  t.ok(arrows.length > 0)
})

t.test('eager and lazy links differ in more than their colour', async (t) => {
  const { strokes } = drawingOf(new FakeNetwork(5))
  t.strictSame(strokes.map(({ dash }) => dash.length > 0), [true, false]) // prettier-ignore
  t.ok(strokes[0]!.width < strokes[1]!.width)
})

t.test('of many nodes only the chosen one and that of the page have names', async (t) => {
  const net = new FakeNetwork(200)
  t.equal(drawingOf(net).labels.length, 0)
  const { labels, discs } = drawingOf(net, { selected: net.ids[7] })
  t.ok(labels.some(({ text }) => text === net.ids[7]!.slice(0, 6)))
  t.equal(discs.filter(({ ring }) => ring !== undefined).length, 1)
  t.equal(drawingOf(net, { allLabels: true }).labels.length, 200)
})

t.test('what is out of sight is not drawn', async (t) => {
  const net = new FakeNetwork(5)
  const { discs, strokes } = draw(pictureOf(net), () => ({ x: 9_000, y: 0 }), VIEW, NOBODY, PALETTES.dark)
  t.equal(discs.length + strokes.length, 0)
})

t.test('a file of the picture has no markup of others in it', async (t) => {
  const net = new FakeNetwork(2)
  const label = { x: 1, y: 2, text: '<script>&"\u0001', size: 12, colour: '#000', isBold: true }
  const svg = toSvg({ ...drawingOf(net), labels: [label] }, 100, 80, '#fff', 'a <title>')
  t.match(svg, /^<svg xmlns/)
  t.match(svg, '&lt;script&gt;&amp;&quot;\uFFFD')
  t.match(svg, '<title>a &lt;title&gt;</title>')
  t.notMatch(svg, /<script|href|NaN|undefined/)
  t.equal(svg.split('<circle').length - 1, 2)
})

t.test('a hop begins where and when the one before has ended, in whatever order it is told', async (t) => {
  const net = new FakeNetwork(5)
  const told = net.message(0, 'hi').map((event) => decodeHappening(event)!)
  const travels = new Travels(100)
  travels.add(told, 0)
  const hops = (now: number): string[] => travels.at(now).dots.map(({ from, to }) => `${net.ids.indexOf(from)}>${net.ids.indexOf(to)}`).sort() // prettier-ignore
  t.strictSame(hops(50), ['0>1', '0>2'])
  t.strictSame(hops(150), ['1>3', '1>4'])
  t.strictSame(hops(250), [])
  t.equal(travels.at(150).glows.length, 3, 'the author, and the two that were reached')
  travels.at(5_000)
  t.ok(travels.isStill)
})

t.test('a refusal is a ring at the node that refused, when the message is there', async (t) => {
  const net = new FakeNetwork(5)
  const travels = new Travels(100)
  travels.add([decodeHappening(net.refusal(2, 1, 'bad-shape'))!], 0)
  t.match(travels.at(50), { dots: [{ from: net.ids[1], to: net.ids[2] }], glows: [] })
  t.match(travels.at(150).glows.find(({ isRefusal }) => isRefusal), { node: net.ids[2], from: net.ids[1] }) // prettier-ignore
})

t.test('only so many messages move at once', async (t) => {
  const net = new FakeNetwork(5)
  const travels = new Travels(100)
  for (let round = 0; round < 200; round++) travels.add(net.message(0, 'hi').map((event) => decodeHappening(event)!), 0) // prettier-ignore
  t.equal(travels.at(50).dots.length, MAX_TRAVELS * 2)
  travels.clear()
  t.ok(travels.isStill)
})

t.test('an author always has the same colour, and the first ones all have different ones', async (t) => {
  const colours = new AuthorColours()
  const { ids } = new FakeNetwork(5_000)
  const first = ids.slice(0, 6).map((id) => colours.of(id, PALETTES.light))
  t.equal(new Set(first).size, 6)
  t.ok(ids.every((id) => PALETTES.dark.authors.includes(colours.of(id, PALETTES.dark))))
  t.strictSame(ids.slice(0, 6).map((id) => colours.of(id, PALETTES.light)), first) // prettier-ignore
})

t.test('it is tried again after twice as long each time, until every half minute', async (t) => {
  const backOff = new BackOff(() => 1)
  t.strictSame([1, 2, 3, 4, 5, 6, 7].map(() => backOff.next()), [1_000, 2_000, 4_000, 8_000, 16_000, LAST_RETRY, LAST_RETRY]) // prettier-ignore
  backOff.reset()
  t.equal(backOff.next(), 1_000)
})

t.test('figures are written for people', async (t) => {
  t.strictSame([compact(999), compact(2_000), compact(262_144)], ['999', '2,000', '262.1K'])
  t.strictSame(
    [latency(undefined), latency(0.2), latency(2.34), latency(23.4)],
    ['–', '< 1 ms', '2.3 ms', '23 ms'],
  )
  t.strictSame([bytes(undefined), bytes(12), bytes(2_300), bytes(5e6)], ['–', '12 B', '2.3 kB', '5 MB'])
  t.strictSame(
    [span(20), span(20_400), span(90_000), span(7_260_000)],
    ['20 ms', '20 s', '1 min 30 s', '2 h 1 min'],
  )
  t.strictSame([count(1, 'hop'), count(2, 'hop')], ['1 hop', '2 hops'])
  t.match(clockTime(5, true), /^\d\d:\d\d:00\.005$/)
})
