import t from 'tap'
import { MadeLinks } from '../../lib/overlay/made-links.ts'

const [A, B, C, D] = [{ name: 'a' }, { name: 'b' }, { name: 'c' }, { name: 'd' }]

/** A, B and C, in this order. */
function make() {
  const links = new MadeLinks<object>()
  for (const link of [A, B, C]) links.add(link)
  return links
}

t.test('a link is among them until it ends', async (t) => {
  const links = make()
  t.equal(links.has(A), true)
  t.equal(links.delete(A), true)
  t.equal(links.has(A), false)
  t.equal(links.delete(A), false)
  t.equal(links.delete(D), false)
})

t.test('a link that the application asks for is not, before and after it was made', async (t) => {
  const links = make()
  links.setSpare(B)
  links.claim(B)
  links.claim(D)
  links.add(D)
  t.same([links.has(B), links.has(D)], [false, false])
  t.same([links.isClaimed(B), links.isClaimed(D), links.isClaimed(A)], [true, true, false])
  t.equal(links.spare.size, 0)
  links.setSpare(D)
  t.equal(links.spare.size, 0)
})

t.test('the spare ones', async (t) => {
  const links = make()
  links.setSpare(A)
  links.setSpare(A)
  links.setSpare(D)
  t.same([...links.spare], [A])
  t.equal(links.oldest(D), B, 'are not wanted by both ends')
  links.delete(A)
  t.equal(links.spare.size, 0)
})

t.test('the oldest one', async (t) => {
  const links = make()
  t.equal(links.oldest(D), A)
  t.equal(links.oldest(A), B)
  links.delete(A)
  links.add(A)
  t.equal(links.oldest(D), B, 'by when it was made')
  t.equal(new MadeLinks<object>().oldest(A), undefined)
})

t.test('each is told once', async (t) => {
  const links = make()
  t.equal(links.takeUntold(C), A)
  t.equal(links.takeUntold(C), B)
  t.equal(links.takeUntold(C), undefined)
  links.setSpare(C)
  t.equal(links.takeUntold(D), undefined)
  links.add(D)
  t.equal(links.takeUntold(A), D)
})
