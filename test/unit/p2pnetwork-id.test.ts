import t from 'tap'
import { foreignIdOf, plainIdOf } from '../../lib/transport/p2pnetwork-id.ts'
import { isPlainId } from '../../lib/wire/hello.ts'

t.test('an ID that fits stays as it is', async (t) => {
  for (const id of ['alice', 'a', 'x'.repeat(64), 'a.b_c:d-e']) t.equal(plainIdOf(id), id)
})

t.test('any other becomes a short one, its own', async (t) => {
  const made = '0123456789abcdef'.repeat(8)
  const foreign = [
    made,
    `${made.slice(0, -1)}0`,
    'grüße',
    'two words',
    '-',
    'x'.repeat(65),
    'p2p:alice',
    '日本語',
  ]
  const ids = foreign.map(plainIdOf)
  for (const id of ids) t.ok(isPlainId(id), id)
  t.equal(new Set(ids).size, foreign.length)
  t.match(plainIdOf(made), /^p2p:01234567:[0-9a-f]{48}$/)
  t.match(plainIdOf('grüße'), /^p2p:gr__e:[0-9a-f]{48}$/)
  t.not(plainIdOf(plainIdOf(made)), plainIdOf(made), 'nobody takes the short form of another')
})

t.test('our own goes out without colons', async (t) => {
  t.equal(foreignIdOf('a:b:c'), 'a_b_c')
  t.equal(foreignIdOf('alice'), 'alice')
})
