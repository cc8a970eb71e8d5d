import t from 'tap'
import { VirtualTime } from '../../lib/testing/virtual-time.ts'

const START = 1_000
const never = () => false

t.test('time passes only while somebody waits, and then to the millisecond', async (t) => {
  const time = new VirtualTime(START)
  const fired: number[] = []
  for (const ms of [30, 10, 20]) time.clock.setTimer(() => fired.push(time.clock.now()), ms)
  await new Promise((resolve) => setImmediate(resolve))
  t.same(fired, [])
  t.equal(await time.wait(never, START + 25), false)
  t.same(fired, [1_010, 1_020])
  t.equal(time.clock.now(), 1_025)
})

t.test('all that is due at an instant is done before time goes on', async (t) => {
  const time = new VirtualTime(START)
  const log: string[] = []
  const note = (what: string) => log.push(`${what} ${time.clock.now() - START}`)
  const work = async () => {
    note('timer')
    time.soon(() => {
      note('task')
      time.soon(() => note('task of a task'))
    })
    for (let count = 0; count < 50; count++) await Promise.resolve()
    note('promises')
    await new Promise((resolve) => setImmediate(resolve))
    note('immediate')
    time.soon(() => note('task of an immediate'))
  }
  time.clock.setTimer(() => void work(), 5)
  time.clock.setTimer(() => note('later timer'), 6)
  await time.wait(never, START + 10)
  t.same(log, [
    'timer 5',
    'task 5',
    'promises 5',
    'task of a task 5',
    'immediate 5',
    'task of an immediate 5',
    'later timer 6',
  ])
})

t.test('a condition is asked at every instant, the first included, and ends the waiting there', async (t) => {
  const time = new VirtualTime(START)
  let count = 0
  const again = () => {
    count++
    time.clock.setTimer(again, 10)
  }
  time.clock.setTimer(again, 10)
  t.equal(await time.wait(() => true, START + 100), true)
  t.equal(time.clock.now(), START)
  t.equal(await time.wait(() => count === 3, START + 100), true)
  t.equal(time.clock.now(), START + 30)
  t.equal(await time.wait(() => count === 99, START + 35), false)
  t.equal(time.clock.now(), START + 35)
})

t.test('several may wait at once, in one time', async (t) => {
  const time = new VirtualTime(START)
  const ends: number[] = []
  const wait = async (ms: number) => {
    await time.wait(never, START + ms)
    ends.push(time.clock.now() - START)
  }
  await Promise.all([wait(30), wait(10), wait(20).then(() => wait(25))])
  t.same(ends, [10, 20, 25, 30])
  t.equal(time.clock.now(), START + 30)
})

t.test('what somebody does who need not wait any longer happens before time goes on', async (t) => {
  const time = new VirtualTime(START)
  const seen: number[] = []
  const work = async () => {
    await time.wait(never, START + 10)
    seen.push(time.clock.now())
    time.clock.setTimer(() => seen.push(time.clock.now()), 1)
  }
  await Promise.all([work(), time.wait(never, START + 100)])
  t.same(seen, [1_010, 1_011])
})

t.test('a condition that throws is the affair of its caller alone', async (t) => {
  const time = new VirtualTime(START)
  const other = time.wait(never, START + 10)
  const broken = time.wait(() => {
    throw new Error('broken condition')
  }, START + 10)
  await t.rejects(broken, { message: 'broken condition' })
  t.equal(await other, false)
})

t.test(
  'a timer or a task that throws ends all waiting; the rest is done when somebody waits again',
  async (t) => {
    for (const later of ['setTimer', 'soon'] as const) {
      const time = new VirtualTime(START)
      const log: string[] = []
      const plan = (work: () => void) =>
        later === 'soon' ? time.soon(work) : void time.clock.setTimer(work, 5)
      plan(() => {
        throw new Error('broken')
      })
      plan(() => log.push('the rest'))
      const waits = [time.wait(never, START + 10), time.wait(never, START + 20)]
      for (const wait of waits) await t.rejects(wait, { message: 'broken' })
      t.same(log, [])
      await time.wait(never, START + 20)
      t.same(log, ['the rest'], later)
    }
  },
)

t.test('thousands of instants take no time', async (t) => {
  const time = new VirtualTime(START)
  let count = 0
  const again = () => {
    count++
    time.clock.setTimer(again, 1)
  }
  again()
  await time.wait(never, START + 20_000)
  t.equal(count, 20_001)
})
