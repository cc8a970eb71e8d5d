// How much a program loads, and a page: budgets that a change has to keep, or to raise with a reason.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { ROOT } from '../fixtures/programs.ts'

const KIB = 1_024
/** The build for browsers, gzipped. What every visitor of a page loads: 60 KiB take a second over 3G. */
const BROWSER_BUDGET = 60 * KIB
/** What `import 'secure-node'` loads, without its dependencies and not minified, gzipped as in the tarball. */
const CORE_BUDGET = 200 * KIB

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
  const path = join(ROOT, 'dist/browser/index.js')
  t.ok(existsSync(path), 'npm run build:browser makes it')
  const size = gzippedSize([path])
  t.comment(`${size} bytes gzipped, of ${BROWSER_BUDGET}`)
  t.ok(size <= BROWSER_BUDGET, `${size} bytes`)
  const text = readFileSync(path, 'utf8')
  t.notMatch(text, /\bimport\s*[{*"'(]/, 'all of it is in one file')
  t.notMatch(text, /\bBuffer\.from\b/)
})

t.test('the import of the package keeps its budget', async (t) => {
  const files = loadedBy(join(ROOT, 'dist/index.js'))
  t.ok(files.size > 1, 'its chunks are found')
  const size = gzippedSize(files)
  t.comment(`${size} bytes gzipped in ${files.size} files, of ${CORE_BUDGET}`)
  t.ok(size <= CORE_BUDGET, `${size} bytes`)
})
