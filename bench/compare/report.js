// The results as JSON, as a page with tables, and as plots.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format } from 'prettier'
import { NODE } from './crew.js'
import { plots } from './plots.js'

const BENCH = fileURLToPath(new URL('..', import.meta.url))
/** As the repository's own pages are. */
const STYLE = { parser: 'markdown', printWidth: 110 }

/** Writes everything into a folder, and returns the page. */
export async function writeReport(results, folder) {
  const machine = describeMachine()
  const drawn = plots(results)
  const { rounds, minutes, failures } = results
  const parts = [
    '# Benchmark',
    '',
    `Written by \`npm run bench\` in ${minutes.toFixed(0)} minutes. Medians of ${rounds} rounds, the smallest and the ` +
      'largest in brackets; fifty processes have half as many rounds, starts five.',
    '',
    ...Object.entries(machine).map(([name, value]) => `- ${name}: ${value}`),
    ...failures.map((failure) => `- **failed**: ${failure}`),
    '',
    ...Object.keys(SECTIONS).flatMap((name) => (results[name] === undefined ? [] : SECTIONS[name](results))),
    ...Object.keys(drawn).flatMap((name) => [`![${name}](${name}.svg)`, '']),
    ...LIMITS,
  ]
  const page = await format(parts.join('\n'), STYLE)
  await writeFile(
    join(folder, 'benchmark.json'),
    `${JSON.stringify({ machine, ...results }, undefined, 2)}\n`,
  )
  await writeFile(join(folder, 'benchmark.md'), page)
  for (const [name, plot] of Object.entries(drawn)) await writeFile(join(folder, `${name}.svg`), plot)
  return page
}

const LIMITS = [
  '## What these figures do not say',
  '',
  '- All processes share one machine and its loopback: there is no network with its delays and losses, and the',
  '  processes take the cores from each other. On several machines every contestant is faster.',
  '- gossipsub does more than this project in some things (scores of peers by topic, any transport), and less in others',
  '  (exactly once for five minutes, one copy along a tree). Its messages are signed; streams are not, and are no network:',
  '  they relay nothing, and what comes twice is delivered twice.',
  '- A burst is what an application sends without waiting, here 256 messages: they share signatures. Messages that are',
  '  sent one by one, each after the one before was on its way, are the paced ones, and each has a signature of its own.',
  '- Every contestant runs on the same version of Node, with its default options where they do not drop messages. At most',
  '  2,048 messages, or 2 MiB, are on their way at once, so that no queue grows without end.',
  '- Latencies count from when a message was due, by the clock that all processes of the machine share. The sender is',
  '  never asleep when one is due, which keeps a core busy: so the rest of the work has one core less than at full speed.',
  '- Fifty processes on a few cores measure CPU, not a network: each delivery waits for a core. Their latencies are those',
  '  of five messages a second.',
  '- Bytes are those of TCP connections, both ways, without the headers of TCP and IP.',
  '- Nothing here is about losses, hostile peers or large networks: see `simulation.md`.',
  '',
]

