// Peers that abuse the relay tree: what it costs them, and what it costs the others.
import t from 'tap'
import {
  GRAFT_WAIT,
  HAVE_RATE,
  LIAR_PAUSE,
  MAX_LISTED_IDS,
  MAX_MISSING,
  MAX_MISSING_PER_LINK,
  MAX_SUPPLIES,
  PRUNE_INTERVAL,
  WANT_BURST,
  WANT_RATE,
} from '../../lib/limits/tree-limits.ts'
import type { TreePort } from '../../lib/relay/tree-port.ts'
import type { MessageId } from '../../lib/wire/ids.ts'
import { type End, Machine, type MachineClass, TreeNet } from '../fixtures/tree-net.ts'
import { idOf, idsFrom, TreeStage } from '../fixtures/tree-port.ts'

/** Takes everything, announces it before anybody else, passes nothing on and sends nothing that is wanted. */
class BlackHole extends Machine {
  protected override port(): TreePort<End> {
    return { ...super.port(), supply: () => undefined, prune: () => undefined }
  }

  protected override relay(id: MessageId, via: End | undefined): void {
    this.tree.accept(id, [], via, this.net.now)
    for (const end of this.ends) if (end !== via) this.port().announce(end, [id])
  }
}

/** Announces like a black hole, and sends what is wanted: so it would always be asked first. */
class Tempter extends BlackHole {
  protected override port(): TreePort<End> {
    return { ...super.port(), supply: (end, ids) => this.passAll(end, ids) }
  }
}

/** Wants nothing, and says so at every message. */
class Pruner extends Machine {
  override onMessage(end: End, id: MessageId): void {
    super.onMessage(end, id)
    this.port().prune(end)
  }
}

/** Wants the last messages of everybody, again and again. */
class Glutton extends Machine {
  #last: MessageId[] = []

  override onMessage(end: End, id: MessageId): void {
    super.onMessage(end, id)
    this.#last = [...this.#last.slice(-30), id]
    for (const one of this.ends) this.port().request(one, this.#last)
  }
}

/** Announces what does not exist. */
class Inventor extends Machine {
  #invented = 0

  override onMessage(end: End, id: MessageId): void {
    const isNew = !this.known.has(id)
    super.onMessage(end, id)
    if (!isNew) return
    const lies = Array.from({ length: 20 }, () => `f${++this.#invented}`.padStart(64, '0') as MessageId)
    for (const one of this.ends) this.port().announce(one, lies)
  }

