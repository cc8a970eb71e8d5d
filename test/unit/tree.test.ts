import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import type { Draft } from '../../lib/message/draft.ts'
import { encodeIds } from '../../lib/relay/id-list.ts'
import { RelayTree } from '../../lib/relay/tree.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { ANNOUNCE_DELAY, GRAFT_WAIT_MAX } from '../../lib/limits/tree-limits.ts'
import { framePayload, Kind } from '../../lib/wire/frame.ts'
import { toHex } from '../../lib/wire/hex.ts'
import type { MessageId } from '../../lib/wire/ids.ts'
import { genuine } from '../fixtures/documents.ts'

interface Link {
  readonly name: string
}

const alice = Identity.generate()
const UNKNOWN = 'ab'.repeat(32) as MessageId
const [A, B, C] = [{ name: 'A' }, { name: 'B' }, { name: 'C' }] as const

/** A tree with what it writes. */
class Bench {
  readonly clock = new ManualClock()
  readonly known = new Set<MessageId>()
  /** `link kind payload`, in order. */
  readonly written: string[] = []
  readonly sent: string[] = []
  readonly expelled: string[] = []
  hasRoom = true
  readonly tree = new RelayTree<Link>(
    {
      clock: this.clock,
      isKnown: (id) => this.known.has(id),
      hasRoom: () => this.hasRoom,
      write: ({ name }, frame) => this.written.push(`${name} ${frame[4]} ${toHex(framePayload(frame))}`),
      send: ({ name }, { id }) => this.sent.push(`${name} ${id}`),
      expel: ({ name }, code) => this.expelled.push(`${name} ${code}`),
    },
    { floodLinks: 1 },
  )

  constructor(...links: readonly Link[]) {
    for (const link of links) this.tree.up(link)
  }

  receive(link: Link, kind: number, payload: Uint8Array = new Uint8Array(0)): boolean {
    return this.tree.receive(link, { kind, payload })
  }

  /** A message of the node's own. */
  async send(...links: readonly Link[]): Promise<{ draft: Draft; eager: string[] }> {
    const draft = await genuine(alice)
    this.known.add(draft.id)
    const eager = this.tree.accept(draft, undefined, links, undefined).map(({ name }) => name)
    return { draft, eager }
  }
}

t.test('whom it has pruned, a message is announced to after a moment, and sent if he wants it', async (t) => {
  const bench = new Bench(A, B)
  t.ok(bench.receive(B, Kind.prune))
  t.notOk(bench.tree.isEager(B))
  t.ok(bench.tree.isBranch(A))
  const { draft, eager } = await bench.send(A, B)
  t.same(eager, ['A'])
  t.same(bench.written, [])
  bench.clock.advance(ANNOUNCE_DELAY)
  t.same(bench.written, [`B ${Kind.have} ${draft.id}`])
  bench.receive(B, Kind.want, encodeIds([draft.id, UNKNOWN]))
  t.same(bench.sent, [`B ${draft.id}`])
  t.ok(bench.tree.isEager(B), 'and gets what follows at once')
  t.notOk(bench.tree.isBranch(A), 'where messages run over all links, none is a branch')
})

t.test('what is announced and does not come is asked for', async (t) => {
  const bench = new Bench(A, B)
  bench.receive(B, Kind.have, encodeIds([UNKNOWN]))
  bench.clock.advance(GRAFT_WAIT_MAX)
  t.equal(bench.written[0], `B ${Kind.want} ${UNKNOWN}`)
})

t.test('one timer at most, and none when nothing is due', async (t) => {
  const bench = new Bench(A, B)
  bench.receive(B, Kind.prune)
  for (let count = 0; count < 5; count++) await bench.send(A, B)
  t.equal(bench.clock.pendingTimers, 1)
  bench.clock.advance(ANNOUNCE_DELAY)
  t.equal(bench.clock.pendingTimers, 0)
  t.equal(bench.written.length, 1, 'one frame for all')
})

t.test('who wants more than he reads is sent no more, and keeps his link', async (t) => {
  const bench = new Bench(A, B)
  bench.receive(B, Kind.prune)
  const { draft } = await bench.send(A, B)
  bench.hasRoom = false
  bench.receive(B, Kind.want, encodeIds([draft.id]))
  t.same([bench.sent, bench.expelled], [[], []])
})

t.test('a link that is no part of the tree gets everything', async (t) => {
  const bench = new Bench(A, B)
  bench.receive(B, Kind.prune)
  t.same((await bench.send(A, B, C)).eager, ['A', 'C'])
})

t.test('malformed frames end the link; other kinds are none of the tree', (t) => {
  const bench = new Bench(A)
  bench.receive(A, Kind.prune, Uint8Array.of(0))
  for (const kind of [Kind.have, Kind.want]) {
    bench.receive(A, kind)
    bench.receive(A, kind, new Uint8Array(31))
    bench.receive(A, kind, new Uint8Array(33))
  }
  t.same(bench.expelled, new Array(7).fill('A bad-payload'))
  for (const kind of [Kind.message, Kind.parcel, Kind.batch, Kind.record]) t.notOk(bench.receive(A, kind))
  t.end()
})
