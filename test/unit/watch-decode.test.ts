// What comes in: from a node, from a file, from anybody.
import t from 'tap'
import { decodeGraph, decodeHappening } from '../../lib/watch/page/decode.ts'
import { MAX_NODES, MAX_TEXT } from '../../lib/watch/page/page-limits.ts'
import { EMPTY } from '../../lib/watch/page/picture.ts'
import { reduce } from '../../lib/watch/page/reduce.ts'
import { StreamParser } from '../../lib/watch/page/sse.ts'
import { readTrace, writeTrace } from '../../lib/watch/page/trace.ts'
import { FakeNetwork } from '../fixtures/fake-network.ts'

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)] as const

t.test('what is no event is none', async (t) => {
  const base = { at: 1, node: A }
  const bad = [
    undefined, null, 7, 'link', [], {},
    { ...base }, { ...base, kind: 'unknown' }, { ...base, kind: 'snapshot' }, { ...base, kind: 'snapshot', status: [] },
    { ...base, kind: 'link' }, { ...base, kind: 'link', peer: 'b' }, { ...base, kind: 'link', peer: B.toUpperCase() },
    { ...base, kind: 'figures' }, { ...base, kind: 'graph', graph: { nodes: 1 } },
    { ...base, kind: 'message', id: B }, { ...base, kind: 'message', id: B, verdict: 'lost' }, { ...base, kind: 'refused' },
    { kind: 'gone', at: 1 }, { kind: 'gone', node: A }, { kind: 'gone', node: A, at: NaN }, { kind: 'gone', node: A, at: 1e300 },
  ] // prettier-ignore
  for (const value of bad) t.equal(decodeHappening(value), undefined, JSON.stringify(value))
})

t.test('of an event only what is known and well formed is taken', async (t) => {
  const event = { kind: 'link', at: 1, node: A, peer: B, latency: -1, tree: 'green', encrypted: 1, via: 'tls', __proto__: { direction: 'inbound' }, extra: {} } // prettier-ignore
  const { via, ...rest } = decodeHappening(event) as unknown as Record<string, unknown>
  t.equal(via, 'tls')
  t.strictSame(
    [rest['latency'], rest['tree'], rest['encrypted'], rest['extra']],
    [undefined, undefined, undefined, undefined],
  )
})

t.test('names are cut, and cannot turn the writing round', async (t) => {
  const status = { name: `evil\u202E\u0007\n${'x'.repeat(1_000)}`, links: [] }
  const happening = decodeHappening({ kind: 'snapshot', at: 1, node: A, status })
  const { name } = (happening as { status: { name: string } }).status
  t.equal(name.length, MAX_TEXT)
  t.match(name, /^evil x+$/)
})

t.test('a map has nodes that answered and those that did not', async (t) => {
  const graph = decodeGraph({ nodes: [{ id: A }, 5, { id: 'x' }], silent: [B], links: [{ a: A, b: B, latency: 2 }, { a: A, b: A }, 3] }) // prettier-ignore
  t.strictSame(graph, { nodes: [A, B], links: [{ a: A, b: B, latency: 2 }] })
  const many = Array.from({ length: MAX_NODES + 5 }, (_, index) => index.toString(16).padStart(64, '0'))
  t.equal(decodeGraph({ nodes: many, links: [] })!.nodes.length, MAX_NODES)
})

t.test('a stream in any pieces gives the same events', async (t) => {
  const text = ': hello\n\nid: 1\nevent: x\ndata: one\ndata:two\n\nid: 2\r\ndata: {"a":1}\r\n\r\nretry: 5\n\n'
  const expected = [
    { event: 'x', data: 'one\ntwo', id: '1' },
    { event: 'message', data: '{"a":1}', id: '2' },
  ]
  for (const length of [1, 2, 3, 7, 1_000]) {
    const parser = new StreamParser()
    const pieces = text.match(new RegExp(`[^]{1,${length}}`, 'g'))!
    t.strictSame(pieces.flatMap((piece) => parser.feed(piece)), expected, `pieces of ${length}`) // prettier-ignore
  }
})

t.test('an event without an end is refused', async (t) => {
  const parser = new StreamParser()
  const piece = 'x'.repeat(5 * 1024 * 1024)
  t.throws(() => {
    for (let count = 0; count < 5; count++) parser.feed(piece)
  }, RangeError)
})

t.test('a trace that is saved and opened makes the same picture', async (t) => {
  const net = new FakeNetwork(8)
  const before = [...net.snapshots(), ...net.message(1, 'one')].map((event) => decodeHappening(event)!)
  const after = [...net.pass(9).message(2, '<b>two</b>'), net.refusal(1, 2, 'stale')].map((event) =>
    decodeHappening(event)!,
  )
  const { happenings, skipped } = readTrace(writeTrace(EMPTY, [...before, ...after]))
  t.equal(skipped, 0)
  t.strictSame(reduce(EMPTY, happenings), reduce(EMPTY, [...before, ...after]))
})

t.test('a trace whose beginning was forgotten has the nodes and links of then', async (t) => {
  const net = new FakeNetwork(8)
  const graph = { kind: 'graph', at: net.now, node: net.ids[0], graph: net.graph() }
  const origin = reduce(EMPTY, [...net.snapshots(), graph].map((event) => decodeHappening(event)!)) // prettier-ignore
  const { happenings } = readTrace(writeTrace(origin, [{ kind: 'gone', at: net.now + 5, node: A }]))
  const picture = reduce(EMPTY, happenings)
  t.strictSame([...picture.nodes.keys()], [...origin.nodes.keys()])
  const linksOf = (links: typeof origin.links): unknown[] => [...links.values()].sort((one, other) => (one.key < other.key ? -1 : 1)) // prettier-ignore
  t.strictSame(linksOf(picture.links), linksOf(origin.links))
})

t.test('the lines of a tool can be opened too, and what is no event is left out', async (t) => {
  const lines = [{ kind: 'gone', at: 1, node: A }, { hello: 1 }, { kind: 'gone', at: 2, node: B }]
  const text = lines.map((line) => JSON.stringify(line)).join('\n')
  t.match(readTrace(`${text}\n`), { happenings: [{ node: A }, { node: B }], skipped: 1 })
  t.match(readTrace(JSON.stringify(lines[0])), { happenings: [{ node: A }], skipped: 0 })
})

t.test('what is no trace says so', async (t) => {
  const newer = JSON.stringify({ format: 'secure-node/trace', v: 2, events: [] })
  for (const text of ['', '{', 'hello', '[]', 'null', '{"format":"secure-node/trace"}', newer]) {
    t.throws(() => readTrace(text), SyntaxError, text)
  }
})
