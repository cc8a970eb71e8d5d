import t from 'tap'
import { bookTable, duration, knownPeers, peerTable, pingPeers } from '../../lib/cli/peer-table.ts'
import type { NodeConnection } from '../../lib/index.ts'
import type { KnownPeer } from '../../lib/book/known-peer.ts'

const id = (digit: string): string => digit.repeat(64)

/** A connection, as far as it is looked at: with getters, as a real one has them. */
class Peer {
  readonly direction = 'outbound'
  readonly host = '::1'
  readonly port = 80
  readonly stats = { bytesIn: 7, bytesOut: 8 }
  readonly connectedAt = Date.now() - 125_000
  readonly #answer: Promise<number>
  latency: { smoothed: number } | undefined

  constructor(answer: Promise<number>) {
    this.#answer = answer
  }

  get id(): string {
    return id('b')
  }

  async ping(): Promise<void> {
    this.latency = { smoothed: await this.#answer }
  }
}

const nodeWith = (...peers: Peer[]) => ({ allNodes: new Set(peers as unknown as NodeConnection[]) })

t.test('peers are pinged before they are shown; one that ends meanwhile harms nobody', async (t) => {
  const peers = await pingPeers(
    nodeWith(new Peer(Promise.resolve(2.5)), new Peer(Promise.reject(new Error()))),
  )
  const common = { id: id('b'), direction: 'outbound', host: '::1', port: 80, bytesIn: 7, bytesOut: 8 }
  t.match(peers, [
    { ...common, latency: 2.5 },
    { ...common, latency: undefined },
  ])
  for (const { age } of peers) t.ok(age >= 125_000 && age < 180_000)
  const [head, ...rows] = peerTable(peers)
  t.equal(head, 'direction  address   ID        ms   age    bytes in  bytes out')
  t.strictSame(rows, [
    'outbound   [::1]:80  bbbbbbbb  2.5  2 min         7          8',
    'outbound   [::1]:80  bbbbbbbb  -    2 min         7          8',
  ])
  t.strictSame(peerTable([]), ['no peers'])
})

t.test('a known node is shown with its first address, who told of it, and when', async (t) => {
  const now = Date.now()
  const known = (fields: Partial<KnownPeer>): KnownPeer =>
    ({
      id: id('a'),
      addresses: [{ host: '10.0.0.1', port: 1 }],
      time: now - 125_000,
      source: { id: id('c'), host: '10.0.0.2' },
      ...fields,
    }) as KnownPeer
  const book = knownPeers([
    known({}),
    known({
      source: { id: id('a'), host: '' },
      addresses: [
        { host: '::1', port: 1 },
        { host: '10.0.0.1', port: 1 },
      ],
      // Its clock is ahead of ours.
      time: now + 60_000,
      lastConnected: now - 3_600_000,
    }),
  ])
  t.match(book, [
    { addresses: ['10.0.0.1:1'], sinceLink: undefined, source: id('c') },
    { addresses: ['[::1]:1', '10.0.0.1:1'], age: 0, source: id('a') },
  ])
  t.strictSame(bookTable(book), [
    'ID        address               told       by        link',
    'aaaaaaaa  10.0.0.1:1            2 min ago  cccccccc  never',
    'aaaaaaaa  [::1]:1 (and 1 more)  0 s ago    itself    1 h ago',
  ])
  t.strictSame(bookTable([]), ['no nodes are known'])
})

t.test('a time is told in its largest unit', async (t) => {
  const texts = [0, 999, 1_000, 59_999, 60_000, 3_599_999, 3_600_000, 86_399_999, 86_400_000, 1e10]
  t.strictSame(texts.map(duration), [
    '0 s',
    '0 s',
    '1 s',
    '59 s',
    '1 min',
    '59 min',
    '1 h',
    '23 h',
    '1 d',
    '115 d',
  ])
})
