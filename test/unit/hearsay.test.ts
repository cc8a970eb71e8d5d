import t from 'tap'
import { Hearsay } from '../../lib/book/hearsay.ts'
import { Random } from '../../lib/testing/random.ts'

const random = new Random(1)
const next = () => random.next()

/** Buckets of the given sizes: `a0`, `a1`, … in `a`. */
function hearsay(sizes: Record<string, number>): Hearsay {
  const made = new Hearsay()
  for (const [group, size] of Object.entries(sizes)) {
    for (let number = 0; number < size; number++) made.add(`${group}${number}`, group)
  }
  return made
}

/** How often each group comes up. */
function shares(draw: () => string | undefined): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let turn = 0; turn < 1_000; turn++) {
    const group = draw()![0]!
    counts[group] = (counts[group] ?? 0) + 1
  }
  return counts
}

t.test('nodes come and go, and empty buckets with them', async (t) => {
  const heard = hearsay({ a: 2, b: 1 })
  heard.add('a0', 'a')
  t.equal(heard.size, 3)
  heard.delete('a0', 'b')
  heard.delete('nobody', 'nowhere')
  t.equal(heard.size, 3)
  heard.delete('b0', 'b')
  t.strictSame([...heard.round(next)].sort(), ['a0', 'a1'])
  for (const id of ['a0', 'a1']) heard.delete(id, 'a')
  t.equal(heard.size, 0)
  t.equal(heard.draw(next), undefined)
  t.equal(heard.drawLargest('a', next), undefined)
})

t.test('a bucket is drawn as often as any other, however full it is', async (t) => {
  const heard = hearsay({ a: 1_000, b: 1, c: 3 })
  const counts = shares(() => heard.draw(next))
  for (const group of ['a', 'b', 'c']) t.ok(counts[group]! > 250 && counts[group]! < 420, `${counts[group]}`)
})

t.test('a round has every node once', async (t) => {
  const heard = hearsay({ a: 10, b: 1, c: 3 })
  const all = [...heard.round(next)]
  t.equal(all.length, 14)
  t.equal(new Set(all).size, 14)
})

t.test('the largest bucket gives, and among equals the own one or any', async (t) => {
  t.strictSame(
    shares(() => hearsay({ a: 2, b: 5, c: 4 }).drawLargest('a', next)),
    { b: 1_000 },
  )
  t.strictSame(
    shares(() => hearsay({ a: 5, b: 5, c: 5 }).drawLargest('b', next)),
    { b: 1_000 },
  )
  const heard = hearsay({ a: 5, b: 5, c: 5, d: 2 })
  for (const group of ['d', 'new']) {
    const counts = shares(() => heard.drawLargest(group, next))
    for (const name of ['a', 'b', 'c']) t.ok(counts[name]! > 250 && counts[name]! < 420, `${counts[name]}`)
  }
})
