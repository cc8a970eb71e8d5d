import t from 'tap'
import { Random } from '../../lib/testing/random.ts'
import { Splitter } from '../../lib/transport/p2pnetwork-splitter.ts'

function drain(splitter: Splitter): string[] {
  const messages: string[] = []
  for (let next = splitter.next(); next !== undefined; next = splitter.next()) {
    messages.push(typeof next === 'string' ? next : Buffer.from(next).toString('latin1'))
    if (next === 'too-large') break
  }
  return messages
}

t.test('messages come out however they were split, and empty ones do not', async (t) => {
  const line = Buffer.from('\u0004one\u0004\u0004\u0004two\u0004three\u0004', 'latin1')
  const random = new Random(5)
  for (let trial = 0; trial < 200; trial++) {
    const splitter = new Splitter(100)
    const messages: string[] = []
    for (let at = 0; at < line.length;) {
      const size = trial === 0 ? 1 : 1 + random.below(line.length)
      splitter.push(line.subarray(at, at + size))
      messages.push(...drain(splitter))
      at += size
    }
    t.strictSame(messages, ['one', 'two', 'three'])
    t.notOk(splitter.isPartial)
  }
})

t.test('one at a time is taken out', async (t) => {
  const splitter = new Splitter(100)
  splitter.push(Buffer.from('one\u0004two\u0004th'))
  t.same(splitter.next(), Buffer.from('one'))
  t.ok(splitter.hasMore)
  splitter.push(Buffer.from('ree\u0004'))
  t.strictSame(drain(splitter), ['two', 'three'], 'also when more came meanwhile')
})

t.test('a message is as large as allowed, and no larger', async (t) => {
  const fits = new Splitter(5)
  fits.push(Buffer.from('12345\u0004'))
  t.strictSame(drain(fits), ['12345'])
  for (const reads of [['123456\u0004'], ['123456'], '123456'.split(/(?=.)/)]) {
    const splitter = new Splitter(5)
    const messages = reads.flatMap((read) => {
      splitter.push(Buffer.from(read))
      return drain(splitter)
    })
    t.strictSame(messages, ['too-large'])
    t.notOk(splitter.isPartial, 'nothing of it is kept')
  }
})
