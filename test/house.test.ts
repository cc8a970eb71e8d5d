// The rules of the house, read from its source text: what may import what, how files are named and how long they
// are, and that whatever can happen to a user is written down.
import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import {
  exportsOf,
  filesIn,
  mentions,
  readSource,
  readText,
  ROOT,
  type SourceFile,
  TypeTable,
} from './fixtures/source-files.ts'

const lib = filesIn('lib', /\.ts$/).map(readSource)
const byPath = new Map(lib.map((file) => [file.path, file]))
const types = new TypeTable(lib)
/** A path without its folder. */
const inLib = ({ path }: SourceFile) => path.slice('lib/'.length)

/** What imports only what stands below it, from the bottom to the top. Files of one floor are neighbours. */
const FLOORS: Record<string, readonly string[]> = {
  words: ['ground/texts.ts'],
  errors: ['errors.ts'],
  ground: ['ground/', 'limits/', 'options/history-options.ts'],
  'frames and words': [
    'wire/address.ts',
    'wire/bytes.ts',
    'wire/frame.ts',
    'wire/hex.ts',
    'wire/ids.ts',
    'testing/manual-clock.ts',
    'testing/random.ts',
  ],
  identity: ['identity/'],
  message: ['message/'],
  'the contract of transports': ['transport/transport.ts', 'transport/web-origin.ts'],
  wire: ['wire/'],
  'what is sealed': ['seal/'],
  'what compression has made': ['unpack/'],
  'what applications allow': ['typing/'],
  'mechanisms, which do not know each other': [
    'requests/',
    'history/',
    'files/',
    'relay/',
    'services/',
    'transport/',
    'book/',
    'discovery/',
    'lan/',
    'hyperswarm/',
  ],
  'the status of a node': ['status/'],
  'the finding of nodes': ['lookup/'],
  'the forming of the network': ['overlay/'],
  options: ['options/'],
  'how connections begin and end': [
    'connections/handshake.ts',
    'connections/connected-peer.ts',
    'connections/link-life.ts',
  ],
  'one connection': ['node-connection.ts'],
  'what happens to connections': [
    'connections/arbiter.ts',
    'connections/connector-port.ts',
    'connections/dialer.ts',
    'connections/id-transports.ts',
    'events.ts',
    'connections/peer-set.ts',
    'reach.ts',
  ],
  'all connections': ['connections/connector.ts'],
  endpoint: ['connections/endpoint.ts', 'connections/endpoint-hooks.ts'],
  'the node': ['node.ts'],
  'the node that signs': [
    'inbox.ts',
    'make-history.ts',
    'outbox.ts',
    'secure-events.ts',
    'sending.ts',
    'signed-node.ts',
  ],
  'the node that joins': ['overlay-node.ts'],
  'the node that tells': ['watched-node.ts'],
  'the node that talks to each other one': ['secure-node.ts'],
  'the door for programs': ['index.ts'],
  // The build puts files of this folder in the place of those that need Node.js: see lib/package.json.
  'the door for browsers': ['browser/'],
  'the door for tests': ['testing/'],
  'the page that shows the network': ['watch/page/'],
  'doors for people': ['cli/'],
}
const PLACES = Object.values(FLOORS).flatMap((places, floor) => places.map((place) => ({ place, floor })))

/** The floor of a file, and the place there: the longest one that it is in. */
function placeOf(path: string): { place: string; floor: number } {
  const name = path.slice('lib/'.length)
  const places = PLACES.filter(
    ({ place }) => name === place || (place.endsWith('/') && name.startsWith(place)),
  )
  places.sort((left, right) => right.place.length - left.place.length)
  return places[0] ?? { place: '', floor: -1 }
}

/** Imports of files of this package. That of a file of the build is none: it is loaded beside who imports it. */
const ownImports = ({ imports }: SourceFile) =>
  imports.filter(({ specifier }) => specifier.startsWith('.') && specifier !== './history.js')

t.test('every file has its floor, and every place is taken', async (t) => {
  const homeless = lib.filter(({ path }) => placeOf(path).floor < 0).map(({ path }) => path)
  t.strictSame(homeless, [], 'a new file belongs somewhere: add it to FLOORS')
  const taken = new Set(lib.map(({ path }) => placeOf(path).place))
  t.strictSame(
    PLACES.map(({ place }) => place).filter((place) => !taken.has(place)),
    [],
  )
})

