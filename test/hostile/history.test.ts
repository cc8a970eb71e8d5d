// Peers that lie about what they hold, ask for everything again and again, or send what nobody asked for.
import t, { type Test } from 'tap'
import {
  type Comparison,
  decodeExchange,
  encodeExchange,
  type Exchange,
} from '../../lib/history/exchange-frame.ts'
import { BEGINNING, END } from '../../lib/history/range.ts'
import { HISTORY_ASK, HISTORY_FRAME_BYTES, HISTORY_ROUNDS } from '../../lib/limits/direct-limits.ts'
import { Random } from '../../lib/testing/random.ts'
import { encodeFrame, framePayload, Kind } from '../../lib/wire/frame.ts'
import { toHex } from '../../lib/wire/hex.ts'
import type { MessageId } from '../../lib/wire/ids.ts'
import { HistoryNet, MIB, NetLink, type NetNode, post } from '../fixtures/history-net.ts'

const MINUTE = 60_000
const random = new Random(7)
const anyId = (): MessageId => toHex(random.bytes(32)) as MessageId

/** A victim with some messages, and a liar at the other end of its link whose part the test plays. */
class Stage {
  readonly net = new HistoryNet(2)
  readonly victim: NetNode
  readonly liar: NetNode
  /** The victim's end. */
  readonly link: NetLink
  readonly heard: Exchange[] = []
  late = 0
  /** What the liar does with each thing it hears. */
  onHear: (exchange: Exchange) => void = () => {}

  constructor(messages = 0) {
    const [victim, liar] = this.net.nodes as [NetNode, NetNode]
    Object.assign(this, { victim, liar })
    this.victim = victim
    this.liar = liar
    for (let at = 0; at < messages; at++)
      victim.take(post(this.net.now - 1_000 * at, `author ${at % 20}`, 1_000))
    const carry = this.net.carry.bind(this.net)
    this.net.carry = (link, frame) => {
      if (link.from !== victim || link.to !== liar) return carry(link, frame)
      link.frames++
      link.bytes += frame.length
      if (frame[4] !== Kind.ranges) {
        this.late++
        return
      }
      const exchange = decodeExchange(framePayload(frame))!
      this.heard.push(exchange)
      this.net.clock.setTimer(() => this.link.isUp && this.onHear(exchange), 5)
    }
    this.link = new NetLink(victim, liar)
    const back = new NetLink(liar, victim)
    this.link.back = back
    back.back = this.link
    victim.links.add(this.link)
    void victim.history.open()
    victim.history.onUp(this.link)
  }

  /** The liar speaks. */
  say(exchange: Exchange): void {
    this.raw(Kind.ranges, encodeExchange(exchange))
  }

  raw(kind: number, payload: Uint8Array): void {
    if (this.link.isUp) this.net.carry(this.link.back, encodeFrame(kind, payload))
  }
}

const comparison = (rest: Partial<Comparison>): Comparison => ({
  kind: 'comparison',
  isOpener: true,
  isBusy: false,
  session: 1,
  round: 0,
  floor: 0,
  items: [],
  ...rest,
})
const print = (): { kind: 'print'; end: typeof END; print: string } => ({
  kind: 'print',
  end: END,
  print: toHex(random.bytes(16)),
})

t.test('what is no exchange ends the link, and nothing else comes of it', async (t) => {
  const good = encodeExchange(comparison({ items: [print()] }))
  const bad: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['an unknown kind', Uint8Array.of(9)],
    ['a comparison without a header', Uint8Array.of(1)],
    ['a comparison cut short', good.subarray(0, -1)],
    ['unknown flags', Uint8Array.of(1, 4, ...good.subarray(2))],
    ['an item of unknown kind', Uint8Array.of(...good.subarray(0, 13), 7, ...good.subarray(14))],
    ['an ID longer than IDs are', Uint8Array.of(...good.subarray(0, 20), 33, ...new Uint8Array(60))],
    ['a frame beyond the limit', new Uint8Array(HISTORY_FRAME_BYTES + 1).fill(1, 0, 1)],
    [
      'a list without its IDs',
      Uint8Array.of(...good.subarray(0, 13), 2, 255, 255, 255, 255, 255, 255, 0, 0, 9),
    ],
    ['an empty question', Uint8Array.of(2)],
    ['half an ID', new Uint8Array(1 + 48).fill(2, 0, 1)],
    ['too many IDs', new Uint8Array(1 + 32 * (HISTORY_ASK + 1)).fill(2, 0, 1)],
    ['more behind "served"', Uint8Array.of(3, 0)],
    ['an answer to no question', Uint8Array.of(3)],
    [
      'ranges that go back',
      encodeExchange(
        comparison({
          items: [
            { kind: 'skip', end: END },
            { kind: 'skip', end: { time: 5, id: '' } },
          ],
        }),
      ),
    ],
    ['a range that is empty', encodeExchange(comparison({ items: [{ kind: 'skip', end: BEGINNING }] }))],
  ]
  for (const [name, payload] of bad) {
    const stage = new Stage(3)
    stage.raw(Kind.ranges, payload)
    await stage.net.pass(10)
    t.strictSame(stage.victim.expelled, ['bad-history'], name)
  }
})

