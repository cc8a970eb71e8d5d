import t from 'tap'
import type { NodeConnection } from '../../lib/node-connection.ts'
import { PeerSet } from '../../lib/connections/peer-set.ts'
import { turns } from '../fixtures/channel-recorder.ts'

/** As much of a connection as a set of them looks at. */
class FakeConnection {
  readonly id: string
  isUp = true
  isCongested = false
  isBacklogged = false
  frames = 0

  constructor(id: string) {
    this.id = id
  }

  sendFrame(): void {
    this.frames++
  }
}

const make = (id: string): FakeConnection & NodeConnection => {
  const fake: unknown = new FakeConnection(id)
  return fake as FakeConnection & NodeConnection
}
const FRAME = new Uint8Array(6)

/** Peers that are up. */
function makePeers(count: number) {
  const peers = new PeerSet()
  const connections = Array.from({ length: count }, (_, index) => make(`peer ${index}`))
  for (const connection of connections) {
    peers.add(connection)
    peers.accept(connection)
    peers.raise(connection)
  }
  /** Fills the queues of some of them, by index. */
  const congest = (...indices: number[]): void => {
    for (const index of indices) {
      connections[index]!.isCongested = true
      peers.write(connections[index]!, FRAME)
    }
  }
  const drain = (...indices: number[]): void => {
    for (const index of indices) {
      connections[index]!.isCongested = false
      peers.drained(connections[index]!)
    }
  }
  return { peers, connections, congest, drain }
}

