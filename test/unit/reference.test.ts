import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT, run } from '../fixtures/programs.ts'
import { filesIn } from '../fixtures/source-files.ts'

// Compilers and npm take their time on a busy machine.
t.setTimeout(180_000)

const written = filesIn('docs/api', /\.md$/).map((path) =>
  path.slice('docs/api/'.length).replaceAll('\\', '/'),
)
const textOf = (path: string): string => readFileSync(join(ROOT, 'docs/api', path), 'utf8')

t.test('the reference is what the doc comments say, and making it warns about nothing', async (t) => {
  const folder = t.testdir({})
  const { code, stdout, stderr } = await run(process.execPath, ['docs/reference.js', folder], ROOT)
  t.equal(code, 0, stdout + stderr)
  const fresh = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => path.replaceAll('\\', '/'))
  t.ok(fresh.length > 100)
  t.strictSame(fresh.sort(), [...written].sort(), 'npm run docs')
  t.strictSame(
    written.filter(
      (path) => fresh.includes(path) && textOf(path) !== readFileSync(join(folder, path), 'utf8'),
    ),
    [],
    'npm run docs',
  )
})

t.test('it has a part for every subpath, and nothing that differs between machines or days', async (t) => {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    name: string
    exports: Record<string, unknown>
  }
  const start = textOf('README.md')
  for (const [subpath, target] of Object.entries(exports)) {
    if (typeof target === 'object') t.match(start, `[${name}${subpath.slice(1)}](`)
  }
  const passing = /\b20\d\d-\d\d-\d\d\b|\b[0-9a-f]{40}\b|\/blob\//
  t.strictSame(
    written.filter((path) => textOf(path).includes(ROOT) || passing.test(textOf(path))),
    [],
  )
})