const SECTIONS = {
  engine: ({ engine }) => [
    '## The limit: Ed25519 alone',
    '',
    ...table(
      ['', 'a second', 'CPU µs each'],
      Object.entries(engine).map(([name, { rate, cpu }]) => [name, range(rate), range(cpu, 1)]),
    ),
  ],
  pair: ({ pair }) =>
    Object.entries(pair).flatMap(([bytes, rows]) => [
      `## Two processes, JSON of ${bytes} bytes`,
      '',
      ...table(
        [
          '',
          'messages/s',
          'CPU µs sender',
          'CPU µs receiver',
          '× bare verify',
          'bytes on the wire',
          'MiB receiver',
        ],
        Object.entries(rows).map(([name, row]) => [
          name,
          range(row.rate),
          range(row.sourceCpu, 1),
          range(row.sinkCpu, 1),
          range(row.sinkTimesVerify, 2),
          range(row.wire),
          range(row.sinkMiB),
        ]),
      ),
    ]),
  beside: ({ beside }) => [
    `Messages of 200 bytes, beside the faster one of gossipsub's modes in the same round: bursts ${range(beside.burst, 1)} ` +
      `times, paced ${range(beside.paced, 1)} times.`,
    '',
  ],
  latency: ({ latency }) => [
    '## Latency of messages that come one by one, at a share of the own capacity, in ms',
    '',
    ...table(
      ['', 'messages/s', 'p50', 'p99'],
      Object.entries(latency).flatMap(([name, shares]) =>
        Object.entries(shares).map(([share, { rate, p50, p99 }]) => [
          `${name}, ${share} %`,
          whole(rate.median),
          range(p50, 2),
          range(p99, 2),
        ]),
      ),
    ),
  ],
  chain: ({ chain }) => [
    '## Five processes in a row',
    '',
    ...table(
      ['', 'messages/s at the end', 'CPU µs sender', 'CPU µs relay', '× bare verify', 'bytes a delivery'],
      Object.entries(chain).map(([name, row]) => [
        name,
        range(row.rate),
        range(row.sourceCpu, 1),
        range(row.relayCpu, 1),
        range(row.relayTimesVerify, 2),
        range(row.wire),
      ]),
    ),
  ],
  star: ({ star }) => ['## One to 49 others, over 49 links', '', ...manyTables(star)],
  mesh: ({ mesh }) => ['## A network of 50 processes with eight links each', '', ...manyTables(mesh)],
  footprint: ({ footprint }) => [
    '## Before anything is done',
    '',
    ...table(
      ['', 'packages', 'MiB on disk', 'ms to load', 'ms from its start to its first message'],
      Object.entries(footprint).map(([name, { packages, mib, importMs, firstMessageMs }]) => [
        name,
        packages,
        mib.toFixed(1),
        range(importMs),
        range(firstMessageMs),
      ]),
    ),
  ],
}

function manyTables(contestants) {
  const rows = Object.entries(contestants).flatMap(([contestant, { rows: modes }]) =>
    Object.entries(modes).map(([mode, row]) => [
      `${contestant}, ${mode}`,
      range(row.deliveries),
      range(row.cpuPerDelivery, 1),
      range(row.sourceCpu, 1),
      range(row.wire),
      range(row.sinkMiB),
    ]),
  )
  const calm = Object.entries(contestants).map(
    ([
      name,
      {
        calm: { p50, p99 },
      },
    ]) => [name, range(p50, 1), range(p99, 1)],
  )
  return [
    ...table(
      ['', 'deliveries/s', 'CPU µs a delivery', 'CPU µs sender', 'bytes a delivery', 'MiB a process'],
      rows,
    ),
    ...table(['at 5 messages/s, in ms', 'p50', 'p99'], calm),
  ]
}

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line), '']
}

function range({ median, low, high }, digits = 0) {
  const write = (value) => (digits === 0 ? whole(value) : value.toFixed(digits))
  if (!Number.isFinite(median)) return ''
  return write(low) === write(high) ? write(median) : `${write(median)} (${write(low)}–${write(high)})`
}

function whole(value) {
  return Math.round(value).toLocaleString('en-US')
}

function describeMachine() {
  const version = (path) => JSON.parse(readFileSync(join(BENCH, path), 'utf8'))
  const { dependencies } = version('package.json')
  const others = Object.entries(dependencies).filter(([name]) => name !== 'node')
  return {
    machine: `${availableParallelism()} cores of ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()} ${arch()}`,
    node: execFileSync(NODE, ['--version'], { encoding: 'utf8' }).trim(),
    'secure-node': version('../package.json').version,
    others: others.map(([name, range]) => `${name} ${range}`).join(', '),
    date: new Date().toISOString().slice(0, 10),
  }
}
