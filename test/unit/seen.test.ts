import t from 'tap'
import { sha256Hex } from '../../lib/message/digest.ts'
import { SeenCache } from '../../lib/relay/seen.ts'
import { Random } from '../../lib/testing/random.ts'
import { utf8 } from '../../lib/wire/bytes.ts'
import type { MessageId } from '../../lib/wire/ids.ts'

const PAST = 1_600
/** A sixteenth of the window. */
const WIDTH = 100
const START = 1_000_000

const makeCache = (capacity = 1_000): SeenCache => new SeenCache({ capacity, windowPast: PAST })
const idOf = (number: number): MessageId => sha256Hex(utf8(String(number))) as MessageId

t.test('an ID that was added is known, and no other', async (t) => {
  const cache = makeCache()
  cache.add(idOf(1), START, 'peer')
  t.equal(cache.has(idOf(1)), true)
  t.equal(cache.has(idOf(2)), false)
  t.equal(cache.size, 1)
})

t.test('an ID that is added twice counts once', async (t) => {
  const cache = makeCache(2)
  cache.add(idOf(1), START, 'peer')
  cache.add(idOf(1), START, 'another')
  t.equal(cache.size, 1)
  t.equal(cache.hasRoomFor('another', 1), true)
})

t.test('the horizon is the oldest time within the window', async (t) => {
  const cache = makeCache()
  t.equal(cache.horizon(START), START - PAST)
  t.equal(cache.horizon(START + 5), START + 5 - PAST)
})

t.test('the horizon never goes back, also when the clock does', async (t) => {
  const cache = makeCache()
  cache.add(idOf(1), START, 'peer')
  const highest = cache.horizon(START + PAST + WIDTH)
  t.equal(cache.has(idOf(1)), false, 'forgotten, so it has to stay too old')
  t.equal(cache.horizon(START), highest)
  t.equal(cache.horizon(0), highest)
  t.ok(START < highest)
})

t.test('an ID is kept as long as its message could still be accepted', async (t) => {
  // Every time of a slice, its first and its last one included.
  for (let time = START; time <= START + 2 * WIDTH; time++) {
    const cache = makeCache()
    cache.add(idOf(time), time, 'peer')
    for (let now = time + PAST - WIDTH; now <= time + PAST + 2 * WIDTH; now++) {
      const isAcceptable = time >= cache.horizon(now)
      if (isAcceptable && !cache.has(idOf(time))) t.fail(`${time} is forgotten at ${now}`)
    }
    if (cache.size !== 0) t.fail(`${time} is never forgotten`)
  }
  t.pass('no live ID was forgotten, and every dead one was')
})

t.test('no order of arrival makes it forget a live ID', async (t) => {
  const random = new Random(7)
  const cache = makeCache(200)
  const live = new Map<MessageId, number>()
  let now = START
  let refused = 0
  for (let step = 0; step < 20_000; step++) {
    // The clock jumps about, back as well.
    now += random.below(20) - 4
    const horizon = cache.horizon(now)
    for (const [id, time] of live) if (time < horizon) live.delete(id)
    const time = Math.max(horizon, now - random.below(PAST))
    if (cache.hasRoomFor('peer', 1)) {
      cache.add(idOf(step), time, 'peer')
      live.set(idOf(step), time)
    } else refused++
    for (const id of live.keys()) if (!cache.has(id)) t.fail(`${id} is gone`)
    if (cache.size < live.size || cache.size > 200) t.fail(`${cache.size} IDs, ${live.size} live`)
    if (live.size > 100) live.delete(live.keys().next().value!)
  }
  t.ok(refused > 0, 'it was full at times')
})

t.test('a full cache takes nothing, and has room again when a slice is forgotten', async (t) => {
  const cache = makeCache(10)
  for (let count = 0; count < 10; count++) {
    t.equal(cache.hasRoomFor('peer', 1), true)
    cache.add(idOf(count), START, 'peer')
  }
  t.equal(cache.hasRoomFor('peer', 1), false)
  t.equal(cache.hasRoomFor('newcomer', 100), false)
  t.equal(cache.has(idOf(0)), true, 'nothing was given up')
  cache.horizon(START + PAST)
  t.equal(cache.hasRoomFor('peer', 1), false, 'they are still alive')
  cache.horizon(START + PAST + WIDTH)
  t.equal(cache.size, 0)
  t.equal(cache.hasRoomFor('peer', 1), true)
})

t.test('fair share', async (t) => {
  t.test('up to half of the capacity nobody is asked for a share', async (t) => {
    const cache = makeCache(100)
    for (let count = 0; count < 50; count++) {
      t.equal(cache.hasRoomFor('greedy', 10), true)
      cache.add(idOf(count), START, 'greedy')
    }
    t.equal(cache.hasRoomFor('greedy', 10), false)
    t.equal(cache.hasRoomFor('modest', 10), true)
  })

  t.test('from then on a link may hold twice its even share', async (t) => {
    const cache = makeCache(100)
    for (let count = 0; count < 50; count++) cache.add(idOf(count), START, `link ${count % 10}`)
    let taken = 0
    while (cache.hasRoomFor('link 0', 10)) cache.add(idOf(1_000 + taken++), START, 'link 0')
    t.equal(taken, 15, 'to the 5 that it had, up to 20')
    t.equal(cache.hasRoomFor('link 1', 10), true)
  })

  t.test('a single link may fill it', async (t) => {
    const cache = makeCache(100)
    let taken = 0
    while (cache.hasRoomFor('only', 1)) cache.add(idOf(taken++), START, 'only')
    t.equal(taken, 100)
  })

  t.test('a node without links has room for its own messages', async (t) => {
    t.equal(makeCache(1).hasRoomFor('self', 0), true)
  })

  t.test('a share shrinks with the slices that are forgotten', async (t) => {
    const cache = makeCache(100)
    for (let count = 0; count < 30; count++) cache.add(idOf(count), START, 'greedy')
    for (let count = 30; count < 60; count++) cache.add(idOf(count), START + PAST, 'greedy')
    for (let count = 60; count < 80; count++) cache.add(idOf(count), START + PAST, 'others')
    t.equal(cache.hasRoomFor('greedy', 4), false, 'it holds 60 of 50')
    cache.horizon(START + PAST + WIDTH)
    t.equal(cache.size, 50)
    t.equal(cache.hasRoomFor('greedy', 4), true, 'it holds 30 of 50')
  })
})

t.test('slices are forgotten one by one', async (t) => {
  const cache = makeCache()
  for (let slice = 0; slice < 20; slice++) cache.add(idOf(slice), START + slice * WIDTH, 'peer')
  for (let slice = 0; slice < 20; slice++) {
    t.equal(cache.size, 20 - slice)
    cache.horizon(START + (slice + 1) * WIDTH + PAST)
  }
  t.equal(cache.size, 0)
})

t.test('a window of one millisecond works', async (t) => {
  const cache = new SeenCache({ capacity: 10, windowPast: 1 })
  t.equal(cache.horizon(START), START - 1)
  cache.add(idOf(1), START, 'peer')
  cache.horizon(START + 1)
  t.equal(cache.has(idOf(1)), true)
  cache.horizon(START + 2)
  t.equal(cache.has(idOf(1)), false)
})

t.test('times that lie ahead are remembered until they are past', async (t) => {
  const cache = makeCache()
  cache.horizon(START)
  cache.add(idOf(1), START + 60_000, 'peer')
  cache.horizon(START + 60_000 + PAST)
  t.equal(cache.has(idOf(1)), true)
  cache.horizon(START + 60_000 + PAST + WIDTH)
  t.equal(cache.size, 0)
})
