// `npm run bench`: what a message costs, side by side in one call, so that ratios hold on any machine.
// Every figure is the median of several rounds; a round runs each case once, one after the other.
import { memory } from './memory.js'
import { bareVerify } from './verify.js'
import { transfer } from './transfer.js'

const ROUNDS = Number(process.env.ROUNDS ?? 3)
const MESSAGES = Number(process.env.MESSAGES ?? 20_000)
const CONNECTIONS = Number(process.env.CONNECTIONS ?? 1_000)

const cases = {
  'bare verify, one at a time': () => bareVerify(MESSAGES / 2, { inFlight: 1 }),
  'bare verify, 64 in flight': () => bareVerify(MESSAGES / 2, { inFlight: 64 }),
  'the same beside a signing process': () => bareVerify(MESSAGES / 2, { inFlight: 64, besideSigner: true }),
  'signed, TLS (the default)': () => transfer('signed', MESSAGES),
  'signed, in the clear': () => transfer('signed-clear', MESSAGES),
  'unsigned, in the clear': () => transfer('plain', MESSAGES),
}

const rounds = new Map(Object.keys(cases).map((name) => [name, []]))
for (let round = 1; round <= ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) {
    process.stderr.write(`round ${round} of ${ROUNDS}: ${name}\n`)
    rounds.get(name).push(await run())
  }
}

const figures = new Map([...rounds].map(([name, results]) => [name, medians(results)]))
const bare = figures.get('bare verify, one at a time')
console.log(`Node ${process.version}, ${MESSAGES} messages of 200 bytes of JSON, two processes on loopback,`)
console.log(`median of ${ROUNDS} rounds\n`)
printTable(
  ['', 'per second', 'CPU µs receiver', '× bare verify', 'CPU µs sender', 'bytes on the wire'],
  [...figures].map(([name, { rate, receiver, sender, bytes }]) => [
    name,
    Math.round(rate),
    receiver.toFixed(1),
    (receiver / bare.receiver).toFixed(2),
    sender?.toFixed(1) ?? '',
    bytes?.toFixed(0) ?? '',
  ]),
)

console.log(`\nMemory of the accepting process per idle connection, at ${CONNECTIONS} connections\n`)
const rows = []
for (const kind of ['signed', 'signed-clear', 'plain']) {
  process.stderr.write(`memory: ${kind}\n`)
  rows.push([kind, `${((await memory(kind, CONNECTIONS)) / 1_024).toFixed(1)} KiB`])
}
printTable(['', 'resident memory'], rows)

/** The median of each figure over the rounds. */
function medians(results) {
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
  return Object.fromEntries(
    Object.keys(results[0]).map((key) => [key, median(results.map((result) => result[key]))]),
  )
}

function printTable(head, rows) {
  const lines = [head, ...rows].map((row) => row.map(String))
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  for (const line of lines) {
    console.log(
      line
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])))
        .join('  '),
    )
  }
}
