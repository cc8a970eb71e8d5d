// Memory of a process that has accepted many connections on which nothing happens.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { makeNode } from './nodes.js'

const file = fileURLToPath(import.meta.url)
/** Connections that are opened at once. */
const BATCH = 20

/** Resident bytes of a child process per connection that this process has opened to it. */
export async function memory(kind, count) {
  const child = fork(file, [kind], { execArgv: ['--expose-gc'] })
  const [{ port }] = await once(child, 'message')
  const before = await resident(child)
  const nodes = []
  // Each connection comes from a node of its own: two connections to one node would be merged.
  while (nodes.length < count) {
    const batch = Array.from({ length: Math.min(BATCH, count - nodes.length) }, () => makeNode(kind))
    await Promise.all(batch.map((node) => node.start()))
    await Promise.all(batch.map((node) => node.connectWithNode('127.0.0.1', port)))
    nodes.push(...batch)
  }
  const after = await resident(child)
  await Promise.all(nodes.map((node) => node.stop()))
  child.disconnect()
  await once(child, 'exit')
  return (after - before) / count
}

async function resident(child) {
  child.send('measure')
  const [{ rss }] = await once(child, 'message')
  return rss
}

/** The accepting process. */
async function accept(kind) {
  const node = makeNode(kind)
  process.on('message', () => {
    globalThis.gc()
    process.send({ rss: process.memoryUsage.rss() })
  })
  process.on('disconnect', () => void node.stop())
  await node.start()
  process.send({ port: node.port })
}

if (process.argv[1] === file) await accept(process.argv[2])
