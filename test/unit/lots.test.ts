import t from 'tap'
import { Bag } from '../../lib/book/bag.ts'
import { alternately, lots } from '../../lib/book/lots.ts'
import { Random } from '../../lib/testing/random.ts'

t.test('everybody comes, and whoever stops early has not paid for the rest', async (t) => {
  const random = new Random(1)
  let calls = 0
  const next = () => (calls++, random.next())
  const bag = new Bag<string>()
  t.strictSame([...lots(bag, next)], [])
  for (let number = 0; number < 1_000; number++) bag.add(`m${number}`)
  t.equal(new Set(lots(bag, next)).size, 1_000)
  calls = 0
  const iterator = lots(bag, next)
  iterator.next()
  t.equal(calls, 1)
})

t.test('two take turns until both are at their end', async (t) => {
  const merge = (one: string, other: string) => [
    ...alternately(one[Symbol.iterator](), other[Symbol.iterator]()),
  ]
  t.strictSame(merge('abc', 'x'), ['a', 'x', 'b', 'c'])
  t.strictSame(merge('', 'xy'), ['x', 'y'])
  t.strictSame(merge('', ''), [])
})
