import t from 'tap'
import { hasKeys, isCount, isObject } from '../../lib/message/json-shape.ts'

t.test('an object has all keys that it needs, and none that it may not have', (t) => {
  t.equal(hasKeys({ a: 1 }, ['a'], []), true)
  t.equal(hasKeys({ a: 1, b: null }, ['a'], ['b', 'c']), true)
  t.equal(hasKeys({ b: 1 }, ['a'], ['b']), false, 'one is missing')
  t.equal(hasKeys({ a: 1, d: 1 }, ['a'], ['b']), false, 'one is unknown')
  t.equal(hasKeys({}, [], []), true)
  t.end()
})

t.test('what an object inherits does not count', (t) => {
  t.equal(hasKeys({}, ['toString'], []), false)
  t.equal(hasKeys({}, ['constructor'], []), false)
  const parsed = JSON.parse('{"__proto__":1}') as Record<string, number>
  t.equal(hasKeys(parsed, [], []), false, 'a key of its own does, whatever its name is')
  t.equal(hasKeys(parsed, ['__proto__'], []), true)
  t.end()
})

t.test('objects are told from what only looks like one', (t) => {
  t.equal(isObject({}), true)
  t.equal(isObject(JSON.parse('{"a":{}}') as never), true)
  for (const value of [null, undefined, [], [{}], 'x', 0, true]) t.equal(isObject(value), false)
  t.end()
})

t.test('a count is a whole number from 0 that every language reads alike', (t) => {
  for (const value of [0, 1, Number.MAX_SAFE_INTEGER]) t.equal(isCount(value), true, `${value}`)
  for (const value of [-1, 0.5, 2 ** 53, NaN, Infinity, '1', null, undefined, [1], true]) {
    t.equal(isCount(value as never), false, String(value))
  }
  t.end()
})
