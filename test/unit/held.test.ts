import t from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import type { Draft } from '../../lib/message/draft.ts'
import { HeldMessages } from '../../lib/relay/held.ts'
import { HOLD_TIME, MAX_HELD_BYTES, MAX_HELD_MESSAGES } from '../../lib/limits/tree-limits.ts'
import type { MessageId } from '../../lib/wire/ids.ts'
import { genuine } from '../fixtures/documents.ts'

const NOW = 1_000_000
const draft = await genuine(Identity.generate())
const numbered = (number: number): Draft => ({ ...draft, id: String(number) as MessageId })
const numbers = (held: HeldMessages, count: number): number[] =>
  Array.from({ length: count }, (_, number) => number).filter(
    (number) => held.get(String(number) as MessageId) !== undefined,
  )

t.test('a message is held with the frame that came', (t) => {
  const held = new HeldMessages()
  const frame = Uint8Array.of(1)
  held.add(draft, frame, 1, NOW)
  t.same(held.get(draft.id), { draft, frame })
  t.equal(held.get('other' as MessageId), undefined)
  t.end()
})

t.test('nothing is given up before its time while there is room', (t) => {
  const held = new HeldMessages()
  held.add(numbered(0), undefined, 1, NOW)
  held.add(numbered(1), undefined, 1, NOW + HOLD_TIME)
  t.same(numbers(held, 2), [0, 1])
  held.add(numbered(2), undefined, 1, NOW + HOLD_TIME + 1)
  t.same(numbers(held, 3), [0, 1, 2], 'the first ones are the older generation now')
  held.add(numbered(3), undefined, 1, NOW + 2 * HOLD_TIME + 2)
  t.same(numbers(held, 4), [2, 3], 'and go with it')
  t.end()
})

t.test('a clock that was set back gives nothing up at once', (t) => {
  const held = new HeldMessages()
  held.add(numbered(0), undefined, 1, NOW)
  held.add(numbered(1), undefined, 1, NOW - 10 * HOLD_TIME)
  t.same(numbers(held, 2), [0, 1])
  t.end()
})

t.test('bytes are bounded, and the newer half stays', (t) => {
  const held = new HeldMessages()
  const size = MAX_HELD_BYTES / 16
  for (let number = 0; number < 100; number++) {
    held.add(numbered(number), undefined, size, NOW)
    const here = numbers(held, 100)
    t.ok(here.length * size <= MAX_HELD_BYTES)
    t.ok(here.length >= Math.min(number + 1, 8))
    t.equal(here.at(-1), number)
  }
  t.end()
})

t.test('messages without bytes worth mentioning are bounded as well', (t) => {
  const held = new HeldMessages()
  for (let number = 0; number < 2 * MAX_HELD_MESSAGES; number++) held.add(numbered(number), undefined, 0, NOW)
  t.ok(held.size <= MAX_HELD_MESSAGES)
  t.end()
})
