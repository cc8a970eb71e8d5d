import t from 'tap'
import { Carried, OWN } from '../../lib/relay/carried.ts'
import type { MessageId } from '../../lib/wire/ids.ts'

const ID = 'a'.repeat(64) as MessageId

t.test('whoever brought a message has it', async (t) => {
  const carried = new Carried(ID, 3)
  t.ok(carried.isHeldBy(3))
  t.notOk(carried.isHeldBy(4))
})

t.test('nobody has a message of our own at first', async (t) => {
  const carried = new Carried(ID, OWN)
  t.notOk(carried.isHeldBy(1))
  carried.addHolder(1)
  carried.addHolder(2)
  carried.addHolder(1)
  t.ok(carried.isHeldBy(1))
  t.ok(carried.isHeldBy(2))
  t.notOk(carried.isHeldBy(3))
})

t.test('the holders of a message are bounded', async (t) => {
  const carried = new Carried(ID, OWN)
  for (let number = 1; number <= 1_000; number++) carried.addHolder(number)
  const held = Array.from({ length: 1_000 }, (_, index) => carried.isHeldBy(index + 1))
  t.equal(held.filter(Boolean).length, 64)
})
