// The command line in networks that form themselves: --join, --lan, --peers-file, and the command "peers".
import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { areErrors, Cli, cli, type CliOptions } from '../fixtures/cli.ts'
import { closedPort, listen, type Listener } from '../fixtures/listener.ts'

// Nearly all of the time goes into starting processes.
t.jobs = 4

/** `run --json` on a free port; ends with the test. */
async function runNode(
  t: Test,
  args: string[] = [],
  options: CliOptions = {},
): Promise<{ node: Cli; id: string; address: string; host: string }> {
  const node = new Cli(['run', '--json', '--port', '0', ...args], options)
  t.teardown(() => node.kill('SIGKILL'))
  const { id, port, host } = (await node.event('started')) as { id: string; port: number; host: string }
  return { node, id, address: `127.0.0.1:${port}`, host }
}

/** Two nodes of this process, one of which knows a network that consists of both. */
async function pair(t: Test): Promise<readonly [Listener, Listener]> {
  const [a, b] = [await listen(t), await listen(t)]
  await b.join([a.address])
  return [a, b]
}

/** The local network of this machine, where other tests have theirs. */
const ownLan = (): string[] => ['--lan', '--host', '127.0.0.1', '--net', `test-${randomUUID()}`]

t.test('nodes that run find each other by one address, and read each other', async (t) => {
  const first = await runNode(t)
  const second = await runNode(t, ['--join', first.address])
  t.match(await second.node.event('joined'), { peers: 1, failures: [] })
  const third = await runNode(t, ['--join', first.address], { open: true })
  // Nobody has told it of the second one but the network.
  t.match(await third.node.event('connected', ({ id }) => id === second.id), { direction: 'outbound' })
  third.node.write('hello\n')
  for (const { node } of [first, second]) t.match(await node.event('message'), { data: { text: 'hello' } })
  third.node.write('/peers\n/book\n/discover\n')
  const { peers } = (await third.node.event('peers')) as { peers: { id: string }[] }
  t.strictSame(peers.map(({ id }) => id).sort(), [first.id, second.id].sort())
  t.match(peers[0], { direction: String, host: '127.0.0.1', latency: Number, age: Number, bytesIn: Number })
  const { book } = (await third.node.event('book')) as { book: { id: string; addresses: string[] }[] }
  t.strictSame(book.find(({ id }) => id === second.id)?.addresses, [second.address])
  const { map } = (await third.node.event('network')) as { map: { size: number; links: unknown[] } }
  t.equal(map.size, 3)
  t.equal(map.links.length, 3)
  t.match(await second.node.kill('SIGTERM'), { code: 0, stderr: '' })
  t.match(await third.node.event('disconnected'), { id: second.id, code: 'goodbye' })
  third.node.endInput()
  t.match(await third.node.finished, { code: 0, stderr: '' })
})

t.test('run says that nobody is there, goes on trying, and keeps its lines until then', async (t) => {
  const port = await closedPort()
  const node = new Cli(['run', '--port', '0', '--join', `127.0.0.1:${port}`], { input: 'patience\n' })
  await node.says(
    /^secure-node: nobody was found at the address: .*nothing listens there.*\(trying again\)\n/,
  )
  const late = await listen(t, port)
  t.match(await node.finished, { code: 0, stdout: /^connected /m, stderr: /^[^\n]*\n$/ })
  t.strictSame(await late.hears(1), [{ text: 'patience' }])
})

t.test('run says which addresses were of no use', async (t) => {
  const [node] = await pair(t)
  const dead = `127.0.0.1:${await closedPort()}`
  const args = ['run', '--port', '0', '--join', dead, '--join', node.address]
  const { code, stdout } = await cli(args, { input: 'hello\n' })
  t.equal(code, 0)
  t.match(stdout, /^joined: [12] peers?\n(cannot connect to .*nothing listens there.*\n)?/m)
  t.strictSame(await node.hears(1), [{ text: 'hello' }])
})

t.test('run keeps whom it knows in a file, and finds them again without any address', async (t) => {
  const [a, b] = await pair(t)
  const cwd = t.testdir({})
  const run = (input: string, ...args: string[]) =>
    cli(['run', '--port', '0', '--peers-file', 'peers.json', ...args], { input, cwd })
  t.match(await run('one\n', '--join', a.address), { code: 0, stderr: '' })
  t.match(await run('two\n'), { code: 0, stderr: '' })
  t.strictSame(await b.hears(2), [{ text: 'one' }, { text: 'two' }])
  t.match(await run('x', '--net', 'other'), { code: 1, stderr: /peers\.json/ }, 'a file of another network')
})

