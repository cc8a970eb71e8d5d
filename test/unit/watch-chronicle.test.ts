// Going back in time, and playing it again.
import t from 'tap'
import { Chronicle } from '../../lib/watch/page/chronicle.ts'
import { decodeHappening } from '../../lib/watch/page/decode.ts'
import type { Happening } from '../../lib/watch/page/happening.ts'
import { CHUNK_HAPPENINGS, MAX_CHUNKS } from '../../lib/watch/page/page-limits.ts'
import { EMPTY } from '../../lib/watch/page/picture.ts'
import { Player } from '../../lib/watch/page/player.ts'
import { reduce } from '../../lib/watch/page/reduce.ts'
import { FakeNetwork } from '../fixtures/fake-network.ts'

const NODE = 'a'.repeat(64)
const tick = (at: number): Happening => ({ kind: 'figures', at, node: NODE, figures: { cache: at } })
const ticks = (from: number, count: number): Happening[] => Array.from({ length: count }, (_, index) => tick(from + index)) // prettier-ignore

t.test('the state at any moment is that of all that happened until then', async (t) => {
  const net = new FakeNetwork(12)
  const all = [...net.snapshots()]
  for (let round = 0; round < 150; round++) all.push(...net.pass(50).message(round % 12, 'hi'))
  const happenings = all.map((event) => decodeHappening(event)!)
  t.ok(happenings.length > 3 * CHUNK_HAPPENINGS)
  const chronicle = new Chronicle()
  for (let index = 0; index < happenings.length; index += 97)
    chronicle.add(happenings.slice(index, index + 97))
  t.strictSame(chronicle.latest, reduce(EMPTY, happenings))
  for (const share of [0, 0.2, 0.5, 0.77, 1]) {
    const moment = chronicle.start + share * (chronicle.end - chronicle.start)
    const until = happenings.filter(({ at }) => at <= moment)
    t.strictSame(chronicle.at(moment), reduce(EMPTY, until), `${share}`)
  }
})

t.test('nothing has happened yet', async (t) => {
  const chronicle = new Chronicle()
  t.equal(chronicle.at(5), EMPTY)
  t.strictSame(chronicle.between(0, 9), [])
  t.equal(chronicle.neighbour(5, 1), 5)
  t.equal(chronicle.neighbour(5, -1), 5)
  t.equal(chronicle.columns(3).length, 3)
  t.match(chronicle, { start: 0, end: 0, size: 0 })
})

t.test('the oldest are forgotten, and the state before the others is known still', async (t) => {
  const chronicle = new Chronicle()
  const count = CHUNK_HAPPENINGS * (MAX_CHUNKS + 2)
  for (let index = 0; index < count; index += 1_000)
    chronicle.add(ticks(index + 1, Math.min(1_000, count - index)))
  t.equal(chronicle.size, CHUNK_HAPPENINGS * MAX_CHUNKS)
  t.equal(chronicle.start, 2 * CHUNK_HAPPENINGS + 1)
  t.equal(chronicle.origin.nodes.get(NODE)!.figures.cache, 2 * CHUNK_HAPPENINGS)
  t.equal(chronicle.at(chronicle.start).nodes.get(NODE)!.figures.cache, chronicle.start)
  t.equal(chronicle.at(3).nodes.get(NODE)!.figures.cache, 2 * CHUNK_HAPPENINGS, 'as far back as there is')
})

t.test('what happened between two moments, the first of them excluded', async (t) => {
  const chronicle = new Chronicle()
  chronicle.add(ticks(1, 1_200))
  t.strictSame(chronicle.between(499, 502).map(({ at }) => at), [500, 501, 502]) // prettier-ignore
  t.equal(chronicle.neighbour(600, 1), 601)
  t.equal(chronicle.neighbour(501, -1), 500)
  t.equal(chronicle.neighbour(1_200, 1), 1_200)
})

t.test('what comes with an earlier time than the one before counts as being of its time', async (t) => {
  const chronicle = new Chronicle()
  chronicle.add([tick(10), tick(4), tick(11)])
  t.strictSame(chronicle.happenings().map(({ at }) => at), [10, 10, 11]) // prettier-ignore
})

t.test('columns count what happened when', async (t) => {
  const chronicle = new Chronicle()
  chronicle.add([
    { kind: 'gone', at: 100, node: NODE },
    { kind: 'refused', at: 150, node: NODE, code: 'stale' },
    { kind: 'message', at: 200, node: NODE, id: NODE, verdict: 'sent' },
  ])
  t.strictSame(chronicle.columns(2), [
    { messages: 0, refused: 0, changes: 1 },
    { messages: 1, refused: 1, changes: 0 },
  ])
})

t.test('live is the latest moment, and moves with it', async (t) => {
  const chronicle = new Chronicle()
  const player = new Player(chronicle)
  chronicle.add([tick(100)])
  t.strictSame(player.advance(16), [tick(100)])
  chronicle.add([tick(200)])
  t.strictSame(player.advance(16), [tick(200)])
  t.match(player, { mode: 'live', moment: 200 })
  t.strictSame(player.advance(16), [])
})

t.test('who pauses stays where he is, and goes on from there until he is live again', async (t) => {
  const chronicle = new Chronicle()
  const player = new Player(chronicle)
  chronicle.add([tick(100), tick(200)])
  player.advance(16)
  player.seek(100)
  chronicle.add([tick(300)])
  t.strictSame(player.advance(1_000), [])
  t.match(player, { mode: 'paused', moment: 100 })
  player.speed = 2
  player.play()
  t.strictSame(player.advance(50), [tick(200)])
  t.match(player, { mode: 'replay', moment: 200 })
  t.strictSame(player.advance(1_000), [tick(300)])
  t.match(player, { mode: 'live', moment: 300 })
})

t.test('a replay begins with the first happening', async (t) => {
  const chronicle = new Chronicle()
  const player = new Player(chronicle)
  chronicle.add([tick(100), tick(5_000)])
  player.replay()
  t.strictSame(player.advance(10), [tick(100)])
})

t.test('step by step, and no further than to the ends', async (t) => {
  const chronicle = new Chronicle()
  const player = new Player(chronicle)
  chronicle.add([tick(100), tick(200)])
  player.step(-1)
  t.match(player, { mode: 'paused', moment: 100 })
  player.step(-1)
  t.equal(player.moment, 100)
  player.step(1)
  t.equal(player.moment, 200)
  player.seek(1e9)
  t.equal(player.moment, 200)
  player.speed = 1_000
  t.equal(player.speed, 20)
})
