import t from 'tap'
import { Announcements } from '../../lib/relay/announcements.ts'
import { Carried, OWN } from '../../lib/relay/carried.ts'
import { TreeLink } from '../../lib/relay/tree-link.ts'
import { ANNOUNCE_DELAY, MAX_LISTED_IDS } from '../../lib/limits/tree-limits.ts'
import { idOf, NOW } from '../fixtures/tree-port.ts'

/** Announcements, two links, and the frames that were written, as texts. */
function makeStage() {
  const frames: string[] = []
  const announcements = new Announcements<string>({
    announce: (link, ids) => frames.push(`${link} ${ids.map((id) => parseInt(id, 16)).join(' ')}`),
  })
  return { frames, announcements, one: new TreeLink('one', 1, NOW), two: new TreeLink('two', 2, NOW) }
}

t.test('announcements gather, and leave as one frame a link when the first one is due', async (t) => {
  const { frames, announcements, one, two } = makeStage()
  t.equal(announcements.due, Infinity)
  for (let number = 1; number <= 3; number++) {
    announcements.add(one, new Carried(idOf(number), OWN), NOW + number)
    if (number > 1) announcements.add(two, new Carried(idOf(number), OWN), NOW + number)
  }
  t.equal(announcements.due, NOW + 1 + ANNOUNCE_DELAY)
  announcements.tick(NOW + ANNOUNCE_DELAY)
  t.same(frames, [])
  announcements.tick(NOW + 1 + ANNOUNCE_DELAY)
  t.same(frames, ['one 1 2 3', 'two 2 3'])
  t.equal(announcements.count, 5)
  t.equal(announcements.due, Infinity)
  announcements.tick(NOW + 10_000)
  t.equal(frames.length, 2, 'each once')
})

t.test('what the peer has meanwhile is left out, and a frame with nothing is none', async (t) => {
  const { frames, announcements, one, two } = makeStage()
  const carried = [1, 2].map((number) => new Carried(idOf(number), OWN))
  for (const message of carried) announcements.add(one, message, NOW)
  announcements.add(two, carried[0]!, NOW)
  carried[0]!.addHolder(1)
  carried[0]!.addHolder(2)
  announcements.tick(NOW + ANNOUNCE_DELAY)
  t.same(frames, ['one 2'])
})

t.test('a full frame leaves at once', async (t) => {
  const { frames, announcements, one } = makeStage()
  for (let number = 0; number < MAX_LISTED_IDS + 2; number++)
    announcements.add(one, new Carried(idOf(number), OWN), NOW)
  t.equal(frames.length, 1)
  t.equal(frames[0]!.split(' ').length, 1 + MAX_LISTED_IDS)
  announcements.tick(NOW + ANNOUNCE_DELAY)
  t.equal(frames[1], `one ${MAX_LISTED_IDS} ${MAX_LISTED_IDS + 1}`)
})

t.test('nothing is announced over a link that has ended', async (t) => {
  const { frames, announcements, one } = makeStage()
  announcements.add(one, new Carried(idOf(1), OWN), NOW)
  announcements.drop(one)
  announcements.tick(NOW + ANNOUNCE_DELAY)
  t.same(frames, [])
})

t.test('a clock that was set back delays no announcement', async (t) => {
  const { frames, announcements, one } = makeStage()
  announcements.add(one, new Carried(idOf(1), OWN), NOW)
  announcements.tick(NOW - 3_600_000)
  t.same(frames, ['one 1'])
})
