import t from 'tap'
import { Survey } from '../../lib/discovery/survey.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'

/** A survey of node `a`, and whether it has ended. */
function makeSurvey(signal?: AbortSignal) {
  const clock = new ManualClock()
  const survey = new Survey({ self: 'a', clock, timeout: 1_000, signal })
  const ends: (number | undefined)[] = []
  survey.onEnd = (map) => ends.push(map?.size)
  return { clock, survey, ends }
}

const told = (...ids: string[]) => ({ links: ids.map((id) => [id, null] as const) })

t.test('a survey ends when everybody who was named has answered', async (t) => {
  const { clock, survey, ends } = makeSurvey()
  survey.begin(told('b', 'c'))
  clock.advance(3)
  survey.answer('b', told('a', 'd'))
  clock.advance(4)
  survey.answer('c', told('a'))
  t.equal(survey.isOver, false)
  clock.advance(1)
  survey.answer('d', told('b'))
  t.equal(survey.isOver, true)
  t.same(ends, [4])
  const map = await survey.result
  t.same(
    [...map.nodes.values()].map(({ latency }) => latency),
    [0, 3, 7, 8],
  )
  t.equal(map.isComplete, true)
  t.equal(clock.pendingTimers, 0)
})

t.test('a node without links ends it at once', async (t) => {
  const { survey } = makeSurvey()
  survey.begin(told())
  t.equal((await survey.result).size, 1)
})

t.test('it ends when its time is over, with what has come', async (t) => {
  const { clock, survey, ends } = makeSurvey()
  survey.begin(told('b', 'c'))
  survey.answer('b', told('a'))
  clock.advance(999)
  t.equal(survey.isOver, false)
  clock.advance(1)
  t.same(ends, [2])
  const map = await survey.result
  t.same(map.silent, ['c'])
  survey.answer('c', told('a'))
  t.equal(survey.count, 2, 'what comes later does not count')
})

t.test('hubs that leave links out are waited for', async (t) => {
  const { survey } = makeSurvey()
  survey.begin({ links: [['b', null]], more: 2 })
  survey.answer('b', told('a'))
  t.equal(survey.isOver, false)
  survey.answer('c', told('a'))
  t.equal(survey.isOver, false)
  survey.answer('d', told('a'))
  t.equal(survey.isOver, true)
})

t.test('who leaves it early gets what has come, and it is not the size of the network', async (t) => {
  const { clock, survey, ends } = makeSurvey()
  survey.begin(told('b', 'c'))
  survey.leave()
  survey.leave()
  t.same(ends, [undefined])
  t.equal((await survey.result).size, 1)
  t.equal(clock.pendingTimers, 0)
})

t.test('left before it has begun, it is the node itself', async (t) => {
  const { survey } = makeSurvey()
  survey.leave()
  survey.begin(told('b'))
  t.same([...(await survey.result).nodes.keys()], ['a'])
})

t.test('a signal fails it, before and while', async (t) => {
  const early = makeSurvey(AbortSignal.abort())
  t.equal(early.survey.isOver, true)
  await t.rejects(early.survey.result, { code: 'aborted' })
  const controller = new AbortController()
  const { clock, survey, ends } = makeSurvey(controller.signal)
  survey.begin(told('b'))
  const changed = survey.changed
  controller.abort(new Error('enough'))
  await changed
  await t.rejects(survey.result, { code: 'aborted', cause: { message: 'enough' } })
  t.same(ends, [undefined])
  t.equal(clock.pendingTimers, 0)
  survey.fail(new Error('later'))
  t.match(survey.failure, { code: 'aborted' }, 'the first reason stays')
})

t.test('a clock that is set back makes no answer come before its question', async (t) => {
  let now = 1_000
  const clock = { now: () => now, setTimer: () => ({ cancel: () => {} }) }
  const survey = new Survey({ self: 'a', clock, timeout: 1_000 })
  survey.begin(told('b', 'c'))
  now = 0
  survey.answer('b', told('a'))
  t.equal(survey.node(1).latency, 0)
})
