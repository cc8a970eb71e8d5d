import t from 'tap'
import {
  ANNOUNCE_DELAY,
  GRAFT_SPREAD,
  GRAFT_WAIT,
  MAX_LISTED_IDS,
  MAX_OWED,
  PARK_TIME,
  PRUNE_INTERVAL,
  TOUCHSTONE_INTERVAL,
} from '../../lib/limits/tree-limits.ts'
import { idOf, idsFrom, TreeStage } from '../fixtures/tree-port.ts'

const LONGEST = GRAFT_WAIT * (1 + GRAFT_SPREAD)

/** A tree with one eager link, a, and others that are lazy. */
function makeLeaf(lazy = 'bcdef'): TreeStage {
  const stage = new TreeStage(`a${lazy}`)
  for (const name of lazy) stage.tree.onPrune(stage.link(name))
  return stage
}

t.test('a message goes over every link but those that it came over', async (t) => {
  const stage = new TreeStage('abcd')
  stage.tree.heard(idOf(1), stage.link('c'))
  t.equal(stage.bring(1, 'a'), 'bd')
  t.equal(stage.accept(2), 'abcd', 'an own message goes everywhere')
  stage.pass(10_000)
  t.same(stage.log, [], 'and nothing is announced')
})

t.test('a refused copy says nothing about the other copies', async (t) => {
  const stage = new TreeStage('abcd')
  for (const name of ['a', 'b']) stage.tree.heard(idOf(1), stage.link(name))
  stage.tree.refuse(idOf(1), stage.link('a'))
  t.equal(stage.accept(1, 'b'), 'acd')
})

t.test('a message goes also over a link without a part in the tree, but not back', async (t) => {
  const stage = new TreeStage('ab')
  const visitor = { name: 'x' }
  const to = [...stage.links.values(), visitor]
  t.equal(stage.accept(1, undefined, to), 'abx')
  stage.tree.heard(idOf(2), visitor)
  stage.tree.heard(idOf(2), stage.link('a'))
  stage.known.add(idOf(2))
  t.same(
    stage.tree.accept(idOf(2), to, visitor, stage.now).map(({ name }) => name),
    ['b'],
  )
  stage.tree.duplicate(idOf(2), visitor, stage.now)
  stage.tree.onHave(visitor, [idOf(3)], stage.now)
  stage.tree.onWant(visitor, [idOf(1)], stage.now)
  stage.tree.onPrune(visitor)
  t.same(stage.log, [])
  t.equal(stage.tree.due, Infinity)
})

t.test('a message that is for nobody else is not announced either', async (t) => {
  const stage = makeLeaf()
  t.equal(stage.accept(1, 'a', []), '')
  t.equal(stage.tree.due, Infinity)
})

t.test('a second copy prunes the link that brought it', async (t) => {
  const stage = new TreeStage('abcde')
  stage.bring(1, 'a')
  stage.bring(1, 'b')
  t.same(stage.take(), ['prune b'])
  t.equal(stage.eager, 'acde')
  t.equal(stage.bring(2, 'a'), 'cde')
  stage.pass(ANNOUNCE_DELAY)
  t.same(stage.take(), ['have b 1'])
  t.same(stage.last.get('have b'), [idOf(2)])
})

t.test('with few links nothing is pruned', async (t) => {
  const stage = new TreeStage('abcd')
  for (let number = 1; number < 20; number++) {
    for (const name of 'abcd') stage.bring(number, name)
    stage.pass(TOUCHSTONE_INTERVAL)
  }
  t.same(stage.log, [])
  t.equal(stage.eager, 'abcd')
})

t.test('of messages under way at once, only one prunes', async (t) => {
  const stage = new TreeStage('abcde')
  stage.bring(1, 'a')
  stage.bring(2, 'b')
  stage.bring(2, 'a')
  t.same(stage.take(), [], 'the second message is not asked')
  stage.bring(1, 'b')
  t.same(stage.take(), ['prune b'])
  stage.pass(TOUCHSTONE_INTERVAL)
  stage.bring(3, 'a')
  stage.bring(3, 'c')
  t.same(stage.take(), ['prune c'], 'later another one is')
})

t.test(
  'a copy over a lazy link is no reason for another prune, until it should have been understood',
  async (t) => {
    const stage = new TreeStage('abcde')
    stage.bring(1, 'a')
    stage.bring(1, 'b')
    stage.bring(1, 'b')
    stage.pass(PRUNE_INTERVAL - 1)
    stage.bring(1, 'b')
    t.same(stage.take(), ['prune b'])
    stage.pass(1)
    stage.bring(1, 'b')
    t.same(stage.take(), ['prune b'], 'told once more')
    t.equal(stage.tree.stats.prunes, 2)
  },
)

t.test('the link that brought a message first is never pruned by it', async (t) => {
  const stage = new TreeStage('abcde')
  stage.bring(1, 'a')
  stage.bring(1, 'a')
  t.same(stage.take(), [], 'also if it brings it twice')
  stage.tree.onPrune(stage.link('a'))
  stage.bring(1, 'b')
  t.same(stage.take(), [], 'nor is a second one while the first is lazy')
  stage.down('a')
  stage.bring(1, 'c')
  t.same(stage.take(), [], 'or gone')
})

