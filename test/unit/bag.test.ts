import t from 'tap'
import { Bag } from '../../lib/book/bag.ts'
import { Random } from '../../lib/testing/random.ts'

t.test('it holds what a set holds, whatever is added and deleted', async (t) => {
  const random = new Random(1)
  const bag = new Bag<string>()
  const set = new Set<string>()
  for (let step = 0; step < 5_000; step++) {
    const member = `m${random.below(40)}`
    if (random.below(2) === 0) {
      bag.add(member)
      set.add(member)
    } else {
      bag.delete(member)
      set.delete(member)
    }
    if (bag.size !== set.size || bag.has(member) !== set.has(member)) t.fail(`step ${step}`)
  }
  t.strictSame([...bag].sort(), [...set].sort())
})

t.test('each member is drawn as often as any other', async (t) => {
  const random = new Random(2)
  const bag = new Bag<string>()
  t.equal(
    bag.draw(() => 0),
    undefined,
  )
  for (const member of ['gone', 'a', 'b', 'c', 'd']) bag.add(member)
  bag.delete('gone')
  const counts = new Map<string, number>()
  for (let draw = 0; draw < 4_000; draw++) {
    const member = bag.draw(() => random.next())!
    counts.set(member, (counts.get(member) ?? 0) + 1)
  }
  t.strictSame([...counts.keys()].sort(), ['a', 'b', 'c', 'd'])
  for (const count of counts.values()) t.ok(count > 850 && count < 1_150, `${count} of 1,000`)
})

t.test('a round begins anywhere, and has every member once', async (t) => {
  const bag = new Bag<string>()
  t.strictSame([...bag.round(() => 0.5)], [])
  for (const member of ['a', 'b', 'c', 'd']) bag.add(member)
  t.strictSame([...bag.round(() => 0)], ['a', 'b', 'c', 'd'])
  t.strictSame([...bag.round(() => 0.5)], ['c', 'd', 'a', 'b'])
  t.strictSame([...bag.round(() => 0.999)], ['d', 'a', 'b', 'c'])
})
