import t from 'tap'
import { RecentMap } from '../../lib/ground/recent-map.ts'
import { Random } from '../../lib/testing/random.ts'

t.test('what was set is there, and the newest value counts', async (t) => {
  const map = new RecentMap<string, number>(4)
  t.equal(map.get('a'), undefined)
  map.set('a', 1)
  map.set('a', 2)
  t.equal(map.get('a'), 2)
  t.equal(map.size, 1)
})

t.test('the last half of the limit is always there, and never more than the limit', async (t) => {
  for (const limit of [2, 3, 10, 101]) {
    const map = new RecentMap<number, number>(limit)
    for (let number = 0; number < 1_000; number++) {
      map.set(number, number)
      t.ok(map.size <= limit, `${map.size} of ${limit}`)
      for (let back = 0; back < Math.floor(limit / 2) && back <= number; back++) {
        if (map.get(number - back) !== number - back) t.fail(`${number - back} of ${number} is gone`)
      }
    }
  }
})

t.test('what is used stays, what is not is forgotten', async (t) => {
  const map = new RecentMap<number, string>(10)
  map.set(-1, 'used')
  for (let number = 0; number < 100; number++) {
    map.set(number, 'unused')
    t.equal(map.get(-1), 'used')
  }
  t.equal(map.get(0), undefined)
  t.ok(map.size <= 10)
})

t.test('an old value never comes back', async (t) => {
  const random = new Random(3)
  const map = new RecentMap<number, number>(8)
  const newest = new Map<number, number>()
  for (let step = 0; step < 5_000; step++) {
    const key = random.below(20)
    const value = map.get(key)
    if (value !== undefined && value !== newest.get(key)) t.fail(`step ${step}: ${value}`)
    if (random.below(2) === 0) continue
    map.set(key, step)
    newest.set(key, step)
  }
  t.pass()
})

t.test('names of Object.prototype are keys like others', async (t) => {
  const map = new RecentMap<string, number>(4)
  t.equal(map.get('__proto__'), undefined)
  map.set('__proto__', 1)
  t.equal(map.get('__proto__'), 1)
  t.equal(map.get('toString'), undefined)
})