t.test('random bytes, and good frames with random changes, only ever end the link', async (t) => {
  const good = encodeExchange(
    comparison({ items: [{ kind: 'list', end: { time: 9, id: 'ab' }, ids: [anyId()] }, print()] }),
  )
  for (let at = 0; at < 3_000; at++) {
    const bytes = at % 3 === 0 ? random.bytes(random.below(200)) : good.slice()
    if (at % 3 > 0)
      for (let times = 0; times < 3; times++) bytes[random.below(bytes.length)] = random.below(256)
    const read = decodeExchange(bytes)
    if (read !== undefined) t.same(encodeExchange(read), bytes, 'one spelling')
  }
})

t.test('ranges that never agree end after a bounded number of rounds, at both ends', async (t) => {
  const stage = new Stage(500)
  let rounds = 0
  stage.onHear = (exchange) => {
    if (exchange.kind !== 'comparison') return
    rounds++
    const { session, round, isOpener } = exchange
    stage.say(comparison({ isOpener: !isOpener, session, round: round + 1, items: [print()] }))
  }
  stage.say(comparison({ items: [print()] }))
  await stage.net.pass(10_000)
  t.ok(rounds <= HISTORY_ROUNDS + 2, `${rounds} rounds`)
  t.strictSame(stage.victim.expelled, [])
})

t.test('comparisons begun without end are answered at a bounded rate', async (t) => {
  const stage = new Stage(500)
  for (let session = 0; session < 10_000; session++) {
    stage.say(comparison({ session, items: [print()] }))
    if (session % 100 === 0) await stage.net.pass(100)
  }
  await stage.net.pass(100)
  t.ok(stage.heard.length < 20, `${stage.heard.length} answers`)
})

t.test('IDs that nobody has are asked for once, and never in masses', async (t) => {
  const stage = new Stage()
  let asked = 0
  stage.onHear = (exchange) => {
    if (exchange.kind === 'ask') {
      asked += exchange.ids.length
      stage.say({ kind: 'served' })
    } else if (exchange.kind === 'comparison') {
      const { session, round, isOpener } = exchange
      const ids = Array.from({ length: 1_500 }, anyId)
      stage.say(
        comparison({
          isOpener: !isOpener,
          session,
          round: round + 1,
          items: [{ kind: 'offer', end: END, ids }],
        }),
      )
    }
  }
  for (let minute = 0; minute < 60; minute++) {
    stage.say(comparison({ session: minute, items: [print()] }))
    await stage.net.pass(MINUTE)
  }
  t.ok(asked < 60 * 20_000, `${asked} asked`)
  t.ok(stage.link.bytes < 60 * MIB, `${stage.link.bytes} bytes`)
  t.equal(stage.victim.history.stats.fetched, 0)
})

t.test('who promises everything and sends nothing does not keep a node from the others', async (t) => {
  const stage = new Stage()
  const { net, victim } = stage
  const honest = net.add()
  const messages = Array.from({ length: 100 }, (_, at) => post(net.now - 1_000 * at))
  for (const message of messages) honest.take(message)
  stage.onHear = (exchange) => {
    if (exchange.kind !== 'comparison') return
    const { session, round, isOpener } = exchange
    const ids = messages.map(({ id }) => id)
    stage.say(
      comparison({
        isOpener: !isOpener,
        session,
        round: round + 1,
        items: [{ kind: 'offer', end: END, ids }],
      }),
    )
  }
  stage.say(comparison({ items: [{ kind: 'offer', end: END, ids: messages.map(({ id }) => id) }] }))
  await net.pass(50)
  net.connect(victim, honest)
  await net.pass(90_000)
  t.equal(victim.delivered.length, 100)
})

t.test('late messages that nobody asked for are ignored, however many', async (t) => {
  const stage = new Stage()
  for (let at = 0; at < 2_000; at++) stage.raw(Kind.late, post(stage.net.now).parcel)
  await stage.net.pass(100)
  t.equal(stage.victim.late, 0)
  t.equal(stage.victim.history.stats.unsolicited, 2_000)
  t.equal(stage.victim.delivered.length, 0)
})

