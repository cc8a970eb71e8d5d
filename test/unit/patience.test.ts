import t from 'tap'
import { Patience } from '../../lib/relay/patience.ts'
import { GRAFT_CALM, GRAFT_SPREAD, GRAFT_WAIT, GRAFT_WAIT_MAX } from '../../lib/limits/tree-limits.ts'

const NOW = 1_000_000

t.test('the wait is the least one as long as answers come soon', async (t) => {
  const patience = new Patience()
  t.equal(patience.wait(NOW), GRAFT_WAIT)
  t.equal(patience.retry(NOW), GRAFT_WAIT / 2)
  for (let count = 0; count < 100; count++) patience.answered(80, NOW)
  t.equal(patience.wait(NOW), GRAFT_WAIT)
})

t.test('it grows with the time that answers take, up to a limit', async (t) => {
  const patience = new Patience()
  let before = patience.wait(NOW)
  for (const passed of [1_000, 1_000, 1_000, 1_000, 1_000]) {
    patience.answered(passed, NOW)
    t.ok(patience.wait(NOW) >= before)
    before = patience.wait(NOW)
  }
  for (let count = 0; count < 50; count++) patience.answered(1_000, NOW)
  t.ok(patience.wait(NOW) > 2_900 && patience.wait(NOW) < 3_000, 'three times as long as an answer')
  for (let count = 0; count < 50; count++) patience.answered(1e9, NOW)
  t.equal(patience.wait(NOW), GRAFT_WAIT_MAX)
  t.equal(patience.retry(NOW), GRAFT_WAIT_MAX / 2)
})

t.test('it shrinks faster than it grows', async (t) => {
  const patience = new Patience()
  for (let count = 0; count < 50; count++) patience.answered(2_000, NOW)
  for (let count = 0; count < 6; count++) patience.answered(50, NOW)
  t.equal(patience.wait(NOW), GRAFT_WAIT)
})

t.test('one peer in two that lets others wait does not make it grow much', async (t) => {
  const patience = new Patience()
  for (let count = 0; count < 100; count++) {
    patience.answered(8_000, NOW)
    patience.answered(60, NOW)
  }
  t.ok(patience.wait(NOW) <= 3_000, String(patience.wait(NOW)))
})

t.test('it shrinks with time, also when the clock was set back', async (t) => {
  for (const direction of [1, -1]) {
    const patience = new Patience()
    for (let count = 0; count < 50; count++) patience.answered(8_000, NOW)
    let now = NOW
    for (let calm = 0; calm < 7; calm++) t.ok(patience.wait((now += direction * GRAFT_CALM)) > 0)
    t.equal(patience.wait(now), GRAFT_WAIT)
  }
})

t.test('waits differ within their bounds, and no salt makes one too long', async (t) => {
  const patience = new Patience()
  const waits = new Set<number>()
  for (let salt = 0; salt < 100; salt++) {
    patience.vary(salt)
    waits.add(Math.round(patience.wait(NOW)))
    t.ok(patience.wait(NOW) >= GRAFT_WAIT && patience.wait(NOW) <= GRAFT_WAIT * (1 + GRAFT_SPREAD))
  }
  t.ok(waits.size > 80)
  for (let count = 0; count < 50; count++) patience.answered(8_000, NOW)
  t.equal(patience.wait(NOW), GRAFT_WAIT_MAX)
})