t.test('send joins as a visitor: all get it, and nobody remembers the visitor', async (t) => {
  const [a, b] = await pair(t)
  const { code, stdout, stderr } = await cli(['send', '--json', '--join', a.address, 'Hello, wörld'])
  t.strictSame({ code, stderr }, { code: 0, stderr: '' })
  const { from, peers } = JSON.parse(stdout) as { from: string; peers: number }
  t.ok(peers >= 1)
  for (const node of [a, b]) {
    t.strictSame(await node.hears(1), [{ text: 'Hello, wörld' }])
    t.equal(node.peerBook.has(from), false)
    t.notOk([...node.allNodes].some(({ id }) => id === from))
  }
})

t.test('peers shows the connections of a visit, and what it was told', async (t) => {
  const [a, b] = await pair(t)
  const text = await cli(['peers', '--join', a.address, '--book'])
  t.match(text, { code: 0, stderr: '' })
  t.match(text.stdout, /^direction +address +ID +ms +age +bytes in +bytes out\n/)
  t.match(
    text.stdout,
    new RegExp(`^outbound +${a.address} +${a.id.slice(0, 8)} +\\d+\\.\\d +\\d s +\\d+ +\\d+$`, 'm'),
  )
  t.match(text.stdout, /\n\nID +address +told +by +link\n/)
  t.match(text.stdout, new RegExp(`^${b.id.slice(0, 8)} +${b.address} +\\d s ago`, 'm'))
  const json = await cli(['peers', '--connect', a.address, '--json'])
  const { peers, book } = JSON.parse(json.stdout) as { peers: object[]; book?: unknown }
  t.equal(peers.length, 1, 'with --connect, nobody else')
  t.match(peers[0], { id: a.id, direction: 'outbound', port: a.port, latency: Number, bytesOut: Number })
  t.equal(book, undefined)
})

t.test('with --lan no address is needed', async (t) => {
  const args = ownLan()
  const { node, host } = await runNode(t, args)
  t.equal(host, '127.0.0.1')
  t.match(await node.event('started'), { lan: true })
  // A pipe waits for somebody.
  const piped = cli(['run', '--port', '0', ...args], { input: 'from a pipe\n' })
  t.match(await node.event('message'), { data: { text: 'from a pipe' } })
  t.match(await piped, { code: 0, stdout: /looking for others on the local network/, stderr: '' })
  t.match(await cli(['send', ...args, 'hello']), { code: 0, stdout: /is with 1 peer\n$/, stderr: '' })
  await node.event('message', ({ data }) => (data as { text: string }).text === 'hello')
  t.match(await cli(['peers', ...args]), { code: 0, stdout: /^(in|out)bound +127\.0\.0\.1:/m, stderr: '' })
})

t.test('with --lan, run listens where the others can reach it, and says so', async (t) => {
  const node = new Cli(['run', '--port', '0', '--lan', '--net', `test-${randomUUID()}`])
  t.teardown(() => node.kill('SIGKILL'))
  await node.says(/listens at 0\.0\.0\.0:\d+ \(whoever reaches this machine can connect\)/)
  t.match(await node.kill('SIGINT'), { code: 0, stderr: '' })
})

t.test('a visit without any way in, or to nobody, fails with a reason', async (t) => {
  const dead = ['--join', `127.0.0.1:${await closedPort()}`]
  const where = /say where the network is: --join <host:port>, --lan, or --connect <host:port>/
  await areErrors(t, [
    [cli(['send', 'x']), 2, where],
    [cli(['peers']), 2, where],
    [cli(['peers', '--join', 'nowhere']), 2, /must be host:port/],
    [cli(['peers', ...dead]), 1, /nobody was found at the address: .*nothing listens there/],
    [cli(['send', 'x', ...dead, ...dead]), 1, /nobody was found at any of the 2 addresses/],
    [cli(['send', 'x', ...ownLan(), '--timeout', '0.5']), 1, /nobody was found on the local network; does/],
  ])
})
