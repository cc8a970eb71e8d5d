// A request that is passed on: Alice asks Bob to add one, Bob leaves it to Carol, and Carol answers Alice, who sees and
// can prove why it was Carol. Run it: node examples/add-one.ts   (Node 22.18 or later; npx tsx on older ones)
import { openMessage, SecureNode } from 'secure-node'

const alice = new SecureNode('127.0.0.1', 0)
const bob = new SecureNode('127.0.0.1', 0)
const carol = new SecureNode('127.0.0.1', 0)
const nodes = [alice, bob, carol]

const names = new Map<string, string>([
  [alice.id, 'Alice'],
  [bob.id, 'Bob'],
  [carol.id, 'Carol'],
])
const nameOf = (id: string): string => names.get(id) ?? id.slice(0, 8)

bob.handle('add', async (incoming) => {
  console.log(`Bob is asked by ${nameOf(incoming.from)} to add one to ${Number(incoming.data)}`)
  await incoming.bounce(carol.id)
})
carol.handle('add', ({ data, from, bounces }) => {
  console.log(`Carol is asked by ${nameOf(from)}, through ${bounces.map(nameOf).join(', ')}`)
  // What a handler returns is the answer.
  return Number(data) + 1
})

// Alice and Carol are not connected: they reach each other by their IDs.
for (const node of nodes) await node.start()
await alice.connectWithNode('127.0.0.1', bob.port)
await carol.connectWithNode('127.0.0.1', bob.port)

const answer = await alice.request(bob.id, 'add', 41)
console.log(`${nameOf(answer.from)} answers Alice: ${Number(answer.data)}`)
console.log(`passed on by: ${answer.bounces.map(nameOf).join(', ')}`)

// The proof: what Bob has signed, and what Carol has. Anyone can verify it, at any time, without any network.
for (const document of [...answer.proof, answer.document]) {
  const verdict = await openMessage(document, { window: false })
  if (!verdict.ok) throw new Error(`this proves nothing: ${verdict.code}`)
  const { from, op, to = [] } = verdict.message
  console.log(`signed by ${nameOf(from)}: ${op} for ${to.map(nameOf).join(', ')}`)
}

await Promise.all(nodes.map((node) => node.stop()))
