// Nodes on a DHT of this machine: found by topic or by ID, refused, bounded, stopped.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { hyperswarm, type HyperswarmOptions } from '../../lib/hyperswarm/hyperswarm.ts'
import { loadHyperdht, type SecretStream } from '../../lib/hyperswarm/hyperdht.ts'
import { Identity } from '../../lib/identity/identity.ts'
import type { NodeConnection } from '../../lib/node-connection.ts'
import type { SecureNodeOptions } from '../../lib/options/options.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { encodeHello } from '../../lib/wire/hello.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { eventually } from '../fixtures/happenings.ts'
import { ROOT, run, toJavaScript } from '../fixtures/programs.ts'
import { HERE, startDht } from '../fixtures/local-dht.ts'

async function startNode(
  t: Test,
  bootstrap: readonly string[],
  swarm: Partial<HyperswarmOptions> = {},
  options: SecureNodeOptions = {},
): Promise<SecureNode> {
  const transports = [hyperswarm({ bootstrap, host: HERE, ...swarm })]
  const node = new SecureNode(HERE, 0, undefined, { transports, net: 'dht-test', ...options })
  t.teardown(() => node.stop())
  await node.start()
  return node
}

const linkBetween = (one: SecureNode, other: SecureNode): NodeConnection | undefined =>
  [...one.allNodes].find(({ id }) => id === other.id)

/** Asks again until the DHT knows the node: it is announced in its own time. */
async function untilKnown(one: SecureNode, other: SecureNode): Promise<string | undefined> {
  for (;;) {
    const { via } = await one.lookup(other.id)
    if (via !== undefined) return via
  }
}

t.test('on a DHT of this machine', { timeout: 60_000 }, async (t) => {
  const bootstrap = await startDht(t)

  t.test('two nodes that know only a topic find each other and talk', async (t) => {
    const one = await startNode(t, bootstrap)
    const other = await startNode(t, bootstrap)
    await eventually(() => linkBetween(one, other) !== undefined && linkBetween(other, one) !== undefined)
    t.match(linkBetween(one, other), { via: 'hyperswarm', isById: true, remoteHost: HERE, encrypted: true })
    const said = new Promise((resolve) => other.once('nodeMessage', (_link, data) => resolve(data)))
    await one.sendToNodes('hello')
    t.equal(await said, 'hello')
    t.notOk(
      one.peerBook.get(other.id)?.addresses.some(({ port }) => port !== other.port),
      'no hole in the book',
    )
  })

  t.test('nodes of other networks do not meet at the topic', async (t) => {
    const one = await startNode(t, bootstrap, {}, { net: 'here' })
    const friend = await startNode(t, bootstrap, {}, { net: 'here' })
    const stranger = await startNode(t, bootstrap, {}, { net: 'there' })
    await eventually(() => linkBetween(one, friend) !== undefined)
    t.equal(stranger.allNodes.size, 0)
  })

  t.test('a node is reached by its ID alone', async (t) => {
    const one = await startNode(t, bootstrap, { topic: false })
    const other = await startNode(t, bootstrap, { topic: false })
    t.equal(await untilKnown(one, other), 'hyperswarm')
    const said = new Promise((resolve) => other.once('nodeMessage', (_link, data) => resolve(data)))
    const { way } = await one.sendTo(other.id, { to: 'you' })
    t.ok(way === 'link' || way === 'id', 'the lookup has opened a temporary link')
    t.same(await said, { to: 'you' })
    const third = await startNode(t, bootstrap, { topic: false })
    t.equal((await third.sendTo(other.id, 'me too', { connection: 'lasting' })).way, 'id')
    t.match(linkBetween(third, other), { via: 'hyperswarm', direction: 'outbound' })
  })

  t.test('nobody is there under an ID that nobody holds', async (t) => {
    const one = await startNode(t, bootstrap, { topic: false })
    await t.rejects(one.sendTo(Identity.generate().id, 'anybody?'), { code: 'unreachable' })
  })

  t.test('who says in the hello that he is another is refused', async (t) => {
    const node = await startNode(t, bootstrap, { topic: false })
    const refused = new Promise<Error>((resolve) => node.once('inboundNodeConnectionError', resolve))
    const stream = await knock(t, bootstrap, node.id)
    const self = { id: Identity.generate().id, net: 'dht-test', mode: 'signed' } as const
    const hello = encodeHello({
      ...self,
      time: Date.now(),
      listen: [],
      seen: { host: HERE, port: 1 },
      caps: [],
    })
    stream.write(Buffer.concat([Buffer.of(0), encodeFrame(Kind.hello, hello)]))
    t.match((await refused).message, /bad-proof/)
    await closed(stream)
    t.equal(node.allNodes.size, 0)
  })

  t.test('a length of 16 MiB ends the stream, and nothing is allocated for it', async (t) => {
    const node = await startNode(t, bootstrap, { topic: false })
    const allocations: number[] = []
    for (const name of ['allocUnsafe', 'allocUnsafeSlow'] as const) {
      const allocate = Buffer[name].bind(Buffer)
      Buffer[name] = (size) => {
        allocations.push(size)
        return allocate(size)
      }
      t.teardown(() => Object.assign(Buffer, { [name]: allocate }))
    }
    const stream = await knock(t, bootstrap, node.id)
    // Below the encryption: three bytes of length, and the message that never comes.
    const raw = stream.rawStream as unknown as { write(bytes: Uint8Array): void }
    raw.write(Buffer.concat([Buffer.of(255, 255, 255), Buffer.alloc(100)]))
    await closed(stream)
    t.ok(Math.max(...allocations) < 1_000_000, `the largest was ${Math.max(...allocations)}`)
  })

  t.test('who grants more than a window loses the stream', async (t) => {
    const node = await startNode(t, bootstrap, { topic: false })
    const stream = await knock(t, bootstrap, node.id)
    stream.write(Buffer.of(1, 255, 255, 255, 255))
    await closed(stream)
    t.equal(node.stats().pending, 0)
  })

  t.test('the limit per address holds for the address that is real', async (t) => {
    const node = await startNode(t, bootstrap, { topic: false }, { maxNewPerAddress: 2 })
    const streams: SecretStream[] = []
    for (let count = 0; count < 4; count++) {
      const stream = await knock(t, bootstrap, node.id)
      stream.write(Buffer.of(0, 0))
      streams.push(stream)
    }
    await Promise.all(streams.slice(2).map(closed))
    t.ok(node.stats().pending <= 2)
  })

  t.test('stop() leaves no handle', async (t) => {
    const handles = (): number =>
      process.getActiveResourcesInfo().filter((name) => /udp|udx/i.test(name)).length
    const before = handles()
    const one = await startNode(t, bootstrap)
    const other = await startNode(t, bootstrap)
    await eventually(() => linkBetween(one, other) !== undefined)
    await Promise.all([one.stop(), other.stop()])
    t.equal(handles(), before)
    await one.start()
    t.ok(one.isRunning, 'and can be started again')
  })
})

