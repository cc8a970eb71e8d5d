import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT, run } from '../fixtures/programs.ts'

// The tarball, in an empty folder, as a new user has it.
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
const folder = t.testdir({ 'package.json': '{ "private": true }' })
const pack = ['pack', '--ignore-scripts', '--pack-destination', folder, '--json']

t.test('the tarball holds what a user needs and nothing else', async (t) => {
  const { code, stdout, stderr } = await run(npm, pack, ROOT)
  t.equal(code, 0, stderr)
  const parsed = JSON.parse(stdout) as unknown
  // npm 11 gives an object by package name where earlier ones give a list.
  const [report] = Object.values(parsed as Record<string, { files: { path: string }[] }>)
  const paths = report!.files.map(({ path }) => path)
  const isExpected = (path: string): boolean =>
    /^(dist\/|docs\/(P2PNETWORK|PROTOCOL|STATUS|TESTING)\.md$|docs\/grafana\.json$|docs\/api\/.*\.md$|bench\/results\/[a-z-]+\.(md|svg)$|(README|CHANGELOG|SECURITY)\.md$|LICENSE$|package\.json$)/.test(
      path,
    )
  t.same(
    paths.filter((path) => !isExpected(path)),
    [],
  )
  for (const path of ['dist/index.js', 'dist/types/index.d.ts', 'dist/cli/main.js', 'README.md', 'LICENSE']) {
    t.ok(paths.includes(path), path)
  }
})

t.test('it installs without scripts, and only the five packages that the README names', async (t) => {
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))!
  const args = ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', `./${tarball}`]
  const { code, stderr } = await run(npm, args, folder)
  t.equal(code, 0, stderr)
  const lock = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { hasInstallScript?: boolean }>
  }
  const installed = Object.keys(lock.packages).filter((path) => path !== '')
  t.same(installed.sort(), [
    'node_modules/@noble/hashes',
    'node_modules/canonicalize',
    'node_modules/commander',
    'node_modules/secure-node',
    'node_modules/tweetnacl',
    'node_modules/ws',
  ])
  t.notOk(Object.values(lock.packages).some(({ hasInstallScript }) => hasInstallScript))
})

const PROGRAM = `
const alice = Identity.generate()
const document = await signMessage({ data: { text: 'hello' } }, alice)
const verdict = await openMessage(document)
const node = new SecureNode('127.0.0.1', 0, alice)
await node.start()
console.log(verdict.ok && verdict.message.from === node.id)
await node.stop()
`

t.test('a program imports it', async (t) => {
  const imports = `import { Identity, SecureNode } from 'secure-node'
import { openMessage, signMessage } from 'secure-node/message'`
  writeFileSync(join(folder, 'program.mjs'), imports + PROGRAM)
  const { code, stdout, stderr } = await run(process.execPath, ['program.mjs'], folder)
  t.equal(code, 0, stderr)
  t.equal(stdout, 'true\n')
  t.equal(stderr, '', 'and nothing is warned about')
})

t.test('a program requires it', async (t) => {
  const imports = `const { Identity, SecureNode } = require('secure-node')
const { openMessage, signMessage } = require('secure-node/message')`
  writeFileSync(join(folder, 'program.cjs'), `${imports}\nvoid (async () => {${PROGRAM}})()`)
  const { code, stdout, stderr } = await run(process.execPath, ['program.cjs'], folder)
  t.equal(code, 0, stderr)
  t.equal(stdout, 'true\n')
})

t.test('what the build for browsers signs, the others verify, and the other way round', async (t) => {
  writeFileSync(
    join(folder, 'browser.mjs'),
    `import * as browser from 'secure-node/browser'
import * as message from 'secure-node/message'
for (const [one, other] of [[browser, message], [message, browser]]) {
  const document = await one.signMessage({ data: 'hello' }, one.Identity.generate())
  console.log((await other.openMessage(document)).ok)
}`,
  )
  const { code, stdout, stderr } = await run(process.execPath, ['browser.mjs'], folder)
  t.equal(code, 0, stderr)
  t.equal(stdout, 'true\ntrue\n')
})

const TEST_PROGRAM = `
class ChatNode extends SecureNode {
  heard = []
  nodeMessage(connection, data) {
    this.heard.push(data)
  }
}
const network = new VirtualNetwork({ seed: 7, nodeClass: ChatNode })
const [alice, bob] = await network.addNodes(2)
await network.connect(alice, bob)
await alice.sendToNodes('hello')
await network.settle()
console.log(bob.heard, bob instanceof SecureNode, network.clock.now() > Date.UTC(2026, 0, 1))
await network.stop()
`

t.test('a test of a user runs its nodes on the virtual network', async (t) => {
  const imports = `import { SecureNode } from 'secure-node'
import { VirtualNetwork } from 'secure-node/testing'`
  writeFileSync(join(folder, 'test.mjs'), imports + TEST_PROGRAM)
  const { code, stdout, stderr } = await run(process.execPath, ['test.mjs'], folder)
  t.equal(code, 0, stderr)
  t.equal(stdout, "[ 'hello' ] true true\n", 'its classes are those of the main entry')
  t.equal(stderr, '')
  const required = `const { SecureNode } = require('secure-node')
const { VirtualNetwork } = require('secure-node/testing')`
  writeFileSync(join(folder, 'test.cjs'), `${required}\nvoid (async () => {${TEST_PROGRAM}})()`)
  t.equal((await run(process.execPath, ['test.cjs'], folder)).stdout, stdout)
})

t.test('npx secure-node keygen makes a key that a node takes', async (t) => {
  const made = await run('npx', ['secure-node', 'keygen', 'alice.pem', '--no-password'], folder)
  t.equal(made.code, 0, made.stderr)
  const [id] = made.stdout.match(/[0-9a-f]{64}/)!
  const program = `import { SecureNode } from 'secure-node'
console.log(new SecureNode('127.0.0.1', 0, 'alice.pem').id)`
  writeFileSync(join(folder, 'key.mjs'), program)
  t.equal((await run(process.execPath, ['key.mjs'], folder)).stdout.trim(), id)
})
