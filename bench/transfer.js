// Messages per second from one process to another.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { makeNode } from './nodes.js'

const file = fileURLToPath(import.meta.url)
/** JSON of 200 bytes. */
const PAYLOAD = { text: 'x'.repeat(200 - JSON.stringify({ text: '', n: 10_000 }).length) }

/** Sends `count` messages to a child process and reports what the two of them spent on each. */
export async function transfer(kind, count) {
  const child = fork(file, [kind, String(count)])
  const [{ port }] = await once(child, 'message')
  const node = makeNode(kind)
  await node.start()
  await node.connectWithNode('127.0.0.1', port)
  const report = once(child, 'message')
  const startCpu = process.cpuUsage()
  for (let n = 0; n < count; n++) await node.sendToNodes({ ...PAYLOAD, n: 10_000 + n })
  const { user, system } = process.cpuUsage(startCpu)
  const [result] = await report
  await node.stop()
  child.disconnect()
  await once(child, 'exit')
  return { ...result, sender: (user + system) / count }
}

/** The receiving process. */
async function receive(kind, count) {
  const node = makeNode(kind)
  let received = 0
  let start
  let startCpu
  node.on('nodeMessage', () => {
    if (received++ === 0) {
      start = process.hrtime.bigint()
      startCpu = process.cpuUsage()
    }
    if (received < count) return
    const seconds = Number(process.hrtime.bigint() - start) / 1e9
    const { user, system } = process.cpuUsage(startCpu)
    const { bytesIn } = node.stats()
    process.send({ rate: count / seconds, receiver: (user + system) / count, bytes: bytesIn / count })
  })
  process.on('disconnect', () => void node.stop())
  await node.start()
  process.send({ port: node.port })
}

if (process.argv[1] === file) await receive(process.argv[2], Number(process.argv[3]))
