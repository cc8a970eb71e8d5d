import t from 'tap'
import { ADDRESS_INTERVAL, MAX_BANS } from '../../lib/limits/limits.ts'
import { Admission } from '../../lib/services/admission.ts'

const make = ({ maxPending = 1_000_000, maxNewPerAddress = 64 } = {}) =>
  new Admission({ maxPending, maxNewPerAddress })

/** How many of 1,000 connections of an address are let in. */
function burst(admission: Admission, address: string, now: number): number {
  let admitted = 0
  for (let trial = 0; trial < 1_000; trial++) if (admission.admit(address, now)) admitted++
  return admitted
}

t.test('only so many handshakes are under way at once', async (t) => {
  const admission = make({ maxPending: 3 })
  t.strictSame(
    ['a', 'b', 'c', 'd'].map((address) => admission.admit(address, 0)),
    [true, true, true, false],
  )
  t.equal(admission.pending, 3)
  admission.settle('a')
  t.equal(admission.pending, 2)
  t.equal(admission.admit('e', 0), true)
  t.equal(admission.admit('f', 0), false)
})

t.test('who was turned away because of others keeps its tokens', async (t) => {
  const admission = make({ maxPending: 1, maxNewPerAddress: 1 })
  admission.admit('a', 0)
  t.equal(admission.admit('b', 0), false)
  admission.settle('a')
  t.equal(admission.admit('b', 0), true)
})

t.test('one address gets half of the places, so that one stranger cannot keep all others out', async (t) => {
  const admission = make({ maxPending: 7 })
  t.equal(burst(admission, 'a', 0), 4)
  t.equal(burst(admission, 'b', 0), 3)
  admission.settle('b')
  t.equal(admission.admit('a', 0), false)
  admission.settle('a')
  t.equal(admission.admit('a', 0), true)
  t.equal(admission.pending, 6)
})

t.test('one address gets its share in the interval, and others theirs', async (t) => {
  const admission = make({ maxNewPerAddress: 64 })
  t.equal(burst(admission, '10.0.0.1', 0), 64)
  t.equal(burst(admission, '10.0.0.2', 0), 64)
  t.equal(burst(admission, '10.0.0.1', ADDRESS_INTERVAL / 64), 1)
  t.equal(burst(admission, '10.0.0.1', ADDRESS_INTERVAL / 2), 31)
  t.equal(burst(admission, '10.0.0.1', 10 * ADDRESS_INTERVAL), 64)
})

t.test('a handshake that failed counts for eight', async (t) => {
  const admission = make({ maxNewPerAddress: 64 })
  for (let trial = 0; trial < 8; trial++) {
    t.equal(admission.admit('mallory', 0), true)
    admission.fail('mallory', 0)
  }
  t.equal(admission.pending, 0)
  t.equal(admission.admit('mallory', 0), false)
  t.equal(burst(admission, 'bob', 0), 64, 'others are not blamed')
})

t.test('a clock that is set back locks nobody out', async (t) => {
  const admission = make({ maxNewPerAddress: 10 })
  burst(admission, 'a', 1_000_000)
  t.equal(burst(admission, 'a', 0), 0)
  t.equal(burst(admission, 'a', ADDRESS_INTERVAL), 10)
})

t.test('of many addresses those that did nothing lately are forgotten first', async (t) => {
  const admission = make({ maxNewPerAddress: 4 })
  for (let number = 0; number < 4_095; number++) admission.admit(`quiet ${number}`, 0)
  burst(admission, 'busy', ADDRESS_INTERVAL)
  t.equal(admission.admit('one more', ADDRESS_INTERVAL), true)
  t.equal(admission.admit('busy', ADDRESS_INTERVAL), false, 'it is still known')
})

t.test('addresses without end cost no memory without end, nor a newcomer its place', async (t) => {
  const admission = make({ maxNewPerAddress: 1 })
  for (let number = 0; number < 20_000; number++) {
    if (!admission.admit(`address ${number}`, 0)) t.fail(`address ${number}`)
  }
  // The oldest was forgotten for it, which is why it may come again; the newest was not.
  t.equal(admission.admit('address 0', 0), true)
  t.equal(admission.admit('address 19999', 0), false)
})

t.test('a node is kept out until its ban ends', async (t) => {
  const admission = make()
  t.equal(admission.isBanned('eve', 0), false)
  admission.ban('eve', 100)
  t.equal(admission.isBanned('eve', 99), true)
  t.equal(admission.isBanned('bob', 99), false)
  t.equal(admission.isBanned('eve', 100), false)
  t.equal(admission.isBanned('eve', 50), false, 'it was forgotten')
})

t.test('a new ban takes the place of the old one', async (t) => {
  const admission = make()
  admission.ban('eve', 100)
  admission.ban('eve', 300)
  t.equal(admission.isBanned('eve', 200), true)
})

t.test('bans are bounded: the oldest ends early', async (t) => {
  const admission = make()
  for (let number = 0; number < MAX_BANS; number++) admission.ban(`node ${number}`, 100)
  admission.ban('node 0', 100)
  t.equal(admission.isBanned('node 1', 0), true)
  admission.ban('one more', 100)
  t.equal(admission.isBanned('node 0', 0), true, 'its ban was renewed')
  t.equal(admission.isBanned('node 1', 0), false)
  t.equal(admission.isBanned('node 2', 0), true)
  t.equal(admission.isBanned('one more', 0), true)
})
