import t from 'tap'
import { type IdGroup, IdTable } from '../../lib/relay/id-table.ts'
import { Random } from '../../lib/testing/random.ts'
import { toHex } from '../../lib/wire/hex.ts'
import type { MessageId } from '../../lib/wire/ids.ts'

const idOf = (number: number): MessageId => number.toString(16).padStart(64, '0') as MessageId
const randomId = (random: Random): MessageId => toHex(random.bytes(32)) as MessageId

t.test('an empty table knows nothing', async (t) => {
  const table = new IdTable()
  t.equal(table.has(idOf(0)), false)
  t.equal(table.size, 0)
  t.equal(table.bytes, 0)
})

t.test('an ID that was added is known, once', async (t) => {
  const table = new IdTable()
  const group = table.group()
  t.equal(table.add(idOf(1), group), true)
  t.equal(table.add(idOf(1), group), false)
  t.equal(table.add(idOf(1), table.group()), false, 'nor in another group')
  t.equal(table.has(idOf(1)), true)
  t.equal(table.has(idOf(2)), false)
  t.equal(table.size, 1)
  t.equal(group.size, 1)
})

t.test('IDs that differ in one digit are different, wherever it is', async (t) => {
  const table = new IdTable()
  const group = table.group()
  const base = randomId(new Random(1))
  table.add(base, group)
  for (let at = 0; at < 64; at++) {
    const digit = base[at] === '0' ? '1' : '0'
    const other = (base.slice(0, at) + digit + base.slice(at + 1)) as MessageId
    t.equal(table.has(other), false, `digit ${at}`)
    t.equal(table.add(other, group), true)
  }
  t.equal(table.size, 65)
})

t.test('IDs that begin with zeros are not taken for empty places', async (t) => {
  const table = new IdTable()
  const group = table.group()
  // All of them have the same first word, which is that of an empty place: they stand one behind the other.
  for (let number = 0; number < 500; number++) {
    if (table.has(idOf(number)) || !table.add(idOf(number), group)) t.fail(`${number} was there before`)
  }
  for (let number = 0; number < 500; number++) if (!table.has(idOf(number))) t.fail(`${number} is gone`)
  t.equal(table.has(idOf(500)), false)
  t.equal(table.size, 500)
})

t.test('a group is forgotten, and nothing else', async (t) => {
  const table = new IdTable()
  const [one, other] = [table.group(), table.group()]
  for (let number = 0; number < 100; number++) table.add(idOf(number), number % 2 === 0 ? one : other)
  table.forget(one)
  t.equal(table.size, 50)
  for (let number = 0; number < 100; number++) {
    if (table.has(idOf(number)) !== (number % 2 === 1)) t.fail(`${number}`)
  }
  table.forget(one)
  t.equal(table.size, 50, 'a second time changes nothing')
})

t.test('what was forgotten can be added again', async (t) => {
  const table = new IdTable()
  const group = table.group()
  table.add(idOf(1), group)
  table.forget(group)
  t.equal(table.has(idOf(1)), false)
  const next = table.group()
  t.equal(table.add(idOf(1), next), true)
  t.equal(table.has(idOf(1)), true)
  t.equal(next.size, 1)
  t.equal(table.size, 1)
})

t.test('it says what a set says, whatever comes and goes', async (t) => {
  const random = new Random(2)
  const table = new IdTable()
  const groups: { readonly group: IdGroup; readonly ids: Set<MessageId> }[] = []
  const known = new Set<MessageId>()
  const all: MessageId[] = []
  let differences = 0
  for (let step = 0; step < 60_000; step++) {
    if (groups.length === 0 || random.below(2_000) === 0)
      groups.push({ group: table.group(), ids: new Set() })
    if (groups.length > 4 || (groups.length > 0 && random.below(9_000) === 0)) {
      const [gone] = groups.splice(random.below(groups.length), 1)
      table.forget(gone!.group)
      for (const id of gone!.ids) known.delete(id)
      continue
    }
    // Every third time one that was there before, forgotten or not.
    const isOld = all.length > 0 && random.below(3) === 0
    const id = isOld ? all[random.below(all.length)]! : randomId(random)
    const { group, ids } = groups[random.below(groups.length)]!
    if (table.has(id) !== known.has(id)) differences++
    if (table.add(id, group) === known.has(id)) differences++
    if (!known.has(id)) ids.add(id)
    known.add(id)
    all.push(id)
    if (table.size !== known.size) differences++
  }
  for (const id of all) if (table.has(id) !== known.has(id)) differences++
  t.equal(differences, 0)
  t.ok(known.size > 1_000, `${known.size} at the end`)
})

t.test('memory: under 100 bytes for each ID, and given back after a flood', async (t) => {
  const random = new Random(3)
  const table = new IdTable()
  const [flood, rest] = [table.group(), table.group()]
  let most = 0
  for (let count = 1; count <= 30_000; count++) {
    table.add(randomId(random), flood)
    if (count > 1_000) most = Math.max(most, table.bytes / count)
  }
  t.ok(most < 100, `${most} bytes`)
  for (let count = 0; count < 100; count++) table.add(randomId(random), rest)
  table.forget(flood)
  t.equal(table.size, 100)
  t.ok(table.bytes < 100 * 100, `${table.bytes} bytes for 100`)
})