t.test('imports go downward, or to a neighbour in the same folder', async (t) => {
  const wrong = lib.flatMap((file) => {
    const here = placeOf(file.path)
    const isAllowed = (path: string): boolean => {
      const there = placeOf(path)
      if (there.floor !== here.floor) return there.floor < here.floor
      return there.place === here.place || dirname(path) === dirname(file.path)
    }
    return ownImports(file)
      .filter(({ from }) => !isAllowed(from))
      .map(({ from }) => `${file.path} imports ${from}`)
  })
  t.strictSame(wrong, [])
})

t.test('there are no cycles, those of types included', async (t) => {
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) cycles.push([...way.slice(way.indexOf(path)), path].join(' > '))
    if (done.has(path) || way.includes(path)) return
    for (const { from } of ownImports(byPath.get(path)!)) visit(from, [...way, path])
    done.add(path)
  }
  for (const { path } of lib) visit(path, [])
  t.strictSame(cycles, [])
})

t.test('what is imported exists, and has its ending', async (t) => {
  const wrong = lib.flatMap((file) => ownImports(file).filter(({ from }) => !byPath.has(from)).map(({ from }) => `${file.path}: ${from}`)) // prettier-ignore
  t.strictSame(wrong, [])
})

t.test('mechanisms know no node: they could serve any other', async (t) => {
  const nodes = ['node.ts', 'signed-node.ts', 'overlay-node.ts', 'secure-node.ts', 'endpoint.ts', 'connector.ts', 'node-connection.ts'].map((name) => `lib/${name}`) // prettier-ignore
  const wrong = lib
    .filter(({ path }) => /^lib\/(wire|message|identity|relay|services|transport|book|discovery|lan|overlay|typing|seal|requests|history|files|lookup)\//.test(path))
    .flatMap((file) => ownImports(file).filter(({ from }) => nodes.includes(from)).map(({ from }) => `${file.path}: ${from}`)) // prettier-ignore
  t.strictSame(wrong, [])
})

t.test('nothing but the command line, tests and examples comes in by the door for programs', async (t) => {
  const users = lib.filter((file) => ownImports(file).some(({ from }) => from === 'lib/index.ts'))
  t.strictSame(users.filter(({ path }) => !path.startsWith('lib/cli/')).map(inLib), [])
})

t.test('the mechanisms are pure: no built-in of Node.js, no transport', async (t) => {
  // What they are for: a file, and the network interfaces.
  const doors = ['lib/book/book-file.ts', 'lib/lan/datagrams.ts', 'lib/lan/interfaces.ts']
  const wrong = lib
    .filter(
      ({ path }) =>
        /^lib\/(relay|services|book|discovery|lan|overlay|typing|seal|requests|history|files|lookup)\//.test(
          path,
        ) && !doors.includes(path),
    )
    .flatMap(
      (file) =>
      file.imports.filter(({ from, isType }) => (from.startsWith('node:') && !isType) || from.startsWith('lib/transport/')).map(({ from }) => `${file.path}: ${from}`), // prettier-ignore
    )
  t.strictSame(wrong, [])
})

t.test('what "secure-node/message" loads runs in browsers: of Node.js it knows types alone', async (t) => {
  const reached = new Set<string>()
  const visit = (path: string): void => {
    if (reached.has(path)) return
    reached.add(path)
    for (const { from, isType } of ownImports(byPath.get(path)!)) if (!isType) visit(from)
  }
  visit('lib/message/index.ts')
  t.ok(reached.size > 10)
  const wrong = [...reached].flatMap(
    (path) =>
    byPath.get(path)!.imports.filter(({ from, isType }) => from.startsWith('node:') && !isType).map(({ from }) => `${path}: ${from}`), // prettier-ignore
  )
  t.strictSame(wrong, [])
})

t.test('packages are those that are declared, each where it belongs', async (t) => {
  const homes: Record<string, RegExp> = {
    tweetnacl: /^lib\/(identity\/engine-tweetnacl|seal\/[a-z0-9-]+|browser\/poly1305)\.ts$/,
    'classic-level': /^lib\/history\/level-store\.ts$/,
    canonicalize: /^lib\/message\/canonical\.ts$/,
    commander: /^lib\/cli\//,
    ws: /^lib\/transport\/websocket-(listener|platform)\.ts$/,
    'd3-force': /^lib\/watch\/page\/forces\.ts$/,
    'd3-selection': /^lib\/watch\/page\/camera\.ts$/,
    'd3-zoom': /^lib\/watch\/page\/camera\.ts$/,
    '@noble/hashes': /^lib\//,
  }
  const wrong = lib.flatMap((file) =>
    file.imports
      .filter(({ specifier }) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .filter(({ specifier }) => {
        const name = specifier
          .split('/')
          .slice(0, specifier.startsWith('@') ? 2 : 1)
          .join('/')
        return homes[name]?.test(file.path) !== true
      })
      .map(({ specifier }) => `${file.path}: ${specifier}`),
  )
  t.strictSame(wrong, [])
})

t.test('files are short, and named in kebab-case', async (t) => {
  const files = [
    ...lib.map(({ path }) => path),
    ...filesIn('bench', /\.js$/),
    ...filesIn('examples', /\.ts$/),
  ]
  const long = files
    .map((path) => ({ path, lines: readText(path).split('\n').length - 1 }))
    .filter(({ lines }) => lines > 320)
  t.strictSame(
    long.map(({ path, lines }) => `${path} has ${lines} lines`),
    [],
  )
  const all = [...files, ...filesIn('test', /\.ts$/)]
  const odd = all.filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.(ts|js)$/.test(basename(path)))
  t.strictSame(odd, [])
})