t.test('an own message that comes back prunes, but not the last eager link', async (t) => {
  const stage = makeLeaf('bcde')
  stage.want('b')
  t.equal(stage.accept(1), 'ab')
  stage.bring(1, 'a')
  t.same(stage.take(), ['prune a'])
  stage.pass(PRUNE_INTERVAL)
  stage.take()
  stage.bring(1, 'b')
  t.same(stage.take(), [])
  t.equal(stage.eager, 'b')
})

t.test('a copy of a message that was not relayed prunes nothing', async (t) => {
  const stage = new TreeStage('abcde')
  stage.known.add(idOf(1))
  stage.bring(1, 'a')
  stage.bring(1, 'b')
  t.same(stage.take(), [])
})

t.test('announcements leave out what the peer has', async (t) => {
  const stage = makeLeaf('bcdef')
  stage.have('b', 1)
  stage.tree.heard(idOf(1), stage.link('c'))
  t.equal(stage.bring(1, 'a'), '')
  stage.have('d', 1)
  stage.bring(1, 'e')
  stage.pass(ANNOUNCE_DELAY)
  t.same(stage.take(), ['have f 1'])
})

t.test('whoever has announced a message is not sent it', async (t) => {
  const stage = new TreeStage('abc')
  stage.have('b', 1)
  t.equal(stage.bring(1, 'a'), 'c')
})

t.test('many announcements leave in frames that are not too long', async (t) => {
  const stage = makeLeaf('b')
  for (let number = 1; number <= MAX_LISTED_IDS * 2 + 5; number++) stage.bring(number, 'a')
  stage.pass(ANNOUNCE_DELAY)
  t.same(stage.take(), [`have b ${MAX_LISTED_IDS}`, `have b ${MAX_LISTED_IDS}`, 'have b 5'])
  t.equal(stage.tree.stats.announced, MAX_LISTED_IDS * 2 + 5)
})

t.test(
  'a message that was announced and does not come is asked for, and the link is eager again',
  async (t) => {
    const stage = makeLeaf()
    stage.have('b', 1)
    stage.pass(GRAFT_WAIT - 1)
    t.same(stage.take(), [])
    stage.pass(LONGEST - GRAFT_WAIT + 1)
    t.same(stage.take(), ['want b 1'])
    t.same(stage.last.get('want b'), [idOf(1)])
    t.equal(stage.eager, 'ab')
    stage.pass(50)
    t.equal(stage.bring(1, 'b'), 'a')
    stage.pass(60_000)
    t.same(stage.take(), ['have c 1', 'have d 1', 'have e 1', 'have f 1'])
    const { grafts, requested, missing } = stage.tree.stats
    t.same({ grafts, requested, missing }, { grafts: 1, requested: 1, missing: 0 })
  },
)

t.test('a message that comes in time is not asked for', async (t) => {
  const stage = makeLeaf()
  stage.have('b', 1)
  stage.pass(GRAFT_WAIT - 1)
  stage.bring(1, 'a')
  stage.pass(60_000)
  t.notOk(stage.take().some((line) => line.startsWith('want')))
})

t.test('what is known, or being verified, is not asked for', async (t) => {
  const stage = makeLeaf()
  stage.known.add(idOf(1))
  stage.have('b', 1)
  t.equal(stage.tree.stats.missing, 0)
  stage.have('b', 2, 3)
  stage.tree.heard(idOf(2), stage.link('a'))
  stage.known.add(idOf(3))
  stage.pass(LONGEST * 2)
  t.same(stage.take(), [], 'one is being verified, the other came in another way')
  stage.tree.refuse(idOf(2), stage.link('a'))
  stage.pass(GRAFT_WAIT / 2)
  t.same(stage.take(), ['want b 1'], 'the copy was not good')
  t.same(stage.last.get('want b'), [idOf(2)])
})

t.test('announcers are asked in turn, and then the message is given up', async (t) => {
  const stage = makeLeaf()
  for (const name of 'bcd') stage.have(name, 1)
  stage.pass(30_000)
  t.same(stage.take(), ['want b 1', 'want c 1', 'want d 1', 'want b 1', 'want c 1', 'want d 1'])
  t.equal(stage.tree.stats.missing, 0)
  t.equal(stage.tree.stats.abandoned, 1)
  stage.have('e', 1)
  stage.pass(LONGEST)
  t.same(stage.take(), ['want e 1'], 'another one may have it')
})

t.test(
  'messages that are missing together are asked for together, of one link, as it delivers',
  async (t) => {
    const stage = makeLeaf()
    for (const name of 'bc') stage.tree.onHave(stage.link(name), idsFrom(1, 700), stage.now)
    stage.tree.onHave(stage.link('b'), idsFrom(701, 700), stage.now)
    stage.pass(LONGEST)
    t.same(stage.take(), [`want b ${MAX_OWED}`], 'no more than it may owe')
    for (let number = 1; number <= MAX_OWED; number++) stage.bring(number, 'b')
    stage.pass(PARK_TIME)
    t.ok(stage.take().includes(`want b ${1_400 - MAX_OWED}`))
  },
)