  protected override port(): TreePort<End> {
    return { ...super.port(), supply: () => undefined }
  }
}

const HOSTILE: readonly [string, MachineClass][] = [
  ['that swallow messages', BlackHole],
  ['that announce first and send when asked', Tempter],
  ['that prune everybody', Pruner],
  ['that want everything from everybody', Glutton],
  ['that announce what does not exist', Inventor],
]

for (const [name, Class] of HOSTILE) {
  t.test(`with one machine in five ${name}, the others get everything once`, async (t) => {
    const net = new TreeNet({ seed: 7 })
    for (let at = 0; at < 100; at++) net.add(at % 5 === 1 ? Class : Machine)
    net.join(8)
    const good = net.machines.filter(({ constructor }) => constructor === Machine)
    const ids: MessageId[] = []
    for (let round = 0; round < 60; round++) {
      const id = net.newId()
      ids.push(id)
      good[net.random.below(good.length)]!.send(id)
      net.pass(100)
    }
    net.pass(4_000)
    const lacking = ids.flatMap((id) => good.filter(({ known }) => !known.has(id)))
    t.equal(lacking.length, 0)
    t.ok(net.isOnce)
    t.ok(
      good.every(({ expelled }) => expelled.length === 0),
      'nobody is blamed in haste',
    )
    // A wait or two of the longest kind, whatever the others do.
    const last = net.newId()
    good[0]!.send(last)
    net.pass(2_000)
    t.equal(good.filter(({ known }) => !known.has(last)).length, 0)
  })
}

/** A tree with one eager link and five lazy ones. */
function makeLeaf(): TreeStage {
  const stage = new TreeStage('abcdef')
  for (const name of 'bcdef') stage.tree.onPrune(stage.link(name))
  return stage
}

t.test('a link that announces and never delivers comes last, is ignored, and ends', async (t) => {
  const stage = makeLeaf()
  const isAsked = (name: string, number: number): boolean =>
    stage.last.get(`want ${name}`)?.includes(idOf(number)) === true
  let number = 0
  const inVain: number[] = []
  while (number < 12) {
    stage.have('b', ++number)
    stage.have('c', number)
    while (!isAsked('c', number)) stage.pass(10)
    if (isAsked('b', number)) inVain.push(number)
    stage.bring(number, 'c')
    stage.pass(1_000)
  }
  t.equal(inVain[0], 1, 'the first to announce is the first to be asked')
  t.ok(inVain.at(-1)! <= 3, 'but soon the other one is')

  // Where nobody else has it, it is asked still; until that was in vain too often.
  const lines: string[] = []
  const start = stage.now
  while (stage.links.has('b') && stage.now - start < 1_000_000) {
    stage.have('b', ++number)
    stage.pass(5_000)
    lines.push(...stage.take())
  }
  t.equal(lines.filter((line) => line.startsWith('expel')).join(), 'expel b bad-relay')
  t.ok(stage.now - start > 3 * LIAR_PAUSE, 'not in haste')
  t.ok(stage.tree.stats.ignored > 0)
  t.equal(stage.eager.includes('a'), true)
})

t.test('a link that delivers now and then is not closed', async (t) => {
  const stage = makeLeaf()
  for (let number = 1; number < 300; number++) {
    stage.have('b', number)
    stage.pass(5_000)
    if (number % 50 === 1) stage.bring(number, 'b')
  }
  t.ok(stage.links.has('b'))
})

t.test('invented IDs are bounded, for a link and in all, and cost other links nothing', async (t) => {
  const stage = new TreeStage('')
  const liars = Array.from({ length: 40 }, (_, at) => stage.up(`liar${at}`))
  const good = stage.up('good')
  let first = 1
  for (const liar of liars) {
    for (let frame = 0; frame < 8; frame++, first += MAX_LISTED_IDS) {
      stage.tree.onHave(liar, idsFrom(first, MAX_LISTED_IDS), stage.now)
    }
  }
  const { missing, ignored } = stage.tree.stats
  t.ok(missing <= MAX_MISSING && missing > MAX_MISSING / 2, String(missing))
  t.equal(missing + ignored, 40 * 8 * MAX_LISTED_IDS)
  stage.tree.onHave(good, [idOf(0xffff_ffff)], stage.now)
  t.equal(stage.tree.stats.missing, missing + 1, 'there is room for an honest announcement')
  stage.pass(GRAFT_WAIT * 2)
  t.ok(stage.last.get('want good')?.includes(idOf(0xffff_ffff)), 'and it is asked for in time')
  stage.pass(60_000)
  t.equal(stage.tree.stats.missing, 0, 'nothing is left of the lies')
})

t.test('one link alone may announce no more than its part', async (t) => {
  const stage = new TreeStage('ab')
  for (let frame = 0; frame < 20; frame++) {
    stage.tree.onHave(stage.link('b'), idsFrom(1 + frame * MAX_LISTED_IDS, MAX_LISTED_IDS), stage.now)
  }
  t.equal(stage.tree.stats.missing, MAX_MISSING_PER_LINK)
})

t.test('announcements beyond the rate are not even looked at', async (t) => {
  const stage = new TreeStage('ab')
  let looked = 0
  stage.isKnown = () => {
    looked++
    return true
  }
  for (let frame = 0; frame < 400; frame++) {
    stage.tree.onHave(stage.link('b'), idsFrom(1, MAX_LISTED_IDS), stage.now)
  }
  t.ok(looked <= HAVE_RATE + MAX_LISTED_IDS, String(looked))
})

t.test('quick liars do not keep an honest announcer out for long', async (t) => {
  const stage = new TreeStage('abcdefghijk')
  for (const name of 'bcdefghijk') stage.tree.onPrune(stage.link(name))
  let late = 0
  for (let number = 1; number <= 20; number++) {
    // Nine links announce before the honest one does, and deliver nothing.
    for (const name of 'bcdefghij') stage.have(name, number)
    stage.have('k', number)
    const sent = stage.now
    while (!stage.last.get('want k')?.includes(idOf(number)) && stage.now - sent < 8_000) stage.pass(10)
    if (stage.now - sent > 1_000) late++
    stage.bring(number, 'k')
    stage.pass(1_000)
  }
  t.ok(late <= 2, `${late} of 20 messages were late`)
})

t.test('wants without end are bounded', async (t) => {
  const stage = new TreeStage('ab')
  let sent = 0
  stage.supply = (_, ids) => void (sent += ids.length)
  for (let number = 1; number <= 3; number++) stage.bring(number, 'a')
  for (let times = 0; times < 100; times++) stage.want('b', 1, 1, 2, 3)
  t.equal(sent, 3 * MAX_SUPPLIES)
  for (let number = 1; number <= 50_000; number++) stage.known.add(idOf(number))
  for (let first = 1; first < 50_000; first += MAX_LISTED_IDS) {
    stage.tree.onWant(stage.link('b'), idsFrom(first, MAX_LISTED_IDS), stage.now)
  }
  t.ok(sent <= WANT_BURST)
  const before = sent
  stage.pass(1_000)
  for (let first = 1; first < 50_000; first += MAX_LISTED_IDS) {
    stage.tree.onWant(stage.link('b'), idsFrom(first, MAX_LISTED_IDS), stage.now)
  }
  t.ok(sent - before <= WANT_RATE)
})

t.test('a peer that sends the same message again and again is told once a second at most', async (t) => {
  const stage = new TreeStage('abcdef')
  stage.bring(1, 'a')
  for (let times = 0; times < 1_000; times++) {
    stage.bring(1, 'b')
    stage.pass(10)
  }
  const prunes = stage.take().filter((line) => line === 'prune b')
  t.ok(prunes.length <= 10_000 / PRUNE_INTERVAL + 1, String(prunes.length))
})

t.test('prunes and wants by turns cost nobody anything', async (t) => {
  const stage = new TreeStage('abcdef')
  stage.bring(1, 'a')
  for (let times = 0; times < 1_000; times++) {
    stage.tree.onPrune(stage.link('b'))
    stage.want('b', 1)
  }
  t.equal(stage.take().length, MAX_SUPPLIES)
  t.equal(stage.tree.stats.eager, 6)
  t.equal(stage.bring(2, 'a'), 'bcdef')
})

t.test('everybody who wants nothing leaves a node that still learns of everything', async (t) => {
  const stage = new TreeStage('abc')
  for (const name of 'abc') stage.tree.onPrune(stage.link(name))
  t.equal(stage.accept(1), '', 'nothing is sent')
  stage.have('b', 2)
  stage.pass(100)
  t.same(stage.take(), ['want b 1', 'have a 1', 'have b 1', 'have c 1'])
  t.equal(stage.eager, 'b')
})

t.test('answers that come late on purpose do not slow down repairs for good', async (t) => {
  const stage = makeLeaf()
  for (let number = 1; number <= 30; number++) {
    stage.have('b', number)
    stage.pass(5_000)
    stage.bring(number, 'b')
  }
  for (let number = 101; number <= 106; number++) {
    stage.have('c', number)
    while (!stage.last.get('want c')?.includes(idOf(number))) stage.pass(10)
    stage.bring(number, 'c')
  }
  stage.take()
  stage.have('d', 200)
  stage.pass(1_000)
  t.ok(stage.take().includes('want d 1'))
})
