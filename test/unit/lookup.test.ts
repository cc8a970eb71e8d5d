import t from 'tap'
import {
  BUCKET_SIZE,
  LOOKUP_PARALLEL,
  MAX_LOOKUP_ASKS,
  MAX_LOOKUP_GROUP,
} from '../../lib/limits/network-limits.ts'
import { type Candidate, Lookup } from '../../lib/lookup/lookup.ts'
import { compareDistance, placeNear } from '../../lib/lookup/place.ts'
import { Random } from '../../lib/testing/random.ts'

const random = new Random(2)
const target = random.bytes(32)
let count = 0

/** A candidate that shares so many bits with the target. */
function near(bits: number, group?: string): Candidate {
  return { id: `node ${++count}`, place: placeNear(target, bits, () => random.next()), addresses: [], group }
}

const many = (number: number, bits: number, group?: string): Candidate[] =>
  Array.from({ length: number }, () => near(bits, group))

/** All that may be asked now. */
function asks(lookup: Lookup): Candidate[] {
  const found: Candidate[] = []
  for (let next = lookup.next(); next !== undefined; next = lookup.next()) found.push(next)
  return found
}

t.test('nobody to ask: it is over', async (t) => {
  const lookup = new Lookup(target, 'self')
  lookup.begin([])
  t.equal(lookup.next(), undefined)
  t.equal(lookup.isOver, true)
  t.match(lookup, { asked: 0, answered: 0, hops: 0 })
})

t.test('three are asked at once, the nearest ones first', async (t) => {
  const lookup = new Lookup(target, 'self')
  const known = [4, 1, 7, 3, 0, 9].map((bits) => near(bits))
  lookup.begin(known)
  t.strictSame(asks(lookup), [known[5], known[2], known[0]])
  t.equal(lookup.isOver, false)
  const nearer = near(20)
  lookup.answer(known[2]!.id, [nearer, near(2)])
  t.strictSame(asks(lookup), [nearer], 'one for one')
  lookup.fail(known[5]!.id)
  t.strictSame(asks(lookup), [known[3]])
  t.equal(lookup.asked, 5)
})

t.test('it ends when the 20 nearest have answered', async (t) => {
  const lookup = new Lookup(target, 'self')
  const world = many(200, 0).concat(many(100, 1), many(50, 2), many(25, 3), many(12, 4), many(12, 5))
  const sorted = world.toSorted((a, b) => compareDistance(target, a.place, b.place))
  lookup.begin(world.slice(0, 5))
  while (!lookup.isOver) for (const { id } of asks(lookup)) lookup.answer(id, world)
  t.equal(lookup.answered, lookup.asked)
  t.ok(lookup.asked <= BUCKET_SIZE + LOOKUP_PARALLEL)
  lookup.answer(sorted[0]!.id, [near(9)])
  t.equal(lookup.isOver, true, 'a second answer of the same node is none')
})

t.test('who tells of a node stands before it: hops', async (t) => {
  const lookup = new Lookup(target, 'self')
  const chain = [1, 2, 3, 4, 5].map((bits) => near(bits))
  lookup.begin(chain.slice(0, 1))
  for (const [at, { id }] of chain.entries()) {
    t.strictSame(
      asks(lookup).map((one) => one.id),
      [id],
    )
    t.equal(lookup.answer(id, chain.slice(at + 1, at + 2)), at + 1)
    t.equal(lookup.hops, at + 1)
  }
  t.equal(lookup.isOver, true)
})

t.test('who is slow lets another be asked, and may still answer', async (t) => {
  const lookup = new Lookup(target, 'self')
  const known = many(4, 1)
  lookup.begin(known)
  const first = asks(lookup)
  lookup.slow(first[0]!.id)
  const [next] = asks(lookup)
  t.ok(next)
  lookup.answer(first[1]!.id, [])
  lookup.answer(first[2]!.id, [])
  lookup.answer(next!.id, [])
  t.equal(lookup.isOver, false, 'with so few, its answer is waited for')
  lookup.slow(first[0]!.id)
  lookup.answer(first[0]!.id, [near(8)])
  t.equal(asks(lookup).length, 1)
  t.equal(lookup.answered, 4)
})

