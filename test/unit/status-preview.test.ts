import t from 'tap'
import type { Json } from '../../lib/message/canonical.ts'
import { previewOf } from '../../lib/status/preview.ts'

t.test('what is short is shown as its JSON', async (t) => {
  const values: Json[] = [
    null,
    true,
    -1.5,
    '',
    'a "quoted"\nline',
    [],
    {},
    [1, [2, { a: null }]],
    { text: 'hi', list: [1, 'ä', false], 'a "key"': {} },
  ]
  for (const value of values) t.equal(previewOf(value, 200), JSON.stringify(value))
})

t.test('of what is long, the beginning is shown', async (t) => {
  const values: Json[] = [
    'x'.repeat(300),
    Array(500).fill(1) as Json,
    { [`k${'y'.repeat(300)}`]: 1 },
    { a: { b: 'z'.repeat(9_000) } },
  ]
  for (const value of values) {
    t.equal(previewOf(value, 200), `${JSON.stringify(value).slice(0, 200)}…`)
    t.equal(previewOf(value, 1).length, 2)
  }
})

t.test('only so much is looked at as is shown', async (t) => {
  let looks = 0
  const list = new Proxy(Array(100_000).fill(7) as number[], {
    get: (target, name, self) => {
      if (typeof name === 'string' && /^\d+$/.test(name)) looks++
      return Reflect.get(target, name, self) as unknown
    },
  })
  t.equal(previewOf(list, 50).length, 51)
  t.ok(looks < 60, `${looks} of 100,000`)
})

t.test('a character is shown whole or not at all', async (t) => {
  for (let max = 1; max < 12; max++) t.ok(previewOf('🙂🙂🙂🙂🙂🙂', max).isWellFormed(), String(max))
})
