import t from 'tap'
import { Reconnect } from '../../lib/services/reconnect.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'

const BACK_OFF = { min: 500, max: 30_000, random: Math.random }

/** A link that is dialled under a clock that the test moves; each dial ends as `outcomes` says, else it fails. */
function make({ outcomes = [] as boolean[], backOff = BACK_OFF, giveUpAt = Infinity } = {}) {
  const clock = new ManualClock(0)
  const dials: number[] = []
  const reports: string[] = []
  const reconnect = new Reconnect(
    {
      clock,
      dial: async () => {
        dials.push(clock.now())
        if (!outcomes.shift()) throw new Error('no')
      },
      shouldReconnect: (trials, error) => {
        reports.push(`${trials} ${(error as Error).message}`)
        return trials < giveUpAt
      },
      onGiveUp: (trials, error) => reports.push(`gave up ${trials} ${(error as Error).message}`),
    },
    backOff,
  )
  return { clock, dials, reports, reconnect }
}

/** The pauses before each dial but the first, once there have been so many. */
async function pauses(link: ReturnType<typeof make>, count: number): Promise<number[]> {
  while (link.dials.length <= count) await link.clock.advanceAsync(250)
  return link.dials.slice(1).map((at, index) => at - link.dials[index]!)
}

t.test('it dials at once', async (t) => {
  const { dials, reconnect, reports, clock } = make({ outcomes: [true] })
  reconnect.start()
  await clock.advanceAsync(100_000)
  t.strictSame(dials, [0])
  t.strictSame(reports, [])
  t.equal(clock.pendingTimers, 0)
})

t.test('pauses double up to the bound, and each is shortened by up to a half', async (t) => {
  const link = make()
  link.reconnect.start()
  const seen = await pauses(link, 12)
  for (const [index, pause] of seen.slice(0, 12).entries()) {
    const longest = Math.min(30_000, 500 * 2 ** (index + 1))
    t.ok(pause >= longest / 2 && pause <= longest, `pause ${index}: ${pause}`)
  }
  link.reconnect.stop()
})

t.test('no two links come back together', async (t) => {
  const seen = new Set<number>()
  for (let round = 0; round < 20; round++) {
    const link = make({ backOff: { ...BACK_OFF, min: 10_000, max: 10_000 } })
    link.reconnect.start()
    await link.clock.advanceAsync(10_000)
    seen.add(link.dials[1]!)
    link.reconnect.stop()
  }
  t.ok(seen.size > 15)
})

t.test('how much a pause is shortened is up to chance alone', async (t) => {
  for (const [chance, expected] of [
    [0, [500, 1_000, 2_000, 4_000]],
    [0.5, [750, 1_500, 3_000, 6_000]],
  ] as const) {
    const link = make({ backOff: { ...BACK_OFF, random: () => chance } })
    link.reconnect.start()
    t.strictSame((await pauses(link, 4)).slice(0, 4), expected)
    link.reconnect.stop()
  }
})

t.test('it never gives up by itself, and the pause never grows beyond the bound', async (t) => {
  const link = make({ backOff: { ...BACK_OFF, min: 1, max: 2 } })
  link.reconnect.start()
  const seen = await pauses(link, 1_100)
  t.ok(seen.every((pause) => pause >= 1 && pause <= 2))
  t.equal(link.reports[1_099], '1100 no')
  link.reconnect.stop()
})

t.test('who says so makes it give up, and nothing happens after that', async (t) => {
  const { clock, dials, reports, reconnect } = make({ giveUpAt: 3 })
  reconnect.start()
  await clock.advanceAsync(1_000_000)
  t.equal(dials.length, 3)
  t.strictSame(reports, ['1 no', '2 no', '3 no', 'gave up 3 no'])
  reconnect.start()
  reconnect.lost()
  await clock.advanceAsync(1_000_000)
  t.equal(dials.length, 3)
  t.equal(clock.pendingTimers, 0)
})

t.test('a lost link is dialled again after the first pause, and a success resets the pauses', async (t) => {
  const { clock, dials, reconnect, reports } = make({ outcomes: [false, false, false, true, true] })
  reconnect.start()
  while (dials.length < 4) await clock.advanceAsync(250)
  const lostAt = clock.now()
  reconnect.lost()
  reconnect.lost()
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 5, 'once, however often it was said')
  t.ok(dials[4]! - lostAt >= 250 && dials[4]! - lostAt <= 500)
  t.equal(reports.length, 3)
})

t.test('after a stop no timer is left and no dial begins', async (t) => {
  const { clock, dials, reconnect } = make()
  reconnect.start()
  await clock.advanceAsync(0)
  t.equal(clock.pendingTimers, 1)
  reconnect.stop()
  t.equal(clock.pendingTimers, 0)
  reconnect.lost()
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 1)
})

t.test('a stop while a dial is under way keeps its failure to itself', async (t) => {
  const { clock, dials, reconnect, reports } = make()
  reconnect.start()
  reconnect.stop()
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 1)
  t.strictSame(reports, [])
  t.equal(clock.pendingTimers, 0)
})
