// The command that draws a network, in a process of its own, among nodes of this one.
import t, { type Test } from 'tap'
import { Identity, SecureNode } from '../../lib/index.ts'
import { areErrors, cli } from '../fixtures/cli.ts'

// Nearly all of the time goes into starting processes.
t.jobs = 4

/** A line of nodes; returns the address of the first. */
async function line(t: Test, count: number, net: string): Promise<{ nodes: SecureNode[]; address: string }> {
  const nodes = Array.from(
    { length: count },
    () => new SecureNode('127.0.0.1', 0, Identity.generate(), { net }),
  )
  t.teardown(() => Promise.all(nodes.map((node) => node.stop())))
  for (const [at, node] of nodes.entries()) {
    await node.start()
    if (at > 0) await node.connectWithNode('127.0.0.1', nodes[at - 1]!.port)
  }
  return { nodes, address: `127.0.0.1:${nodes[0]!.port}` }
}

t.test('discover shows every node of the network, in each format', async (t) => {
  const { nodes, address } = await line(t, 4, 'drawn')
  const ids = nodes.map(({ id }) => id)
  // One after the other: a command that asks is a node of the network as well.
  const run = (...args: string[]) => cli(['discover', '--net', 'drawn', '--connect', address, ...args])
  const json = await run('--format', 'json')
  t.match(json, { code: 0, stderr: '' })
  const map = JSON.parse(json.stdout)
  t.match(map, { size: 5, isComplete: true, silent: [] })
  t.strictSame(map.nodes.map(({ id, distance }: { id: string; distance: number }) => [id, distance]).slice(1), ids.map((id, at) => [id, at + 1])) // prettier-ignore
  t.equal(map.nodes[0].id, map.asker)
  const text = await run()
  t.match(text, { code: 0, stderr: '', stdout: /^5 nodes, 4 links\n\nthis node\n/ })
  for (const id of ids) t.ok(text.stdout.includes(id.slice(0, 8)))
  t.match(text.stdout, /\n4 hops\n/)
  const dot = await run('--format', 'dot')
  t.match(dot, { code: 0, stderr: '', stdout: /^graph network \{\n[^]*\}\n$/ })
  t.ok(dot.stdout.includes(`"${ids[0]}" -- `) || dot.stdout.includes(` -- "${ids[0]}"`))
  const mermaid = await run('--format', 'mermaid')
  t.match(mermaid, { code: 0, stderr: '', stdout: /^flowchart LR\n/ })
})

t.test('discover joins, in the clear where it is asked to', async (t) => {
  const options = { net: 'clear', encryption: false }
  const node = new SecureNode('127.0.0.1', 0, Identity.generate(), options)
  t.teardown(() => node.stop())
  await node.start()
  const args = ['--net', 'clear', '--no-encryption', '--join', `127.0.0.1:${node.port}`]
  t.match(await cli(['discover', ...args]), { code: 0, stderr: '', stdout: /^2 nodes, 1 link\n/ })
})

t.test('discover without a network says what is wrong', async (t) => {
  await areErrors(t, [
    [cli(['discover']), 2, /say where the network is/],
    [cli(['discover', '--connect', '127.0.0.1:1', '--format', 'svg']), 2, /text, dot, mermaid, json/],
    [cli(['discover', '--connect', '127.0.0.1:1', '--timeout', '2']), 1, /nobody can be reached/],
    [cli(['discover', '--join', 'nowhere']), 2, /host:port/],
  ])
})
