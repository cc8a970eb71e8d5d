// The commands that talk: run and send. What works with files alone is in cli-keys.test.ts and cli-documents.test.ts.
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Identity } from '../../lib/index.ts'
import { atTerminal, Cli, cli, type CliOptions, hasTerminals } from '../fixtures/cli.ts'
import { closedPort, listen } from '../fixtures/listener.ts'

// Nearly all of the time goes into starting processes.
t.jobs = 4

/** `run --json` on a free port; ends with the test. */
async function runNode(
  t: Test,
  args: string[] = [],
  options: CliOptions = {},
): Promise<{ node: Cli; id: string; address: string }> {
  const node = new Cli(['run', '--json', '--port', '0', ...args], options)
  t.teardown(() => node.kill('SIGKILL'))
  const { id, port } = (await node.event('started')) as { id: string; port: number }
  return { node, id, address: `127.0.0.1:${port}` }
}

t.test('send brings a message to a node that runs', async (t) => {
  const { node, id, address } = await runNode(t)
  const sent = await cli(['send', '--json', '--connect', address, '--type', 'greeting', 'Hello, wörld'])
  t.match(sent, { code: 0, stderr: '' })
  const { id: messageId, from, peers } = JSON.parse(sent.stdout)
  t.equal(peers, 1)
  t.match(await node.event('message'), {
    id: messageId,
    from,
    via: from,
    type: 'greeting',
    data: { text: 'Hello, wörld' },
  })
  t.match(await node.event('disconnected'), { id: from, code: 'goodbye', by: 'peer' })
  const { code, signal } = await node.kill('SIGINT')
  t.strictSame({ code, signal }, { code: 0, signal: null }, 'Ctrl-C is a good end')
  t.match(node.events.at(-1), { event: 'stopped', sent: 0, received: 1 })
  t.not(id, from)
})

t.test('send takes JSON, stdin, a key and several peers, and says what was reached', async (t) => {
  const [a, b] = [await listen(t), await listen(t)]
  const dead = `127.0.0.1:${await closedPort()}`
  const cwd = t.testdir({})
  const identity = Identity.generate()
  await identity.save(join(cwd, 'a.pem'), { password: 'sesame' })
  const authors: string[] = []
  a.on('nodeMessage', (_connection, _data, message) => authors.push(message.from))
  const key = ['--key', 'a.pem']
  const peers = ['--connect', a.address, '--connect', dead, '--connect', b.address]
  const env = { SECURE_NODE_PASSWORD: 'sesame' }
  const sent = await cli(['send', '--json-data', ...key, ...peers, '-'], {
    cwd,
    input: '[1, {"a": 2}]\n',
    env,
  })
  t.equal(sent.code, 0)
  t.match(sent.stdout, /^[0-9a-f]{64} is with 2 peers\n$/)
  t.match(sent.stderr, /^secure-node: cannot connect to [^\n]*: nothing listens there[^\n]*\n$/)
  t.strictSame([await a.hears(1), await b.hears(1)], [[[1, { a: 2 }]], [[1, { a: 2 }]]])
  t.strictSame(authors, [identity.id])
  // One node at two addresses is one peer.
  const again = ['--connect', a.address, '--connect', a.address.replace('127.0.0.1', 'localhost')]
  const text = await cli(['send', ...again, '-'], { input: 'a\n\n' })
  t.match(text, { code: 0, stdout: /with 1 peer\n/ })
  t.strictSame((await a.hears(2))[1], { text: 'a\n' }, 'one line end is not sent')
})

t.test('send fails when nobody has the message', async (t) => {
  const node = await listen(t)
  const deaf = createServer().listen(0, '127.0.0.1')
  t.teardown(() => deaf.close())
  await once(deaf, 'listening')
  const { port } = deaf.address() as { port: number }
  const fails = async (args: string[], code: number, text: RegExp, options?: CliOptions): Promise<void> => {
    const result = await cli(['send', ...args], options)
    t.match(result, { code, stdout: '', stderr: /^secure-node: [^\n]*\n$/ })
    t.match(result.stderr, text)
  }
  const connect = ['--connect', node.address]
  await Promise.all([
    fails(
      ['x', '--connect', `127.0.0.1:${await closedPort()}`],
      1,
      /nobody can be reached: .*nothing listens/,
    ),
    fails(['x', '--connect', `127.0.0.1:${port}`, '--timeout', '0.2'], 1, /no connection .* within 200 ms/),
    fails(['x', ...connect, '--net', 'other'], 1, /wrong-net/),
    fails(['x', ...connect, '--no-encryption'], 1, /encrypted or not/),
    fails(['x', ...connect, '--key', 'nothing.pem'], 1, /there is no key file/),
    fails(['x'], 2, /say where the network is: --join <host:port>, --lan, or --connect/),
    fails(['x', '--connect', 'localhost'], 2, /must be host:port/),
    fails(['x', '--connect', '::1:80'], 2, /\[address\]:port for IPv6/),
    fails(['x', '--connect', 'a:0'], 2, /from 1 to 65535/),
    fails(['x', ...connect, '--timeout', '0'], 2, /must be seconds/),
    fails(['x', ...connect, '--type', 'two words'], 2, /type must be a name/),
    fails(['{x', ...connect, '--json-data'], 2, /the text is not JSON/),
    fails(['-', ...connect, '--json-data'], 1, /the input is not JSON/, { input: '{x' }),
    fails(['-', ...connect], 1, /too large/, { input: 'x'.repeat(300_000) }),
  ])
  t.strictSame(node.heard, [])
})