t.test('every exported name has a doc comment', async (t) => {
  const bare = lib.flatMap((file) => {
    const names = exportsOf(file).filter(({ isDocumented }) => !isDocumented)
    return names.map(({ name }) => `${file.path}: ${name}`)
  })
  // A factory of errors is documented by its text, and its code by the README.
  t.strictSame(
    bare.filter((line) => !/^lib\/errors\.ts: [a-z]/.test(line)),
    [],
  )
})

t.test('nothing is left to be done, silenced or printed', async (t) => {
  const everywhere = [
    ...lib.map(({ path }) => path),
    ...filesIn('test', /\.ts$/),
    ...filesIn('examples', /\.ts$/),
  ]
  const others = [
    'README.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'docs/P2PNETWORK.md',
    'docs/PROTOCOL.md',
    'docs/STATUS.md',
    'docs/TESTING.md',
    ...filesIn('bench', /\.js$/),
  ]
  // In two parts, or this file would find itself.
  const leftOver = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`)
  const texts = [...everywhere, ...others].filter((path) => existsSync(join(ROOT, path)))
  t.strictSame(
    texts.filter((path) => leftOver.test(readText(path))),
    [],
    'nothing to be done',
  )
  const silencer = /@ts-(ignore|expect-error|nocheck)|eslint-disable/
  t.strictSame(lib.filter(({ text }) => silencer.test(text)).map(inLib), [], 'nothing silenced')
  // In a page, the console is what a process has its streams for.
  const talkers = lib.filter(
    (file) => !/^lib\/(cli\/|browser\/process\.ts$)/.test(file.path) && mentions(file, 'console'),
  )
  t.strictSame(talkers.map(inLib), [], 'nothing printed')
})

t.test('every limit has its use', async (t) => {
  const isLimits = ({ path }: SourceFile): boolean => /^lib\/limits\//.test(path)
  const sheets = lib.filter(isLimits)
  const limits = sheets.flatMap((sheet) => exportsOf(sheet).map(({ name }) => name))
  t.ok(limits.length > 200)
  const users = lib.filter((file) => !isLimits(file))
  // Some are made of others.
  const own = sheets.map(({ text }) => text).join('')
  const isBasis = (name: string): boolean => new RegExp(`= .*\\b${name}\\b`).test(own)
  const unused = limits.filter((name) => !isBasis(name) && !users.some((file) => mentions(file, name)))
  t.strictSame(unused, [])
})

const readme = readText('README.md')
const protocol = existsSync(join(ROOT, 'docs/PROTOCOL.md')) ? readText('docs/PROTOCOL.md') : ''

t.test('every error code has a heading in the README, and every such heading is one', async (t) => {
  const headings = readme.split('\n').filter((line) => /^#{2,6} /.test(line))
  const codes = types.texts('ErrorCode')
  const documented = headings.flatMap((line) => [...line.matchAll(/`([^`]+)`/g)].map(([, code]) => code!))
  t.strictSame(
    codes.filter((code) => !documented.includes(code)),
    [],
    'headings like: #### `invalid-option`',
  )
  t.strictSame(
    documented.filter((code) => /^[a-z]+(-[a-z]+)+$/.test(code) && !codes.includes(code)),
    [],
  )
})

t.test('every option and event stands in a table of the README', async (t) => {
  const rows = readme.split('\n').filter((line) => line.startsWith('|'))
  const named = new Set(
    rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name)),
  )
  const kinds = [
    'NodeOptions',
    'SecureNodeOptions',
    'ConnectOptions',
    'SecureSendOptions',
    'ConnectionEvents',
  ]
  const names = [...kinds.flatMap((kind) => types.members(kind)), 'type', 'to', 're', 'exp']
  names.push(...types.members('NodeEvents'), ...types.members('SecureNodeEvents'))
  t.strictSame(
    names.filter((name) => !named.has(name)),
    [],
  )
  const texts = types.texts('Compression').filter((name) => !readme.includes(`'${name}'`))
  t.strictSame(texts, [], 'and every compression in an example')
})

