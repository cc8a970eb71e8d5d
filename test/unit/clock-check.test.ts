import t from 'tap'
import { MAX_CLOCK_OFFSET } from '../../lib/limits/network-limits.ts'
import { ClockCheck } from '../../lib/overlay/clock-check.ts'

const peers = (...offsets: number[]): { clockOffset: number }[] =>
  offsets.map((clockOffset) => ({ clockOffset }))

t.test('the offset is the median of the peers', async (t) => {
  t.equal(ClockCheck.offset([]), undefined, 'nobody, nothing')
  t.equal(ClockCheck.offset(peers(7)), 7)
  t.equal(ClockCheck.offset(peers(30, -10, 20)), 20, 'of any order')
  t.equal(ClockCheck.offset(peers(100, 9, 80)), 80, 'by value, not by their text')
})

t.test('of two in the middle, the one that is nearer to our clock counts', async (t) => {
  t.equal(ClockCheck.offset(peers(10, 20)), 10)
  t.equal(ClockCheck.offset(peers(-10, -20)), -10)
  t.equal(ClockCheck.offset(peers(-5, 20)), -5)
  t.equal(ClockCheck.offset(peers(1, 2, 3, 4)), 2)
})

t.test('fewer liars than honest peers move it no further than an honest one is off', async (t) => {
  for (const lie of [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]) {
    const offset = ClockCheck.offset(peers(5, lie, -3, lie, 2))!
    t.ok(offset >= -3 && offset <= 5, String(lie))
  }
})

t.test('check', async (t) => {
  t.test('tells once that the clock is off, and again after it was right', async (t) => {
    const clock = new ClockCheck()
    const off = peers(MAX_CLOCK_OFFSET + 1, MAX_CLOCK_OFFSET + 2, 0)
    t.equal(clock.check(off), MAX_CLOCK_OFFSET + 1)
    t.equal(clock.check(off), undefined)
    t.equal(clock.check(peers(0, 0, 0)), undefined)
    t.equal(clock.check(off), MAX_CLOCK_OFFSET + 1)
  })

  t.test('exactly the limit is not over it, either way', async (t) => {
    const clock = new ClockCheck()
    t.equal(clock.check(peers(MAX_CLOCK_OFFSET)), undefined)
    t.equal(clock.check(peers(-MAX_CLOCK_OFFSET)), undefined)
    t.equal(clock.check(peers(-MAX_CLOCK_OFFSET - 1)), -MAX_CLOCK_OFFSET - 1)
  })

  t.test('without peers nothing is known', async (t) => {
    t.equal(new ClockCheck().check([]), undefined)
  })
})
