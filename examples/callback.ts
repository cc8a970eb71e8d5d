// One callback for everything: (event, node, connectedNode, data).
// Run it: node examples/callback.ts   (Node 22.18 or later; npx tsx examples/callback.ts on older ones)
import { Node } from 'secure-node'

// The base class alone: no keys, no signatures. Text, JSON and bytes arrive as what they were sent as.
const alice = new Node('127.0.0.1', 0, { id: 'alice' }, (event, node, connectedNode, data) => {
  console.log(node.id, event, connectedNode?.id ?? '', data ?? '')
})
const bob = new Node('127.0.0.1', 0, { id: 'bob' }, (event, node, connectedNode, data) => {
  console.log(node.id, event, connectedNode?.id ?? '', data ?? '')
  if (event === 'nodeMessage' && data === 'that is all') void Promise.all([alice.stop(), bob.stop()])
})

await alice.start()
await bob.start()
await alice.connectWithNode('127.0.0.1', bob.port)
await alice.sendToNodes('hello')
await alice.sendToNodes({ numbers: [1, 2, 3] }, { compression: 'brotli' })
await alice.sendToNodes(Uint8Array.of(1, 2, 3))
await alice.sendToNodes('that is all')
