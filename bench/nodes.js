// The kinds of nodes that are measured, alike in both processes.
import { Node, SecureNode } from 'secure-node'

// Many connections come from one address here, and many messages over one link.
const LIMITS = { maxNewPerAddress: 100_000, maxPending: 1_000, maxConnections: 100_000 }

export function makeNode(kind) {
  if (kind === 'plain') return new Node('127.0.0.1', 0, LIMITS)
  return new SecureNode('127.0.0.1', 0, undefined, {
    ...LIMITS,
    messageRate: 1_000_000,
    encryption: kind !== 'signed-clear',
  })
}
