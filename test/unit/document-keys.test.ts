import t from 'tap'
import { MAX_STRICT_KEYS } from '../../lib/limits/limits.ts'
import { isStrictKey } from '../../lib/message/document.ts'
import { toHex } from '../../lib/wire/hex.ts'
import { SMALL_ORDER_SPELLINGS } from '../fixtures/forge.ts'
import { ALICE, BOB } from '../fixtures/hand-signed.ts'

t.test('a key is judged alike each time, whatever was asked in between', async (t) => {
  const isWeak = (id: string): boolean => !isStrictKey(id)
  const weak = SMALL_ORDER_SPELLINGS.map(({ bytes }) => toHex(bytes))
  for (let round = 0; round < 3; round++) {
    t.ok(isStrictKey(ALICE.id) && isStrictKey(BOB.id), 'good ones')
    t.ok(weak.every(isWeak), 'those that everybody can sign for')
    // More than are remembered.
    for (let number = 0; number < 2 * MAX_STRICT_KEYS; number++) {
      const id = (number + 0x1000).toString(16).padEnd(64, '1')
      if (!isStrictKey(id)) t.fail(id)
    }
  }
  t.notOk(isStrictKey(ALICE.id.slice(0, 62)), 'a part of a good one')
  t.notOk(isStrictKey(`${ALICE.id}00`), 'and more than one')
})
