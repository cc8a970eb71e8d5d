import t from 'tap'
import { MIN_MESSAGE_COST, START_CREDIT, STREAM_WINDOW } from '../../lib/limits/dht-limits.ts'
import { Credit } from '../../lib/hyperswarm/credit.ts'
import { LengthWatch } from '../../lib/hyperswarm/stream-guard.ts'

t.test('who has granted nothing holds no more than the beginning', async (t) => {
  const credit = new Credit()
  t.ok(credit.hold(START_CREDIT))
  t.notOk(credit.hold(1))
})

t.test('small messages cost enough that their number is bounded', async (t) => {
  const credit = new Credit()
  let count = 0
  while (credit.hold(2)) count++
  t.equal(count, START_CREDIT / MIN_MESSAGE_COST)
})

t.test('what was not taken is not granted anew', async (t) => {
  const credit = new Credit()
  t.equal(credit.due(), STREAM_WINDOW - START_CREDIT)
  t.ok(credit.hold(STREAM_WINDOW))
  t.equal(credit.due(), 0)
  credit.release(STREAM_WINDOW / 2)
  t.equal(credit.due(), STREAM_WINDOW / 2)
})

t.test('a grant of nothing, or of more than a window, is refused', async (t) => {
  t.ok(new Credit().add(STREAM_WINDOW - START_CREDIT))
  t.notOk(new Credit().add(0))
  t.notOk(new Credit().add(STREAM_WINDOW))
})

t.test('a length over the limit is seen, however it is cut', async (t) => {
  const bytes = Uint8Array.of(2, 0, 0, 7, 7, 0, 0, 0, 11, 0, 0)
  t.notOk(new LengthWatch(10).allows(bytes))
  t.ok(new LengthWatch(11).allows(bytes))
  const watch = new LengthWatch(10)
  t.same(
    [...bytes].findIndex((byte) => !watch.allows(Uint8Array.of(byte))),
    bytes.length - 1,
  )
})
