import t from 'tap'
import { chooseLosers } from '../../lib/history/room.ts'
import type { Entry } from '../../lib/history/store.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { nodeId, post } from '../fixtures/history-net.ts'

/** Entries in order: author and size. */
function entriesOf(list: readonly (readonly [from: string, size: number])[]): Entry[] {
  return list.map(([name, size], at) => {
    const { id, from } = post(at, name)
    return { id, from, time: at, size, exp: undefined, hasAttachment: false, isPending: false }
  })
}

function losers(entries: readonly Entry[], bytes: number): number[] {
  const byAuthor = new Map<NodeId, number>()
  for (const { from, size } of entries) byAuthor.set(from, (byAuthor.get(from) ?? 0) + size)
  return chooseLosers(entries, byAuthor, bytes).map(({ time }) => time)
}

const many = Array.from({ length: 20 }, (_, at) => [`author ${at}`, 10] as const)

t.test('of many authors the oldest of all go', async (t) => {
  t.strictSame(losers(entriesOf(many), 25), [0, 1, 2])
})

t.test('who has most loses his own oldest first', async (t) => {
  const entries = entriesOf([...many, ['flood', 100], ['flood', 100], ['flood', 100]])
  t.strictSame(losers(entries, 150), [20, 21])
})

t.test('two who have much come down together', async (t) => {
  const entries = entriesOf([
    ...many,
    ...Array.from({ length: 20 }, (_, at) => [at % 2 ? 'a' : 'b', 50] as const),
  ])
  const lost = losers(entries, 400)
  const lostOf = (name: string): number => lost.filter((time) => entries[time]!.from === nodeId(name)).length
  t.equal(lostOf('a'), 4)
  t.equal(lostOf('b'), 4)
})

t.test('what waits for its delivery, and what is gone already, is left alone', async (t) => {
  const entries = entriesOf(many)
  entries[0]!.isPending = true
  entries[1]!.size = 0
  t.strictSame(losers(entries, 15), [2, 3])
  for (const entry of entries) entry.isPending = true
  t.strictSame(losers(entries, 15), [])
})
