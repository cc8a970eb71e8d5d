import t from 'tap'
import { Arbiter } from '../../lib/connections/arbiter.ts'
import { Node } from '../../lib/node.ts'
import type { NodeConnection } from '../../lib/node-connection.ts'
import { PeerSet } from '../../lib/connections/peer-set.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import type { CloseReason } from '../../lib/wire/close-code.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { turns } from '../fixtures/channel-recorder.ts'
import { closeFrame, helloFrame, makeLink, WELCOME } from '../fixtures/fake-link.ts'
import { World } from '../fixtures/world.ts'

type Decision = CloseReason | undefined | Promise<CloseReason | undefined>

/** An arbiter whose node is the test itself, and those who knock at its door. */
function make({ self = 'm', maxConnections = 3 } = {}) {
  const clock = new ManualClock(0)
  const peers = new PeerSet()
  const banned = new Set<string>()
  const judged: string[] = []
  const state = { reserved: 0, refusal: undefined as CloseReason | undefined }
  const arbiter = new Arbiter({
    self,
    clock,
    peers,
    maxConnections,
    reserved: () => state.reserved,
    isBanned: (id) => banned.has(id),
    judge: ({ id }) => {
      judged.push(id)
      return state.refusal
    },
  })
  /** Somebody says hello; returns what is decided. */
  const knock = (id: string, direction: NodeConnection['direction'] = 'inbound') => {
    const link = makeLink({ direction })
    let decision: Decision
    link.owner.admit = (connection) => (decision = arbiter.decide(connection))
    link.owner.onUp = (connection) => peers.raise(connection)?.close('duplicate')
    link.owner.onDown = (connection) => void peers.remove(connection)
    peers.add(link.connection)
    link.receive(helloFrame({ id }))
    return { ...link, decision }
  }
  /** The same, and the peer agrees. */
  const enter = (id: string, direction?: NodeConnection['direction']) => {
    const link = knock(id, direction)
    link.receive(WELCOME)
    return link
  }
  return { clock, peers, banned, judged, state, knock, enter }
}

const tooMany = (text: string): CloseReason => ({ code: 'too-many-connections', text, by: 'us' })

t.test('whom nothing keeps out is accepted at once, and judged by the node', async (t) => {
  const { peers, judged, knock } = make()
  t.equal(knock('ann').decision, undefined)
  t.equal(knock('bob', 'outbound').decision, undefined)
  t.equal(peers.size, 2)
  t.strictSame(judged, ['ann', 'bob'])
})

t.test('whom the node does not want is refused with its reason', async (t) => {
  const { peers, state, knock } = make()
  state.refusal = { code: 'closed', text: 'not you', by: 'us' }
  for (const direction of ['inbound', 'outbound'] as const) {
    const { decision, connection } = knock('ann', direction)
    t.equal(decision, state.refusal)
    t.match(connection.closeReason, { code: 'closed', text: 'not you' })
  }
  t.equal(peers.size, 0)
})

t.test('the banned are refused first of all', async (t) => {
  const { peers, banned, judged, knock, enter } = make()
  banned.add('eve')
  const reason = { code: 'banned', text: 'for what came from here before', by: 'us' }
  t.strictSame(knock('eve').decision, reason)
  t.strictSame(knock('eve', 'outbound').decision, reason)
  const { connection } = enter('mallory')
  banned.add('mallory')
  t.strictSame(knock('mallory').decision, reason, 'also where there is a connection')
  t.equal(connection.isUp, true)
  t.strictSame(judged, ['mallory'])
  t.equal(peers.size, 1)
})

t.test(
  'there are as many connections as the limit says, and a place that is free is taken again',
  async (t) => {
    const { peers, judged, knock, enter } = make({ maxConnections: 2 })
    const first = enter('a', 'outbound')
    t.equal(knock('b').decision, undefined, 'it counts before its welcome')
    t.strictSame(knock('c').decision, tooMany('the limit is 2'))
    t.strictSame(knock('d', 'outbound').decision, tooMany('the limit is 2'))
    t.strictSame(judged, ['a', 'b'], 'who has no place is not judged')
    first.connection.close()
    t.equal(knock('d').decision, undefined)
    t.equal(peers.size, 2)
  },
)

t.test('strangers do not get the places that are kept for the connections of this node', async (t) => {
  const { state, peers, knock } = make({ maxConnections: 5 })
  state.reserved = 2
  for (const id of ['a', 'b', 'c']) t.equal(knock(id).decision, undefined)
  const full = tooMany('the limit is 5, 2 of them for peers that this node dials')
  t.strictSame(knock('d').decision, full)
  t.equal(knock('e', 'outbound').decision, undefined)
  t.strictSame(knock('d').decision, full, 'its own connections count as well')
  t.equal(knock('f', 'outbound').decision, undefined)
  t.strictSame(knock('g', 'outbound').decision, tooMany('the limit is 5'))
  t.equal(peers.size, 5)
})

