import t from 'tap'
import { PartBuffer } from '../../lib/requests/part-buffer.ts'

const part = (at: number) => ({ at })

t.test('parts are taken in order, whatever order they come in', async (t) => {
  const buffer = new PartBuffer<{ at: number }>(4)
  t.equal(buffer.put(1, part(1)), 'taken')
  t.equal(buffer.take(), undefined)
  t.equal(buffer.put(0, part(0)), 'taken')
  t.equal(buffer.end(2), 'taken')
  t.equal(buffer.isComplete, true)
  t.equal(buffer.isDrained, false)
  t.strictSame([buffer.take(), buffer.take(), buffer.take()], [part(0), part(1), undefined])
  t.equal(buffer.isDrained, true)
})

t.test('what came already is doubled, read or not', async (t) => {
  const buffer = new PartBuffer<{ at: number }>(4)
  buffer.put(0, part(0))
  t.equal(buffer.put(0, part(0)), 'doubled')
  buffer.take()
  t.equal(buffer.put(0, part(0)), 'doubled')
  buffer.end(1)
  t.equal(buffer.end(1), 'doubled')
})

t.test('what goes beyond the credit, or against what was said, is broken', async (t) => {
  for (const at of [4, 5, Number.MAX_SAFE_INTEGER]) {
    t.equal(new PartBuffer<{ at: number }>(4).put(at, part(at)), 'broken')
    if (at > 4) t.equal(new PartBuffer(4).end(at), 'broken')
  }
  const buffer = new PartBuffer<{ at: number }>(4)
  buffer.put(2, part(2))
  t.equal(buffer.end(2), 'broken', 'there is a part beyond its end')
  t.equal(buffer.end(3), 'taken')
  t.equal(buffer.end(4), 'broken')
  t.equal(buffer.put(3, part(3)), 'broken')
  const read = new PartBuffer<{ at: number }>(4)
  read.put(0, part(0))
  read.take()
  t.equal(read.end(0), 'broken')
})

t.test('credit is given for half a window at once, and never after the end', async (t) => {
  const buffer = new PartBuffer<{ at: number }>(4)
  const grants: unknown[] = []
  for (let at = 0; at < 4; at++) {
    buffer.put(at, part(at))
    t.equal(buffer.isFull, at === 3 && grants.every((grant) => grant === undefined), `${at}`)
    buffer.take()
    grants.push(buffer.grant())
  }
  t.strictSame(grants, [undefined, 6, undefined, 8])
  buffer.put(4, part(4))
  buffer.end(5)
  buffer.take()
  buffer.take()
  t.equal(buffer.grant(), undefined)
})

t.test('a buffer whose credit is used up waits for its reader', async (t) => {
  const buffer = new PartBuffer<{ at: number }>(2)
  t.equal(buffer.isFull, false)
  buffer.put(1, part(1))
  buffer.put(0, part(0))
  t.equal(buffer.isFull, true)
  buffer.take()
  t.equal(buffer.isFull, true, 'as long as no more is allowed')
  buffer.grant()
  t.equal(buffer.isFull, false)
})
