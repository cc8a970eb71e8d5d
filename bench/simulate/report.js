// What the simulation has found, as a table, as plots, and against the targets.
import { lineChart } from '../svg-plot.js'

const NAMES = { ours: 'secure-node', flood: 'flooding', mesh: 'gossip mesh' }
/** The size at which the targets hold. */
const TARGET_NODES = 10_000
/** From this size on nothing may grow with the network. */
const FLAT_FROM = 1_000
/** How much what is flat may differ between the smallest and the largest network. */
const FLAT = 1.25

const thousands = (number) => Math.round(number).toLocaleString('en')
const kilobytes = (bytes) => `${(bytes / 1_024).toFixed(1)} KB`
const percent = ({ due, lost }) => {
  const part = 100 * (1 - lost / Math.max(1, due))
  // Never rounded up to what it is not.
  return lost === 0 ? '100 %' : `${Math.min(99.9999, part).toFixed(4)} %`
}

/** Every target that the run has figures for, and whether it is met. */
export function checkTargets({ runs }) {
  const run = runs.find(({ nodes }) => nodes === TARGET_NODES)
  const found = []
  const check = (text, value, isMet) => found.push({ text, value, isMet })
  const row = (phase) => run?.rows.find((one) => one.relay === 'ours' && one.phase === phase)
  const steady = row('steady')
  if (steady !== undefined) {
    const bound = 3 * Math.log2(TARGET_NODES)
    check('at most 1.10 copies for each delivery', steady.copies.toFixed(3), steady.copies <= 1.1)
    check('everything delivered where nothing fails', percent(steady), steady.lost === 0)
    check(`at most ${bound.toFixed(1)} hops (3 log2 n)`, `${steady.maxHops}`, steady.maxHops <= bound)
  }
  const repaired = row('20 % crashed, repaired')
  if (repaired !== undefined) {
    const isMet = repaired.lost <= 0.0001 * repaired.due
    check('at least 99.99 % after a fifth has crashed', percent(repaired), isMet)
  }
  const large = runs.filter(({ nodes, rows }) => nodes >= FLAT_FROM && rows.some(isOursSteady))
  if (large.length > 1) {
    const [first, last] = [large[0], large.at(-1)]
    const flat = (text, one) => {
      const ratio = one(last) / one(first)
      const value = `${ratio.toFixed(2)} times from ${thousands(first.nodes)} to ${thousands(last.nodes)} nodes`
      check(`${text}: flat`, value, ratio <= FLAT)
    }
    flat('frames a node for each message', ({ rows }) => rows.find(isOursSteady).frames)
    flat('links, messages and nodes that a node remembers', ({ holdings }) => {
      return holdings.view + holdings.relays.ours.entries
    })
    flat('memory a node', ({ holdings }) => holdings.heap + holdings.relays.ours.heap)
  }
  return found
}

/** All of it as Markdown. */
export function report(result) {
  const { date, machine, seed, runs } = result
  const targets = checkTargets(result).map(
    ({ text, value, isMet }) => `| ${text} | ${value} | ${isMet ? 'met' : '**missed**'} |`,
  )
  return `# Simulation

${date}, seed ${seed}, ${machine}. Made by \`npm run simulate\`.

${targets.length === 0 ? '' : `| Target | Found | |\n| --- | --- | --- |\n${targets.join('\n')}\n`}
${runs.map(section).join('\n')}
${NOTES}`
}

const NOTES = `## What is simulated

- Real: \`Plumtree\` (the package's relay), \`Flood\`, and \`Neighbourhood\` with its back-off and bootstrap list, which
  decides whom each node dials, keeps and lets go. The mesh is a model after the text of gossipsub 1.0: degree 6 (4 to
  12), IDs of the last 3 s told to 6 others every second. All relays run on the same links at the same time, each with
  messages of its own.
- Light: a node has no socket, no key and no JSON, and instead of the peer book a view of 64 others. A signature takes
  no time here, and links have no bandwidth: only what the way costs is seen.
- A frame takes 5 to 150 ms by distance on a square, and up to a fifth more by chance; order is kept on each link. Every
  250 ms a node by lot sends a message. A node counts for it if it was there 10 s before and is there at the end.
- Links are TCP, which loses nothing. In "1 % of frames lost" that many payloads and control frames are taken out all
  the same. A crash is silent: for one half of the crashed nodes the peers hear of it at once, as when a process dies,
  for the other half after 25 to 45 s. "Just now" are the messages of the first seconds after it, judged after
  90 s; "repaired" those that are sent then.
- Copies: messages written to links, also to nodes that are gone, for each delivery. Control: have, want, graft and prune
  frames of 5 bytes and 32 for each ID, for each delivery. Membership: 5 bytes a frame and 400 for each record; without
  pings, TLS and TCP. Frames: sent and received by one node.
- Memory is JavaScript heap after a garbage collection, beside what a real node has in sockets, TLS, keys and books.
`

