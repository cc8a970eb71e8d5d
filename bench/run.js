// `npm run bench`: this project beside others, in one call, so that ratios hold on any machine. Rounds run each case
// once, one after the other; figures are medians with the smallest and the largest value.
//
//   --quick            one round, fewer messages
//   --rounds <n>       rounds of everything but the fifty processes (3)
//   --only <a,b>       some of: pair, latency, chain, star, mesh, footprint
//   --out <folder>     where tables and plots go: bench/results, or .tap/bench if not everything is measured
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as cases from './compare/cases.js'
import { BARE_VERIFY, CONTESTANTS, ENGINE, NETWORKS, PACKAGES, pairs, SIZES } from './compare/contestants.js'
import { installed, startUp } from './compare/footprint.js'
import { writeReport } from './compare/report.js'
import { spreads } from './compare/statistics.js'

const SECTIONS = ['pair', 'latency', 'chain', 'star', 'mesh', 'footprint']
/** Parts of the capacity at which latency is measured, the calm one first. */
const SHARES = [0.1, 0.5, 0.9]
const STARTS = 5

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: SECTIONS.join() },
    out: { type: 'string' },
  },
})
const sections = options.only.split(',')
const unknown = sections.find((name) => !SECTIONS.includes(name))
if (unknown !== undefined) throw new Error(`--only takes some of ${SECTIONS.join()}, got ${unknown}`)
const isWhole = !options.quick && sections.length === SECTIONS.length
const rounds = options.quick ? 1 : Number(options.rounds)
const scale = options.quick ? 0.25 : 1
const results = { rounds, failures: [] }
const startedAt = performance.now()

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
// npm writes this file last: without it, an installation was cut off.
if (!existsSync(here('node_modules/.package-lock.json'))) {
  step('installing what it is measured beside')
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here('.'), stdio: ['ignore', 2, 2] })
}

const measures = { pair, latency, chain, star: () => many('star'), mesh: () => many('mesh'), footprint }
for (const name of SECTIONS.filter((section) => sections.includes(section))) await measures[name]()
results.minutes = (performance.now() - startedAt) / 60_000

// What is published is a whole run.
const folder = options.out ?? here(isWhole ? 'results' : '../.tap/bench')
await mkdir(folder, { recursive: true })
console.log(await writeReport(results, folder))
step(`written to ${folder}`)

/** The engine takes part in each round, so that what is compared with it was measured in the same minute. */
async function pair() {
  const jobs = engineJobs(Object.keys(ENGINE))
  for (const bytes of SIZES) {
    for (const [name, contestant, mode, count] of pairs(bytes)) {
      const settings = { mode, bytes, count: Math.ceil(count * scale) }
      jobs[`${bytes}: ${name}`] = () => cases.pair(contestant, settings)
    }
  }
  const measured = await inRounds('pair', jobs)
  for (const round of measured) compare(round)
  results.engine = pick(measured, ENGINE)
  results.pair = Object.fromEntries(
    SIZES.map((bytes) => [
      bytes,
      Object.fromEntries(
        pairs(bytes)
          .map(([name]) => [name, over(measured, `${bytes}: ${name}`)])
          .filter(([, figures]) => figures),
      ),
    ]),
  )
  results.beside = over(measured, 'beside')
}

/** Adds to a round what is said of its figures beside each other. */
function compare(round) {
  const rate = (name) => round[`200: ${name}`]?.rate ?? NaN
  const theirs = Math.max(rate('gossipsub, burst'), rate('gossipsub, paced'))
  round.beside = {
    burst: rate('secure-node, burst') / theirs,
    paced: rate('secure-node, paced') / theirs,
  }
  for (const figures of Object.values(round)) {
    for (const role of ['sink', 'relay']) {
      const cpu = figures?.[`${role}Cpu`]
      if (cpu !== undefined) figures[`${role}TimesVerify`] = cpu / (round[BARE_VERIFY]?.cpu ?? NaN)
    }
  }
}

