import t from 'tap'
import { drawDot, drawMermaid, drawText } from '../../lib/discovery/network-drawing.ts'
import { NetworkMap, type NodeReport } from '../../lib/discovery/network-map.ts'

const A = 'a'.repeat(64)
const B = 'b'.repeat(64)
const C = 'c'.repeat(64)
const D = 'd'.repeat(64)

const report = (
  id: string,
  latency: number,
  peers: readonly (readonly [string, number?])[],
  more = 0,
): NodeReport => {
  return { id, latency, more, links: peers.map(([peer, ms]) => ({ id: peer, latency: ms })) }
}

/** a—b—c, and somebody who does not answer. */
const small = new NetworkMap([
  report(A, 0, [[B, 3.14]]),
  report(B, 12.4, [[A, 3.2], [C]]), // prettier-ignore
  report(C, 123.4, [[B], [D, 7]]), // prettier-ignore
])

t.test('a network as text', async (t) => {
  t.equal(
    drawText(small),
    `3 nodes, 3 links; 1 did not answer

this node
  aaaaaaaa          bbbbbbbb 3.1 ms

1 hop
  bbbbbbbb   12 ms  aaaaaaaa 3.2 ms, cccccccc

2 hops
  cccccccc  123 ms  bbbbbbbb, dddddddd 7 ms

no answer
  dddddddd
`,
  )
})

t.test('a network as Graphviz', async (t) => {
  t.equal(
    drawDot(small),
    `graph network {
  "${A}" [label="aaaaaaaa" style=bold];
  "${B}" [label="bbbbbbbb\\n12 ms"];
  "${C}" [label="cccccccc\\n123 ms"];
  "${D}" [label="dddddddd" style=dashed];
  "${A}" -- "${B}" [label="3.1 ms"];
  "${B}" -- "${C}";
  "${C}" -- "${D}" [label="7 ms"];
}
`,
  )
})

t.test('a network as Mermaid', async (t) => {
  t.equal(
    drawMermaid(small),
    `flowchart LR
  n0(("aaaaaaaa"))
  n1["bbbbbbbb<br/>12 ms"]
  n2["cccccccc<br/>123 ms"]
  n3("dddddddd")
  n0 ---|3.1 ms| n1
  n1 --- n2
  n2 ---|7 ms| n3
`,
  )
})

t.test('a node alone', async (t) => {
  const map = new NetworkMap([report(A, 0, [])])
  t.equal(drawText(map), '1 node, 0 links\n\nthis node\n  aaaaaaaa\n')
  t.equal(drawDot(map), `graph network {\n  "${A}" [label="aaaaaaaa" style=bold];\n}\n`)
  t.equal(drawMermaid(map), 'flowchart LR\n  n0(("aaaaaaaa"))\n')
})

t.test('IDs that begin alike are shown as far as it takes to tell them apart', async (t) => {
  const twin = `${'a'.repeat(12)}${'b'.repeat(52)}`
  const map = new NetworkMap([report(A, 0, [[twin]]), report(twin, 1, [[A]])])
  t.match(drawText(map), /^ {2}a{13} .*\n\n1 hop\n {2}a{12}b {2}1 ms {2}a{13}$/m)
})

t.test('who cannot be reached by what was told comes last', async (t) => {
  const map = new NetworkMap([report(A, 0, []), report(B, 5, [[C]]), report(C, 5, [[B]])])
  t.match(drawText(map), /this node\n {2}a+\n\nsomewhere\n {2}bbbbbbbb .*\n {2}cccccccc .*\n$/)
})

t.test('a map may be complete in names and lack links', async (t) => {
  const map = new NetworkMap([report(A, 0, [[B]], 5), report(B, 1, [[A]])])
  t.match(drawText(map), /^2 nodes, 1 link; some may be missing\n/)
  t.match(drawText(map), / bbbbbbbb, 5 more\n/)
})

t.test('a thousand nodes, and nodes with a thousand links, fit on lines', async (t) => {
  const ids = Array.from({ length: 1_000 }, (_, at) => at.toString(16).padStart(4, '0').repeat(16))
  const [hub, ...leaves] = ids as [string, ...string[]]
  const star = new NetworkMap([
    report(hub, 0, leaves.slice(0, 64).map((id) => [id, 1] as const), 935), // prettier-ignore
    ...leaves.map((id) => report(id, 2, [[hub, 1]])),
  ])
  t.equal(star.isComplete, true)
  const lines = drawText(star).split('\n')
  t.equal(lines.length, 1_000 + 6)
  t.ok(lines.every((line) => line.length < 200))
  t.match(lines[3], /, 991 more$/)
  const chain = new NetworkMap([
    report(hub, 0, [[ids[1]!]]),
    ...leaves.map((id, at) => report(id, at, [[ids[at]!]])),
  ])
  t.match(drawText(chain), /\n999 hops\n/)
  t.ok(
    drawText(chain)
      .split('\n')
      .every((line) => line.length < 200),
  )
  for (const draw of [drawDot, drawMermaid])
    t.equal(draw(chain).split('\n').length, 2_000 + (draw === drawDot ? 2 : 1))
})