t.test('every verdict and every reason for the end of a connection stands in the protocol', async (t) => {
  const codes = new Set([...types.texts('VerdictCode'), ...types.texts('CloseCode')])
  t.ok(codes.size > 30)
  t.strictSame(
    [...codes].filter((code) => !protocol.includes(`\`${code}\``)),
    [],
  )
})

t.test('links within the documents lead somewhere', async (t) => {
  const documents = [
    'README.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'docs/PROTOCOL.md',
    'docs/STATUS.md',
    'docs/TESTING.md',
  ]
  const broken = documents
    .filter((path) => existsSync(join(ROOT, path)))
    .flatMap((path) => {
      const links = [...readText(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link]) => link!)
      const local = links.filter((link) => !/^[a-z]+:/.test(link))
      return local
        .filter((link) => !existsSync(join(ROOT, dirname(path), link)))
        .map((link) => `${path}: ${link}`)
    })
  t.strictSame(broken, [])
})

interface Manifest {
  readonly [name: string]: unknown
  readonly scripts: Record<string, string>
  readonly exports: Record<string, string | Record<string, string>>
  readonly files: string[]
  readonly bin: Record<string, string>
  readonly dependencies: Record<string, string>
}
const manifest = JSON.parse(readText('package.json')) as Manifest

t.test('the package is ESM for Node 20.19 and later, with the five dependencies', async (t) => {
  t.match(manifest, { type: 'module', engines: { node: '>=20.19' }, license: 'MIT', sideEffects: false })
  t.strictSame(Object.keys(manifest.dependencies), [
    '@noble/hashes',
    'canonicalize',
    'commander',
    'tweetnacl',
    'ws',
  ])
  // Only who keeps a history on disk needs the one, and only who goes through routers the other.
  t.strictSame(manifest['peerDependencies'], { 'classic-level': '^3.0.0', hyperdht: '^6.34.0' })
  t.strictSame(manifest['peerDependenciesMeta'], {
    'classic-level': { optional: true },
    hyperdht: { optional: true },
  })
  for (const kind of ['optionalDependencies', 'bundledDependencies', 'bundleDependencies']) {
    t.notOk(kind in manifest, kind)
  }
})

t.test('nothing runs when it is installed', async (t) => {
  const risky = ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare', 'prepublish', 'dependencies'] // prettier-ignore
  t.strictSame(
    Object.keys(manifest.scripts).filter((name) => risky.includes(name)),
    [],
  )
  t.notOk('gypfile' in manifest)
})

t.test('types come first and "default" last, or some tools find neither', async (t) => {
  t.strictSame(Object.keys(manifest.exports).sort(), [
    '.',
    './browser',
    './hyperswarm',
    './message',
    './p2pnetwork',
    './package.json',
    './testing',
  ])
  for (const [name, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string') continue
    t.strictSame(Object.keys(target), ['types', 'default'], name)
    const source = target['default']!.replace(/^\.\/dist\/(.*)\.js$/, 'lib/$1.ts')
    t.ok(byPath.has(source), `${source} is what ${name} is made of`)
    t.equal(target['types'], `./dist/types/${source.slice('lib/'.length, -'.ts'.length)}.d.ts`)
    const builds = `${manifest.scripts['build:js']} ${manifest.scripts['build:browser']}`
    t.ok(builds.includes(source), `${source} is built`)
  }
  for (const target of Object.values(manifest.bin)) {
    t.ok(byPath.has(target.replace(/^(\.\/)?dist\/(.*)\.js$/, 'lib/$2.ts')), target)
  }
})

t.test('what is published is the build and its documents', async (t) => {
  t.strictSame([...manifest.files].sort(), [
    'CHANGELOG.md',
    'SECURITY.md',
    'bench/results/*.md',
    'bench/results/*.svg',
    'dist',
    'docs/P2PNETWORK.md',
    'docs/PROTOCOL.md',
    'docs/STATUS.md',
    'docs/TESTING.md',
    'docs/api',
    'docs/grafana.json',
  ])
  const made = (file: string): boolean => file === 'dist' || file.includes('*')
  for (const file of manifest.files) if (!made(file)) t.ok(existsSync(join(ROOT, file)), file)
})
