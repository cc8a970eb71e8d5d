// Nodes that lie about where nodes are change nothing for the others, and direct no crowd at a victim.
import t from 'tap'
import { lifeSize, livesThroughAll } from '../fixtures/life-tests.ts'
import { NetworkLife } from '../fixtures/network-life.ts'

const HOUR = 3_600_000
/** What `DialBackOff` promises for one node: dials of a host within its first hour, and within any later one. */
const DIALS = { firstHour: 17, laterHour: 5 }

const { nodes, seeds, timeout } = lifeSize(60, 1)
t.setTimeout(timeout)

for (const seed of seeds) {
  t.test(
    `${nodes} nodes, one in 20 a liar, seed ${seed}: the others live as they do without them`,
    async (t) => {
      const { liars } = await livesThroughAll(t, { nodes, seed, liarEvery: 20 })
      const { dials, firstHour } = liars!.victim.ordeal
      t.ok(liars!.told > nodes, `${liars!.told} lies were told`)
      t.ok(firstHour <= DIALS.firstHour, `no node dials the victim more than ${firstHour} times`)
      t.ok(dials < 2 * nodes, `which is dialled ${dials} times by all together`)
    },
  )

  t.test(
    `seed ${seed}: where one in 4 is a liar, a victim is dialled at the stated rate for hours`,
    async (t) => {
      const life = new NetworkLife({ nodes: 16, seed, liarEvery: 4 })
      t.teardown(() => life.stop())
      await life.form()
      await life.network.advance(2 * HOUR)
      const { dials, firstHour, laterHour } = life.liars!.victim.ordeal
      t.ok(dials > 0, `${dials} dials of the victim in 2 hours`)
      t.ok(firstHour <= DIALS.firstHour, `${firstHour} of one node in its first hour`)
      t.ok(laterHour <= DIALS.laterHour, `${laterHour} in a later one`)
    },
  )
}
