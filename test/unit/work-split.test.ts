import t from 'tap'
import { WorkSplit } from '../../lib/identity/work-split.ts'

/** Numbered jobs, a turn that ends when it is told to, and threads that are done when they are told to. */
class Bench {
  readonly here: number[] = []
  readonly away: number[] = []
  readonly split: WorkSplit<number>
  readonly #turnEnds: (() => void)[] = []
  #next = 0

  constructor(few = 4) {
    const port = {
      doHere: (job: number): void => void this.here.push(job),
      handOver: (job: number): void => void this.away.push(job),
      atTurnEnd: (callBack: () => void): void => void this.#turnEnds.push(callBack),
    }
    this.split = new WorkSplit(port, few)
  }

  /** Jobs as they come in one turn: their numbers count on. */
  bring(count: number): void {
    for (let left = count; left > 0; left--) {
      const job = this.#next++
      if (this.split.begins()) this.here.push(job)
      else this.split.add(job)
    }
  }

  endTurn(): void {
    for (const end of this.#turnEnds.splice(0)) end()
  }

  get turnEnds(): number {
    return this.#turnEnds.length
  }

  land(count: number): void {
    for (let left = count; left > 0; left--) this.split.landed()
  }
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n)

t.test('a lone job of a turn is done at once, turn after turn', (t) => {
  const bench = new Bench()
  for (let n = 0; n < 3; n++) {
    bench.bring(1)
    t.same(bench.here, range(0, n + 1))
    bench.endTurn()
  }
  t.same(bench.away, [])
  t.end()
})

t.test('a few are done here, all but the first at the end of the turn and in their order', (t) => {
  const bench = new Bench()
  bench.bring(4)
  t.same(bench.here, [0])
  t.equal(bench.turnEnds, 1, 'one call for all')
  bench.endTurn()
  t.same(bench.here, [0, 1, 2, 3])
  t.same(bench.away, [])
  t.end()
})

t.test('one more than a few, and all that is not done yet goes to the others at once', (t) => {
  const bench = new Bench()
  bench.bring(5)
  t.same(bench.here, [0])
  t.same(bench.away, [1, 2, 3, 4], 'in their order')
  bench.bring(60)
  t.same(bench.away, range(1, 65))
  t.equal(bench.split.away, 64)
  bench.endTurn()
  t.same(bench.here, [0], 'nothing is done twice')
  t.end()
})

t.test(
  'while others work, everything goes to them; when they have nothing left, a lone job is done here',
  (t) => {
    const bench = new Bench()
    bench.bring(5)
    bench.endTurn()
    bench.land(3)
    bench.bring(1)
    t.same(bench.away, [1, 2, 3, 4, 5])
    t.equal(bench.turnEnds, 0)
    bench.land(2)
    t.equal(bench.split.away, 0)
    bench.bring(2)
    t.same(bench.here, [0, 6])
    bench.endTurn()
    t.same(bench.here, [0, 6, 7])
    t.end()
  },
)

t.test('in the turn in which the others finish, no more than a few are done here', (t) => {
  const bench = new Bench()
  bench.bring(5)
  bench.land(4)
  bench.bring(3)
  t.same(bench.here, [0], 'the turn has had its first')
  bench.bring(1)
  t.same(bench.away, range(1, 9))
  bench.endTurn()
  t.same(bench.here, [0])
  t.end()
})

t.test('what is handed over without being asked about keeps the others working', (t) => {
  const bench = new Bench()
  bench.split.handOver(100)
  bench.bring(2)
  t.same(bench.away, [100, 0, 1])
  bench.land(3)
  bench.bring(1)
  t.same(bench.here, [2])
  t.end()
})

t.test('jobs that come while a turn is ended wait for the end of the next', (t) => {
  const here: string[] = []
  const ends: (() => void)[] = []
  const bring = (job: string): void => {
    if (split.begins()) here.push(job)
    else split.add(job)
  }
  const doHere = (job: string): void => {
    here.push(job)
    if (job.length < 2) bring(`${job}${job}`)
  }
  const split = new WorkSplit<string>(
    { doHere, handOver: () => t.fail('there are few'), atTurnEnd: (end) => void ends.push(end) },
    4,
  )
  for (const job of ['a', 'b', 'c']) bring(job)
  ends.shift()!()
  t.same(here, ['a', 'b', 'bb', 'c'])
  t.equal(ends.length, 1)
  ends.shift()!()
  t.same(here, ['a', 'b', 'bb', 'c', 'cc'])
  t.end()
})

t.test('with one as a few, a second goes to the others', (t) => {
  const bench = new Bench(1)
  bench.bring(3)
  t.same(bench.here, [0])
  t.same(bench.away, [1, 2])
  t.end()
})
