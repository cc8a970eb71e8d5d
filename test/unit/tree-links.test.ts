import t from 'tap'
import { TreeLinks } from '../../lib/relay/tree-links.ts'
import { HAVE_RATE, MAX_SUPPLIES, SHY_AFTER, WANT_BURST, WANT_RATE } from '../../lib/limits/tree-limits.ts'
import { idOf, NOW } from '../fixtures/tree-port.ts'

const [A, B, C] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]

/** Three links, all eager. */
function makeLinks() {
  const links = new TreeLinks<object>()
  for (const link of [A, B, C]) links.add(link, NOW)
  return { links, a: links.get(A)!, b: links.get(B)!, c: links.get(C)! }
}

t.test('links are eager at first, and counted', async (t) => {
  const { links, a, b } = makeLinks()
  t.equal(links.size, 3)
  t.equal(links.eager, 3)
  links.add(A, NOW)
  t.equal(links.size, 3, 'a link comes up once')
  links.makeLazy(a, NOW)
  links.makeLazy(a, NOW)
  t.equal(links.eager, 2)
  t.notOk(links.isEagerNumber(a.number))
  t.ok(links.makeEager(a, NOW))
  t.notOk(links.makeEager(a, NOW), 'it was already')
  t.equal(links.eager, 3)
  t.ok(links.isEagerNumber(a.number))
  t.equal(links.delete(B), b)
  t.equal(links.delete(B), undefined)
  t.equal(links.eager, 2)
  t.notOk(b.isUp)
  t.notOk(links.isEagerNumber(b.number))
})

t.test('the number of a link that has ended is given to no other', async (t) => {
  const { links, c } = makeLinks()
  links.delete(C)
  links.add(C, NOW)
  t.not(links.get(C)!.number, c.number)
})

t.test('with no eager link left, the one with the least disorder becomes eager', async (t) => {
  const { links, a, b, c } = makeLinks()
  for (const one of [a, b, c]) links.makeLazy(one, NOW)
  a.promises.disappoint()
  c.lastAnnouncement = 1
  links.reconnect()
  t.ok(c.isEager, 'of those that are as good, the one that announced last')
  t.equal(links.eager, 1)
  t.equal(c.expectedSince, Infinity, 'its peer knows nothing of it, and owes nothing')
})

t.test('a peer that wants nothing is not sent anything because of it', async (t) => {
  const { links, a, b, c } = makeLinks()
  for (const one of [a, b, c]) {
    links.makeLazy(one, NOW)
    one.isRefused = true
  }
  links.reconnect()
  t.equal(links.eager, 0)
  links.makeEager(b, NOW)
  t.notOk(b.isRefused, 'until it wants again')
})

t.test('a peer that announces long after it was to send is shy', async (t) => {
  const { links, a } = makeLinks()
  t.notOk(a.isShy(NOW + SHY_AFTER), 'its announcements may have been on their way')
  t.ok(a.isShy(NOW + SHY_AFTER + 1))
  links.makeLazy(a, NOW)
  t.notOk(a.isShy(NOW + 10 * SHY_AFTER), 'that is what a lazy link is for')
  links.makeEager(a, NOW + 10 * SHY_AFTER)
  t.notOk(a.isShy(NOW + 11 * SHY_AFTER))
})

t.test('announcements are read at a bounded rate', async (t) => {
  const { a } = makeLinks()
  t.ok(a.mayAnnounce(HAVE_RATE, NOW))
  t.notOk(a.mayAnnounce(1, NOW))
  t.ok(a.mayAnnounce(1, NOW + 1_000))
})

t.test('a message is sent to a peer that wants it a few times', async (t) => {
  const { a, b } = makeLinks()
  for (let times = 0; times < MAX_SUPPLIES; times++) t.ok(a.maySupply(idOf(1), NOW))
  t.notOk(a.maySupply(idOf(1), NOW))
  t.ok(b.maySupply(idOf(1), NOW), 'others have their own')
})

t.test('wishes are bounded, also where they are all different', async (t) => {
  const { a } = makeLinks()
  let granted = 0
  for (let number = 0; number < 4 * WANT_BURST; number++) if (a.maySupply(idOf(number), NOW)) granted++
  t.equal(granted, WANT_BURST)
  for (let number = 0; number < 4 * WANT_BURST; number++)
    if (a.maySupply(idOf(number), NOW + 1_000)) granted++
  t.ok(granted <= WANT_BURST + WANT_RATE, 'what was forgotten is bounded by the rate')
})
