// What the simulator shows for large networks, with 250 nodes: the package's own tree and neighbourhood, in virtual time.
import t from 'tap'
import { Life } from '../../bench/simulate/life.ts'

const NODES = 250
/** The bound of the project for the last delivery. */
const MAX_HOPS = 3 * Math.log2(NODES)

t.test('the relay of a network of 250 nodes', async (t) => {
  const life = new Life({
    nodes: NODES,
    seed: 1,
    relays: ['ours'],
    crashes: [],
    messages: 40,
    others: 0,
    heap: () => 0,
    progress: () => {},
  })
  await life.grow()
  await life.attach()

  await t.test('sends hardly more than one copy to each node', async (t) => {
    await life.steady()
    const row = life.rows.at(-1)!
    t.equal(row.lost, 0, 'and every node gets every message')
    t.equal(row.complete, row.messages)
    t.ok(row.copies <= 1.1, `${row.copies.toFixed(3)} copies for each delivery`)
    t.ok(row.maxHops <= MAX_HOPS, `${row.maxHops} hops to the last node`)
  })

  await t.test('loses nothing when frames get lost', async (t) => {
    await life.lossy()
    t.equal(life.rows.at(-1)!.lost, 0)
  })

  await t.test('mends itself after a fifth of the nodes is gone', async (t) => {
    await life.crash(0.2)
    const [during, after] = life.rows.slice(-2)
    t.equal(life.net.alive.length, 0.8 * NODES)
    t.ok(during!.lost <= 0.001 * during!.due, `${during!.lost} of ${during!.due} were lost right after it`)
    t.equal(after!.lost, 0, 'and nothing once the links are new')
    t.ok(after!.copies <= 1.2, `${after!.copies.toFixed(3)} copies for each delivery`)
  })

  await t.test('is the same again for the same seed', async (t) => {
    const grow = async (): Promise<unknown> => {
      const other = new Life({
        nodes: 60,
        seed: 7,
        relays: ['ours', 'flood', 'mesh'],
        crashes: [],
        messages: 8,
        others: 4,
        heap: () => 0,
        progress: () => {},
      })
      await other.grow()
      await other.attach()
      await other.steady()
      return other.rows
    }
    t.strictSame(await grow(), await grow())
  })
})
