import t from 'tap'
import { Touchstone } from '../../lib/relay/touchstone.ts'
import { Random } from '../../lib/testing/random.ts'
import { TOUCHSTONE_INTERVAL } from '../../lib/limits/tree-limits.ts'
import { toHex } from '../../lib/wire/hex.ts'
import type { MessageId } from '../../lib/wire/ids.ts'

const NOW = 1_000_000
const makeIds = (seed: number, count: number): MessageId[] => {
  const random = new Random(seed)
  return Array.from({ length: count }, () => toHex(random.bytes(32)) as MessageId)
}

t.test('after a silence, the first message is the one', async (t) => {
  const touchstone = new Touchstone()
  const [one, two, three] = makeIds(1, 3)
  touchstone.add(one!, NOW)
  touchstone.add(two!, NOW + 1)
  t.ok(touchstone.is(one!))
  t.notOk(touchstone.is(two!), 'it has its turn')
  touchstone.add(three!, NOW + 10 * TOUCHSTONE_INTERVAL)
  t.ok(touchstone.is(three!))
  t.notOk(touchstone.is(one!))
})

t.test('messages that come one by one are all chosen', async (t) => {
  const touchstone = new Touchstone()
  makeIds(2, 20).forEach((id, at) => {
    touchstone.add(id, NOW + at * TOUCHSTONE_INTERVAL)
    t.ok(touchstone.is(id))
  })
})

/** Runs a stream of messages past a node. Returns those that it chose, with their time. */
function chosen(ids: readonly MessageId[], perSecond: number, start: number): Map<MessageId, number> {
  const touchstone = new Touchstone()
  const found = new Map<MessageId, number>()
  ids.forEach((id, at) => {
    const now = start + (at * 1_000) / perSecond
    touchstone.add(id, now)
    if (touchstone.is(id)) found.set(id, now)
  })
  return found
}

t.test('of many messages few are chosen, and never two within an interval', async (t) => {
  for (const perSecond of [20, 1_000, 20_000]) {
    const seconds = 60
    const found = [...chosen(makeIds(3, perSecond * seconds), perSecond, NOW).values()]
    t.ok(found.length >= 10, `${found.length} of ${perSecond} a second`)
    for (let at = 1; at < found.length; at++) t.ok(found[at]! - found[at - 1]! >= TOUCHSTONE_INTERVAL)
  }
})

t.test('nodes that see the same messages at other times choose nearly the same', async (t) => {
  const ids = makeIds(4, 30_000)
  const here = chosen(ids, 500, NOW)
  // Another node came up a little later, and its clock is another one.
  const there = chosen(ids.slice(700), 500, NOW + 12_345)
  const common = [...there.keys()].filter((id) => here.has(id))
  t.ok(common.length >= there.size * 0.8, `${common.length} of ${there.size}`)
})

t.test('a clock that was set back ends the turn', async (t) => {
  const touchstone = new Touchstone()
  const [one, two] = makeIds(5, 2)
  touchstone.add(one!, NOW)
  touchstone.add(two!, NOW - 3_600_000)
  t.ok(touchstone.is(two!))
})
