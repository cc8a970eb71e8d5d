import t from 'tap'
import { Distances } from '../../lib/testing/distances.ts'
import { Random } from '../../lib/testing/random.ts'

const random = new Random(2)
const draw = () => random.next()
const sample = (distances: Distances, from: string, to: string) => {
  const route = distances.route(from, to)
  return Array.from({ length: 200 }, () => route(draw))
}

t.test('two hosts are as far from each other both ways, and always', async (t) => {
  const distances = new Distances(1, { min: 5, max: 500 }, 0)
  const [first] = sample(distances, 'a', 'b')
  t.ok(first! >= 5 && first! <= 500)
  t.same(new Set([...sample(distances, 'a', 'b'), ...sample(distances, 'b', 'a')]), new Set([first]))
  const others = ['c', 'd', 'e', 'f'].map((host) => sample(distances, 'a', host)[0])
  t.ok(new Set(others).size > 1, 'others are elsewhere')
  const elsewhere = sample(new Distances(2, { min: 5, max: 500 }, 0), 'a', 'b')[0]
  t.not(elsewhere, first, 'another seed is another world')
})

t.test('all delays are whole milliseconds within latency and jitter', async (t) => {
  const distances = new Distances(1, { min: 20, max: 40 }, 0.5)
  const delays = ['b', 'c', 'd', 'e'].flatMap((host) => sample(distances, 'a', host))
  t.ok(delays.every((delay) => Number.isInteger(delay) && delay >= 20 && delay <= 60))
  t.ok(new Set(delays).size > 5)
  t.same(new Set(sample(new Distances(1, 7, 0), 'a', 'b')), new Set([7]))
})

t.test('a slow host is slow both ways, with whomever it talks, and until that is undone', async (t) => {
  const distances = new Distances(1, 10, 0)
  const route = distances.route('a', 'b')
  distances.slow('b', 3, 100)
  t.equal(route(draw), 130, 'a way that was asked for before')
  t.equal(sample(distances, 'b', 'c')[0], 130)
  t.equal(sample(distances, 'a', 'c')[0], 10)
  distances.slow('c', 2, 0)
  t.equal(sample(distances, 'c', 'b')[0], 160)
  distances.slow('b', 1, 0)
  t.equal(route(draw), 10)
})

t.test('the longest silence is longer than the longest way there and back', async (t) => {
  const distances = new Distances(1, { min: 5, max: 50 }, 0.1)
  t.equal(distances.longestSilence(0), 111)
  t.equal(distances.longestSilence(0.01), 111 + 2_800)
  distances.slow('a', 2, 10)
  distances.slow('b', 3, 0)
  t.equal(distances.longestSilence(0), 681)
})

t.test('what is no latency and no jitter is refused', async (t) => {
  for (const latency of [
    0,
    -1,
    1.5,
    Number.NaN,
    { min: 5, max: 4 },
    { min: 0, max: 4 },
    { min: 1, max: Infinity },
  ]) {
    t.throws(() => new Distances(1, latency, 0), { code: 'invalid-option' }, JSON.stringify(latency))
  }
  for (const jitter of [-0.1, Number.NaN, 11]) {
    t.throws(() => new Distances(1, 5, jitter), { code: 'invalid-option' }, String(jitter))
  }
})