/** Whether a promise has resolved by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  const state = { isDone: false }
  void promise.then(() => (state.isDone = true))
  await turns(2)
  return state.isDone
}

t.test('a connection is on its way, accepted, up, and gone', async (t) => {
  const peers = new PeerSet()
  const bob = make('bob')
  const state = () => ({
    all: peers.all.has(bob),
    size: peers.size,
    accepted: peers.acceptedById('bob') === bob,
    up: peers.up.has(bob) && peers.byId('bob') === bob,
  })
  t.strictSame(state(), { all: false, size: 0, accepted: false, up: false })
  peers.add(bob)
  t.strictSame(state(), { all: true, size: 0, accepted: false, up: false })
  peers.accept(bob)
  t.strictSame(state(), { all: true, size: 1, accepted: true, up: false })
  t.equal(peers.raise(bob), undefined)
  t.strictSame(state(), { all: true, size: 1, accepted: true, up: true })
  t.equal(peers.remove(bob), true)
  t.strictSame(state(), { all: false, size: 0, accepted: false, up: false })
  t.equal(peers.remove(bob), false)
})

t.test('a connection that never came up was not up when it went', async (t) => {
  const peers = new PeerSet()
  const bob = make('bob')
  peers.add(bob)
  t.equal(peers.remove(bob), false)
  const carol = make('carol')
  peers.add(carol)
  peers.accept(carol)
  t.equal(peers.remove(carol), false)
  t.equal(peers.size, 0)
})

t.test(
  'a second connection to a node takes the place of the first, whose end then changes nothing',
  async (t) => {
    const { peers, connections } = makePeers(1)
    const [first] = connections
    const second = make('peer 0')
    peers.add(second)
    peers.accept(second)
    t.equal(peers.byId('peer 0'), first)
    t.equal(peers.raise(second), first)
    t.equal(peers.byId('peer 0'), second)
    t.equal(peers.remove(first!), true)
    t.equal(peers.byId('peer 0'), second)
    t.equal(peers.acceptedById('peer 0'), second)
    t.equal(peers.size, 1)
  },
)

t.test('a second connection that comes to nothing leaves the first as it was, and counted', async (t) => {
  const { peers, connections } = makePeers(1)
  const second = make('peer 0')
  peers.add(second)
  peers.accept(second)
  t.equal(peers.remove(second), false)
  t.equal(peers.byId('peer 0'), connections[0])
  t.equal(peers.acceptedById('peer 0'), connections[0])
  t.equal(peers.size, 1)
  peers.remove(connections[0]!)
  t.equal(peers.size, 0)
})

t.test('who waits for a node gets its connection, now or as soon as it is up', async (t) => {
  const { peers, connections } = makePeers(1)
  const { signal } = new AbortController()
  t.equal(await peers.whenUp('peer 0', signal), connections[0])
  const waits = [peers.whenUp('bob', signal), peers.whenUp('bob', signal)]
  const bob = make('bob')
  peers.add(bob)
  peers.accept(bob)
  t.equal(await isDone(waits[0]!), false)
  peers.raise(bob)
  t.strictSame(await Promise.all(waits), [bob, bob])
})

t.test('who waits for a node that never comes is ended by the signal, alone', async (t) => {
  const { peers } = makePeers(1)
  const reason = new Error('enough')
  await t.rejects(peers.whenUp('bob', AbortSignal.abort(reason)), reason)
  const controllers = [new AbortController(), new AbortController()]
  const waits = controllers.map(({ signal }) => peers.whenUp('bob', signal))
  controllers[0]!.abort(reason)
  await t.rejects(waits[0]!, reason)
  const bob = make('bob')
  peers.add(bob)
  peers.accept(bob)
  peers.raise(bob)
  t.equal(await waits[1]!, bob)
})

t.test('who waits for a node and gives up is forgotten', async (t) => {
  const { peers } = makePeers(0)
  const ended = new AbortController()
  const wait = peers.whenUp('bob', ended.signal)
  ended.abort(new Error('enough'))
  await t.rejects(wait, { message: 'enough' })
  await t.rejects(peers.whenUp('bob', ended.signal), { message: 'enough' })
})

t.test('the middle sets the pace: senders pause while more than half of the peers are behind', async (t) => {
  for (const [count, half] of [
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
  ] as const) {
    // prettier-ignore
    const { peers, congest } = makePeers(count)
    const indices = Array.from({ length: count }, (_, index) => index)
    congest(...indices.slice(0, half))
    t.equal(peers.isCongested, false, `${half} of ${count}`)
    t.equal(await isDone(peers.room()), true)
    congest(half)
    t.equal(peers.isCongested, true, `${half + 1} of ${count}`)
    t.equal(await isDone(peers.room()), false)
  }
})

t.test('without peers nobody waits', async (t) => {
  t.equal(await isDone(new PeerSet().room()), true)
})

t.test('senders go on when half of the peers have read', async (t) => {
  const { peers, congest, drain } = makePeers(4)
  congest(0, 1, 2, 3)
  const room = [peers.room(), peers.room()]
  drain(0)
  t.equal(await isDone(Promise.race(room)), false)
  drain(1)
  t.equal(await isDone(Promise.all(room)), true)
})

t.test('a drain of a peer that is still behind, or never was, wakes nobody', async (t) => {
  const { peers, congest, connections, drain } = makePeers(3)
  congest(0, 1)
  const room = peers.room()
  peers.drained(connections[0]!)
  drain(2)
  t.equal(await isDone(room), false)
})

t.test('senders go on when those who are behind have gone', async (t) => {
  const { peers, congest, connections } = makePeers(3)
  congest(0, 1, 2)
  const room = peers.room()
  peers.remove(connections[0]!)
  peers.remove(connections[1]!)
  t.equal(await isDone(room), false)
  peers.remove(connections[2]!)
  t.equal(await isDone(room), true)
})

t.test('senders wait again when others have filled the queues meanwhile', async (t) => {
  const { peers, congest, drain } = makePeers(1)
  congest(0)
  const room = peers.room()
  drain(0)
  congest(0)
  t.equal(await isDone(room), false)
  drain(0)
  t.equal(await isDone(room), true)
})

t.test('a peer that goes down in a write is not counted as behind', async (t) => {
  const { peers, connections } = makePeers(1)
  connections[0]!.isUp = false
  connections[0]!.isCongested = true
  peers.write(connections[0]!, FRAME)
  t.equal(connections[0]!.frames, 1)
  t.equal(peers.isCongested, false)
})

t.test('a connection whose handshake is under way does not count for the pace', async (t) => {
  const { peers, congest } = makePeers(2)
  for (let index = 0; index < 5; index++) peers.add(make(`stranger ${index}`))
  congest(0, 1)
  t.equal(peers.isCongested, true)
})

t.test(
  'senders go on when a further peer comes up, and the congested ones are no majority any more',
  async (t) => {
    const { peers, congest } = makePeers(1)
    congest(0)
    const room = peers.room()
    t.notOk(await isDone(room))
    const further = make('further')
    peers.add(further)
    peers.accept(further)
    peers.raise(further)
    t.notOk(peers.isCongested)
    t.ok(await isDone(room))
  },
)

t.test('what comes over a link is read more slowly when it piles up before most of the others', async (t) => {
  const { peers, connections } = makePeers(4)
  const [source, ...others] = connections
  const pile = (peer: (typeof connections)[number]): void => {
    Object.assign(peer, { isCongested: true, isBacklogged: true })
    peers.write(peer, FRAME)
  }
  pile(source!)
  t.equal(peers.isBackloggedBeside(source!), false, 'nothing is sent back to it')
  pile(others[0]!)
  t.equal(peers.isBackloggedBeside(source!), false, 'one of three')
  pile(others[1]!)
  t.equal(peers.isBackloggedBeside(source!), true, 'two of three')
  t.equal(peers.isBackloggedBeside(others[0]!), true)
  Object.assign(others[1]!, { isBacklogged: false })
  peers.drained(others[1]!)
  t.equal(peers.isBackloggedBeside(source!), false)
  peers.remove(others[0]!)
  peers.remove(others[2]!)
  t.equal(peers.isBackloggedBeside(others[1]!), true, 'the source is all that is left, and has not read')
  t.equal(new PeerSet().isBackloggedBeside(make('nobody')), false)
})
