import t from 'tap'
import { KeyCache } from '../../lib/identity/key-cache.ts'
import { MAX_CACHED_KEYS } from '../../lib/limits/limits.ts'

const key = (n: number): Uint8Array =>
  new Uint8Array(32)
    .fill(0x31)
    .with(0, n % 256)
    .with(1, n >> 8)

t.test('a key is found until many others came', (t) => {
  const cache = new KeyCache<string>(8)
  t.equal(cache.get(key(1)), undefined)
  t.equal(cache.set(key(1), 'one'), 'one')
  t.equal(cache.get(key(1)), 'one')
  t.equal(cache.get(new Uint8Array(key(1))), 'one', 'its bytes count, not the array')
  for (let n = 2; n < 10; n++) cache.set(key(n), 'other')
  t.equal(cache.get(key(1)), undefined)
  t.end()
})

t.test('it never holds more than its limit', (t) => {
  for (const limit of [2, 7, 64, MAX_CACHED_KEYS]) {
    const cache = new KeyCache<number>(limit)
    let most = 0
    for (let n = 0; n < 3 * limit; n++) {
      cache.set(key(n), n)
      cache.get(key(n - (n % 5)))
      most = Math.max(most, cache.size)
    }
    t.ok(most <= limit && most >= limit - 1, `${most} of ${limit}`)
  }
  t.end()
})

t.test('a key in use stays while strangers come and go', (t) => {
  const cache = new KeyCache<number>(16)
  cache.set(key(0), 0)
  for (let n = 1; n < 1_000; n++) {
    cache.set(key(n), n)
    if (n % 4 === 0 && cache.get(key(0)) !== 0) t.fail(`it was lost after ${n}`)
  }
  t.equal(cache.get(key(0)), 0)
  t.end()
})

t.test('setting a key again replaces it and takes no more room', (t) => {
  const cache = new KeyCache<number>(4)
  for (let n = 0; n < 100; n++) cache.set(key(1), n)
  t.equal(cache.size, 1)
  t.equal(cache.get(key(1)), 99)
  t.end()
})
