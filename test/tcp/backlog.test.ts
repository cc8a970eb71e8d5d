import t from 'tap'
import { SecureNode } from '../../lib/secure-node.ts'

t.test('the slow end of a line slows its source down, and no link and no message is lost', async (t) => {
  const [source, middle, end] = [0, 0, 0].map(() => new SecureNode('127.0.0.1', 0)) as [
    SecureNode,
    SecureNode,
    SecureNode,
  ]
  const nodes = [source, middle, end]
  for (const node of nodes) await node.start()
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())))
  await source.connectWithNode('127.0.0.1', middle.port)
  const link = await middle.connectWithNode('127.0.0.1', end.port)
  const lost = (_: unknown, { code }: { code: string }) => t.fail(`a link was lost: ${code}`)
  for (const node of nodes) node.once('outboundNodeDisconnected', lost)

  // 32 MB: more than what the system buffers on both links and a queue may hold.
  const count = 160
  const received: unknown[] = []
  end.on('nodeMessage', (_, data) => received.push((data as { n: number }).n))
  const all = new Promise<void>((resolve) => {
    end.on('nodeMessage', () => received.length === count && resolve())
  })
  const [reader] = end.allNodes
  reader!.pause()
  const sent = (async () => {
    for (let n = 0; n < count; n++) await source.sendToNodes({ n, text: 'x'.repeat(200_000) })
  })()
  while (!link.isBacklogged) await new Promise(setImmediate)
  // The source goes on as far as it can; then the end wakes up.
  let before = -1
  while (before !== source.stats().bytesOut) {
    before = source.stats().bytesOut
    await Promise.race([sent, new Promise((resolve) => setTimeout(resolve, 100))])
  }
  reader!.resume()
  await sent
  await all
  t.same(
    received,
    Array.from({ length: count }, (_, n) => n),
    'each one, in order',
  )
  for (const node of nodes) node.off('outboundNodeDisconnected', lost)
})
