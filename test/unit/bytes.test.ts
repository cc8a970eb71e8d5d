import t from 'tap'
import { joinBytes } from '../../lib/wire/bytes.ts'

t.test('parts become one array, in their order', async (t) => {
  t.same(joinBytes([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)]), Uint8Array.of(1, 2, 3))
  t.same(joinBytes([]), new Uint8Array(0))
})

t.test('there may be more parts than a call takes', async (t) => {
  const parts = Array.from({ length: 300_000 }, (_, n) => Uint8Array.of(n))
  const whole = joinBytes(parts)
  t.equal(whole.length, 300_000)
  t.equal(whole[299_999], 299_999 % 256)
})
