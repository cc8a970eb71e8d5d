// The tarball as tools see it: linters of packages, compilers, loaders and whoever pays for the bytes. What is tested
// is read from package.json, so that a new subpath is covered by being there.
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { publint } from 'publint'
import t from 'tap'
import { ROOT, run } from '../fixtures/programs.ts'

// Compilers and npm take their time on a busy machine.
t.setTimeout(180_000)

/**
 * Bytes of `dist/index.js` and the chunks that it reaches by static imports, each gzipped as a server would: what an
 * `import 'secure-node'` reads besides its dependencies. Measured, and 10 % more.
 */
const MAX_CORE_BYTES = 228_000
/** Bytes of the package on disk, its documents included. Measured, and 10 % more. */
const MAX_UNPACKED_BYTES = 2_915_000
/** Packages that `npm install secure-node` brings, itself included: the README names the others. */
const MAX_PACKAGES = 6

/**
 * The package is ESM only. One copy of a class is worth more than a second build for `require()`, which loads ESM from
 * Node 20.19 on, the oldest that is supported: so a warning that CommonJS finds ESM is none here.
 */
const ALLOWED_KINDS = ['CJSResolvesToESM']
/** What TypeScript calls `node10` ignores `exports`. Node has read them since 12. */
const UNSUPPORTED_RESOLUTIONS = ['node10']
/** Subpaths whose types may speak of the DOM. */
const FOR_BROWSERS = ['./browser']

interface Manifest {
  readonly name: string
  readonly exports: Record<string, string | { readonly types: string; readonly default: string }>
  readonly peerDependencies: Record<string, string>
}
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest
const typed = Object.keys(manifest.exports).filter((subpath) => typeof manifest.exports[subpath] === 'object')
const specifierOf = (subpath: string): string => manifest.name + subpath.slice(1)

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const folder = t.testdir({ 'package.json': '{ "private": true }' })
const home = join(folder, 'node_modules', manifest.name)

interface Packed {
  readonly unpackedSize: number
  readonly filename: string
  readonly files: { readonly path: string }[]
}

/** Packs the build that is there, and installs it in a folder where there is nothing else. */
async function packAndInstall(): Promise<Packed> {
  const pack = ['pack', '--ignore-scripts', '--pack-destination', folder, '--json']
  const packed = await run(npm, pack, ROOT)
  if (packed.code !== 0) throw new Error(packed.stderr)
  // npm 11 gives an object by package name where earlier ones give a list.
  const [report] = Object.values(JSON.parse(packed.stdout) as Record<string, Packed>)
  const install = ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  const installed = await run(npm, [...install, `./${report!.filename}`], folder)
  if (installed.code !== 0) throw new Error(installed.stderr)
  return report!
}
const packed = await packAndInstall()
const paths = packed.files.map(({ path }) => path)
const tarball = readFileSync(join(folder, packed.filename))

t.test('there are the licence and every file that is exported, and no test, source or map', async (t) => {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === 'string' ? [target] : Object.values<string>(target),
  )
  const wanted = ['LICENSE', 'README.md', ...targets.map((target) => target.replace(/^\.\//, ''))]
  t.strictSame(
    wanted.filter((path) => !paths.includes(path)),
    [],
  )
  const unwanted = /\.map$|\.test\.|^(test|lib|examples|keys)\/|(?<!\.d)\.ts$/
  t.strictSame(
    paths.filter((path) => unwanted.test(path)),
    [],
  )
})

t.test('no file knows where it was built', async (t) => {
  const texts = paths.map((path) => ({ path, text: readFileSync(join(home, path), 'utf8') }))
  const told = texts.filter(({ text }) => text.includes(ROOT) || text.includes('sourceMappingURL='))
  t.strictSame(
    told.map(({ path }) => path),
    [],
  )
})

t.test('a link in its documents leads to a file that is there too', async (t) => {
  const documents = paths.filter((path) => path.endsWith('.md'))
  const broken = documents.flatMap((path) => {
    const links = [...readFileSync(join(home, path), 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
    return links
      .map(([, link]) => link!)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => !paths.includes(join(dirname(path), link).replaceAll('\\', '/')))
      .map((link) => `${path}: ${link}`)
  })
  t.strictSame(broken, [])
})

t.test('publint finds nothing', async (t) => {
  // A copy: the buffer of a small file may be a part of a larger one.
  const bytes = new Uint8Array(tarball).buffer
  const { messages } = await publint({ pack: { tarball: bytes }, level: 'suggestion', strict: true })
  t.strictSame(messages, [])
})

t.test('the types are those of the code, for every supported way to resolve them', async (t) => {
  const result = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)))
  if (!('problems' in result)) throw new Error('there are no types')
  t.strictSame(Object.keys(result.entrypoints).sort(), Object.keys(manifest.exports).sort())
  const isAllowed = (problem: (typeof result.problems)[number]): boolean =>
    ALLOWED_KINDS.includes(problem.kind) ||
    ('resolutionKind' in problem && UNSUPPORTED_RESOLUTIONS.includes(problem.resolutionKind))
  t.strictSame(
    result.problems.filter((problem) => !isAllowed(problem)),
    [],
  )
})