async function latency() {
  const jobs = {}
  for (const contestant of CONTESTANTS) {
    const count = Math.ceil(pairs(200).find(([name]) => name === `${contestant}, paced`)[3] / 4)
    const capacity =
      results.pair?.[200][`${contestant}, paced`]?.rate.median ??
      (await cases.pair(contestant, { mode: 'paced', count, bytes: 200 })).rate
    jobs[contestant] = async () => {
      const rates = SHARES.map((share) => capacity * share)
      const seconds = options.quick ? 1 : 2
      const measured = await cases.latency(contestant, { rates, seconds, bytes: 200 })
      return Object.fromEntries(SHARES.map((share, n) => [share * 100, { rate: rates[n], ...measured[n] }]))
    }
  }
  results.latency = pick(await inRounds('latency', jobs), jobs)
}

async function chain() {
  const jobs = engineJobs([BARE_VERIFY])
  for (const [contestant, { chain: modes }] of Object.entries(NETWORKS)) {
    jobs[contestant] = () => cases.chain(contestant, { size: 5, modes: scaled(modes), bytes: 200 })
  }
  const measured = await inRounds('chain of 5', jobs)
  for (const round of measured) {
    for (const contestant of Object.keys(NETWORKS)) {
      for (const [mode, figures] of Object.entries(round[contestant] ?? {}))
        round[`${contestant}, ${mode}`] = figures
    }
    compare(round)
  }
  const names = Object.entries(NETWORKS).flatMap(([contestant, { chain: modes }]) =>
    Object.keys(modes).map((mode) => `${contestant}, ${mode}`),
  )
  results.chain = pick(measured, Object.fromEntries(names.map((name) => [name, true])))
}

/** Fifty processes take long to start: they do all their work at once, in fewer rounds. */
async function many(shape) {
  const jobs = {}
  for (const [contestant, { many: modes }] of Object.entries(NETWORKS)) {
    jobs[contestant] = () => cases.many(contestant, { size: 50, shape, modes: scaled(modes), bytes: 200 })
  }
  results[shape] = pick(await inRounds(`${shape} of 50`, jobs, Math.ceil(rounds / 2)), jobs)
}

async function footprint() {
  const jobs = {}
  for (const contestant of Object.keys(PACKAGES)) jobs[contestant] = () => startUp(contestant)
  results.footprint = pick(await inRounds('start', jobs, options.quick ? 1 : STARTS), jobs)
  for (const [contestant, names] of Object.entries(PACKAGES)) {
    step(`installing ${contestant} into an empty folder`)
    Object.assign(results.footprint[contestant] ?? {}, await installed(names))
  }
}

function engineJobs(names) {
  const jobOf = (way) => () => cases.engine({ ...way, count: Math.ceil(way.count * scale) })
  return Object.fromEntries(names.map((name) => [name, jobOf(ENGINE[name])]))
}

function scaled(modes) {
  return Object.fromEntries(Object.entries(modes).map(([mode, count]) => [mode, Math.ceil(count * scale)]))
}

/** Runs each job once a round. One that fails is written down, and costs the others nothing. */
async function inRounds(title, jobs, times = rounds) {
  const measured = []
  for (let number = 1; number <= times; number++) {
    const round = {}
    for (const [name, job] of Object.entries(jobs)) {
      step(`${title}, round ${number} of ${times}: ${name}`)
      try {
        round[name] = await job()
      } catch (error) {
        results.failures.push(`${title}, round ${number}, ${name}: ${error.message}`)
        step(results.failures.at(-1))
      }
    }
    measured.push(round)
  }
  return measured
}

/** The spreads of one case over the rounds in which it succeeded. */
function over(measured, name) {
  const figures = measured.map((round) => round[name]).filter((each) => each !== undefined)
  return figures.length === 0 ? undefined : spreads(figures)
}

function pick(measured, names) {
  return Object.fromEntries(
    Object.keys(names)
      .map((name) => [name, over(measured, name)])
      .filter(([, figures]) => figures !== undefined),
  )
}

function step(text) {
  const seconds = Math.round((performance.now() - startedAt) / 1_000)
  process.stderr.write(`${String(seconds).padStart(4)} s  ${text}\n`)
}