t.test('a copy that was asked for and comes second makes its link lazy again', async (t) => {
  const stage = makeLeaf('bcde')
  stage.bring(9, 'a')
  stage.pass(TOUCHSTONE_INTERVAL / 2)
  stage.take()
  stage.have('b', 1)
  stage.pass(LONGEST)
  t.same(stage.take(), ['want b 1'])
  stage.pass(PRUNE_INTERVAL)
  stage.take()
  stage.bring(1, 'a')
  stage.bring(1, 'b')
  t.same(stage.take(), ['prune b'])
  t.equal(stage.eager, 'a')
})

t.test('a link that brings a message first is eager again, but not for what was on its way', async (t) => {
  const stage = new TreeStage('abcde')
  stage.bring(1, 'a')
  stage.bring(1, 'b')
  stage.bring(2, 'b')
  t.equal(stage.eager, 'acde')
  stage.pass(PRUNE_INTERVAL)
  stage.bring(3, 'b')
  t.equal(stage.eager, 'abcde')
})

t.test('a peer that wants messages gets them, and everything from then on', async (t) => {
  const stage = makeLeaf('bcde')
  stage.bring(1, 'a')
  stage.bring(2, 'a')
  stage.want('b', 1, 77)
  t.same(stage.take(), ['supply b 1'], 'those that are known')
  t.equal(stage.eager, 'ab')
  t.equal(stage.bring(3, 'a'), 'b')
  stage.pass(ANNOUNCE_DELAY)
  t.same(stage.take(), ['have b 1', 'have c 3', 'have d 3', 'have e 3'])
  t.same(stage.last.get('have b'), [idOf(2)], 'what was to be announced still is')
  t.equal(stage.tree.stats.supplied, 1)
})

t.test('a peer that wants nothing gets announcements only, also with few links', async (t) => {
  const stage = new TreeStage('abc')
  stage.tree.onPrune(stage.link('b'))
  t.equal(stage.accept(1), 'ac')
  stage.pass(ANNOUNCE_DELAY)
  t.same(stage.take(), ['have b 1'])
  t.ok(stage.tree.hasLazyLinks)
})

t.test('a peer that wants nothing is not made eager by what it brings', async (t) => {
  const stage = makeLeaf('bcde')
  stage.pass(PRUNE_INTERVAL)
  stage.bring(1, 'b')
  t.equal(stage.eager, 'a')
})

t.test('when the last eager link ends, another one takes its place', async (t) => {
  const stage = new TreeStage('abcdef')
  stage.bring(1, 'a')
  for (const name of 'bcde') stage.bring(1, name)
  stage.tree.onPrune(stage.link('f'))
  t.equal(stage.eager, 'a')
  stage.have('c', 1)
  stage.down('a')
  t.equal(stage.eager, 'c', 'the one that announced last')
  t.equal(stage.accept(2), 'c')
})

t.test('with no eager link left, what is missing is asked for at once', async (t) => {
  const stage = makeLeaf()
  stage.have('b', 1)
  stage.tree.onPrune(stage.link('a'))
  stage.pass(0)
  t.same(stage.take(), ['want b 1'])
  const alone = makeLeaf('b')
  alone.tree.onPrune(alone.link('a'))
  alone.have('b', 1)
  alone.pass(0)
  t.same(alone.take(), ['want b 1'])
})

t.test('a link that ends takes nothing with it', async (t) => {
  const stage = makeLeaf()
  stage.have('b', 1)
  stage.have('c', 1)
  stage.bring(2, 'a')
  stage.down('b')
  stage.tree.down({ name: 'unknown' })
  stage.pass(LONGEST)
  t.same(stage.take(), ['have c 1', 'have d 1', 'have e 1', 'have f 1', 'want c 1'])
  for (const name of 'acdef') stage.down(name)
  stage.pass(60_000)
  t.same(stage.take(), [])
  const { eager, lazy, missing } = stage.tree.stats
  t.same({ eager, lazy, missing }, { eager: 0, lazy: 0, missing: 0 })
  t.equal(stage.tree.due, Infinity, 'and nothing is due any more')
})

t.test('a message of no use is not asked for again, whoever announces it', async (t) => {
  const stage = makeLeaf()
  stage.have('b', 1)
  stage.tree.dismiss(idOf(1), stage.link('a'))
  stage.have('c', 1)
  stage.have('d', 1)
  stage.pass(60_000)
  t.same(stage.take(), [])
  t.equal(stage.tree.stats.missing, 0)
})

t.test('nothing is due in a tree at rest', async (t) => {
  const stage = new TreeStage('abcdef')
  t.equal(stage.tree.due, Infinity)
  stage.bring(1, 'a')
  stage.bring(1, 'b')
  stage.pass(60_000)
  t.equal(stage.tree.due, Infinity)
})
