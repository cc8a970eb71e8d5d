// Catching up: a node that was away misses nothing, and hears nothing twice.
import t, { type Test } from 'tap'
import type { SecureNode } from '../../lib/secure-node.ts'
import { VirtualNetwork } from '../../lib/testing/index.ts'

const HISTORY = { history: { maxAge: 3_600_000 } }

async function line(t: Test, count: number, options: object = HISTORY) {
  const network = new VirtualNetwork({ seed: 9, node: { advertise: false, ...options } })
  t.teardown(() => network.stop())
  const nodes = await network.addNodes(count)
  const heard = new Map<SecureNode, { data: unknown; late: boolean }[]>()
  const listen = (node: SecureNode): void => {
    const list: { data: unknown; late: boolean }[] = []
    heard.set(node, list)
    node.on('nodeMessage', (_link, data, { late = false }) => void list.push({ data, late }))
  }
  nodes.forEach(listen)
  for (let at = 1; at < count; at++) await network.connect(nodes[at]!, nodes[at - 1]!)
  const catchUp = async (node: SecureNode, messages: number): Promise<void> =>
    network.until(() => heard.get(node)!.length >= messages)
  return { network, nodes, heard, listen, catchUp }
}

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at)

t.test('a node whose link was lost gets what it missed, marked as late, and each once', async (t) => {
  const { network, nodes, heard, catchUp } = await line(t, 2)
  const [alice, bob] = nodes as [SecureNode, SecureNode]
  await network.run(alice.sendToNodes('before'))
  await network.settle()
  await network.run(bob.disconnectWithNode([...bob.allNodes][0]!))
  for (const number of numbers(200)) {
    await network.run(alice.sendToNodes(number))
    await network.advance(1)
  }
  await network.advance(600_000)
  await network.connect(bob, alice)
  await catchUp(bob, 201)
  await network.run(alice.sendToNodes('after'))
  await network.advance(30_000)
  t.strictSame(heard.get(bob), [
    { data: 'before', late: false },
    ...numbers(200).map((data) => ({ data, late: true })),
    { data: 'after', late: false },
  ])
})

t.test('two halves that were divided both get what the other has said, through one bridge', async (t) => {
  const { network, nodes, heard } = await line(t, 6)
  const [, , left, right] = nodes
  const bridge = [...right!.allNodes].find(({ id }) => id === left!.id)!
  await network.run(right!.disconnectWithNode(bridge))
  for (const [at, node] of nodes.entries()) await network.run(node.sendToNodes(`from ${at}`))
  await network.advance(400_000)
  await network.connect(right!, left!)
  await network.until(() => nodes.every((node) => heard.get(node)!.length === 5))
  await network.advance(120_000)
  for (const [at, node] of nodes.entries()) {
    t.strictSame(
      heard
        .get(node)!
        .map(({ data }) => data)
        .sort(),
      numbers(6)
        .filter((other) => other !== at)
        .map((other) => `from ${other}`),
    )
  }
})

t.test(
  'a node that is new gets what there is, and a message for somebody else is not shown to it',
  async (t) => {
    const { network, nodes, heard, listen, catchUp } = await line(t, 2)
    const [alice, bob] = nodes as [SecureNode, SecureNode]
    await network.run(alice.sendToNodes('for all', { bytes: Uint8Array.of(1, 2, 3) }))
    await network.run(alice.sendToNodes('for bob', { to: [bob.id] }))
    await network.advance(400_000)
    const carol = await network.addNode({ ...HISTORY, advertise: false })
    listen(carol)
    const bytes: unknown[] = []
    carol.on('nodeMessage', (_link, _data, message) => void bytes.push(message.bytes))
    await network.connect(carol, bob)
    await catchUp(carol, 1)
    await network.advance(30_000)
    t.strictSame(heard.get(carol), [{ data: 'for all', late: true }])
    t.strictSame(bytes, [Uint8Array.of(1, 2, 3)])
    t.equal(heard.get(bob)!.length, 2)
  },
)

t.test('an addressee that was away gets what others have kept for it', async (t) => {
  const { network, nodes, heard, listen } = await line(t, 3)
  const [alice, bob, carol] = nodes as [SecureNode, SecureNode, SecureNode]
  listen(carol)
  await network.run(carol.disconnectWithNode([...carol.allNodes][0]!))
  await network.run(alice.sendTo(carol.id, 'when you are back', { relay: true }))
  await network.run(alice.stop())
  await network.advance(400_000)
  await network.connect(carol, bob)
  await network.until(() => heard.get(carol)!.length > 0)
  t.strictSame(heard.get(carol), [{ data: 'when you are back', late: true }])
  t.strictSame(heard.get(bob), [])
})

t.test('nodes without a history are left in peace, and get along with those that have one', async (t) => {
  const { network, nodes, heard } = await line(t, 2)
  const plain = await network.addNode({ advertise: false, history: undefined })
  const shown: unknown[] = []
  plain.on('nodeMessage', (_link, data) => void shown.push(data))
  await network.run(nodes[0]!.sendToNodes('earlier'))
  await network.advance(10_000)
  await network.connect(plain, nodes[1]!)
  await network.run(nodes[0]!.sendToNodes('now'))
  await network.advance(30_000)
  t.strictSame(shown, ['now'])
  t.equal(plain.allNodes.size, 1)
  t.equal(heard.get(nodes[1]!)!.length, 2)
})

t.test('what is older than maxAge is not told any more', async (t) => {
  const { network, nodes, heard, listen } = await line(t, 2)
  await network.run(nodes[0]!.sendToNodes('old'))
  await network.advance(3_000_000)
  await network.run(nodes[0]!.sendToNodes('young'))
  await network.advance(700_000)
  const late = await network.addNode({ ...HISTORY, advertise: false })
  listen(late)
  await network.connect(late, nodes[0]!)
  await network.advance(60_000)
  t.strictSame(heard.get(late), [{ data: 'young', late: true }])
})