function section({ nodes, holdings, rows, events, virtualSeconds, cpuSeconds, maxMemory }) {
  const relays = Object.entries(holdings.relays)
  const state = relays
    .map(([name, { heap, entries, maxEntries }]) => {
      return `${NAMES[name]} ${kilobytes(heap)} and ${entries.toFixed(1)} entries (at most ${maxEntries})`
    })
    .join(', ')
  const lines = rows.map((row) =>
    [
      '',
      row.phase,
      NAMES[row.relay],
      percent(row),
      row.copies.toFixed(2),
      row.controlBytes.toFixed(0),
      `${row.meanHops.toFixed(1)} / ${row.maxHops}`,
      `${thousands(row.lastAfter)} / ${thousands(row.maxLastAfter)}`,
      `${row.frames.toFixed(1)} / ${row.maxFrames.toFixed(0)}`,
      `${row.messages}`,
      '',
    ]
      .join(' | ')
      .trim(),
  )
  return `## ${thousands(nodes)} nodes

Links: ${holdings.links.toFixed(1)} a node, at most ${holdings.maxLinks}. Membership: ${kilobytes(holdings.heap)} a node,
${thousands(holdings.membershipBytes)} bytes a second. Relays, a node: ${state}.

| | | delivered | copies | control, bytes | hops: mean / most | last delivery, ms: median / most | frames: mean / busiest | messages |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
${lines.join('\n')}

${thousands(events / 1e6)} million events in ${thousands(virtualSeconds)} s of virtual time took ${thousands(cpuSeconds)} s of CPU and ${thousands(maxMemory / 2 ** 20)} MB.
`
}

/** Names of files and the plots in them. */
export function plots({ runs }) {
  const relays = [...new Set(runs.flatMap(({ rows }) => rows.map(({ relay }) => relay)))]
  const over = (title, yLabel, one, scale = { xLog: true }) => {
    const series = relays.map((relay) => ({
      name: NAMES[relay],
      points: runs.map((run) => [run.nodes, one(run, relay)]).filter(([, value]) => value !== undefined),
    }))
    return lineChart({ title, xLabel: 'nodes', yLabel, yLog: false, ...scale, series })
  }
  const steady = (figure) => (run, relay) =>
    run.rows.find((row) => row.relay === relay && row.phase === 'steady')?.[figure]
  const memory = ({ holdings }, relay) => (holdings.heap + (holdings.relays[relay]?.heap ?? 0)) / 1_024
  return [
    ['simulation-copies.svg', over('Copies of a message for each delivery', 'copies', steady('copies'))],
    ['simulation-control.svg', over('Control bytes for each delivery', 'bytes', steady('controlBytes'))],
    ['simulation-frames.svg', over('Frames of a node for each message', 'frames', steady('frames'))],
    ['simulation-hops.svg', over('Hops to the last node', 'hops', steady('maxHops'))],
    ['simulation-memory.svg', over('Memory of a node: membership and relay', 'KB', memory)],
    ...reliability(runs, relays),
  ]
}

/** What arrives right after a crash, in the largest network. */
function reliability(runs, relays) {
  const { rows, nodes } = runs.at(-1)
  const series = relays.map((relay) => ({
    name: NAMES[relay],
    points: rows
      .filter((row) => row.relay === relay)
      .map((row) => [crashed(row.phase), (100 * (row.due - row.lost)) / Math.max(1, row.due)])
      .filter(([part]) => part !== undefined),
  }))
  const title = `Delivered right after a crash, ${thousands(nodes)} nodes`
  const svg = lineChart({ title, xLabel: '% of the nodes crashed', yLabel: '% delivered', series })
  return [['simulation-crash.svg', svg]]
}

function crashed(phase) {
  if (phase === 'steady') return 0
  const [, part] = /^(\d+) % crashed just now$/.exec(phase) ?? []
  return part === undefined ? undefined : Number(part)
}

function isOursSteady({ relay, phase }) {
  return relay === 'ours' && phase === 'steady'
}
