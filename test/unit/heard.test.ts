import t from 'tap'
import { Heard } from '../../lib/relay/heard.ts'
import type { MessageId } from '../../lib/wire/ids.ts'

const ID = 'a'.repeat(64) as MessageId
const OTHER = 'b'.repeat(64) as MessageId

/** Takes what was heard, as a list. */
function taken(heard: Heard<string>, id: MessageId): string[] {
  const links: string[] = []
  heard.take(id, (link) => links.push(link))
  return links
}

t.test('every link that a copy came over is told, once', async (t) => {
  const heard = new Heard<string>()
  for (const link of ['one', 'two', 'one', 'three', 'two']) heard.add(ID, link)
  heard.add(OTHER, 'four')
  t.equal(heard.size, 2)
  t.same(taken(heard, ID), ['one', 'two', 'three'])
  t.same(taken(heard, OTHER), ['four'])
})

t.test('nothing is kept of what was taken', async (t) => {
  const heard = new Heard<string>()
  heard.add(ID, 'one')
  heard.add(ID, 'two')
  taken(heard, ID)
  t.notOk(heard.has(ID))
  t.equal(heard.size, 0)
  t.same(taken(heard, ID), [])
})

t.test('a refused copy says nothing about the others, whichever came first', async (t) => {
  for (const broken of ['one', 'two', 'three']) {
    const heard = new Heard<string>()
    for (const link of ['one', 'two', 'three']) heard.add(ID, link)
    heard.remove(ID, broken)
    t.ok(heard.has(ID))
    t.same(
      taken(heard, ID).sort(),
      ['one', 'three', 'two'].filter((link) => link !== broken),
    )
  }
})

t.test('a message whose copies were all refused is not heard any more', async (t) => {
  const heard = new Heard<string>()
  heard.add(ID, 'one')
  heard.add(ID, 'two')
  heard.remove(ID, 'two')
  heard.remove(ID, 'one')
  heard.remove(ID, 'one')
  heard.remove(OTHER, 'one')
  t.notOk(heard.has(ID))
  t.equal(heard.size, 0)
  heard.add(ID, 'three')
  t.same(taken(heard, ID), ['three'], 'and can be heard again')
})
