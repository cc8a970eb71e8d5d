// What can befall the nodes of a virtual network, and that it befalls them in the same way for the same seed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { SecureNode } from '../../lib/secure-node.ts'
import { VirtualNetwork, type VirtualNetworkOptions } from '../../lib/testing/index.ts'
import { runChaos } from '../fixtures/chaos.ts'
import { collect } from '../fixtures/programs.ts'

const MINUTE = 60_000

async function makePair(t: Test, options: VirtualNetworkOptions<SecureNode> = {}) {
  const network = new VirtualNetwork({ latency: 10, jitter: 0, ...options })
  t.teardown(() => network.stop())
  const [alice, bob] = (await network.addNodes(2)) as [SecureNode, SecureNode]
  await network.connect(alice, bob)
  // They have told each other who they are.
  await network.advance(1_000)
  const ends: string[] = []
  alice.on('outboundNodeDisconnected', (_connection, { code }) => void ends.push(code))
  return { network, alice, bob, ends }
}

t.test('a process that is killed says no goodbye; its platform ends its connections', async (t) => {
  const { network, alice, bob, ends } = await makePair(t)
  network.crash(bob)
  t.same(network.nodes, [alice])
  await network.advance(9)
  t.same(ends, [])
  await network.advance(1)
  t.same(ends, ['lost'])
  await t.rejects(network.connect(alice, bob), { code: 'connect-failed' })
  t.equal(bob.allNodes.size, 1, 'it has not noticed')
  const events = network.events().length
  await network.advance(10 * MINUTE)
  t.equal(network.events().length, events, 'it does nothing any more')
  await network.run(bob.stop())
  t.equal(bob.allNodes.size, 0, 'what is left of it can be tidied up')
})

t.test('without power a node goes silent: its peers find out by their pings, and dials wait', async (t) => {
  const { network, alice, bob, ends } = await makePair(t)
  network.crash(bob, { power: true })
  await network.advance(30_000)
  t.same(ends, [])
  await network.advance(30_000)
  t.same(ends, ['timeout'])
  await t.rejects(network.connect(alice, bob), { code: 'connect-timeout' })
})

t.test('a node that comes back is another object with the same ID at the same address', async (t) => {
  for (const power of [false, true]) {
    const { network, alice, bob, ends } = await makePair(t)
    const address = network.address(bob)
    network.crash(bob, { power })
    await network.advance(5_000)
    const again = await network.restart(bob)
    t.not(again, bob)
    t.equal(again.id, bob.id)
    t.same(network.nodes, [alice, again])
    t.equal(network.address(again), address)
    // A machine that is on again resets connections that it knows nothing of, as soon as it is spoken to.
    await network.advance(30_000)
    t.same(ends, ['lost'])
    t.ok((await network.connect(alice, again)).isUp)
  }
})

t.test('a node that still runs, or was stopped, can be restarted as well', async (t) => {
  const { network, alice, bob, ends } = await makePair(t)
  const again = await network.restart(1)
  await network.advance(1_000)
  t.same(ends, ['lost'])
  await network.run(again.stop())
  const third = await network.restart(again)
  t.equal(third.id, bob.id)
  t.ok((await network.connect(alice, third)).isUp)
})

t.test('a dial to a machine without power succeeds if that comes back in time', async (t) => {
  const { network, alice, bob } = await makePair(t)
  network.crash(bob, { power: true })
  const dial = network.connect(alice, bob)
  await network.advance(3_000)
  await network.restart(bob)
  t.ok((await dial).isUp)
})

t.test('a partition parts groups from each other and from those in none, until it heals', async (t) => {
  const network = new VirtualNetwork({ latency: 10, jitter: 0 })
  t.teardown(() => network.stop())
  const nodes = await network.addNodes(6)
  for (const [from, to] of [
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
    [4, 5],
  ] as const) {
    // prettier-ignore
    await network.connect(nodes[from]!, nodes[to]!)
  }
  const shown = nodes.map(() => [] as unknown[])
  nodes.forEach((node, at) => node.on('nodeMessage', (_connection, data) => void shown[at]!.push(data)))
  network.partition(nodes.slice(0, 2), nodes.slice(2, 4))
  for (const at of [0, 2, 4]) await nodes[at]!.sendToNodes(at)
  await network.settle()
  t.same(shown, [[], [0], [], [2], [], [4]])
  network.heal()
  await network.settle()
  t.same(
    shown.map((data) => data.length),
    [2, 3, 2, 3, 2, 3],
    'what was on its way arrives, for TCP is patient',
  )
})

t.test('links are cut and healed, dropped by the share, and slowed down', async (t) => {
  const { network, alice, bob, ends } = await makePair(t)
  const shown: number[] = []
  bob.on('nodeMessage', () => void shown.push(network.elapsed))
  network.cutLink(bob, alice)
  await alice.sendToNodes('hello')
  await network.advance(1_000)
  t.same(shown, [])
  network.healLink(alice, bob)
  await network.advance(10)
  t.equal(shown.length, 1)
  network.slow(bob, 5, 100)
  const before = network.elapsed
  await alice.sendToNodes('slowly')
  await network.until(() => shown.length === 2)
  t.equal(network.elapsed - before, 150)
  network.slow(bob, 1)
  t.equal(network.dropLinks(0), 0)
  t.equal(network.dropLinks(1), 1)
  await network.advance(1)
  t.same(ends, ['lost'])
  t.throws(() => network.dropLinks(1.1), { code: 'invalid-argument' })
  t.throws(() => network.slow(bob, 0.5), { code: 'invalid-argument' })
})

t.test('of many links, the share asked for is dropped', async (t) => {
  const network = new VirtualNetwork()
  t.teardown(() => network.stop())
  const nodes = await network.addNodes(20)
  await Promise.all(nodes.slice(1).map((node, at) => network.connect(node, nodes[at]!)))
  t.equal(network.dropLinks(0.5), 10)
  await network.advance(1)
  t.equal(
    nodes.reduce((sum, { allNodes }) => sum + allNodes.size, 0),
    18,
  )
})

/** Runs with fake and with real signatures, in another process. */
async function runElsewhere(): Promise<string[][]> {
  const fixture = JSON.stringify(new URL('../fixtures/chaos.ts', import.meta.url).href)
  const program = `
    const { runChaos } = await import(${fixture})
    console.log(JSON.stringify([await runChaos(5, 'counted'), await runChaos(5, 'real')]))`
  const args = [...process.execArgv, '--input-type=module', '-e', program]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const output = collect(child)
  await once(child, 'close')
  return JSON.parse(output.stdout) as string[][]
}

t.test('a seed gives the same run, in every process, with fake and with real signatures', async (t) => {
  const elsewhere = runElsewhere()
  const counted = await runChaos(5, 'counted')
  t.ok(counted.length > 200, `${counted.length} events`)
  t.same(await runChaos(5, 'counted'), counted, 'again in this process')
  t.notSame(await runChaos(6, 'counted'), counted, 'another seed gives another one')
  const real = await runChaos(5, 'real')
  t.same(await elsewhere, [counted, real], 'and in another one')
})
