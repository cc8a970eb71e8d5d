import t from 'tap'
import { LinkLife } from '../../lib/connections/link-life.ts'
import type { CloseReason } from '../../lib/wire/close-code.ts'

const LOST: CloseReason = { code: 'lost', text: '', by: 'network' }
const GOODBYE: CloseReason = { code: 'goodbye', text: '', by: 'us' }

/** What a promise has come to by now. */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  return Promise.race([promise, Promise.resolve('pending')])
}

t.test('a link comes up, ends and is gone, and whoever asked before hears of it', async (t) => {
  const life = new LinkLife()
  const { opened, closed } = life
  t.match(life, { isUp: false, upSince: undefined, reason: undefined })
  t.strictSame([await stateOf(opened), await stateOf(closed)], ['pending', 'pending'])
  life.rise(5)
  t.match(life, { isUp: true, upSince: 5, reason: undefined })
  t.strictSame([await opened, await stateOf(closed)], [undefined, 'pending'])
  t.equal(life.end(GOODBYE), true)
  t.match(life, { isUp: false, upSince: 5, reason: GOODBYE })
  t.equal(await stateOf(closed), 'pending', 'its socket is still there')
  life.vanish()
  t.equal(await closed, undefined)
})

t.test('whoever asks afterwards is told the same', async (t) => {
  const life = new LinkLife()
  life.rise(0)
  t.equal(life.isUp, true, 'also at the beginning of time')
  life.end(LOST)
  life.vanish()
  t.strictSame([await life.opened, await life.closed], [undefined, undefined])
})

t.test('a link that ends before it is up says why, to early and late askers', async (t) => {
  const life = new LinkLife()
  const early = life.opened
  life.end(LOST)
  t.strictSame([await early, await life.opened], [LOST, LOST])
  t.equal(await stateOf(life.closed), 'pending')
})

t.test('the first reason counts', async (t) => {
  const life = new LinkLife()
  t.equal(life.end(GOODBYE), true)
  t.equal(life.end(LOST), false)
  t.equal(life.reason, GOODBYE)
  t.equal(await life.opened, GOODBYE)
})
