import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Cli, cli } from '../fixtures/cli.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { ROOT } from '../fixtures/source-files.ts'
import { ask, type Place, Stream } from '../fixtures/status-client.ts'

const ADDRESS = /http:\/\/([\d.]+):(\d+)\/#token=([\w-]+)/
const hasPage = existsSync(join(ROOT, 'dist/watch/index.html'))
const skip = hasPage ? false : 'the page is not built: npm run build:watch'

/** Where a command has said that its page is. */
async function placeOf(command: Cli): Promise<Place> {
  const [, host, port, token] = await command.says(ADDRESS)
  return { host: host!, port: Number(port), token: token! }
}

t.test('run --status tells what the node does, and changes nothing', async (t) => {
  const run = new Cli(['run', '--port', '0', '--status', '0', '--json'])
  t.teardown(() => run.kill('SIGKILL'))
  const { host, port, token } = (await run.event('status')) as unknown as Place
  const reply = await ask({ host, port, token }, '/status')
  t.match(JSON.parse(reply.body), { send: false, nodes: [{ net: 'default' }] })
  t.equal((await run.kill('SIGTERM')).code, 0)
})

t.test('the token of run --status may come from the environment', async (t) => {
  const token = 'a-token-of-the-test'
  const env = { SECURE_NODE_STATUS_TOKEN: token }
  const run = new Cli(['run', '--port', '0', '--status', '0', '--json'], { env })
  t.teardown(() => run.kill('SIGKILL'))
  t.match(await run.event('status'), { token })
  await run.kill('SIGTERM')
  const bad = await cli(['run', '--port', '0', '--status', '0'], {
    env: { SECURE_NODE_STATUS_TOKEN: 'short' },
  })
  t.match(bad, { code: 2, stderr: /option "status" must be / })
})

t.test('watch serves the page, and the network that it has joined', { skip }, async (t) => {
  const node = new SecureNode('127.0.0.1', 0)
  await node.start()
  t.teardown(() => node.stop())
  const watch = new Cli(['watch', `127.0.0.1:${node.port}`])
  t.teardown(() => watch.kill('SIGKILL'))
  const place = await placeOf(watch)
  const page = await ask(place, '/', { bare: true })
  t.match(page, { status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } })
  t.match(page.headers['content-security-policy'], /script-src 'self'/)
  t.notMatch(page.body, place.token)
  for (const [, name] of page.body.matchAll(/(?:src|href)="([^":#]+)"/g)) {
    t.equal((await ask(place, new URL(name!, 'http://a/').pathname, { bare: true })).status, 200, name!)
  }
  t.equal((await ask(place, '/', { bare: true, headers: { host: 'evil.example' } })).status, 403)
  t.equal((await ask(place, '/', { bare: true, method: 'POST' })).status, 405)
  t.equal((await ask(place, '/status', { bare: true })).status, 401)
  const stream = await Stream.open(t, place)
  const { status } = await stream.find('snapshot')
  if (status.links.length === 0) await stream.find('link', ({ peer }) => peer === node.id)
  const headers = { 'content-type': 'application/json' }
  const arrived = new Promise((resolve) => node.once('nodeMessage', (_connection, data) => resolve(data)))
  t.equal((await ask(place, '/send', { method: 'POST', headers, body: '{"data":"hi"}' })).status, 200)
  t.equal(await arrived, 'hi')
  t.equal((await watch.kill('SIGINT')).code, 0)
})

t.test('watch --read-only lets nobody send', { skip }, async (t) => {
  const watch = new Cli(['watch', '--read-only'])
  t.teardown(() => watch.kill('SIGKILL'))
  const place = await placeOf(watch)
  const headers = { 'content-type': 'application/json' }
  t.equal((await ask(place, '/send', { method: 'POST', headers, body: '{"data":1}' })).status, 403)
  await watch.kill('SIGTERM')
})

t.test('watch --json prints what happens', async (t) => {
  const node = new SecureNode('127.0.0.1', 0)
  await node.start()
  t.teardown(() => node.stop())
  const watch = new Cli(['watch', '--json', `127.0.0.1:${node.port}`])
  t.teardown(() => watch.kill('SIGKILL'))
  await watch.says(/"kind":"link","isNew":true/)
  const { id } = await node.sendToNodes('hello')
  await watch.says(new RegExp(`"kind":"message","id":"${id}"`))
  const { code, stdout } = await watch.kill('SIGINT')
  t.equal(code, 0)
  const lines = stdout.trimEnd().split('\n')
  t.equal((JSON.parse(lines[0]!) as { kind: string }).kind, 'snapshot')
  for (const line of lines) t.doesNotThrow(() => JSON.parse(line) as unknown)
})

t.test('demo --watch shows five nodes until it is ended', { skip }, async (t) => {
  const demo = new Cli(['demo', '--watch'])
  t.teardown(() => demo.kill('SIGKILL'))
  const place = await placeOf(demo)
  const { nodes } = JSON.parse((await ask(place, '/status')).body) as {
    nodes: { node: string; name: string }[]
  }
  t.strictSame(
    nodes.map(({ name }) => name),
    [1, 2, 3, 4, 5].map((number) => `node ${number}`),
  )
  const stream = await Stream.open(t, place)
  const { id } = await stream.find('message', ({ verdict }) => verdict === 'sent')
  const ids = nodes.map(({ node }) => node)
  for (const one of ids) await stream.find('message', (event) => event.id === id && event.node === one)
  t.match(await stream.find('refused'), { code: 'before-start' })
  t.equal((await demo.kill('SIGINT')).code, 0)
})
