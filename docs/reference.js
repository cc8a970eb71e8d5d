// Makes the API reference in docs/api from the doc comments: `npm run docs`, or in a folder that is given. It has one part for each subpath that
// the package exports; a new one appears by itself. Whatever typedoc warns about is an error here.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application } from 'typedoc'

const ROOT = dirname(import.meta.dirname)

/**
 * Types that programs meet without ever naming them: helpers that the compiler computes with, and what the package's
 * own classes hand each other. They are no promise, so they have no page.
 */
const UNNAMED = [
  ...[
    'Member',
    'AnswerOutputs',
    'AnswerInputs',
    'IsOpen',
    'Outputs',
    'KnownMessage',
    'Inputs',
    'Nothing',
    'OfType',
    'JsonFault',
  ],
  ...[
    'Engine',
    'Signer',
    'LinkOwner',
    'MemoryLink',
    'ConnectionOwner',
    'AnyNodeEvents',
    'SecureNodeSettings',
  ],
  ...[
    'MessageTypes',
    'Reached',
    'Hello',
    'Frame',
    'OutgoingMessage',
    'Draft',
    'Mode',
    'SchemaResult',
    'RecordFields',
  ],
  ...['Relay', 'SignedNodeStats', 'WatchedLink', 'WatchedStats', 'ABSENT'],
]

/** What the package exports with types, in the order of package.json: the name in an import, and its source. */
export function entryPoints() {
  const { name, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  return Object.entries(exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([subpath, { types }]) => ({
      name: name + subpath.slice(1),
      source: types.replace(/^\.\/dist\/types\/(.*)\.d\.ts$/, 'lib/$1.ts'),
    }))
}

/** Writes the reference into a folder, which is emptied first. Returns false when something was warned about. */
export async function writeReference(folder) {
  const doors = entryPoints()
  const application = await Application.bootstrapWithPlugins({
    entryPoints: doors.map(({ source }) => join(ROOT, source)),
    tsconfig: join(ROOT, 'lib/tsconfig.json'),
    basePath: ROOT,
    name: 'secure-node',
    plugin: ['typedoc-plugin-markdown'],
    // Line numbers, commits and versions would change with every commit, and say nothing here.
    disableSources: true,
    // "@default none" is a sentence as often as it is code.
    jsDocCompatibility: { defaultTag: false },
    includeVersion: false,
    readme: 'none',
    // What comes from EventEmitter is described where it comes from.
    excludeExternals: true,
    excludePrivate: true,
    skipErrorChecking: true,
    treatWarningsAsErrors: true,
    validation: { notExported: true, invalidLink: true, rewrittenLink: true, notDocumented: false },
    intentionallyNotExported: UNNAMED,
    sort: ['alphabetical'],
    logLevel: 'Warn',
    outputs: [{ name: 'markdown', path: folder }],
    hidePageHeader: true,
    hideBreadcrumbs: false,
    useCodeBlocks: true,
    expandObjects: false,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'list',
    typeAliasPropertiesFormat: 'list',
    mergeReadme: false,
    entryFileName: 'README.md',
  })
  const project = await application.convert()
  if (project === undefined) return false
  // A reader knows "secure-node/message", not the file that it is made of.
  for (const part of project.children) {
    const file = `${part.name}/index.ts`
    part.name = doors.find(({ source }) => [file, `${part.name}.ts`, `lib/${file}`].includes(source)).name
  }
  application.validate(project)
  await application.generateOutputs(project)
  return !application.logger.hasErrors() && !application.logger.hasWarnings()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isClean = await writeReference(process.argv[2] ?? join(ROOT, 'docs/api'))
  if (!isClean) process.exitCode = 1
}
