import t from 'tap'
import { type Absent, chooseAnnouncer, Missing } from '../../lib/relay/missing.ts'
import { TreeLink } from '../../lib/relay/tree-link.ts'
import {
  GRAFT_WAIT_MAX,
  MAX_ANNOUNCERS,
  MAX_ASKS,
  MAX_MISSING,
  MAX_MISSING_PER_LINK,
  MAX_OWED,
  MISSING_LIFETIME,
} from '../../lib/limits/tree-limits.ts'
import { idOf, NOW } from '../fixtures/tree-port.ts'

let lastNumber = 0
const makeLink = (): TreeLink<string> => new TreeLink(`link ${++lastNumber}`, lastNumber, NOW)
const WAIT = 500

/** A message that these have announced. */
function announcedBy(...links: readonly TreeLink<string>[]): Absent<string> {
  const missing = new Missing<string>()
  for (const link of links) missing.add(idOf(1), link, 1, NOW, WAIT)
  return missing.takeDue(NOW + WAIT)[0]!
}

t.test('a message that was announced is due after the wait, once', async (t) => {
  const missing = new Missing<string>()
  const link = makeLink()
  t.equal(missing.due, Infinity)
  t.ok(missing.add(idOf(1), link, 1, NOW, WAIT))
  t.equal(missing.due, NOW + WAIT)
  t.equal(missing.size, 1)
  t.same(missing.takeDue(NOW + WAIT - 1), [])
  const [absent] = missing.takeDue(NOW + WAIT)
  t.equal(absent?.id, idOf(1))
  t.equal(missing.size, 0)
  missing.putOff(absent!, NOW + WAIT + 250)
  t.equal(missing.due, NOW + WAIT + 250)
  t.same(missing.takeDue(NOW + WAIT + 250), [absent])
})

t.test(
  'a message that has come is not missing any more, and its announcers have their room back',
  async (t) => {
    const missing = new Missing<string>()
    const [one, two] = [makeLink(), makeLink()]
    missing.add(idOf(1), one, 2, NOW, WAIT)
    missing.add(idOf(1), two, 2, NOW + 10, WAIT)
    t.equal(one.missing + two.missing, 2)
    t.same(missing.take(idOf(1))?.announcers, [one, two])
    t.equal(one.missing + two.missing, 0)
    t.equal(missing.take(idOf(1)), undefined)
    t.equal(missing.due, Infinity)
  },
)

t.test('announcing a message again and again counts once', async (t) => {
  const missing = new Missing<string>()
  const link = makeLink()
  for (let times = 0; times < 5; times++) t.ok(missing.add(idOf(1), link, 1, NOW, WAIT))
  t.equal(link.missing, 1)
  t.equal(missing.take(idOf(1))?.announcers.length, 1)
})

t.test('no link takes the room of others, however many there are', async (t) => {
  for (const links of [1, 4, 1_024]) {
    const missing = new Missing<string>()
    const liar = makeLink()
    let taken = 0
    while (missing.add(idOf(taken), liar, links, NOW, WAIT)) taken++
    t.equal(taken, Math.min(MAX_MISSING_PER_LINK, MAX_MISSING / links))
    t.ok(missing.add(idOf(0xffff_ffff), makeLink(), links, NOW, WAIT), 'another link has its own')
  }
})

t.test('announcers are asked in turn, the first one first, each a few times', async (t) => {
  const links = [makeLink(), makeLink(), makeLink()]
  const absent = announcedBy(...links)
  const order: unknown[] = []
  for (;;) {
    const index = chooseAnnouncer(absent, NOW + WAIT)
    if (typeof index !== 'number') break
    absent.asks[index]!++
    order.push(index)
  }
  t.same(order, Array.from({ length: MAX_ASKS }, () => [0, 1, 2]).flat())
})

t.test('announcers that disappointed come last, and those that are gone not at all', async (t) => {
  const [liar, gone, good] = [makeLink(), makeLink(), makeLink()]
  const absent = announcedBy(liar, gone, good)
  for (let times = 0; times < 20; times++) liar.promises.disappoint()
  gone.isUp = false
  t.equal(chooseAnnouncer(absent, NOW), 2)
  good.isUp = false
  t.equal(chooseAnnouncer(absent, NOW), 0, 'better than nobody')
  liar.isUp = false
  t.equal(chooseAnnouncer(absent, NOW), undefined)
})

t.test('of two that are as good, the eager one needs no further graft', async (t) => {
  const [lazy, eager] = [makeLink(), makeLink()]
  lazy.isEager = false
  t.equal(chooseAnnouncer(announcedBy(lazy, eager), NOW), 1)
})

t.test('a link that owes much already is not asked for more', async (t) => {
  const [busy, free] = [makeLink(), makeLink()]
  for (let number = 0; number < MAX_OWED; number++) busy.promises.ask(idOf(number), NOW)
  t.equal(chooseAnnouncer(announcedBy(busy, free), NOW), 1)
  t.equal(chooseAnnouncer(announcedBy(busy), NOW), 'later')
})

t.test('a message is given up after a while, whoever announced it', async (t) => {
  const absent = announcedBy(makeLink())
  t.equal(chooseAnnouncer(absent, NOW + MISSING_LIFETIME), 0)
  t.equal(chooseAnnouncer(absent, NOW + MISSING_LIFETIME + 1), undefined)
})

t.test('announcers are bounded, and a better one takes the place of the worst', async (t) => {
  const missing = new Missing<string>()
  const liars = Array.from({ length: MAX_ANNOUNCERS }, makeLink)
  for (const liar of liars) missing.add(idOf(1), liar, 20, NOW, WAIT)
  t.notOk(missing.add(idOf(1), makeLink(), 20, NOW, WAIT), 'no better')
  liars[3]!.promises.disappoint()
  const good = makeLink()
  t.ok(missing.add(idOf(1), good, 20, NOW, WAIT))
  t.equal(liars[3]!.missing, 0)
  t.equal(good.missing, 1)
  const announcers = missing.take(idOf(1))!.announcers
  t.equal(announcers.length, MAX_ANNOUNCERS)
  t.equal(announcers[3], good)
  t.ok(liars.every((liar) => liar.missing === 0))
})

t.test('with nothing to wait for, all is due at once', async (t) => {
  const missing = new Missing<string>()
  missing.hurry(NOW)
  const link = makeLink()
  missing.add(idOf(1), link, 1, NOW, WAIT)
  missing.add(idOf(2), link, 1, NOW, WAIT)
  missing.hurry(NOW + 1)
  t.equal(missing.due, NOW + 1)
  t.equal(missing.takeDue(NOW + 1).length, 2)
})

t.test('a clock that was set back makes no message wait for hours', async (t) => {
  const missing = new Missing<string>()
  missing.add(idOf(1), makeLink(), 1, NOW, WAIT)
  t.ok(missing.isDue(NOW - 3_600_000))
  t.equal(missing.takeDue(NOW - 3_600_000).length, 1)
  missing.add(idOf(2), makeLink(), 1, NOW, GRAFT_WAIT_MAX)
  t.notOk(missing.isDue(NOW), 'the longest wait is none')
})