t.test('no more late messages are taken than were asked for', async (t) => {
  const stage = new Stage()
  stage.onHear = (exchange) => {
    if (exchange.kind !== 'ask') return
    for (let at = 0; at < 50; at++) stage.raw(Kind.late, post(stage.net.now).parcel)
    stage.say({ kind: 'served' })
  }
  stage.say(comparison({ items: [{ kind: 'offer', end: END, ids: [anyId(), anyId()] }] }))
  await stage.net.pass(1_000)
  t.equal(stage.victim.late, 2)
})

async function askForAll(t: Test, stage: Stage, times: number): Promise<void> {
  const ids = [...stage.victim.delivered]
  for (let time = 0; time < times; time++) {
    for (let at = 0; at < ids.length; at += HISTORY_ASK) {
      stage.say({ kind: 'ask', ids: ids.slice(at, at + HISTORY_ASK) })
      const served = (): number => stage.heard.filter(({ kind }) => kind === 'served').length
      const before = served()
      for (let waited = 0; waited < 100 && served() === before; waited++) await stage.net.pass(100)
      t.equal(served(), before + 1)
    }
  }
}

t.test('who asks for everything again and again gets it once in a while', async (t) => {
  const stage = new Stage(1_000)
  await askForAll(t, stage, 10)
  t.ok(stage.late >= 1_000 && stage.late < 2_500, `${stage.late} messages`)
  t.strictSame(stage.victim.expelled, [])
})

t.test('who asks before it was served is sent away', async (t) => {
  const stage = new Stage(1_000)
  const ask = { kind: 'ask', ids: stage.victim.delivered.slice(0, HISTORY_ASK) } as const
  stage.say(ask)
  stage.say(ask)
  await stage.net.pass(100)
  t.strictSame(stage.victim.expelled, ['bad-history'])
})

t.test('asking for what is not there is paced too', async (t) => {
  const stage = new Stage(10)
  let answers = 0
  const ask = (): void => stage.say({ kind: 'ask', ids: Array.from({ length: HISTORY_ASK }, anyId) })
  stage.onHear = (exchange) => {
    if (exchange.kind !== 'served') return
    answers++
    ask()
  }
  ask()
  await stage.net.pass(10_000)
  t.ok(answers <= 330, `${answers} answers in ten seconds`)
})

t.test(
  'a peer that says where its history begins cannot make a node begin nowhere, or everywhere',
  async (t) => {
    for (const floor of [0, 1, 2 ** 48 - 1]) {
      const stage = new Stage(10)
      stage.say(comparison({ floor, items: [print()] }))
      await stage.net.pass(20 * MINUTE)
      t.strictSame(stage.victim.expelled, [])
      t.ok(stage.heard.length < 30)
    }
  },
)

t.test('a flood of one author costs him his own messages, and the IDs stay', async (t) => {
  const net = new HistoryNet()
  const victim = net.add({ maxBytes: MIB })
  const honest = Array.from({ length: 200 }, (_, at) =>
    post(net.now - 10_000_000 - at, `honest ${at % 40}`, 1_000),
  )
  for (const message of honest) victim.take(message)
  const flood = Array.from({ length: 1_200 }, (_, at) => post(net.now - at, 'flood', 2_000))
  for (const message of flood) victim.take(message)
  const { messages, bytes, ids } = victim.history.stats
  t.ok(bytes <= MIB)
  t.equal(ids, 1_400)
  const reader = net.add()
  net.connect(reader, victim)
  await net.pass(20_000)
  t.equal(reader.delivered.length, messages)
  for (const { id } of honest) t.ok(reader.history.has(id))
  t.ok([...honest, ...flood].every(({ id }) => victim.history.has(id)))
})

t.test(
  'a flood of small messages raises the floor, never into the window, and nothing comes twice',
  async (t) => {
    const net = new HistoryNet()
    const victim = net.add({ maxBytes: MIB / 4 })
    const all = Array.from({ length: 3_000 }, (_, at) =>
      post(net.now - 20_000_000 + 5_000 * at, `author ${at}`, 80),
    )
    for (const message of all) victim.take(message)
    const { bytes, ids, floor } = victim.history.stats
    t.ok(bytes <= MIB / 4 && ids <= 512)
    t.ok(floor > net.now - 20_000_000)
    t.equal(victim.delivered.length, 3_000)
    for (const message of all) victim.take(message)
    t.equal(victim.delivered.length, 3_000)
    for (let at = 0; at < 2_000; at++) victim.take(post(net.now - (at % 1_000), `young ${at}`, 80))
    t.ok(victim.history.floor(net.now) <= net.now - 300_000)
    t.equal(victim.delivered.length, 5_000)
  },
)
