import t from 'tap'
import { BOOTSTRAP_RETRY_MAX, BOOTSTRAP_RETRY_MIN } from '../../lib/limits/network-limits.ts'
import { BootstrapList } from '../../lib/overlay/bootstrap-list.ts'
import { Random } from '../../lib/testing/random.ts'

const A = { host: 'a.example', port: 1 }
const B = { host: 'a.example', port: 2 }
const C = { host: '2a00::1', port: 1 }
const nobody = (): boolean => false

function make(addresses = [A], random = new Random(7)) {
  const list = new BootstrapList(() => random.next())
  list.add(addresses)
  return list
}

t.test('an address is in the list once', async (t) => {
  const list = make([A, B, A, C])
  t.equal(list.size, 3)
  list.add([{ ...B }])
  t.equal(list.size, 3)
})

t.test('an empty list has nobody', async (t) => {
  t.equal(make([]).next(0, nobody), undefined)
})

t.test('all are tried, by lot', async (t) => {
  const list = make([A, B, C])
  const tried = new Set(Array.from({ length: 50 }, () => list.next(0, nobody)))
  t.same(tried.size, 3)
})

t.test('where a node is that is connected already, nobody is to be found', async (t) => {
  const list = make([A])
  list.succeeded(A, 'alice')
  t.equal(
    list.next(0, (id) => id === 'alice'),
    undefined,
  )
  t.same(
    list.next(0, (id) => id === 'bob'),
    A,
    'once it is gone, it is tried again',
  )
})

t.test('pauses', async (t) => {
  t.test('double with each failure, shortened by up to a half, up to a minute', async (t) => {
    const list = make()
    let now = 1_000_000
    for (let failures = 0; failures < 12; failures++) {
      list.failed(A, now)
      const longest = Math.min(BOOTSTRAP_RETRY_MAX, BOOTSTRAP_RETRY_MIN * 2 ** failures)
      t.equal(list.next(now + longest / 2 - 1, nobody), undefined, `not before a half of ${longest}`)
      now += longest
      t.same(list.next(now, nobody), A, `after ${longest}`)
    }
  })

  t.test('differ between nodes', async (t) => {
    const ends = Array.from({ length: 20 }, (_, seed) => {
      const list = make([A], new Random(seed))
      for (let count = 0; count < 10; count++) list.failed(A, 0)
      let end = 0
      while (list.next(end, nobody) === undefined) end += 1_000
      return end
    })
    t.ok(new Set(ends).size > 10)
    t.ok(ends.every((end) => end >= BOOTSTRAP_RETRY_MAX / 2 && end <= BOOTSTRAP_RETRY_MAX))
  })

  t.test('are over when somebody was found', async (t) => {
    const list = make()
    for (let count = 0; count < 6; count++) list.failed(A, 0)
    list.succeeded(A, 'alice')
    list.failed(A, 0)
    t.same(list.next(BOOTSTRAP_RETRY_MIN, nobody), A, 'the next one is short again')
  })

  t.test('do not grow without bound, however often it fails', async (t) => {
    const list = make()
    for (let count = 0; count < 5_000; count++) list.failed(A, 0)
    t.same(list.next(BOOTSTRAP_RETRY_MAX, nobody), A)
  })

  t.test('end when the clock is set back by more than they can last', async (t) => {
    const list = make()
    list.failed(A, 10 * 3_600_000)
    t.same(list.next(0, nobody), A)
  })

  t.test('of one address leave the others alone', async (t) => {
    const list = make([A, B])
    list.failed(A, 0)
    t.same(
      Array.from({ length: 20 }, () => list.next(0, nobody)),
      new Array(20).fill(B),
    )
  })
})

t.test('an address that is this node itself goes', async (t) => {
  const list = make([A, B])
  list.remove({ ...A })
  t.equal(list.size, 1)
  t.same(list.next(0, nobody), B)
})

t.test('what is not in the list changes nothing', async (t) => {
  const list = make([A])
  list.succeeded(B, 'bob')
  list.failed(B, 0)
  list.remove(B)
  t.equal(list.size, 1)
  t.same(list.next(0, nobody), A)
})
