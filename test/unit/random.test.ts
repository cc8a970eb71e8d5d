import t from 'tap'
import { Random } from '../../lib/testing/random.ts'

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.uint32())

t.test('the same seed gives the same numbers, on every platform', (t) => {
  t.same(draw(new Random(1), 100), draw(new Random(1), 100))
  t.same(draw(new Random(1), 3), [3_073_398_406, 1_281_423_351, 2_611_516_996])
  t.end()
})

t.test('neighbouring seeds have nothing in common', (t) => {
  const numbers = new Set(Array.from({ length: 1_000 }, (_, seed) => draw(new Random(seed), 10)).flat())
  t.ok(numbers.size > 9_990, `${numbers.size} of 10,000 are different`)
  t.end()
})

t.test('numbers stay in their range and spread over it', (t) => {
  const random = new Random(42)
  const values = Array.from({ length: 10_000 }, () => random.next())
  t.ok(values.every((value) => value >= 0 && value < 1))
  const counts = new Array<number>(10).fill(0)
  for (let count = 0; count < 10_000; count++) counts[random.below(10)]!++
  t.ok(
    counts.every((count) => count > 850 && count < 1_150),
    counts.join(' '),
  )
  t.end()
})

t.test('every byte value appears', (t) => {
  const bytes = new Random(5).bytes(10_000)
  t.equal(bytes.length, 10_000)
  t.equal(new Set(bytes).size, 256)
  t.end()
})

t.test('a fork draws numbers of its own, whatever its parent draws afterwards', (t) => {
  const [one, other] = [new Random(9), new Random(9)]
  const [forkOfOne, forkOfOther] = [one.fork(), other.fork()]
  draw(one, 50)
  t.same(draw(forkOfOne, 10), draw(forkOfOther, 10))
  t.notSame(draw(one, 10), draw(forkOfOne, 10))
  t.end()
})
