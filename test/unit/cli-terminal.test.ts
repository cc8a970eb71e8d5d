import t from 'tap'
import { fields, painter, plain, shortId, table } from '../../lib/cli/terminal.ts'

t.test('colours are for terminals alone', (t) => {
  const terminal = { isTTY: true }
  t.equal(painter(terminal, {})('bad', 'x'), '\u001b[31mx\u001b[0m')
  t.equal(painter(terminal, { NO_COLOR: '' })('good', 'x'), '\u001b[32mx\u001b[0m', 'empty is not set')
  t.equal(painter(terminal, { NO_COLOR: '1' })('bad', 'x'), 'x')
  t.equal(painter(terminal, { TERM: 'dumb' })('bad', 'x'), 'x')
  t.equal(painter({}, {})('bad', 'x'), 'x')
  t.equal(painter({ isTTY: false }, {})('bad', 'x'), 'x')
  t.equal(plain('bad', 'x'), 'x')
  t.end()
})

t.test('columns line up, numbers at the right', (t) => {
  const rows = [
    ['a', 1, 'x'],
    ['long name', 1_000, ''],
  ]
  t.strictSame(table(['name', 'n', 'rest'], rows), [
    'name          n  rest',
    'a             1  x',
    'long name  1000',
  ])
  t.strictSame(table(['only', 'heads'], []), ['only  heads'])
  t.end()
})

t.test('fields without a value are left out', (t) => {
  t.strictSame(fields({ a: 1, long: 'x', none: undefined }), ['a     1', 'long  x'])
  t.end()
})

t.test('an ID is shortened for people', (t) => {
  t.equal(shortId('0123456789abcdef'), '01234567')
  t.end()
})
