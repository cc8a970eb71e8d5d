import t from 'tap'
import { describeError, exitCodeOf, Failure, oneLine, WRONG_USAGE } from '../../lib/cli/failure.ts'
import { SecureNodeError } from '../../lib/index.ts'

t.test('an exit code tells wrong usage from failure', (t) => {
  t.equal(exitCodeOf(new Failure('x')), 1)
  t.equal(exitCodeOf(new Failure('x', WRONG_USAGE)), 2)
  t.equal(exitCodeOf(new SecureNodeError('invalid-option', 'x')), 2)
  t.equal(exitCodeOf(new SecureNodeError('invalid-argument', 'x')), 2)
  t.equal(exitCodeOf(new SecureNodeError('key-missing', 'x')), 1)
  t.equal(exitCodeOf(new Error('x')), 1)
  t.equal(exitCodeOf('x'), 1)
  t.end()
})

t.test('an error is one line, whatever is in it', (t) => {
  const error = new Error('a\n  (b)\n', { cause: new Error('c', { cause: 'd' }) })
  t.equal(oneLine(error), 'a (b)')
  t.equal(describeError(error, false), 'secure-node: a (b)\n')
  t.equal(describeError('text\u001b[2J', false), 'secure-node: text\\e[2J\n')
  t.equal(describeError(undefined, true), 'secure-node: undefined\n')
  t.end()
})

t.test('its stack and its causes are for those who debug', (t) => {
  const text = describeError(new Error('a', { cause: new Error('b', { cause: 'c' }) }), true)
  t.match(text, /^secure-node: a\nError: a\n +at .*caused by Error: b\n +at .*caused by c\n$/s)
  t.end()
})
