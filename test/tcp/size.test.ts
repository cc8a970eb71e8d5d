// How much a program loads, and a page: budgets that a change has to keep, or to raise with a reason.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { ROOT } from '../fixtures/programs.ts'

const KIB = 1_024
/** The build for browsers, gzipped. What every visitor of a page loads: 60 KiB take a second over 3G. */
const BROWSER_BUDGET = 60 * KIB
/** What a page that keeps a history loads besides. */
const HISTORY_BUDGET = 13 * KIB
/** What `import 'secure-node'` loads, without its dependencies and not minified, gzipped as in the tarball. */
const CORE_BUDGET = 210 * KIB

const IMPORT = /(?:from|^import|;import)\s*["'](\.[^"']+)["']/gm

/** A file of the build and what it imports when it is loaded. */
function loadedBy(path: string, files = new Set<string>()): ReadonlySet<string> {
  if (files.has(path)) return files
  files.add(path)
  for (const [, specifier] of readFileSync(path, 'utf8').matchAll(IMPORT)) {
    loadedBy(join(dirname(path), specifier!), files)
  }
  return files
}

function gzippedSize(files: Iterable<string>): number {
  const all = [...files].map((path) => readFileSync(path))
  return all.reduce((sum, bytes) => sum + gzipSync(bytes, { level: 9 }).length, 0)
}

t.test('the build for browsers keeps its budget, and imports nothing', async (t) => {
  for (const [name, budget] of [
    ['index', BROWSER_BUDGET],
    ['history', HISTORY_BUDGET],
  ] as const) {
    const path = join(ROOT, `dist/browser/${name}.js`)
    t.ok(existsSync(path), 'npm run build:browser makes it')
    const size = gzippedSize([path])
    t.comment(`${name}: ${size} bytes gzipped, of ${budget}`)
    t.ok(size <= budget, `${name}: ${size} bytes`)
    const text = readFileSync(path, 'utf8').replace(/\bimport\("\.\/history\.js"\)/, '')
    t.notMatch(
      text,
      /\bimport\s*[{*"'(]/,
      'but for the history, when one is asked for, all of it is in one file',
    )
    t.notMatch(text, /\bBuffer\.from\b/)
  }
})

t.test('the import of the package keeps its budget', async (t) => {
  const files = loadedBy(join(ROOT, 'dist/index.js'))
  t.ok(files.size > 1, 'its chunks are found')
  const size = gzippedSize(files)
  t.comment(`${size} bytes gzipped in ${files.size} files, of ${CORE_BUDGET}`)
  t.ok(size <= CORE_BUDGET, `${size} bytes`)
})
