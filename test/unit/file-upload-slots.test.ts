import t from 'tap'
import { UploadSlots } from '../../lib/files/upload-slots.ts'

const never = new AbortController().signal

t.test('a few are served, the next ones wait in their order, and more are refused', async (t) => {
  const slots = new UploadSlots({ all: 2, perAsker: 2, waiting: 2, waitingPerAsker: 2 })
  const first = (await slots.enter('a', never)) as () => void
  const second = (await slots.enter('b', never)) as () => void
  const order: string[] = []
  const enter = async (asker: string): Promise<() => void> => {
    const leave = (await slots.enter(asker, never)) as () => void
    order.push(asker)
    return leave
  }
  const third = enter('c')
  const fourth = enter('d')
  t.equal(await slots.enter('e', never), 'refused')
  t.equal(slots.waiting, 2)
  first()
  first()
  ;(await third)()
  ;(await fourth)()
  t.strictSame(order, ['c', 'd'])
  second()
  t.equal(slots.active, 0)
})

t.test('one asker has a share, and does not hold up those behind it', async (t) => {
  const slots = new UploadSlots({ all: 3, perAsker: 1, waiting: 9, waitingPerAsker: 1 })
  const leave = (await slots.enter('a', never)) as () => void
  const more = slots.enter('a', never)
  t.equal(await slots.enter('a', never), 'refused', 'one of its requests waits already')
  const others = [await slots.enter('b', never), await slots.enter('c', never)] as (() => void)[]
  const last = slots.enter('d', never)
  t.equal(slots.active, 3)
  others[0]!()
  t.type(await last, 'function', 'the first who waits has its share already')
  leave()
  t.type(await more, 'function')
  t.equal(slots.waiting, 0)
})

t.test('whoever goes away waits no more', async (t) => {
  const slots = new UploadSlots({ all: 1 })
  t.equal(await slots.enter('a', AbortSignal.abort()), 'gone')
  const leave = (await slots.enter('a', never)) as () => void
  const controller = new AbortController()
  const gone = slots.enter('b', controller.signal)
  const next = slots.enter('c', never)
  controller.abort()
  t.equal(await gone, 'gone')
  leave()
  t.type(await next, 'function')
  t.equal(slots.active, 1)
})
