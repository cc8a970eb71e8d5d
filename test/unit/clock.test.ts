import t from 'tap'
import { systemClock } from '../../lib/ground/clock.ts'

t.test('the clock of the machine has whole milliseconds', async (t) => {
  const before = Date.now()
  const now = systemClock.now()
  t.ok(Number.isSafeInteger(now) && now >= before && now <= Date.now())
})

t.test('a timer fires once, and not before its time', async (t) => {
  const before = performance.now()
  // A timer of this clock does not keep the process alive, so something else has to.
  const keepAlive = setInterval(() => {}, 1_000)
  await new Promise<void>((resolve) => void systemClock.setTimer(resolve, 20))
  clearInterval(keepAlive)
  t.ok(performance.now() - before >= 19)
})

t.test('a timer that was cancelled does not fire, and a cancel too late is harmless', async (t) => {
  const fired: string[] = []
  const keepAlive = setInterval(() => {}, 1_000)
  const cancelled = systemClock.setTimer(() => fired.push('cancelled'), 1)
  cancelled.cancel()
  cancelled.cancel()
  const timer = await new Promise<{ cancel(): void }>((resolve) => {
    const other = systemClock.setTimer(() => resolve(other), 10)
  })
  clearInterval(keepAlive)
  timer.cancel()
  t.strictSame(fired, [])
})

t.test('a timer alone does not hold a program open', async (t) => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const timer = systemClock.setTimer(() => t.fail('it fired'), 3_600_000)
  t.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before)
  timer.cancel()
})
