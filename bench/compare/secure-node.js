// This project, as an application uses it: every message signed, links encrypted.
import { SecureNode } from '../../dist/index.js'

/**
 * Every contestant has this form: `open` starts a node that hands each message to `onMessage`. One whose network takes
 * shape only with time has `settle` as well.
 */
export async function open({ onMessage }) {
  const node = new SecureNode('127.0.0.1', 0, undefined, { maxNewPerAddress: 100_000, maxPending: 1_000 })
  node.on('nodeMessage', (connection, data) => onMessage(data))
  await node.start()
  return {
    address: node.port,
    connect: (port) => node.connectWithNode('127.0.0.1', port),
    send: (data) => node.sendToNodes(data),
    peers: () => node.allNodes.size,
    close: () => node.stop(),
  }
}
