import t from 'tap'
import type { Json } from '../../lib/message/canonical.ts'
import { isSeal } from '../../lib/message/seal-shape.ts'

const KEY = 'A'.repeat(64)
const good = { e: 'ab'.repeat(32), k: [KEY, KEY], m: 'cd'.repeat(32), v: 1 }

t.test('a seal has one wrapped key for each addressee', async (t) => {
  t.ok(isSeal(good, 2))
  t.ok(isSeal({ ...good, k: Array<string>(64).fill(KEY) }, 64))
  for (const count of [0, 1, 3]) t.notOk(isSeal(good, count), `${count}`)
})

t.test('what has another shape is none', async (t) => {
  const { e: _, ...without } = good
  const wrong: (Json | undefined)[] = [
    ...[undefined, null, true, 1, 'seal', [], {}, [good]],
    without,
    { ...good, x: 1 },
    ...[0, 2, '1', true, null].map((v) => ({ ...good, v })),
    ...['AB'.repeat(32), 'ab'.repeat(31), 'ab'.repeat(33), '', 1, null].map((e) => ({ ...good, e })),
    ...['zz'.repeat(32), 'cd'.repeat(16), null].map((m) => ({ ...good, m })),
    ...[null, KEY, {}, [KEY], [KEY, KEY, KEY], [KEY, null], [KEY, 1]].map((k) => ({ ...good, k })),
    ...['', 'A'.repeat(63), 'A'.repeat(65), `${'A'.repeat(63)}=`, `${'A'.repeat(63)}-`].map((key) => ({
      ...good,
      k: [KEY, key],
    })),
    ...[`${'A'.repeat(63)}\n`, `${KEY}\n`, ` ${'A'.repeat(63)}`].map((key) => ({ ...good, k: [KEY, key] })),
    { e: good.e, k: good.k, m: good.m, toString: 1 },
  ]
  for (const value of wrong) t.notOk(isSeal(value, 2), JSON.stringify(value))
})
