import t from 'tap'
import { checkNames } from '../../lib/ground/names.ts'

t.test('options of a call are known by their names', async (t) => {
  checkNames({}, ['a'])
  checkNames({ a: undefined }, ['a', 'b'])
  checkNames(Object.create(null) as object, ['a'])
  t.throws(() => checkNames({ c: 1 }, ['a', 'b']), {
    code: 'invalid-option',
    message: 'option "c" is not known here; the options are a, b',
  })
  t.throws(() => checkNames(Object.create({ c: 1 }) as object, ['a']), { code: 'invalid-option' })
  t.throws(() => checkNames(JSON.parse('{"__proto__":1}') as object, ['a']), { code: 'invalid-option' })
})

t.test('what is no object has no options', async (t) => {
  for (const value of [null, undefined, 5, 'a', true, [], Symbol('s'), () => 1]) {
    t.throws(() => checkNames(value as object, ['a']), {
      code: 'invalid-argument',
      message: /^options must be an object, got /,
    })
  }
})
