import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { Node } from '../../lib/node.ts'
import type { NodeConnection } from '../../lib/node-connection.ts'
import { P2pNetworkTransport } from '../../lib/transport/p2pnetwork.ts'
import { ROOT } from '../fixtures/programs.ts'

// Against a peer in Python that speaks the protocol with the standard library alone.
const skip = spawnSync('python3', ['--version']).status === 0 ? false : 'there is no python3 here'
const DEFAULT_ID = 'd41d8cd98f00b204'.repeat(8)

interface Happening {
  readonly port?: number
  readonly peer?: string
  readonly message?: { text?: string; json?: unknown; hex?: string; compression: string | null }
  readonly end?: boolean
}

interface Command {
  readonly send?: { text?: string; json?: unknown; hex?: string; raw?: string }
  readonly compression?: 'zlib' | 'bzip2' | 'lzma'
  readonly split?: boolean
  readonly close?: boolean
}

/** A peer in a process of its own. */
class PythonPeer {
  readonly #happenings: AsyncIterator<string>
  readonly #stdin: NodeJS.WritableStream

  constructor(t: Test, ...args: string[]) {
    const script = join(ROOT, 'test/fixtures/p2pnetwork_peer.py')
    const child = spawn('python3', [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
    t.teardown(() => child.kill('SIGKILL'))
    this.#stdin = child.stdin
    this.#happenings = createInterface(child.stdout)[Symbol.asyncIterator]()
  }

  async next(): Promise<Happening> {
    const { value } = (await this.#happenings.next()) as { value?: string }
    return JSON.parse(value ?? '{}') as Happening
  }

  tell(command: Command): void {
    this.#stdin.write(`${JSON.stringify(command)}\n`)
  }
}

interface Meeting {
  readonly node: Node
  readonly transport: P2pNetworkTransport
  readonly peer: PythonPeer
  readonly connection: NodeConnection
  readonly seenAs: string
  readonly received: () => Promise<unknown>
}

/** A node and a peer that are connected; one of them has dialled. */
async function meet(
  t: Test,
  dialler: 'node' | 'python',
  id = 'python-peer',
  ...flags: string[]
): Promise<Meeting> {
  const transport = new P2pNetworkTransport()
  const node = new Node('127.0.0.1', 0, { id: 'node-peer', transport })
  const inbox: unknown[] = []
  let wake = (): void => {}
  node.on('nodeMessage', (_connection, data) => {
    inbox.push(data)
    wake()
  })
  t.teardown(() => node.stop())
  await node.start()
  const received = async (): Promise<unknown> => {
    while (inbox.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return inbox.shift()
  }
  if (dialler === 'node') {
    const peer = new PythonPeer(t, 'listen', id, ...flags)
    const { port } = await peer.next()
    const connection = await node.connectWithNode('127.0.0.1', port!)
    return { node, transport, peer, connection, seenAs: (await peer.next()).peer!, received }
  }
  const connected = new Promise<NodeConnection>((resolve) => node.once('inboundNodeConnected', resolve))
  const peer = new PythonPeer(t, 'connect', id, String(node.port), '10077', ...flags)
  const connection = await connected
  return { node, transport, peer, connection, seenAs: (await peer.next()).peer!, received }
}

for (const dialler of ['node', 'python'] as const) {
  t.test(`with Python, where the ${dialler} has dialled`, { skip }, async (t) => {
    t.test('both know who is there, and nothing is encrypted', async (t) => {
      const { node, connection, seenAs, transport } = await meet(t, dialler)
      t.equal(seenAs, dialler === 'node' ? `node-peer:${node.port}` : 'node-peer')
      t.equal(connection.id, 'python-peer')
      t.equal(transport.foreignId('python-peer'), 'python-peer')
      t.equal(connection.encrypted, false)
      t.strictSame(connection.listen, dialler === 'node' ? [] : [{ host: '', port: 10_077 }])
      t.ok((await connection.ping()) >= 0, 'pings are answered')
    })

    t.test('an ID that Python has made is shortened, and can be read in full', async (t) => {
      const { connection, transport } = await meet(t, dialler, DEFAULT_ID)
      t.match(connection.id, /^p2p:d41d8cd9:[0-9a-f]{48}$/)
      t.equal(transport.foreignId(connection.id), DEFAULT_ID)
    })

    t.test('text, JSON and bytes come from Python, plain, compressed, and byte by byte', async (t) => {
      const { peer, received } = await meet(t, dialler)
      const contents = [{ text: 'grüße' }, { json: { list: [1, 'two', null] } }, { hex: 'ff00fe' }]
      const expected = ['grüße', { list: [1, 'two', null] }, Uint8Array.of(0xff, 0, 0xfe)]
      for (const compression of [undefined, 'zlib', 'bzip2', 'lzma'] as const) {
        for (const split of [false, true]) {
          for (const [index, send] of contents.entries()) {
            peer.tell({ send, split, ...(compression === undefined ? {} : { compression }) })
            t.same(
              await received(),
              expected[index],
              `${compression ?? 'plain'} ${split ? 'split' : 'whole'}`,
            )
          }
        }
      }
    })

    t.test('text, JSON and bytes go to Python, plain and compressed', async (t) => {
      const { node, peer } = await meet(t, dialler)
      for (const compression of [undefined, 'deflate', 'brotli'] as const) {
        const how = compression === undefined ? null : 'zlib'
        await node.sendToNodes('grüße '.repeat(50), { compression })
        t.same(await peer.next(), { message: { text: 'grüße '.repeat(50), compression: how } })
        await node.sendToNodes({ list: Array.from({ length: 50 }, () => 'x') }, { compression })
        t.same((await peer.next()).message?.compression, how)
        await node.sendToNodes(new Uint8Array(200).fill(0xff), { compression })
        t.same(await peer.next(), { message: { hex: 'ff'.repeat(200), compression: how } })
      }
    })

    t.test('what holds an end mark, ends like something compressed, or is empty arrives', async (t) => {
      const { node, peer } = await meet(t, dialler)
      await node.sendToNodes(Uint8Array.of(0xff, 4, 0xff))
      t.same((await peer.next()).message, { hex: 'ff04ff', compression: 'zlib' })
      await node.sendToNodes(Uint8Array.of(0xff, 2))
      t.same((await peer.next()).message, { hex: 'ff02', compression: 'zlib' })
      await node.sendToNodes('one\u0004two')
      t.same((await peer.next()).message, { text: 'one\u0004two', compression: 'zlib' })
      await node.sendToNodes({ 'a\u0004': '\u0002' })
      t.same((await peer.next()).message, { json: { 'a\u0004': '\u0002' }, compression: null })
      await node.sendToNodes('')
      t.same((await peer.next()).message, { text: '', compression: 'zlib' })
    })

    t.test('large messages go both ways', async (t) => {
      const { node, peer, received } = await meet(t, dialler)
      const text = 'ab\u20ac'.repeat(200_000)
      await node.sendToNodes(text)
      t.equal((await peer.next()).message?.text, text)
      for (const compression of ['zlib', 'bzip2', 'lzma'] as const) {
        peer.tell({ send: { text }, compression })
        t.equal(await received(), text, compression)
      }
      peer.tell({ send: { text } })
      t.equal(await received(), text)
    })

    t.test('an ID that comes in pieces is put together', async (t) => {
      for (const id of [DEFAULT_ID, 'b'.repeat(64), 'custom']) {
        const { connection, transport, peer, received } = await meet(t, dialler, id, '--split')
        t.equal(transport.foreignId(connection.id), id)
        peer.tell({ send: { text: 'here' } })
        t.equal(await received(), 'here')
      }
    })

    t.test('either end may end it', async (t) => {
      const one = await meet(t, dialler)
      await one.node.disconnectWithNode(one.connection)
      t.same(await one.peer.next(), { end: true })
      const other = await meet(t, dialler)
      other.peer.tell({ close: true })
      await other.connection.closed
      t.equal(other.connection.closeReason?.code, 'lost')
      t.equal(other.transport.foreignId('python-peer'), undefined)
    })

    t.test('what is sent at once does not get into the answer', async (t) => {
      const { node, peer } = await meet(t, dialler)
      await node.sendToNodes('first')
      await node.stop()
      t.same(await peer.next(), { message: { text: 'first', compression: null } })
      t.same(await peer.next(), { end: true })
    })

    t.end()
  })
}
