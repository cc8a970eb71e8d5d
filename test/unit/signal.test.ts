import t from 'tap'
import { checkSignal } from '../../lib/ground/signal.ts'

t.test('a signal is what can be listened to, of any realm, or is not given', async () => {
  checkSignal(undefined)
  checkSignal(new AbortController().signal)
  checkSignal(AbortSignal.abort())
  checkSignal({ addEventListener: () => {} })
})

t.test('anything else is none', async (t) => {
  for (const value of [null, 0, '', 'now', true, {}, [], () => {}, new AbortController()]) {
    t.throws(() => checkSignal(value), {
      code: 'invalid-argument',
      message: /^signal must be an AbortSignal, got /,
    })
  }
})