/** A subpath that needs an optional package which is not there may fail, but has to say what to install. */
function saysWhatToInstall(stderr: string): boolean {
  return Object.keys(manifest.peerDependencies).some((name) => stderr.includes(`npm install ${name}`))
}

t.test('every subpath is imported, and required', async (t) => {
  for (const subpath of Object.keys(manifest.exports)) {
    const name = specifierOf(subpath)
    const attributes = subpath.endsWith('.json') ? ", { with: { type: 'json' } }" : ''
    const programs = {
      'import.mjs': `console.log(Object.keys(await import('${name}'${attributes})).length > 0)`,
      'require.cjs': `console.log(Object.keys(require('${name}')).length > 0)`,
    }
    for (const [file, text] of Object.entries(programs)) {
      writeFileSync(join(folder, file), text)
      const { code, stdout, stderr } = await run(process.execPath, ['--no-warnings', file], folder)
      if (code === 0) t.equal(stdout, 'true\n', `${name}: ${file}`)
      else t.ok(saysWhatToInstall(stderr), `${name}: ${file}: ${stderr}`)
    }
  }
})

/** What makes a compiler read the types of some subpaths, those of this package's dependencies included. */
async function compile(
  resolution: 'nodenext' | 'bundler',
  subpaths: string[],
  lib: string[],
): Promise<string> {
  const imports = subpaths.map((subpath, at) => `import * as part${at} from '${specifierOf(subpath)}'`)
  const uses = subpaths.map((_, at) => `export const names${at}: string[] = Object.keys(part${at})`)
  writeFileSync(join(folder, 'user.mts'), [...imports, ...uses].join('\n'))
  const compilerOptions = {
    module: resolution === 'bundler' ? 'preserve' : 'nodenext',
    moduleResolution: resolution,
    target: 'es2023',
    lib,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules/@types')],
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['user.mts'] }))
  return (await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc')], folder)).stdout
}

t.test('a strict TypeScript program for Node compiles, its declarations checked too', async (t) => {
  const subpaths = typed.filter((subpath) => !FOR_BROWSERS.includes(subpath))
  t.equal(await compile('nodenext', subpaths, ['es2023', 'esnext.disposable']), '')
})

t.test('and one for a bundler', async (t) => {
  t.equal(await compile('bundler', typed, ['es2023', 'esnext.disposable', 'dom', 'dom.iterable']), '')
})

/** A file of the build and everything that it imports statically, by path. `import()` is loaded when it is needed. */
function reachedFrom(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found
  found.add(path)
  for (const [, link] of readFileSync(path, 'utf8').matchAll(
    /^(?:import|export)?[^;]*?(?:from|import) "(\.[^"]+)";$/gm,
  )) {
    reachedFrom(join(dirname(path), link!), found)
  }
  return found
}

const used = (size: number, budget: number): string => `${size} of ${budget} bytes`

t.test('the core import keeps to its budget, which the README states', async (t) => {
  const files = [...reachedFrom(join(home, 'dist/index.js'))]
  t.ok(files.length > 1, 'chunks are found')
  const size = files.reduce((sum, path) => sum + gzipSync(readFileSync(path), { level: 9 }).length, 0)
  t.ok(size <= MAX_CORE_BYTES, used(size, MAX_CORE_BYTES))
  const readme = readFileSync(join(home, 'README.md'), 'utf8')
  for (const budget of [MAX_CORE_BYTES, MAX_UNPACKED_BYTES]) {
    t.ok(readme.includes(`${budget.toLocaleString('en')} bytes`), `the README says ${budget}`)
  }
  const heavy = files.filter((path) => relative(home, path).startsWith(join('dist', 'cli')))
  t.strictSame(heavy, [], 'and the command line is not in it')
})

t.test('so do the package and what it brings', async (t) => {
  t.ok(packed.unpackedSize <= MAX_UNPACKED_BYTES, used(packed.unpackedSize, MAX_UNPACKED_BYTES))
  const lists = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))
  const names = lists.flatMap((name) =>
    name.startsWith('@') ? readdirSync(join(folder, 'node_modules', name)) : [name],
  )
  t.ok(names.length <= MAX_PACKAGES, names.join(', '))
})