t.test('nobody waits for slow ones when 20 have answered', async (t) => {
  const lookup = new Lookup(target, 'self')
  lookup.begin(many(BUCKET_SIZE + 1, 1))
  lookup.slow(asks(lookup)[0]!.id)
  while (lookup.answered < BUCKET_SIZE - 2) for (const { id } of asks(lookup)) lookup.answer(id, [])
  t.equal(lookup.isOver, false)
})

t.test('what was not asked has no answer, no failure, and is not slow', async (t) => {
  const lookup = new Lookup(target, 'self')
  const [known] = many(1, 1)
  lookup.begin([known!])
  lookup.fail(known!.id)
  lookup.slow(known!.id)
  t.equal(lookup.answer(known!.id, [near(3)]), 0)
  lookup.fail('nobody')
  t.strictSame(asks(lookup), [known])
})

t.test('nobody tells a node of itself', async (t) => {
  const lookup = new Lookup(target, 'self')
  lookup.begin([{ ...near(3), id: 'self' }])
  t.equal(lookup.isOver, true)
})

t.test('an endless chain of nearer ones ends', async (t) => {
  const lookup = new Lookup(target, 'self')
  lookup.begin([near(0)])
  for (let bits = 1; !lookup.isOver; bits++) {
    for (const { id } of asks(lookup)) lookup.answer(id, many(20, Math.min(250, bits)))
  }
  t.equal(lookup.asked, MAX_LOOKUP_ASKS)
  t.equal(lookup.next(), undefined)
})

t.test('a liar whose nodes do not answer takes half of the questions, and no more', async (t) => {
  const lookup = new Lookup(target, 'self')
  const liar = near(3)
  const honest = many(15, 2)
  lookup.begin([liar, ...honest])
  const inventions = new Set(many(100, 30).map((one) => one))
  const invented = new Set([...inventions].map(({ id }) => id))
  let [wasted, good] = [0, 0]
  while (!lookup.isOver) {
    for (const { id } of asks(lookup)) {
      if (invented.has(id)) lookup.fail(id)
      else lookup.answer(id, id === liar.id ? inventions : [])
      if (invented.has(id)) wasted++
      else good++
    }
  }
  t.equal(good, 16, 'all that are real are asked')
  t.ok(wasted <= MAX_LOOKUP_ASKS - good)
})

t.test('who is named by somebody sound as well is sound', async (t) => {
  const lookup = new Lookup(target, 'self')
  const [liar, friend] = [near(3), near(2)]
  lookup.begin([liar, friend])
  const dead = many(6, 30)
  const wanted = near(10)
  for (const { id } of asks(lookup)) lookup.answer(id, id === liar.id ? [...dead, wanted] : [wanted])
  for (let round = 0; round < 3; round++) for (const { id } of asks(lookup)) lookup.fail(id)
  t.equal(lookup.isOver, true)
  t.equal(lookup.asked, 2 + dead.length + 1)
})

t.test('of one address group, four are asked before others have their turns', async (t) => {
  const lookup = new Lookup(target, 'self')
  const sybils = many(30, 9, '66.6')
  const others = Array.from({ length: 8 }, (_, at) => near(1, `20.${at}`))
  lookup.begin([...sybils, ...others])
  const asked: Candidate[] = []
  while (asked.length < MAX_LOOKUP_GROUP + 2 * others.length) {
    for (const one of asks(lookup)) {
      asked.push(one)
      lookup.answer(one.id, [])
    }
  }
  t.ok(asked.slice(0, MAX_LOOKUP_GROUP).every(({ group }) => group === '66.6'))
  const fair = asked.slice(0, MAX_LOOKUP_GROUP + 2 * others.length).filter(({ group }) => group !== '66.6')
  t.ok(fair.length >= others.length - 1, `${fair.length} others`)
})

t.test('a network that is all in one address group is searched like any other', async (t) => {
  const lookup = new Lookup(target, 'self')
  const world = many(60, 2, '66.6').concat(many(30, 5, '66.6'))
  lookup.begin(world)
  while (!lookup.isOver) for (const { id } of asks(lookup)) lookup.answer(id, [])
  t.ok(lookup.asked >= BUCKET_SIZE)
})
