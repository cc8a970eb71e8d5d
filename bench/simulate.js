// Whole networks in one process, in virtual time: the package's own relay and neighbourhood on up to 50,000 light
// nodes, beside flooding and a gossip mesh on the same links. Every size is a process of its own.
//   npm run simulate -- --nodes 100,1000 --relay ours,flood,mesh --seed 1 --out bench/results
// Writes simulation.json, simulation.md and plots into the folder. Exit code 1 if a target is missed.
import { fork } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { checkTargets, plots, report } from './simulate/report.js'

/** Room for 50,000 nodes; and a large nursery, for nearly every object of the simulation lives for a moment. */
const NODE_OPTIONS = ['--expose-gc', '--max-old-space-size=7000', '--max-semi-space-size=64']

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '100,1000,10000,50000' },
    relay: { type: 'string', default: 'ours,flood,mesh' },
    // Percentages of the nodes that crash at once.
    crashes: { type: 'string', default: '10,20,40' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
  },
})
const list = (text) => text.split(',').filter((item) => item !== '')
const relays = list(values.relay)
const unknown = relays.filter((name) => !['ours', 'flood', 'mesh'].includes(name))
const counts = list(values.nodes).map(Number)
const crashes = list(values.crashes).map((percent) => Number(percent) / 100)
const seed = Number(values.seed)
if (unknown.length > 0) fail(`--relay knows ours, flood and mesh, not ${unknown.join(', ')}`)
if (counts.some((count) => !Number.isInteger(count) || count < 10)) fail('--nodes must be numbers from 10 on')
if (crashes.some((part) => !(part > 0 && part < 1))) fail('--crashes must be percentages between 0 and 100')
if (!Number.isInteger(seed)) fail('--seed must be a whole number')

const folder = await mkdtemp(join(tmpdir(), 'simulate-'))
try {
  const program = join(folder, 'run.mjs')
  await build({
    entryPoints: [fileURLToPath(new URL('simulate/run.ts', import.meta.url))],
    outfile: program,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'warning',
  })
  const runs = []
  // One after the other: each is to have a core, and its memory, for itself.
  for (const nodes of counts) runs.push(await simulate(program, { nodes, seed, relays, crashes }))
  const machine = `Node.js ${process.version}, ${cpus()[0]?.model.trim() ?? 'unknown'} (${process.arch})`
  const result = { date: new Date().toISOString().slice(0, 10), machine, seed, runs }
  await mkdir(values.out, { recursive: true })
  await writeFile(join(values.out, 'simulation.json'), `${JSON.stringify(result, null, 1)}\n`)
  await writeFile(join(values.out, 'simulation.md'), report(result))
  for (const [name, svg] of plots(result)) await writeFile(join(values.out, name), svg)
  console.log(`\n${report(result)}`)
  const missed = checkTargets(result).filter(({ isMet }) => !isMet)
  if (missed.length > 0) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}

/** Runs one size in a process of its own, and shows how far it is. */
async function simulate(program, options) {
  const started = Date.now()
  const child = fork(program, [JSON.stringify(options)], { execArgv: NODE_OPTIONS })
  let phase = ''
  const result = await new Promise((resolve, reject) => {
    child.on('message', (message) => {
      if (message.result !== undefined) resolve(message.result)
      else phase = show(message, phase, options.nodes, started)
    })
    child.on('exit', (code) =>
      reject(new Error(`the simulation of ${options.nodes} nodes ended with ${code}`)),
    )
  })
  show({ phase: 'done', nodes: options.nodes, seconds: result.virtualSeconds }, phase, options.nodes, started)
  if (process.stderr.isTTY) process.stderr.write('\n')
  return result
}

/** On a terminal one line that changes; in a file, one line for each phase. */
function show({ phase, nodes, seconds }, before, count, started) {
  const real = Math.round((Date.now() - started) / 1_000)
  const line = `${count.toLocaleString('en')} nodes: ${phase}; ${nodes.toLocaleString('en')} so far, virtual time ${Math.round(seconds)} s, ${real} s`
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${line}`)
  else if (phase !== before) process.stderr.write(`${line}\n`)
  return phase
}

function fail(text) {
  console.error(text)
  process.exit(2)
}
