import t from 'tap'
import { BEGINNING, type Bound, END, isBefore } from '../../lib/history/range.ts'
import type { Entry } from '../../lib/history/store.ts'
import { boundBetween, Timeline } from '../../lib/history/timeline.ts'
import { HISTORY_SLICE } from '../../lib/limits/direct-limits.ts'
import { Random } from '../../lib/testing/random.ts'
import { toHex } from '../../lib/wire/hex.ts'
import { nodeId } from '../fixtures/history-net.ts'

const random = new Random(3)
const from = nodeId('author')

function entry(time: number, id = toHex(random.bytes(32))): Entry {
  return {
    id: id as Entry['id'],
    time,
    from,
    exp: undefined,
    hasAttachment: false,
    size: 1,
    isPending: false,
  }
}

/** Times that are often equal, in several slices. */
const anyTime = (): number => 5 * HISTORY_SLICE + 1_000 * random.below(400)
const anyBound = (): Bound => ({ time: anyTime(), id: toHex(random.bytes(random.below(3))) })
const all = { start: BEGINNING, end: END }

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => [random.next(), item] as const)
    .sort(([left], [right]) => left - right)
    .map(([, item]) => item)
}

t.test('counts, lists and fingerprints are those of the set, whatever the order of adding', async (t) => {
  const entries = Array.from({ length: 600 }, () => entry(anyTime()))
  const [one, other] = [new Timeline(), new Timeline()]
  for (const each of entries) one.add(each)
  for (const each of shuffled(entries)) other.add(each)
  for (let at = 0; at < 200; at++) {
    const [start, end] = [anyBound(), anyBound()]
    const within = entries.filter((each) => !isBefore(each, start) && isBefore(each, end))
    within.sort((left, right) => left.time - right.time || (left.id < right.id ? -1 : 1))
    t.strictSame(one.list({ start, end }), within)
    t.equal(one.count({ start, end }), within.length)
    const print = one.fingerprint({ start, end })
    t.equal(print, other.fingerprint({ start, end }))
    const [missing] = within
    if (missing === undefined) continue
    other.remove([missing])
    t.not(print, other.fingerprint({ start, end }))
    other.add(missing)
  }
})

t.test('a range falls into parts of about equal number, at bounds between entries', async (t) => {
  const timeline = new Timeline()
  for (let at = 0; at < 500; at++) timeline.add(entry(at < 250 ? anyTime() : 9 * HISTORY_SLICE))
  const cuts = timeline.split(all, 16)
  t.equal(cuts.length, 15)
  let start: Bound = BEGINNING
  for (const end of [...cuts.map(([previous, next]) => boundBetween(previous, next)), END]) {
    const count = timeline.count({ start, end })
    t.ok(count === 31 || count === 32, `${count}`)
    start = end
  }
})

t.test('a bound has as few digits as tell two IDs apart', async (t) => {
  const id = 'ab'.repeat(32)
  t.strictSame(boundBetween(entry(1, id), entry(2, id)), { time: 2, id: '' })
  t.strictSame(boundBetween(entry(1, id), entry(1, `abac${id.slice(4)}`)), { time: 1, id: 'abac' })
})

t.test('what is old is taken out, the rest stays', async (t) => {
  const timeline = new Timeline()
  const entries = Array.from({ length: 300 }, () => entry(anyTime()))
  for (const each of entries) timeline.add(each)
  const time = anyTime()
  const taken = timeline.takeBefore(time)
  t.ok(taken.every((each) => each.time < time))
  t.equal(taken.length + timeline.size, 300)
  t.ok([...timeline.all()].every((each) => each.time >= time))
  t.equal(timeline.size, timeline.count(all))
})

t.test('what did not change is not hashed again', async (t) => {
  const timeline = new Timeline()
  for (let at = 0; at < 1_000; at++) timeline.add(entry(at * 10_000))
  timeline.fingerprint(all)
  t.equal(timeline.hashed, 1_000)
  timeline.fingerprint(all)
  t.equal(timeline.hashed, 1_000)
  timeline.add(entry(5_000))
  timeline.fingerprint(all)
  t.equal(timeline.hashed, 1_008)
})