t.test('the program of the README does what it says', { timeout: 60_000 }, async (t) => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
  const [, program] = readme.slice(readme.indexOf('## Behind a router')).match(/```ts\n([^]*?)```/)!
  const [dht] = await startDht(t)
  // Inside the repository, so that `secure-node` is found as a package finds itself.
  const folder = join(ROOT, '.tap/examples')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'behind-a-router.mjs')
  writeFileSync(file, await toJavaScript(program!))
  const { code, stdout, stderr } = await run(process.execPath, [file], folder, '', { DHT: dht! })
  t.equal(code, 0, stderr)
  t.same(stdout.trim().split('\n').toSorted(), ['bob got hello', 'via hyperswarm', 'way link'])
})

t.test('without the package, starting says what to install', async (t) => {
  await t.rejects(loadHyperdht('hyperdht-that-is-not-there'), {
    code: 'transport-unavailable',
    message: /npm install hyperdht/,
  })
})

t.test('no public host is asked unless somebody says so', async (t) => {
  t.throws(() => hyperswarm({} as HyperswarmOptions), { code: 'invalid-option', message: /"public"/ })
  t.throws(() => hyperswarm({ bootstrap: [] }), { code: 'invalid-option' })
  t.throws(() => hyperswarm({ bootstrap: ['nowhere'] }), { code: 'invalid-option' })
  t.throws(() => hyperswarm({ bootstrap: 'public', topic: '' }), { code: 'invalid-option' })
  t.doesNotThrow(() => hyperswarm({ bootstrap: 'public' }))
})

/** A stranger's stream to a node, with a key that nobody knows. */
async function knock(t: Test, bootstrap: readonly string[], id: string): Promise<SecretStream> {
  const Dht = await loadHyperdht()
  const [host, port] = bootstrap[0]!.split(':')
  const keyPair = Dht.keyPair(crypto.getRandomValues(Buffer.alloc(32)))
  const dht = new Dht({ keyPair, host: HERE, bootstrap: [{ host: host!, port: Number(port) }] })
  t.teardown(() => dht.destroy({ force: true }))
  for (;;) {
    const stream = dht.connect(Buffer.from(id, 'hex'))
    stream.on('error', () => {})
    stream.on('data', () => {})
    if (await stream.opened) return stream
  }
}

function closed(stream: SecretStream): Promise<void> {
  return new Promise((resolve) => {
    if ((stream as unknown as { destroyed: boolean }).destroyed) resolve()
    else stream.on('close', resolve)
  })
}
