// `node bench/files.js`: a large file between processes, beside a bare TLS copy in the same rounds, so that ratios hold on
// any machine. Every figure is the median of several rounds. It runs what is in lib/: no build is needed.
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import '../test/typescript.js'

const { bundleProgram } = await import('../test/fixtures/bundle.ts')
const { FileProcess, hashFile, makeFile } = await import('../test/fixtures/file-process.ts')

const ROUNDS = Number(process.env.ROUNDS ?? 3)
const SIZE = Number(process.env.SIZE ?? 200_000_000)
/** For profiles: `--cpu-prof --cpu-prof-dir=…`. */
const FLAGS = process.env.FLAGS?.split(' ') ?? []

// Inside the repository, where the program finds its packages.
const scratch = join(import.meta.dirname, '../.tap')
await mkdir(scratch, { recursive: true })
const folder = await mkdtemp(join(scratch, 'files-'))
const path = join(folder, 'original')
const target = join(folder, 'copy')
const entry = join(import.meta.dirname, '../test/fixtures/file-process.ts')
const program = await bundleProgram({ testdir: () => folder }, entry, 'files.mjs')
await makeFile(path, SIZE)
const hash = await hashFile(path)

const cases = {
  'bare TLS copy': () => bareCopy(),
  'one source': () => exchange(1, 0),
  'three sources': () => exchange(3, 0),
  'three sources, one killed': () => exchange(3, 1),
}

const rounds = new Map(Object.keys(cases).map((name) => [name, []]))
for (let round = 1; round <= ROUNDS; round++) {
  for (const [name, run] of Object.entries(cases)) {
    process.stderr.write(`round ${round} of ${ROUNDS}: ${name}\n`)
    rounds.get(name).push(await run())
    if ((await hashFile(target)) !== hash) throw new Error(`${name}: the copy is another file`)
    await rm(target)
  }
}
await rm(folder, { recursive: true })

const figures = new Map([...rounds].map(([name, results]) => [name, medians(results)]))
const bare = figures.get('bare TLS copy')
console.log(
  `Node ${process.version}, ${SIZE / 1e6} MB from file to file, on loopback, median of ${ROUNDS} rounds\n`,
)
const head = ['', 'MB/s', '× bare TLS', 'CPU s receiver', '× bare TLS', 'memory growth']
const rows = [...figures].map(([name, { seconds, cpu, growth }]) => [
  name,
  (SIZE / 1e6 / seconds).toFixed(0),
  (seconds / bare.seconds).toFixed(2),
  cpu.toFixed(2),
  (cpu / bare.cpu).toFixed(2),
  `${(growth / 2 ** 20).toFixed(0)} MiB`,
])
const lines = [head, ...rows]
const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length)))
for (const line of lines) {
  console.log(
    line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]) : cell.padStart(widths[at]))).join('  '),
  )
}

async function bareCopy() {
  const source = new FileProcess(program)
  const copier = new FileProcess(program)
  const report = await copier.copy(await source.serve(path), target)
  await Promise.all([source.end(), copier.end()])
  return report
}

/** So many sources, of which the first ones are killed when half of the file is there. */
async function exchange(count, victims) {
  const sources = Array.from({ length: count }, () => new FileProcess(program, FLAGS))
  const places = await Promise.all(sources.map((source) => source.share(path)))
  const downloader = new FileProcess(program, FLAGS)
  const report = downloader.download(sources[0].file, places, target)
  if (victims > 0) {
    await downloader.until(() => downloader.bytes > SIZE / 2)
    await Promise.all(sources.slice(0, victims).map((source) => source.kill()))
  }
  const result = await report
  const { size } = await stat(target)
  if (size !== SIZE) throw new Error(`the copy has ${size} bytes`)
  await Promise.all([...sources, downloader].map((each) => each.end()))
  return result
}

/** The median of each figure over the rounds. */
function medians(results) {
  const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]
  return Object.fromEntries(
    Object.keys(results[0]).map((key) => [key, median(results.map((result) => result[key]))]),
  )
}