t.test('how many are kept is asked each time', async (t) => {
  const { state, knock } = make({ maxConnections: 2 })
  state.reserved = 1
  knock('a')
  t.match(knock('b').decision, { code: 'too-many-connections' })
  state.reserved = 0
  t.equal(knock('b').decision, undefined)
})

t.test('a node may keep all places for itself, and says so', async (t) => {
  for (const reserved of [3, 100]) {
    const { state, knock } = make()
    state.reserved = reserved
    t.match(knock('a').decision, { code: 'too-many-connections' })
    t.equal(knock('a', 'outbound').decision, undefined)
  }
})

t.test('a second connection takes no second place', async (t) => {
  const { state, peers, judged, knock, enter } = make({ self: 'a', maxConnections: 2 })
  const old = enter('x', 'outbound')
  enter('y')
  state.reserved = 2
  state.refusal = { code: 'closed', text: '', by: 'us' }
  const second = knock('x')
  t.equal(second.decision, undefined, 'its peer, with the larger ID, has decided')
  t.equal(peers.size, 2)
  second.receive(WELCOME)
  t.match(old.connection.closeReason, { code: 'duplicate', by: 'us' })
  t.equal(peers.byId('x'), second.connection)
  t.strictSame(judged, ['x', 'y'])
  t.equal(peers.size, 2)
})

t.test('who decides keeps an old connection that answers', async (t) => {
  const { peers, clock, knock, enter } = make()
  const old = enter('bob')
  const second = knock('bob')
  const [ping] = old.channel.written('ping')
  t.equal(second.connection.closeReason, undefined)
  old.receive(encodeFrame(Kind.pong, ping!))
  t.strictSame(await second.decision, { code: 'duplicate', text: '', by: 'us' })
  t.equal(peers.byId('bob'), old.connection)
  t.equal(clock.pendingTimers, 0)
})

t.test('who decides replaces an old connection that does not answer within 3 s', async (t) => {
  const { peers, clock, knock, enter } = make()
  const old = enter('bob')
  const second = knock('bob')
  await clock.advanceAsync(2_999)
  t.equal(old.connection.isUp, true)
  await clock.advanceAsync(1)
  t.match(old.connection.closeReason, { code: 'timeout', text: 'its peer has opened another connection' })
  t.equal(await second.decision, undefined)
  t.equal(peers.acceptedById('bob'), second.connection)
})

t.test('an old connection that ends while it is asked is replaced at once', async (t) => {
  const { clock, peers, knock, enter } = make({ maxConnections: 1 })
  const old = enter('bob')
  const second = knock('bob')
  old.receive(closeFrame({ code: 'goodbye' }))
  t.equal(await second.decision, undefined)
  t.equal(peers.size, 1)
  t.equal(clock.pendingTimers, 0)
})

t.test('a new connection that ends while the old one is asked is not accepted', async (t) => {
  const { clock, peers, knock, enter } = make()
  enter('bob')
  const second = knock('bob')
  second.receive(closeFrame({ code: 'goodbye' }))
  await clock.advanceAsync(3_000)
  t.match(await second.decision, { code: 'goodbye', by: 'peer' })
  t.equal(peers.size, 0)
})

t.test('an old connection that is not up yet stays, and is not asked', async (t) => {
  const { peers, knock } = make()
  const old = knock('bob')
  const second = knock('bob')
  t.strictSame(await second.decision, { code: 'duplicate', text: '', by: 'us' })
  t.equal(peers.acceptedById('bob'), old.connection)
  t.strictSame(old.channel.written('ping'), [])
  await turns(1)
})

/** A node that keeps places for its own connections, and looks at who comes. */
class Careful extends Node {
  reserved = 0
  readonly seen: string[] = []

  protected override reservedConnections(): number {
    return this.reserved
  }

  protected override judgePeer({ id }: NodeConnection): CloseReason | undefined {
    this.seen.push(id)
    return id === 'eve' ? { code: 'closed', text: 'not eve', by: 'us' } : undefined
  }
}

t.test('strangers cannot keep a node from connecting where it wants', async (t) => {
  const world = new World(t)
  const node = await world.start<Careful>({ id: 'node', maxConnections: 4 }, Careful)
  node.reserved = 2
  for (const id of ['m1', 'm2']) await world.rawUp(node, id)
  for (const id of ['m3', 'm4', 'm5']) {
    const peer = await world.raw(node, id)
    await world.run(peer.introduce())
    t.equal(await world.run(peer.closed()), 'too-many-connections')
  }
  for (const id of ['alice', 'bob']) t.ok((await world.connect(node, await world.start({ id }))).isUp)
  t.strictSame(node.seen, ['m1', 'm2', 'alice', 'bob'])
})

t.test('a node may refuse a peer, and the peer is told why', async (t) => {
  const world = new World(t)
  const node = await world.start<Careful>({ id: 'node' }, Careful)
  await t.rejects(world.connect(await world.start({ id: 'eve' }), node), {
    code: 'refused-by-peer',
    message: /refused the connection: closed \(not eve\)$/,
  })
  t.equal(node.allNodes.size, 0)
})
