// What a contestant costs before it has done anything: packages, bytes on disk, time to load, time to a first message.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { deliver, Member } from './crew.js'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Packages and MiB of an installation into an empty folder, of the versions that are measured here. */
export async function installed(packages) {
  const { dependencies } = JSON.parse(await readFile(join(ROOT, 'bench/package.json'), 'utf8'))
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  try {
    await writeFile(join(folder, 'package.json'), '{"private":true}')
    const names = await Promise.all(
      packages.map((name) => (name === '.' ? pack(folder) : `${name}@${dependencies[name]}`)),
    )
    await run('npm', ['install', '--no-audit', '--no-fund', ...names], { cwd: folder })
    // npm writes down what it has put there, each package once for each place.
    const lock = JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8'))
    const mib = (await sizeOf(join(folder, 'node_modules'))) / 2 ** 20
    return { packages: Object.keys(lock.packages).length, mib }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What a user gets; packing builds nothing, since `npm run bench` has done that. */
async function pack(folder) {
  const { stdout } = await run(
    'npm',
    ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder],
    {
      cwd: ROOT,
    },
  )
  return join(folder, stdout.trim().split('\n').at(-1))
}

async function sizeOf(path) {
  const entries = await readdir(path, { withFileTypes: true })
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const child = join(path, entry.name)
      if (entry.isDirectory()) return sizeOf(child)
      return entry.isFile() ? (await stat(child)).size : 0
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/**
 * A process that comes to one that is there: from its start to its first message, in ms, and what of that was loading
 * modules.
 */
export async function startUp(contestant) {
  const sink = await Member.start(contestant)
  const start = performance.now()
  const source = await Member.start(contestant)
  try {
    await source.ask('connect', { port: sink.port })
    await source.ask('ready', { peers: 1 })
    await deliver(source, [sink], { count: 1, bytes: 200, mode: 'paced' })
    return { importMs: source.importMs, firstMessageMs: performance.now() - start }
  } finally {
    await Promise.all([source, sink].map((member) => member.stop()))
  }
}
