import t from 'tap'
import { checkDiscoverOptions, NetworkSearch } from '../../lib/discovery/network-search.ts'
import { Survey } from '../../lib/discovery/survey.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'

const told = (...ids: string[]) => ({ links: ids.map((id) => [id, null] as const) })

/** A search of node `a` that has been asked over its link with `b`. */
function makeSearch(signal?: AbortSignal) {
  const clock = new ManualClock()
  const survey = new Survey({ self: 'a', clock, timeout: 1_000, signal })
  return { clock, survey, search: new NetworkSearch(survey) }
}

t.test('a search that is waited for is the map', async (t) => {
  const { survey, search } = makeSearch()
  survey.begin(told('b'))
  survey.answer('b', told('a'))
  const map = await search
  t.same([...map.nodes.keys()], ['a', 'b'])
  t.equal(await search.then(({ size }) => size), 2)
  t.equal(await search.catch(() => undefined), map)
  let isDone = false
  t.equal(await search.finally(() => (isDone = true)), map)
  t.equal(isDone, true)
  t.same(await Promise.all([search, search]), [map, map])
})

t.test('a search that is iterated over is each node as it answers', async (t) => {
  const { clock, survey, search } = makeSearch()
  const seen: unknown[] = []
  const done = (async () => {
    for await (const { id, distance, latency } of search) seen.push([id, distance, latency])
  })()
  survey.begin(told('b'))
  await clock.advanceAsync(5)
  t.same(seen, [['a', 0, 0]])
  survey.answer('b', told('a', 'c'))
  await clock.advanceAsync(5)
  t.same(seen.slice(1), [['b', 1, 5]])
  survey.answer('c', told('b'))
  await done
  t.same(seen.slice(2), [['c', 2, 10]])
})

t.test('an iteration may begin late, and another beside it', async (t) => {
  const { survey, search } = makeSearch()
  survey.begin(told('b'))
  survey.answer('b', told('a'))
  await search
  for (let round = 0; round < 2; round++) {
    const ids: string[] = []
    for await (const { id } of search) ids.push(id)
    t.same(ids, ['a', 'b'])
  }
})

t.test('leaving an iteration early ends the search', async (t) => {
  const { clock, survey, search } = makeSearch()
  survey.begin(told('b', 'c'))
  for await (const { id } of search) if (id === 'a') break
  t.equal(survey.isOver, true)
  t.equal((await search).size, 1)
  t.equal(clock.pendingTimers, 0)
})

t.test('an error in the body of an iteration ends the search as well', async (t) => {
  const { survey, search } = makeSearch()
  survey.begin(told('b'))
  await t.rejects(
    async () => {
      for await (const { id } of search) throw new Error(id)
    },
    { message: 'a' },
  )
  t.equal(survey.isOver, true)
})

t.test('time ends an iteration without an error', async (t) => {
  const { clock, survey, search } = makeSearch()
  survey.begin(told('b'))
  const ids: string[] = []
  const done = (async () => {
    for await (const { id } of search) ids.push(id)
  })()
  await clock.advanceAsync(1_000)
  await done
  t.same(ids, ['a'])
})

t.test('an aborted search rejects, and ends an iteration with the error', async (t) => {
  const controller = new AbortController()
  const { survey, search } = makeSearch(controller.signal)
  survey.begin(told('b'))
  const done = (async () => {
    for await (const _node of search);
  })()
  controller.abort()
  await t.rejects(done, { code: 'aborted' })
  await t.rejects(search, { code: 'aborted' })
  t.equal(await search.catch((error: unknown) => (error as { code: string }).code), 'aborted')
  await t.rejects(search.finally(), { code: 'aborted' })
})

t.test('a search that fails and that nobody looks at is no unhandled rejection', async (t) => {
  const unhandled: unknown[] = []
  const listener = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', listener)
  t.teardown(() => process.off('unhandledRejection', listener))
  const { clock } = makeSearch(AbortSignal.abort())
  await clock.advanceAsync(0)
  t.same(unhandled, [])
})

t.test('options are checked', async (t) => {
  checkDiscoverOptions({})
  checkDiscoverOptions({ timeout: 0.5, signal: new AbortController().signal })
  checkDiscoverOptions({ timeout: undefined, signal: undefined })
  const wrong = (options: object, code: string): unknown =>
    t.throws(() => checkDiscoverOptions(options), { code }, JSON.stringify(options))
  for (const timeout of [0, -1, NaN, Infinity, 2 ** 31, '5', null]) wrong({ timeout }, 'invalid-argument')
  for (const signal of [null, {}, 'signal', () => {}]) wrong({ signal }, 'invalid-argument')
  wrong({ timeOut: 5 }, 'invalid-option')
  wrong([], 'invalid-argument')
})
