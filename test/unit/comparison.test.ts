import t from 'tap'
import { answerItems, openingItems, wantsAnswer } from '../../lib/history/comparison.ts'
import { decodeExchange, encodeExchange, type Item } from '../../lib/history/exchange-frame.ts'
import { BEGINNING, END } from '../../lib/history/range.ts'
import type { Entry } from '../../lib/history/store.ts'
import { Timeline } from '../../lib/history/timeline.ts'
import { HISTORY_FRAME_BYTES } from '../../lib/limits/direct-limits.ts'
import { Random } from '../../lib/testing/random.ts'
import { toHex } from '../../lib/wire/hex.ts'
import { nodeId } from '../fixtures/history-net.ts'

const random = new Random(5)
const from = nodeId('author')
const made = (size = 1): Entry => ({
  id: toHex(random.bytes(32)) as Entry['id'],
  time: 1_000_000 + random.below(3_000_000),
  from,
  exp: undefined,
  hasAttachment: false,
  size,
  isPending: false,
})

class Side {
  readonly timeline = new Timeline()
  readonly ids = new Set<string>()
  readonly lacking = new Set<string>()
  floor = BEGINNING

  add(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.timeline.add(entry)
      this.ids.add(entry.id)
    }
  }

  answer(items: readonly Item[]): readonly Item[] {
    const answer = answerItems(items, {
      timeline: this.timeline,
      floor: this.floor,
      knows: (id) => this.ids.has(id),
    })
    for (const id of answer.lacking) this.lacking.add(id)
    return answer.items
  }
}

/** Lets two sides compare; returns the number of frames. Every frame goes through its encoding. */
function compare(one: Side, other: Side, start = BEGINNING): number {
  let items = openingItems(one.timeline, { start, end: END })
  let frames = 1
  for (; wantsAnswer(items); frames++) {
    const frame = {
      kind: 'comparison',
      isOpener: true,
      isBusy: false,
      session: 5,
      round: 3,
      floor: 7,
      items,
    } as const
    const bytes = encodeExchange(frame)
    if (bytes.length > HISTORY_FRAME_BYTES) throw new Error(`${bytes.length} bytes`)
    t.strictSame(decodeExchange(bytes), frame)
    ;[one, other] = [other, one]
    items = one.answer(items)
    if (frames > 200) throw new Error('it does not end')
  }
  // Offers that need no answer.
  other.answer(items)
  return frames
}

for (const [shared, first, second] of [
  [0, 0, 0],
  [0, 5_000, 0],
  [0, 0, 5_000],
  [3_000, 0, 1],
  [3_000, 40, 70],
  [100, 2_500, 3_000],
] as const) {
  t.test(
    `${shared} in common, ${first} and ${second} apart: each learns exactly what it lacks`,
    async (t) => {
      const [one, other] = [new Side(), new Side()]
      const common = Array.from({ length: shared }, () => made())
      const [left, right] = [first, second].map((count) => Array.from({ length: count }, () => made())) as [
        Entry[],
        Entry[],
      ]
      one.add([...common, ...left])
      other.add([...common, ...right])
      const frames = compare(one, other)
      t.ok(frames < 30, `${frames} frames`)
      t.strictSame([...one.lacking].sort(), right.map(({ id }) => id).sort())
      t.strictSame([...other.lacking].sort(), left.map(({ id }) => id).sort())
    },
  )
}

t.test('messages of one time are told apart by their IDs', async (t) => {
  const [one, other] = [new Side(), new Side()]
  const entries = Array.from({ length: 2_000 }, () => ({ ...made(), time: 5 }))
  one.add(entries)
  other.add(entries.filter((_, at) => at % 100 > 0))
  compare(one, other)
  t.equal(other.lacking.size, 20)
  t.equal(one.lacking.size, 0)
})

t.test('what was given up is listed and not offered', async (t) => {
  const [one, other] = [new Side(), new Side()]
  const entries = [made(0), made(1), made(0)]
  one.add(entries)
  compare(other, one)
  t.strictSame([...other.lacking], [entries[1]!.id])
  t.strictSame([...one.lacking], [])
  const again = new Side()
  again.add(entries)
  compare(one, again)
  t.strictSame([...one.lacking, ...again.lacking], [])
})

t.test('what lies before the floor of either end is not compared', async (t) => {
  const [one, other] = [new Side(), new Side()]
  one.add(Array.from({ length: 1_000 }, () => made()))
  const young = [...one.timeline.all()].filter(({ time }) => time >= 2_500_000)
  other.floor = { time: 2_500_000, id: '' }
  compare(one, other)
  t.strictSame([...other.lacking].sort(), young.map(({ id }) => id).sort())
})
