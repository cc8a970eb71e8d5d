import t from 'tap'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { Random } from '../../lib/testing/random.ts'

/** Sets a timer that notes its name and the time it sees. */
function note(clock: ManualClock, log: string[], name: string, ms: number) {
  const start = clock.now()
  return clock.setTimer(() => log.push(`${name}@${clock.now() - start}`), ms)
}

t.test('stands still until it is moved', (t) => {
  const clock = new ManualClock(1_000)
  t.equal(clock.now(), 1_000)
  clock.advance(0)
  t.equal(clock.now(), 1_000)
  clock.advance(250)
  t.equal(clock.now(), 1_250)
  t.end()
})

t.test('starts at a real date that is the same in every run', (t) => {
  t.equal(new Date(new ManualClock().now()).toISOString(), '2026-01-01T00:00:00.000Z')
  t.end()
})

t.test('timers fire in the order of their times, and then of their setting', (t) => {
  const clock = new ManualClock()
  const log: string[] = []
  for (const [name, ms] of [
    ['a', 30],
    ['b', 10],
    ['c', 20],
    ['d', 10],
  ] as const)
    note(clock, log, name, ms)
  clock.advance(9)
  t.same(log, [])
  clock.advance(1)
  t.same(log, ['b@10', 'd@10'])
  clock.advance(100)
  t.same(log, ['b@10', 'd@10', 'c@20', 'a@30'])
  t.end()
})

t.test('thousands of timers fire in order', (t) => {
  const clock = new ManualClock(0)
  const random = new Random(3)
  const fired: number[] = []
  for (let count = 0; count < 5_000; count++) {
    const timer = clock.setTimer(() => fired.push(clock.now()), 1 + random.below(1_000))
    if (count % 3 === 0) timer.cancel()
  }
  clock.advance(1_000)
  t.equal(fired.length, 3_333)
  t.same(
    fired,
    [...fired].sort((left, right) => left - right),
  )
  t.equal(clock.pendingTimers, 0)
  t.end()
})

t.test('a timer set by a timer fires in the same advance when it is due in it', (t) => {
  const clock = new ManualClock(0)
  const ticks: number[] = []
  const tick = () => {
    ticks.push(clock.now())
    clock.setTimer(tick, 10)
  }
  clock.setTimer(tick, 10)
  clock.advance(35)
  t.same(ticks, [10, 20, 30])
  t.equal(clock.now(), 35)
  t.equal(clock.pendingTimers, 1)
  t.end()
})

t.test('a cancelled timer never fires, and cancelling is harmless at any time', (t) => {
  const clock = new ManualClock()
  const log: string[] = []
  const first = note(clock, log, 'first', 10)
  const second = note(clock, log, 'second', 10)
  clock.setTimer(() => second.cancel(), 5)
  clock.advance(20)
  t.same(log, ['first@10'])
  first.cancel()
  second.cancel()
  t.equal(clock.pendingTimers, 0)
  t.end()
})

t.test(
  'a timer set without a wait fires after 1 ms, so that one that sets itself anew lets time pass',
  (t) => {
    const clock = new ManualClock()
    let count = 0
    const again = () => {
      count++
      clock.setTimer(again, 0)
    }
    clock.setTimer(again, -5)
    clock.setTimer(() => {}, Number.NaN)
    clock.advance(0)
    t.equal(count, 0)
    clock.advance(100)
    t.equal(count, 100)
    t.equal(clock.pendingTimers, 1)
    t.end()
  },
)

t.test('a timer that throws ends the advance; the rest fires with the next', (t) => {
  const clock = new ManualClock(0)
  const log: string[] = []
  clock.setTimer(() => {
    throw new Error('broken timer')
  }, 10)
  note(clock, log, 'after', 10)
  t.throws(() => clock.advance(50), { message: 'broken timer' })
  t.equal(clock.now(), 10)
  clock.advance(0)
  t.same(log, ['after@10'])
  t.end()
})

t.test('a timer that moves the clock itself does not make it go back', (t) => {
  const clock = new ManualClock(0)
  clock.setTimer(() => clock.advance(100), 10)
  clock.advance(20)
  t.equal(clock.now(), 110)
  t.end()
})

t.test('advanceAsync lets promises and immediates run between timers', async (t) => {
  const clock = new ManualClock(0)
  const log: string[] = []
  const work = async (name: string) => {
    log.push(`${name} fires at ${clock.now()}`)
    await Promise.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    log.push(`${name} is done at ${clock.now()}`)
  }
  clock.setTimer(() => void work('a'), 10)
  clock.setTimer(() => void work('b'), 20)
  await clock.advanceAsync(30)
  t.same(log, ['a fires at 10', 'a is done at 10', 'b fires at 20', 'b is done at 20'])
  t.equal(clock.now(), 30)
})

t.test('advanceAsync sees timers that are set by what was waiting when it was called', async (t) => {
  const clock = new ManualClock(0)
  let firedAt = 0
  setImmediate(() => {
    clock.setTimer(() => (firedAt = clock.now()), 5)
  })
  await clock.advanceAsync(10)
  t.equal(firedAt, 5)
})
