import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'

t.test('a promise is settled from outside, once', async (t) => {
  const good = new Deferred<number>()
  good.resolve(1)
  good.resolve(2)
  good.reject(new Error('late'))
  t.equal(await good.promise, 1)
  const bad = new Deferred<number>()
  bad.reject(new Error('first'))
  bad.resolve(1)
  await t.rejects(bad.promise, { message: 'first' })
  const following = new Deferred<number>()
  following.resolve(good.promise as unknown as number)
  t.equal(await following.promise, 1)
})
