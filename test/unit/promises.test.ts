import t from 'tap'
import { Promises } from '../../lib/relay/promises.ts'
import {
  LIAR_PAUSE,
  MAX_BROKEN,
  MAX_BROKEN_IN_A_ROW,
  MAX_OWED,
  PROMISE_TIMEOUT,
} from '../../lib/limits/tree-limits.ts'
import type { MessageId } from '../../lib/wire/ids.ts'

const idOf = (number: number): MessageId => number.toString(16).padStart(64, '0') as MessageId
const NOW = 1_000_000

t.test('a message that was asked for and comes is a kept promise', async (t) => {
  const promises = new Promises()
  t.equal(promises.due, Infinity)
  promises.ask(idOf(1), NOW)
  t.equal(promises.owed, 1)
  t.equal(promises.due, NOW + PROMISE_TIMEOUT)
  t.equal(promises.deliver(idOf(1)), NOW, 'with the time of the request')
  t.equal(promises.owed, 0)
  t.equal(promises.due, Infinity)
  t.equal(promises.deliver(idOf(1)), undefined, 'once')
  t.equal(promises.deliver(idOf(2)), undefined, 'nobody asked for that')
})

t.test('asked twice, the first time counts', async (t) => {
  const promises = new Promises()
  promises.ask(idOf(1), NOW)
  promises.ask(idOf(1), NOW + 250)
  t.equal(promises.owed, 1)
  t.equal(promises.deliver(idOf(1)), NOW)
})

t.test('several broken promises in a row are answered by not listening for a while', async (t) => {
  const promises = new Promises()
  let now = NOW
  for (let broken = 1; broken <= MAX_BROKEN_IN_A_ROW; broken++) {
    t.notOk(promises.isIgnored(now))
    promises.ask(idOf(broken), now)
    promises.judge(now + PROMISE_TIMEOUT - 1)
    t.equal(promises.owed, 1, 'not yet')
    promises.judge((now += PROMISE_TIMEOUT))
    t.equal(promises.owed, 0)
  }
  t.ok(promises.isIgnored(now))
  t.ok(promises.isIgnored(now + LIAR_PAUSE - 1))
  t.notOk(promises.isIgnored(now + LIAR_PAUSE))
  t.notOk(promises.isIgnored(now - 1), 'a clock that was set back ends it')
  t.equal(promises.disorder, 1)
})

t.test('a thousand messages that do not come at once are one broken promise', async (t) => {
  const promises = new Promises()
  for (let number = 0; number < MAX_OWED; number++) promises.ask(idOf(number), NOW)
  t.ok(promises.isFull)
  promises.judge(NOW + PROMISE_TIMEOUT)
  t.notOk(promises.isIgnored(NOW + PROMISE_TIMEOUT))
  t.notOk(promises.isHopeless)
  t.notOk(promises.isFull)
})

t.test('one message of many in time is progress', async (t) => {
  const promises = new Promises()
  for (let number = 0; number < 100; number++) promises.ask(idOf(number), NOW)
  for (let round = 0; round < 50; round++) {
    promises.deliver(idOf(round))
    promises.judge(NOW + (round + 1) * PROMISE_TIMEOUT)
  }
  t.equal(promises.owed, 50)
  t.notOk(promises.isIgnored(NOW + 50 * PROMISE_TIMEOUT))
})

t.test('a link that never keeps a promise is hopeless; one that did once is not', async (t) => {
  for (const once of [false, true]) {
    const promises = new Promises()
    promises.ask(idOf(0), NOW)
    if (once) promises.deliver(idOf(0))
    let now = NOW
    for (let broken = 1; broken <= MAX_BROKEN; broken++) {
      t.notOk(promises.isHopeless)
      promises.ask(idOf(broken), now)
      promises.judge((now += PROMISE_TIMEOUT))
    }
    t.equal(promises.isHopeless, !once)
  }
})

t.test('what comes after its time, over a slow link, counts', async (t) => {
  const promises = new Promises()
  promises.ask(idOf(1), NOW)
  promises.judge(NOW + PROMISE_TIMEOUT)
  t.equal(promises.deliver(idOf(1)), NOW)
  let now = NOW
  for (let broken = 2; broken < MAX_BROKEN_IN_A_ROW + 1; broken++) {
    promises.ask(idOf(broken), now)
    promises.judge((now += PROMISE_TIMEOUT))
  }
  t.notOk(promises.isIgnored(now), 'they were not in a row')
})

t.test('a clock that was set back breaks no promise and makes none last for hours', async (t) => {
  const promises = new Promises()
  promises.ask(idOf(1), NOW)
  promises.judge(NOW - 3_600_000)
  t.equal(promises.owed, 1)
  promises.judge(NOW - 3_600_000 + PROMISE_TIMEOUT)
  t.equal(promises.owed, 0)
})

t.test(
  'disorder goes up with disappointments and down with kept promises, and stays within its bounds',
  async (t) => {
    const promises = new Promises()
    t.equal(promises.disorder, 0)
    for (let count = 0; count < 100; count++) promises.disappoint()
    t.ok(promises.disorder > 0.99 && promises.disorder <= 1)
    for (let count = 0; count < 100; count++) {
      promises.ask(idOf(count), NOW)
      promises.deliver(idOf(count))
    }
    t.ok(promises.disorder < 0.01 && promises.disorder >= 0)
  },
)
