// Links for a moment: between two nodes alone, and nothing to the network.
import t, { type Test } from 'tap'
import { TEMPORARY_IDLE } from '../../lib/limits/limits.ts'
import type { NodeConnection } from '../../lib/node-connection.ts'
import type { SecureNode } from '../../lib/secure-node.ts'
import { VirtualNetwork } from '../../lib/testing/index.ts'

const EVENTS = [
  'outboundNodeConnected',
  'inboundNodeConnected',
  'outboundNodeDisconnected',
  'inboundNodeDisconnected',
] as const

/** Alice and bob, who are not linked, and carol, who is linked with bob. */
async function stage(t: Test) {
  const network = new VirtualNetwork({ seed: 11, node: { advertise: false } })
  t.teardown(() => network.stop())
  const [alice, bob, carol] = (await network.addNodes(3)) as [SecureNode, SecureNode, SecureNode]
  await network.connect(carol, bob)
  const events: string[] = []
  const shown: string[] = []
  for (const [name, node] of Object.entries({ alice, bob, carol })) {
    for (const event of EVENTS) node.on(event, () => void events.push(`${name} ${event}`))
    node.on('nodeMessage', (_connection, data) => void shown.push(`${name} ${data as string}`))
  }
  const open = (options = {}): Promise<NodeConnection> =>
    network.run(alice.connectWithNode(bob.host, bob.port, { temporary: true, ...options }))
  return { network, alice, bob, carol, events, shown, open }
}

t.test('a temporary connection is nobody’s peer, and no event tells of it', async (t) => {
  const { network, alice, bob, events, open } = await stage(t)
  const connection = await open()
  t.ok(connection.isUp && connection.isTemporary)
  t.equal(connection.id, bob.id)
  t.equal(alice.allNodes.size, 0)
  t.equal(bob.allNodes.size, 1, 'carol alone')
  await network.run(alice.disconnectWithNode(connection))
  await network.settle()
  t.strictSame(events, [])
})

t.test('nothing is relayed over it, but what one end tells the other', async (t) => {
  const { network, alice, bob, carol, shown, open } = await stage(t)
  const connection = await open()
  t.match(await network.run(alice.sendToNodes('to nobody')), { peers: 0 })
  t.match(await network.run(bob.sendToNodes('to carol')), { peers: 1 })
  await network.run(alice.sendToNode(connection, 'to bob'))
  await network.settle()
  t.strictSame(shown.sort(), ['bob to bob', 'carol to carol'])
  // A node without peers has nobody who would relay.
  await t.rejects(network.run(alice.sendTo(carol.id, 'to carol', { relay: true })), { code: 'unreachable' })
})

t.test('it ends when it is not used: pings do not count', async (t) => {
  const { network, alice, open } = await stage(t)
  const connection = await open()
  await network.advance(TEMPORARY_IDLE - 2_000)
  t.ok(connection.isUp)
  await network.run(alice.sendToNode(connection, 'still here'))
  await network.advance(TEMPORARY_IDLE - 2_000)
  t.ok(connection.isUp)
  await network.advance(4_000)
  t.match(connection.closeReason, { code: 'idle' })
})

t.test('it becomes one that lasts when somebody connects as usual, from either side', async (t) => {
  for (const side of ['opener', 'other'] as const) {
    const { network, alice, bob, events, shown, open } = await stage(t)
    const temporary = await open()
    const [from, to] = side === 'opener' ? [alice, bob] : [bob, alice]
    const lasting = await network.run(from.connectWithNode(to.host, to.port))
    await network.settle()
    t.notOk(lasting.isTemporary, side)
    t.equal(alice.allNodes.size, 1)
    t.equal(bob.allNodes.size, 2)
    if (side === 'opener') t.equal(lasting, temporary, 'the same one')
    t.match(events.sort(), ['alice outboundNodeConnected', 'bob inboundNodeConnected'])
    await network.advance(2 * TEMPORARY_IDLE)
    t.ok(lasting.isUp)
    await network.run(alice.sendToNodes('hello'))
    await network.settle()
    t.strictSame(shown.sort(), ['bob hello', 'carol hello'])
  }
})

t.test('a second one to the same node is the first one', async (t) => {
  const { network, alice, bob, open } = await stage(t)
  const [first, second] = [await open(), await open()]
  t.equal(second, first)
  const lasting = await network.connect(bob, alice)
  t.equal(
    await network.run(alice.connectWithNode(bob.host, bob.port, { temporary: true })),
    [...alice.allNodes][0],
  )
  t.notOk(lasting.isTemporary, 'and one that lasts does not become temporary')
})

t.test('who leaves the network ends temporary connections too, from either side', async (t) => {
  for (const side of ['opener', 'other'] as const) {
    const { network, alice, bob, events, open } = await stage(t)
    const goodbyes: string[] = []
    alice.on('nodeDisconnectWithOutboundNode', () => void goodbyes.push('alice'))
    const connection = await open()
    await network.run((side === 'opener' ? alice : bob).leave())
    await network.settle()
    t.notOk(connection.isUp, side)
    t.match(connection.closeReason, { code: 'goodbye', by: side === 'opener' ? 'us' : 'peer' })
    const told = side === 'opener' ? [] : ['bob inboundNodeDisconnected', 'carol outboundNodeDisconnected']
    t.strictSame(events.sort(), told, 'of the one that lasted, and of no other')
    t.strictSame(goodbyes, [])
  }
})

t.test('who stops says goodbye to visitors too', async (t) => {
  const { network, bob, open } = await stage(t)
  const connection = await open()
  await network.run(bob.stop())
  await network.until(() => !connection.isUp)
  t.match(connection.closeReason, { code: 'goodbye' })
})
