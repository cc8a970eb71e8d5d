// A network whose nodes have saved their peer books needs nobody's help to come back.
import { readdirSync } from 'node:fs'
import t from 'tap'
import { isWhole, lifeSize } from '../fixtures/life-tests.ts'
import { NetworkLife, WHOLE_AFTER } from '../fixtures/network-life.ts'

const { nodes, seeds, timeout } = lifeSize(40, 1)
t.setTimeout(timeout)

for (const seed of seeds) {
  t.test(
    `${nodes} nodes, seed ${seed}: after a blackout they find each other without the first one`,
    async (t) => {
      const books = t.testdir({})
      const life = new NetworkLife({ nodes, seed, books })
      t.teardown(() => life.stop())
      isWhole(t, await life.form(), 'all')
      await life.saveBooks()
      t.equal(readdirSync(books).length, nodes, 'one file for each node, and no other')
      const restarted = await life.blackout()
      t.ok(restarted.wholeAfter <= WHOLE_AFTER.start, `whole after ${restarted.wholeAfter} ms`)
      t.equal(restarted.shapes[0]?.nodes, nodes - 1, 'one is missing')
      isWhole(t, restarted, 'all but the first one')
    },
  )
}