t.test('send and run can do without encryption', async (t) => {
  const { node, address } = await runNode(t, ['--no-encryption', '--net', 'lesson'])
  const args = ['--no-encryption', '--net', 'lesson', '--connect', address]
  t.equal((await cli(['send', ...args, 'in the clear'])).code, 0)
  t.match(await node.event('message'), { data: { text: 'in the clear' } })
  t.match(await node.event('started'), { encryption: false, net: 'lesson' })
})

t.test('run sends the lines of a pipe, and ends when the peers have them', async (t) => {
  const node = await listen(t)
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index}`)
  const args = ['run', '--port', '0', '--connect', node.address]
  const piped = await cli(args, { input: `${lines.join('\r\n')}\n\n   \n//slash\nlast` })
  t.match(piped, { code: 0, stderr: '', stdout: /stopped: 302 sent, 0 received\n$/ })
  t.strictSame(
    await node.hears(302),
    [...lines, '/slash', 'last'].map((text) => ({ text })),
  )
  t.notMatch(piped.stdout, /[\u001b\r]/, 'no control characters in a pipe')
})

t.test('run waits for its peer, however late it comes', async (t) => {
  const port = await closedPort()
  const node = new Cli(['run', '--port', '0', '--connect', `127.0.0.1:${port}`], { input: 'patience\n' })
  await node.says(/nothing listens there.*\(trying again\)/)
  const late = await listen(t, port)
  t.match(await node.finished, { code: 0, stdout: /^connected /m, stderr: /^[^\n]*\n$/ })
  t.strictSame(await late.hears(1), [{ text: 'patience' }])
})

t.test('run connects again when a peer was lost', async (t) => {
  const first = await listen(t)
  const { node } = await runNode(t, ['--connect', first.address])
  await node.event('connected')
  const { port } = first
  await first.stop()
  await node.event('disconnected')
  const second = await listen(t, port)
  await node.event('connected', ({ id }) => id === second.id)
  t.match(await node.kill('SIGTERM'), { code: 0 })
})

t.test('run obeys commands, in a pipe as at a terminal', async (t) => {
  const other = await listen(t)
  const { node, id } = await runNode(t, [], { open: true })
  node.write(`/connect ${other.address}\nhello\n/peers\n/stats\n/explain\n/help\n/debug\n/debug\n`)
  t.match(await node.event('connected'), { id: other.id, direction: 'outbound', port: other.port })
  const sent = await node.event('sent')
  t.match(sent, { id: /^[0-9a-f]{64}$/, peers: 1 })
  t.match(await node.event('peers'), {
    peers: [{ id: other.id, direction: 'outbound', host: '127.0.0.1', latency: Number }],
  })
  t.match(await node.event('stats'), { stats: { sent: 1, outbound: 1 } })
  const explained = { id: sent['id'], verdict: 'sent', from: id, relayedTo: [other.id] }
  t.match(await node.event('explanation'), { explanation: explained })
  t.match(await node.event('help'), { commands: { '/peers': String } })
  t.match(await node.event('debug', ({ on }) => on === false), {})
  await node.event('debug', ({ on }) => on === true)
  t.strictSame(await other.hears(1), [{ text: 'hello' }])
  await other.sendToNodes({ text: 'hello yourself' })
  const { id: messageId } = (await node.event('message')) as { id: string }
  node.write(`/explain ${messageId.slice(0, 8)}\n/stop\nnever sent\n`)
  await node.event('explanation', ({ explanation }) => (explanation as { id: string }).id === messageId)
  t.match(await node.finished, { code: 0, stderr: '' })
  t.equal(node.events.at(-1)!['event'], 'stopped')
  t.strictSame(other.heard, [{ text: 'hello' }])
})

