// How many steps lead to any node of a large network, what they cost, and what is left of it when a fifth of the
// nodes is dead. 2,000 nodes by default; with SECURE_NODE_LIFE in the environment 10,000, which take a minute or two.
import t, { type Test } from 'tap'
import { BUCKET_SIZE, BUCKET_SPARES } from '../../lib/limits/network-limits.ts'
import type { LookupResult } from '../../lib/lookup/finder.ts'
import { FinderNet, type FinderNode } from '../fixtures/finder-net.ts'

const COUNT = process.env['SECURE_NODE_LIFE'] === undefined ? 2_000 : 10_000
const LOOKUPS = 1_000
/** Lookups that are under way at once. */
const BATCH = 50
const STEPS = Math.log2(COUNT)
/** Full buckets, and those of the surroundings. */
const FULL_TABLE = (Math.log2(COUNT / BUCKET_SIZE) + 2) * (BUCKET_SIZE + BUCKET_SPARES)

t.setTimeout(600_000)

function spread(numbers: readonly number[]): string {
  const sorted = [...numbers].sort((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  return `median ${at(0.5)}, 99 % ${at(0.99)}, most ${at(1)}`
}

/** Lookups of random nodes by random nodes; of what the asker knows already, nothing is to be learned. */
async function search(net: FinderNet, nodes: readonly FinderNode[]): Promise<LookupResult[]> {
  const draw = (): FinderNode => nodes[net.random.below(nodes.length)]!
  const results: LookupResult[] = []
  while (results.length < LOOKUPS) {
    const batch = Array.from({ length: BATCH }, async () => {
      let [asker, wanted] = [draw(), draw()]
      while (asker === wanted) [asker, wanted] = [draw(), draw()]
      const result = await asker.finder.lookup(wanted.id)
      if (result.record !== undefined && result.record !== wanted.record) throw new Error('somebody else')
      return result
    })
    results.push(...(await net.run(Promise.all(batch))))
  }
  return results
}

function tell(t: Test, name: string, results: readonly LookupResult[], found: readonly LookupResult[]): void {
  const mean = results.reduce((sum, { asked }) => sum + asked, 0) / results.length
  t.comment(`${name}: ${found.length} of ${results.length} found`)
  t.comment(`${name}: hops ${spread(found.map(({ hops }) => hops))} (log2 n is ${STEPS.toFixed(1)})`)
  t.comment(`${name}: asked ${mean.toFixed(1)} on average, ${spread(results.map(({ asked }) => asked))}`)
}

t.test(`a network of ${COUNT} nodes`, async (t) => {
  const net = new FinderNet({ seed: 3 })
  await net.grow(COUNT)
  const stats = net.nodes.map(({ finder }) => finder.stats())
  const tables = stats.map(({ contacts }) => contacts)
  t.comment(`table: ${spread(tables)}; of them met: ${spread(stats.map(({ seen }) => seen))}`)
  t.comment(`joining: asked ${spread(stats.map(({ asked }) => asked))}`)
  t.comment(`answered since then: ${spread(stats.map(({ answered }) => answered))}`)
  const { count, bytes } = net.frames.get(0x37)!
  t.comment(`an answer has ${Math.round(bytes / count)} bytes on average`)
  t.equal(net.nodes.length, COUNT)
  t.ok(Math.max(...tables) <= FULL_TABLE, `no table has more than ${Math.ceil(FULL_TABLE)} nodes`)
  t.ok(Math.max(...stats.map(({ asked }) => asked)) <= 60, 'joining costs no node more than one search')
  t.equal(net.nodes.flatMap(({ expelled }) => expelled).length, 0, 'and nobody is blamed for anything')

  await t.test('any node is found in at most log2 n hops', async (t) => {
    const results = await search(net, net.nodes)
    const found = results.filter(({ record, hops }) => record !== undefined && hops <= STEPS)
    tell(t, 'all alive', results, found)
    t.ok(
      found.length >= 0.999 * LOOKUPS,
      `${found.length} of ${LOOKUPS} in at most ${Math.floor(STEPS)} hops`,
    )
    const mean = results.reduce((sum, { asked }) => sum + asked, 0) / LOOKUPS
    t.ok(mean <= 2 * STEPS, `${mean.toFixed(1)} questions for a lookup`)
  })

  await t.test('also when a fifth of the nodes is dead, without a word', async (t) => {
    const left = net.kill(0.2)
    t.comment(`${COUNT - left.length} are dead`)
    const results = await search(net, left)
    const found = results.filter(({ record }) => record !== undefined)
    tell(t, 'a fifth dead', results, found)
    t.ok(found.length >= 0.99 * LOOKUPS, `${found.length} of ${LOOKUPS} are found`)
    t.ok(Math.max(...results.map(({ asked }) => asked)) <= 60, 'and no search asks without end')
  })
})
