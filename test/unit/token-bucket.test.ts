import t from 'tap'
import { TokenBucket } from '../../lib/ground/token-bucket.ts'

/** Takes as many as there are. */
function drain(bucket: TokenBucket, now: number): number {
  let taken = 0
  while (bucket.take(now)) taken++
  return taken
}

t.test('a bucket begins full, and refills with time', async (t) => {
  const bucket = new TokenBucket(10, 5, 1_000)
  t.equal(bucket.isFull(1_000), true)
  t.equal(drain(bucket, 1_000), 5)
  t.equal(bucket.isFull(1_000), false)
  t.equal(drain(bucket, 1_099), 0)
  t.equal(drain(bucket, 1_100), 1)
  t.equal(drain(bucket, 1_400), 3)
})

t.test('a bucket never holds more than its capacity', async (t) => {
  const bucket = new TokenBucket(10, 5, 0)
  t.equal(drain(bucket, 1e9), 5)
  t.equal(bucket.isFull(1e9 + 499), false)
  t.equal(bucket.isFull(1e9 + 500), true)
})

t.test('the time until there is a token', async (t) => {
  const bucket = new TokenBucket(3, 1, 0)
  t.equal(bucket.wait(0), 0)
  bucket.take(0)
  t.equal(bucket.wait(0), 334)
  t.equal(bucket.wait(333), 1)
  t.equal(bucket.take(333), false)
  t.equal(bucket.wait(334), 0)
  t.equal(bucket.take(334), true)
})

t.test('several tokens are taken at once, and what is not there is owed', async (t) => {
  const bucket = new TokenBucket(10, 5, 0)
  bucket.spend(0, 3)
  t.equal(drain(bucket, 0), 2)
  bucket.spend(0, 100)
  t.equal(drain(bucket, 10_000), 0, 'a hundred are owed, and ten a second come in')
  t.equal(drain(bucket, 10_100), 1)
})

t.test('fractions are kept, however often it is asked', async (t) => {
  const bucket = new TokenBucket(1, 1, 0)
  bucket.take(0)
  for (let now = 1; now < 1_000; now++) t.equal(bucket.take(now), false)
  // The sum of a thousand thousandths is not exactly one.
  t.equal(bucket.take(1_001), true)
})

t.test('a clock that is set back neither empties the bucket nor stops it', async (t) => {
  const bucket = new TokenBucket(10, 5, 1_000_000)
  drain(bucket, 1_000_000)
  bucket.isFull(1_000_200)
  t.equal(bucket.take(500_000), true, 'what was there stays')
  t.equal(drain(bucket, 500_000), 1)
  t.equal(drain(bucket, 500_300), 3, 'it fills by the new time')
})

t.test('a clock that is set back and forth fills it once', async (t) => {
  const bucket = new TokenBucket(10, 50, 1_000)
  drain(bucket, 1_000)
  t.equal(drain(bucket, 900), 0)
  t.equal(drain(bucket, 1_000), 1, 'a tenth of a second, by the clock that counts now')
  t.equal(drain(bucket, 1_000), 0)
})
