import t from 'tap'
import { ChunkPlan } from '../../lib/files/chunk-plan.ts'
import { FILE_PATIENCE, FILE_SILENCE } from '../../lib/limits/direct-limits.ts'

t.test('each chunk is given to one source, in ascending order', async (t) => {
  const plan = new ChunkPlan(5)
  t.strictSame(plan.take('a', 2, 0), [0, 1])
  t.strictSame(plan.take('b', 2, 0), [2, 3])
  t.strictSame(plan.take('a', 2, 0), [4])
  t.strictSame(plan.take('b', 2, 0), [])
  t.equal(plan.left, 5)
})

t.test('what was not brought is missing again', async (t) => {
  const plan = new ChunkPlan(4)
  t.strictSame(plan.take('a', 4, 0), [0, 1, 2, 3])
  t.equal(plan.done(1), true)
  t.equal(plan.done(1), false, 'it is there already')
  plan.giveBack('a', [0, 1, 2, 3])
  plan.giveBack('a', [0, 1, 2, 3])
  t.strictSame(plan.take('b', 2, 0), [0, 2])
  t.strictSame(plan.take('b', 2, 0), [3])
  t.equal(plan.has(1), true)
  t.equal(plan.has(0), false)
})

t.test('what is there from the beginning is not asked for', async (t) => {
  const plan = new ChunkPlan(3)
  plan.done(0)
  plan.done(2)
  t.strictSame(plan.take('a', 9, 0), [1])
  plan.done(1)
  t.equal(plan.isDone, true)
  t.strictSame(plan.take('a', 9, 0), [])
  t.equal(new ChunkPlan(0).isDone, true)
})

t.test('what is overdue is asked of one other source, when nothing else is left', async (t) => {
  const plan = new ChunkPlan(3)
  plan.take('a', 2, 0)
  t.strictSame(plan.take('b', 1, FILE_PATIENCE), [2])
  t.strictSame(plan.take('b', 9, FILE_PATIENCE - 1), [], 'not overdue')
  t.strictSame(plan.take('a', 9, FILE_PATIENCE), [], 'not of the same one')
  t.strictSame(plan.take('b', 1, FILE_PATIENCE), [0])
  t.strictSame(plan.take('b', 9, FILE_PATIENCE), [1])
  t.strictSame(plan.take('c', 9, 9 * FILE_PATIENCE), [2], 'two are enough for the others')
  plan.giveBack('a', [0, 1])
  t.strictSame(plan.take('d', 9, FILE_PATIENCE), [], 'the other one is still at it')
  plan.giveBack('b', [0, 1, 2])
  t.strictSame(plan.take('d', 9, FILE_PATIENCE), [0, 1])
})

t.test('who was at work and falls silent is overdue sooner', async (t) => {
  const plan = new ChunkPlan(4)
  plan.take('a', 2, 0)
  plan.take('b', 2, 0)
  plan.heard('a', 10)
  plan.done(0)
  t.strictSame(plan.take('c', 9, 9 + FILE_SILENCE), [])
  t.strictSame(plan.take('c', 9, 10 + FILE_SILENCE), [1], 'one that has brought nothing yet may be slow')
  plan.heard('b', 2 * FILE_SILENCE)
  t.strictSame(plan.take('d', 9, 3 * FILE_SILENCE - 1), [], 'one that goes on bringing has time')
  t.strictSame(plan.take('d', 9, 3 * FILE_SILENCE), [2, 3])
})

t.test('any order of events leaves every chunk asked for, missing or there', async (t) => {
  let state = 7
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state % below
  }
  for (let round = 0; round < 50; round++) {
    const count = 1 + random(40)
    const plan = new ChunkPlan(count)
    const asked: { source: string; chunks: number[] }[] = []
    const there = new Set<number>()
    for (let time = 0; !plan.isDone; time += random(FILE_PATIENCE)) {
      if (time > 1e9) throw new Error('it never ends')
      const source = `s${random(4)}`
      const chunks = plan.take(source, 1 + random(8), time)
      if (chunks.length > 0) asked.push({ source, chunks })
      const ended = random(2) === 0 ? asked.splice(random(asked.length + 1), 1)[0] : undefined
      if (ended === undefined) continue
      for (const chunk of ended.chunks.slice(0, random(9))) {
        t.equal(plan.done(chunk), !there.has(chunk))
        there.add(chunk)
      }
      plan.giveBack(ended.source, ended.chunks)
    }
    if (there.size !== count) t.fail('not all were brought')
  }
})
