// How much a page loads: budgets that a change has to keep, or to raise with a reason.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { ROOT } from '../fixtures/programs.ts'

const KIB = 1_024
/** The build for browsers, gzipped. What every visitor of a page loads: 60 KiB take a second over 3G. */
const BROWSER_BUDGET = 60 * KIB
/** What a page that keeps a history loads besides. */
const HISTORY_BUDGET = 13 * KIB

t.test('the build for browsers keeps its budget, and imports nothing', async (t) => {
  for (const [name, budget] of [
    ['index', BROWSER_BUDGET],
    ['history', HISTORY_BUDGET],
  ] as const) {
    const path = join(ROOT, `dist/browser/${name}.js`)
    t.ok(existsSync(path), 'npm run build:browser makes it')
    const size = gzipSync(readFileSync(path), { level: 9 }).length
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