t.test('run tells what it cannot do, and its exit code says so', async (t) => {
  const input = [
    '/nope',
    '/connect here',
    `/connect 127.0.0.1:${await closedPort()}`,
    '/explain',
    'x'.repeat(3e5),
  ]
  const { code, stdout, stderr } = await cli(['run', '--port', '0'], { input: input.join('\n') })
  t.equal(code, 1)
  const errors = stderr.trimEnd().split('\n')
  t.equal(errors.length, 5)
  for (const error of errors) t.match(error, /^secure-node: /)
  t.match(errors[0], /there is no command "\/nope"; \/help/)
  t.match(errors[1], /must be host:port/)
  t.match(errors[2], /nothing listens there/)
  t.match(errors[3], /there was no message yet/)
  t.match(errors[4], /the limit is 262144/)
  t.match(stdout, /stopped: 0 sent/)
  const json = await cli(['run', '--json', '--port', '0'], { input: '/nope\n' })
  t.match(json, { code: 1, stderr: '', stdout: /"event":"error"/ })
})

t.test('run says why it cannot start', async (t) => {
  const node = await listen(t)
  const run = (...args: string[]) => cli(['run', ...args])
  const [taken, port, self, key] = await Promise.all([
    run('--port', String(node.port)),
    run('--port', '70000'),
    run('--port', '0', '--host', '192.0.2.1'),
    run('--port', '0', '--key', 'nothing.pem'),
  ])
  t.match(taken, { code: 1, stdout: '', stderr: /another program uses this port/ })
  t.match(port, { code: 2, stdout: '', stderr: /from 0 to 65535/ })
  t.match(self, { code: 1, stdout: '', stderr: /no such address/ })
  t.match(key, { code: 1, stdout: '', stderr: /there is no key file "nothing.pem"/ })
})

t.test('run does not go on dialling itself', async (t) => {
  const port = await closedPort()
  const args = ['run', '--port', String(port), '--connect', `127.0.0.1:${port}`]
  const { code, stderr } = await cli(args, { input: 'hello\n' })
  t.equal(code, 1)
  t.match(stderr, /is this node itself\n.*nobody left to connect with\n$/)
})

t.test('what remote nodes say cannot steer the terminal', async (t) => {
  const evil = '\u001b[2J\u009b31m\u202e\u2028\n12:00:00 alice: I owe you 100'
  const node = new Cli(['run', '--port', '0'])
  t.teardown(() => node.kill('SIGKILL'))
  const [, port] = await node.says(/listens at 127\.0\.0\.1:(\d+),/)
  const sender = await listen(t)
  await sender.connectWithNode('127.0.0.1', Number(port))
  await sender.sendToNodes({ text: evil }, { type: 'rumour' })
  await node.says(/I owe you 100.*\n/)
  const { code, stdout } = await node.kill('SIGINT')
  t.equal(code, 0)
  t.notMatch(stdout, /[\u001b\u009b\u202e\u2028]/)
  t.match(
    stdout,
    /^\d\d:\d\d:\d\d [0-9a-f]{8} \[rumour\]: \\e\[2J\\u\{9b\}31m\\u\{202e\}\\u\{2028\}\\n12:00/m,
  )
  t.notMatch(stdout, /^12:00:00 alice/m, 'no line in the name of somebody else')
})

t.test('run ends quietly when nobody reads it any more', async (t) => {
  const { node, address } = await runNode(t)
  node.closeOutput()
  await cli(['send', '--connect', address, 'to nobody'])
  t.match(await node.finished, { code: 0, signal: null, stderr: '' })
})

t.test('run works at a terminal', { skip: !hasTerminals && 'no Python with pty' }, async (t) => {
  const node = await listen(t)
  node.on('nodeMessage', (_connection, data) => {
    // Between the halves of a line that is long enough for three rows of 60.
    if ((data as { text: string }).text === 'first') void node.sendToNodes({ text: 'in between' })
  })
  const long = 'abcdefghi '.repeat(15)
  const { code, screen } = await atTerminal(
    ['run', '--port', '0', '--connect', node.address],
    [
      ['connected', 'first\r'],
      ['in between', `${long}, half`],
      [', half', ' and half\r/stats\r'],
      ['messageIds', '\u0003'],
    ],
  )
  t.equal(code, 0)
  t.strictSame(await node.hears(2), [{ text: 'first' }, { text: `${long}, half and half` }])
  t.match(screen, /> /)
  t.match(screen, /stopped: 2 sent, 1 received\r\n$/)
  const bye = await atTerminal(['run', '--port', '0'], [['> ', '\u0004']])
  t.match(bye, { code: 0, screen: /stopped/ }, 'Ctrl-D ends it as well')
})
