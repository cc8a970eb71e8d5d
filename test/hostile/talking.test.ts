// Peers that keep to no rules of requests, temporary links, lookups, the history and attachments, at a node that does
// all of it at once: they are ignored or sent away with a code, and honest traffic goes on.
import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { MAX_ATTACHMENT_BYTES, MAX_FRAME_BYTES } from '../../lib/limits/limits.ts'
import { FIND_BURST } from '../../lib/limits/network-limits.ts'
import { HISTORY_ASK, MAX_INCOMING_PER_ASKER, STREAM_CREDIT } from '../../lib/limits/direct-limits.ts'
import { TEMPORARY_IDLE } from '../../lib/limits/limits.ts'
import { encodeExchange } from '../../lib/history/exchange-frame.ts'
import { encodeFind, encodeFound } from '../../lib/lookup/find-frame.ts'
import type { Json } from '../../lib/message/canonical.ts'
import type { Draft, MessageFields } from '../../lib/message/draft.ts'
import { idOfBytes } from '../../lib/message/message-id.ts'
import { decodeParcel, encodeParcel } from '../../lib/message/parcel.ts'
import type { SecureNodeOptions } from '../../lib/options/options.ts'
import type { SecureNode } from '../../lib/secure-node.ts'
import { Random } from '../../lib/testing/random.ts'
import { Kind } from '../../lib/wire/frame.ts'
import type { MessageId } from '../../lib/wire/ids.ts'
import { bodyWith, bytesOf, forge, genuine, textOf } from '../fixtures/documents.ts'
import type { RawPeer, RawPeerOptions } from '../fixtures/raw-peer.ts'
import { OffsetClock, Stage } from '../fixtures/stage.ts'

const HISTORY = { history: { maxAge: 3_600_000 } }
const CAPS = { hello: { caps: ['history'] } }
const EMPTY = new Uint8Array(0)

interface Scene {
  readonly stage: Stage
  readonly victim: SecureNode
  readonly friend: SecureNode
  /** An attacker; with a history, if the victim has one. */
  attacker(options?: RawPeerOptions): Promise<RawPeer>
}

/** A victim and its friend, both with a history. */
async function scene(t: Test, options: SecureNodeOptions = {}): Promise<Scene> {
  const stage = await Stage.start(t, { victim: { ...HISTORY, ...options }, friend: HISTORY })
  const [victim, friend] = [stage.victim as SecureNode, stage.friend as SecureNode]
  return { stage, victim, friend, attacker: (peer = {}) => stage.attacker(t, { ...CAPS, ...peer }) }
}

/** The friend still talks with the victim in every way. */
async function isWell(t: Test, { stage, victim, friend }: Scene): Promise<void> {
  victim.unhandle('well')
  victim.handle('well', ({ data }) => data)
  const { data } = await friend.request(victim.id, 'well', 'yes')
  t.equal(data, 'yes')
  await stage.isUnharmed(t)
}

const sendDraft = (peer: RawPeer, { bytes: document, attachment }: Draft): void =>
  attachment === undefined
    ? peer.say(Kind.message, document)
    : peer.say(Kind.parcel, encodeParcel({ document, attachment }))

/** Signs a message in the attacker's name and sends it. */
async function speak(peer: RawPeer, fields: Partial<MessageFields>): Promise<Draft> {
  const draft = await genuine(peer.identity, fields)
  sendDraft(peer, draft)
  return draft
}

const ask = (peer: RawPeer, to: string, type: string, fields: Partial<MessageFields> = {}): Promise<Draft> =>
  speak(peer, { op: 'ask', type, to: [to], exp: Date.now() + 20_000, data: { data: 1, want: 0 }, ...fields })

/** What the victim has said to an attacker in requests. */
function wordsTo(peer: RawPeer): { op: string; re: string; id: string; data: Record<string, Json> }[] {
  const payloads = peer.frames.flatMap(({ kind, payload }) =>
    kind === Kind.message ? [payload] : kind === Kind.parcel ? [decodeParcel(payload)!.document] : [],
  )
  return payloads.map((document) => (JSON.parse(textOf(document)) as { body: never }).body)
}

/** A request of the victim that an attacker has got: with the ID that only he should know. */
async function askedBy(victim: SecureNode, peer: RawPeer, stream = false) {
  const parts: unknown[] = []
  const read = async (): Promise<void> => {
    for await (const { data } of victim.requestStream(peer.identity.id, 'add', 1)) parts.push(data)
  }
  const answer: Promise<unknown> = stream ? read() : victim.request(peer.identity.id, 'add', 1)
  answer.catch(() => {})
  const before = peer.frames.length
  await peer.until(() => peer.frames.slice(before).some(({ kind }) => kind === Kind.message))
  const document = peer.frames.findLast(({ kind }) => kind === Kind.message)!.payload
  return { answer, parts, re: idOfBytes(document)! }
}

t.test('requests', async (t) => {
  t.test('answers of others, to guessed or known requests, are none', async (t) => {
    const scenery = await scene(t)
    const { stage, victim, friend } = scenery
    const attacker = await scenery.attacker()
    const asked: string[] = []
    let answer: (value: unknown) => void = () => {}
    friend.handle('add', ({ id }) => {
      asked.push(id)
      stage.tell()
      return new Promise((resolve) => (answer = resolve))
    })
    const request = victim.request(friend.id, 'add', 1)
    await stage.until(() => asked.length === 1)
    for (const re of [
      asked[0]!,
      ...Array.from({ length: 100 }, (_, at) => at.toString(16).padStart(64, '0')),
    ]) {
      for (const [op, data] of [
        ['answer', { data: 'stolen' }],
        ['part', { at: 0, data: 'stolen' }],
        ['fail', { code: 'no', text: 'stolen' }],
        ['end', { at: 0 }],
        ['cancel', {}],
        ['more', { upTo: 9 }],
      ] as const) {
        await speak(attacker, { op, type: 'add', to: [victim.id], re, data })
      }
      await speak(attacker, { op: 'nonsense', type: 'add', to: [victim.id], re, data: 1 })
    }
    await isWell(t, scenery)
    answer('genuine')
    t.match(await request, { data: 'genuine', from: friend.id })
    t.strictSame(stage.shown, [], 'nothing of a request is shown as a message')
    t.strictSame(stage.losses, [])
  })

  t.test('an answer in the name of whoever was asked ends the link', async (t) => {
    const scenery = await scene(t)
    const { victim, friend } = scenery
    const attacker = await scenery.attacker()
    const fields = { op: 'answer', type: 'add', to: [victim.id], re: 'ab'.repeat(32), data: { data: 1 } }
    const body = await bodyWith(attacker.identity, { from: friend.id }, fields)
    attacker.say(Kind.message, await forge(body, attacker.identity))
    t.equal(await attacker.closed(), 'forged-author')
    await isWell(t, scenery)
  })

  t.test('whoever is asked may fail the request, and nothing else', async (t) => {
    const scenery = await scene(t)
    const { victim } = scenery
    const attacker = await scenery.attacker()
    const say = (re: string, op: string, data: unknown): Promise<Draft> =>
      speak(attacker, { op, type: 'add', to: [victim.id], re, data })
    const odd: [op: string, data: unknown][] = [
      ['part', { at: 0, data: 1 }],
      ['end', { at: 0 }],
      ['fail', { code: 'no', text: '\x1b[2J\u202e' }],
    ]
    for (const [op, data] of odd) {
      const { answer, re } = await askedBy(victim, attacker)
      for (const nothing of [null, [], {}, { data: 1, more: 1 }, { at: -1 }]) await say(re, op, nothing)
      await say(re, op, data)
      await t.rejects(answer, { code: 'request-failed' })
      const error = await answer.catch((cause: unknown) => cause as Error)
      t.notMatch((error as Error).message, /[\p{Cc}\p{Cf}]/u)
    }
    const { answer, parts, re } = await askedBy(victim, attacker, true)
    for (let at = 0; at < 2 * STREAM_CREDIT; at++) await say(re, 'part', { at: at * 1_000_000, data: at })
    await t.rejects(answer, { code: 'request-failed' })
    t.ok(parts.length <= STREAM_CREDIT)
    await isWell(t, scenery)
  })

  t.test('a flood of asks has its share of handlers, and others are answered at once', async (t) => {
    const scenery = await scene(t)
    const { victim } = scenery
    const attacker = await scenery.attacker()
    let running = 0
    victim.handle('slow', () => {
      running++
      return new Promise(() => {})
    })
    for (let count = 0; count < 1_000; count++) {
      await ask(attacker, victim.id, count % 2 === 0 ? 'slow' : 'nobody-answers-this')
    }
    await isWell(t, scenery)
    t.equal(running, MAX_INCOMING_PER_ASKER)
    t.ok(
      wordsTo(attacker).every(
        ({ op, data }) => op !== 'fail' || /no-handler|overload/.test(JSON.stringify(data)),
      ),
    )
    t.strictSame(scenery.stage.losses, [])
  })

  t.test('asks that cannot be asks call nobody', async (t) => {
    const scenery = await scene(t)
    const { victim, friend } = scenery
    const attacker = await scenery.attacker()
    let calls = 0
    for (const type of ['add', 'constructor', 'error']) victim.handle(type, () => calls++)
    const odd: Partial<MessageFields>[] = [
      { exp: undefined },
      { to: [victim.id, friend.id] },
      { data: null },
      { data: { data: 1 } },
      { data: { data: 1, want: -1 } },
      { data: { data: 1, want: 0, by: [] } },
      { re: 'ab'.repeat(32) },
    ]
    for (const fields of odd) await ask(attacker, victim.id, 'add', fields)
    for (const type of ['toString', 'hasOwnProperty']) await ask(attacker, victim.id, type)
    await isWell(t, scenery)
    t.equal(calls, 0)
    await ask(attacker, victim.id, 'error')
    await attacker.until(() => wordsTo(attacker).some(({ op }) => op === 'answer'))
    t.equal(calls, 1)
    t.strictSame(scenery.stage.losses, [])
  })

  t.test('a loop of bounces calls each handler once', async (t) => {
    const scenery = await scene(t)
    const { victim } = scenery
    const [asker, other] = [await scenery.attacker(), await scenery.attacker()]
    let calls = 0
    victim.handle('pass', async (incoming) => {
      calls++
      await incoming.bounce(other.identity.id)
    })
    const { id, body, bytes: document } = await ask(asker, victim.id, 'pass')
    const first = await other.frame(Kind.parcel)
    const by = [textOf(decodeParcel(first)!.document)]
    const parcel = encodeParcel({ document, attachment: EMPTY })
    const fields = { op: 'bounce', type: 'pass', re: id, exp: body.exp, bytes: parcel }
    for (let count = 0; count < 200; count++) {
      // With its proof, without it, and as one that the asker has asked for.
      const proof = count % 3 === 0 ? {} : { by }
      await speak(other, { ...fields, to: [victim.id, asker.identity.id], data: { to: victim.id, ...proof } })
      await speak(asker, { ...fields, to: [victim.id, other.identity.id], data: { to: victim.id, ...proof } })
      other.say(Kind.parcel, first)
    }
    await isWell(t, scenery)
    t.equal(calls, 1)
    t.strictSame(scenery.stage.losses, [])
  })
})

t.test('temporary links', async (t) => {
  const temporary = { hello: { caps: ['temporary'] } }

  t.test('by the hundred are nobody’s peers, get nothing that is relayed, and end', async (t) => {
    const clock = new OffsetClock()
    const scenery = await scene(t, { clock, maxConnections: 200 })
    const { stage, victim } = scenery
    const visitors: RawPeer[] = []
    const refusals = new Set<string>()
    for (let count = 0; count < 300; count++) {
      const visitor = await stage.stranger(t, temporary)
      await visitor.shakeHands().then(
        () => visitors.push(visitor),
        () => refusals.add(visitor.closeCode),
      )
    }
    t.strictSame([...refusals], ['too-many-connections'])
    t.ok(visitors.length < 200, `${visitors.length} have come in`)
    t.equal(victim.allNodes.size, 1)
    await isWell(t, scenery)
    t.equal(visitors.filter(({ documents }) => documents.length > 0).length, 0)
    clock.offset += TEMPORARY_IDLE + 1_000
    const ends = new Set(await Promise.all(visitors.map((visitor) => visitor.closed())))
    t.strictSame([...ends], ['idle'])
    // By its clock, what the friend asks now is long over; its messages are not.
    await stage.isUnharmed(t)
    t.strictSame(stage.losses, [], 'no event tells of them')
    t.ok(await stage.attacker(t, temporary), 'there is room again')
  })

  t.test('that are to stay, again and again, become one peer', async (t) => {
    const scenery = await scene(t)
    const { stage, victim } = scenery
    const connected: string[] = []
    victim.on('inboundNodeConnected', ({ id }) => void connected.push(id))
    const visitor = await stage.attacker(t, temporary)
    for (let count = 0; count < 1_000; count++) visitor.say(Kind.stay)
    await stage.until(() => victim.allNodes.size === 2)
    await isWell(t, scenery)
    t.strictSame(connected, [visitor.identity.id])
    visitor.say(Kind.stay, 'and with words that nobody asked for')
    t.equal(await visitor.closed(), 'bad-payload')
    await isWell(t, scenery)
    t.strictSame(stage.losses, ['bad-payload'], 'its end is told once')
  })

  t.test('stay before the handshake is over ends it; among peers it means nothing', async (t) => {
    const scenery = await scene(t)
    const { stage } = scenery
    const stranger = await stage.stranger(t, temporary)
    stranger.say(Kind.stay)
    t.match(await stranger.closed(), /bad-hello|unexpected-frame/)
    const peer = await scenery.attacker()
    peer.say(Kind.stay)
    await isWell(t, scenery)
    t.ok(stage.linkTo(peer)?.isUp)
  })

  t.test('bring messages, which are judged like all others', async (t) => {
    const scenery = await scene(t)
    const { stage } = scenery
    const visitor = await stage.attacker(t, temporary)
    await speak(visitor, { data: 'hello' })
    await stage.until(() => stage.shown.length === 1)
    visitor.say(Kind.message, '{}')
    t.equal(await visitor.closed(), 'bad-shape')
    const back = await stage.stranger(t, { ...temporary, identity: visitor.identity })
    await t.rejects(back.shakeHands(), /banned/, 'and is kept out')
    await isWell(t, scenery)
  })
})

t.test('lookups', async (t) => {
  const random = new Random(3)
  const find = (number: number): Uint8Array => encodeFind({ number, place: random.bytes(32) })

  t.test('a flood of questions is answered as far as its link’s share goes', async (t) => {
    const scenery = await scene(t)
    const attacker = await scenery.attacker()
    for (let number = 0; number < 5_000; number++) attacker.say(Kind.find, find(number))
    await isWell(t, scenery)
    const { length } = attacker.frames.filter(({ kind }) => kind === Kind.found)
    t.ok(length >= FIND_BURST && length < 4 * FIND_BURST, `${length} answers`)
    t.ok(scenery.stage.linkTo(attacker)?.isUp)
  })

  const found = (number: number, list: string): Uint8Array =>
    Buffer.concat([encodeFound(number, []).subarray(0, 4), bytesOf(list)])
  const cases: [name: string, code: string, kind: number, payload: Uint8Array][] = [
    ['a question that is too short', 'bad-lookup', Kind.find, find(1).subarray(1)],
    ['a question that is too long', 'bad-lookup', Kind.find, Buffer.concat([find(1), Uint8Array.of(0)])],
    ['an empty answer', 'bad-lookup', Kind.found, EMPTY],
    ['an answer that is too long', 'bad-lookup', Kind.found, new Uint8Array(60_000)],
    ['an answer to nothing', 'unsolicited', Kind.found, found(1, '[]')],
    ['nonsense to nothing', 'unsolicited', Kind.found, found(0, '[{"body":1}')],
  ]
  for (const [name, code, kind, payload] of cases) {
    t.test(`${name} ends the link: ${code}`, async (t) => {
      const scenery = await scene(t)
      const attacker = await scenery.attacker()
      for (let count = 0; count < 50; count++) attacker.say(kind, payload)
      t.equal(await attacker.closed(), code)
      await isWell(t, scenery)
      t.strictSame(scenery.stage.losses, [code])
    })
  }

  t.test('an answer that lies ends the link of the liar, and the lookup goes on without it', async (t) => {
    const scenery = await scene(t)
    const { stage, victim } = scenery
    const attacker = await scenery.attacker()
    await stage.until(() => stage.linkTo(attacker)?.isUp === true)
    const lookup = victim.lookup(Identity.generate().id, { timeout: 3_000 })
    const question = await attacker.frame(Kind.find)
    const number = new DataView(question.slice().buffer).getUint32(0)
    attacker.say(Kind.found, found(number, '[{"body":{},"sig":"00"}]'))
    t.equal(await attacker.closed(), 'bad-lookup')
    t.match(await lookup, { record: undefined })
    await isWell(t, scenery)
  })
})

t.test('the history', async (t) => {
  const ids = (count: number): MessageId[] =>
    Array.from({ length: count }, (_, at) => at.toString(16).padStart(64, '0') as MessageId)
  const asking = (count: number): Uint8Array => encodeExchange({ kind: 'ask', ids: ids(count) })
  const comparison = (session: number): Uint8Array =>
    encodeExchange({
      kind: 'comparison',
      isOpener: true,
      isBusy: false,
      session,
      round: 0,
      floor: 0,
      items: [{ kind: 'print', end: { time: 2 ** 47, id: '' }, print: '00'.repeat(16) }],
    })
  const cases: [name: string, code: string, kind: number, payload: Uint8Array][] = [
    ['nothing', 'bad-history', Kind.ranges, EMPTY],
    ['an unknown exchange', 'bad-history', Kind.ranges, Uint8Array.of(9)],
    ['random bytes', 'bad-history', Kind.ranges, new Random(1).bytes(500)],
    ['a question for nothing', 'bad-history', Kind.ranges, Uint8Array.of(2)],
    ['a question for too much', 'bad-history', Kind.ranges, asking(HISTORY_ASK + 1)],
    ['the end of what was never asked for', 'bad-history', Kind.ranges, Uint8Array.of(3)],
    ['a second question before the first is served', 'bad-history', Kind.ranges, asking(HISTORY_ASK)],
    ['a comparison that ends in the middle', 'bad-history', Kind.ranges, comparison(1).subarray(0, -1)],
  ]
  for (const [name, code, kind, payload] of cases) {
    t.test(`${name} ends the link`, async (t) => {
      const scenery = await scene(t)
      const attacker = await scenery.attacker()
      for (let count = 0; count < 3; count++) attacker.say(kind, payload)
      t.equal(await attacker.closed(), code)
      await isWell(t, scenery)
    })
  }

  t.test('is nothing that one may speak of without having one, nor to a node that has none', async (t) => {
    for (const [victim, options] of [
      [HISTORY, {}],
      [{ history: undefined }, CAPS],
    ] as const) {
      for (const kind of [Kind.ranges, Kind.late, Kind.lateParcel]) {
        const scenery = await scene(t, victim)
        const attacker = await scenery.stage.attacker(t, options)
        attacker.say(kind, comparison(1))
        t.equal(await attacker.closed(), 'unexpected-frame')
        await isWell(t, scenery)
      }
    }
  })

  t.test('late messages that nobody asked for are nothing, however good they are', async (t) => {
    const scenery = await scene(t)
    const { stage, victim } = scenery
    const attacker = await scenery.attacker()
    const good = await genuine(attacker.identity, { data: 'late', time: Date.now() - 600_000 })
    const parcel = await genuine(attacker.identity, { data: 'late', bytes: new Uint8Array(9) })
    for (let count = 0; count < 1_000; count++) {
      attacker.say(Kind.late, good.bytes)
      attacker.say(Kind.lateParcel, encodeParcel({ document: parcel.bytes, attachment: parcel.attachment! }))
      attacker.say(Kind.late, new Random(count).bytes(50))
    }
    await isWell(t, scenery)
    t.strictSame(stage.shown, [])
    t.strictSame(stage.refused, [])
    t.equal(victim.explain(good.id), undefined)
    t.ok(stage.linkTo(attacker)?.isUp)
  })

  t.test(
    'comparisons without end are answered at a bounded rate, and keep nobody from his own',
    async (t) => {
      const scenery = await scene(t)
      const { stage, friend } = scenery
      const attacker = await scenery.attacker()
      for (let session = 0; session < 2_000; session++) attacker.say(Kind.ranges, comparison(session))
      await isWell(t, scenery)
      const { length } = attacker.frames.filter(({ kind }) => kind === Kind.ranges)
      t.ok(length < 100, `${length} answers`)
      t.ok(stage.linkTo(attacker)?.isUp)
      t.ok(friend.allNodes.size > 0)
    },
  )

  t.test('what was asked for and is a lie ends the link; a request from the past is none', async (t) => {
    const scenery = await scene(t)
    const { stage, victim } = scenery
    let calls = 0
    victim.handle('add', () => calls++)
    const attacker = await scenery.attacker()
    const old = { time: Date.now() - 600_000 }
    const fields = { op: 'ask', type: 'add', to: [victim.id], data: { data: 1, want: 0 } }
    const replayed = await genuine(attacker.identity, { ...old, ...fields, exp: old.time + 1_000 })
    const plain = await genuine(attacker.identity, { ...old, data: 'late' })
    // He says that he has them, and is asked for them.
    const list = [replayed, plain].toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(({ id }) => id)
    const offer = (...items: MessageId[]): Uint8Array =>
      encodeExchange({
        kind: 'comparison',
        isOpener: true,
        isBusy: false,
        session: 7,
        round: 0,
        floor: 0,
        // A list that begins before what the victim accepts would not be asked for.
        items: [
          { kind: 'skip', end: { time: old.time - 1_000, id: '' } },
          { kind: 'list', end: { time: 2 ** 47, id: '' }, ids: items },
        ],
      })
    attacker.say(Kind.ranges, offer(...list))
    await attacker.until(() =>
      attacker.frames.some(({ kind, payload }) => kind === Kind.ranges && payload[0] === 2),
    )
    attacker.say(Kind.late, replayed.bytes)
    attacker.say(Kind.late, plain.bytes)
    attacker.say(Kind.ranges, encodeExchange({ kind: 'served' }))
    await stage.until(() => stage.shown.length === 1)
    t.strictSame(stage.shown, ['late'])
    t.equal(calls, 0)
    t.strictSame(stage.refused, ['stale'])
    await isWell(t, scenery)

    const liar = await scenery.attacker()
    liar.say(Kind.ranges, offer('ab'.repeat(32) as MessageId))
    await liar.until(() => liar.frames.some(({ kind, payload }) => kind === Kind.ranges && payload[0] === 2))
    const forged = await bodyWith(liar.identity, { from: scenery.friend.id, data: 'forged' })
    liar.say(Kind.late, await forge(forged, liar.identity))
    t.equal(await liar.closed(), 'forged-author')
    t.strictSame(stage.shown, ['late'])
    await isWell(t, scenery)
  })
})

t.test('attachments', async (t) => {
  const author = Identity.generate()
  const bytes = new Random(5).bytes(1_000)
  const other = new Random(6).bytes(1_000)
  const withLength = (payload: Uint8Array, length: number): Uint8Array => {
    const copy = payload.slice()
    new DataView(copy.buffer).setUint32(0, length)
    return copy
  }

  t.test('that are not what the document says end the link', async (t) => {
    const draft = await genuine(author, { data: 'a', bytes })
    const bare = await genuine(author, { data: 'b' })
    const { bytes: document } = draft
    const parcel = encodeParcel({ document, attachment: bytes })
    const tooLarge = await bodyWith(author, {
      bytes: { sha256: 'ab'.repeat(32), size: MAX_ATTACHMENT_BYTES + 1 },
    })
    const cases: [name: string, code: string, kind: number, payload: Uint8Array][] = [
      ['nothing', 'bad-attachment', Kind.parcel, EMPTY],
      ['half a length', 'bad-attachment', Kind.parcel, Uint8Array.of(0, 0, 0)],
      ['a length beyond the end', 'bad-attachment', Kind.parcel, withLength(parcel, parcel.length)],
      ['a length of 4 GiB', 'bad-attachment', Kind.parcel, withLength(parcel, 2 ** 32 - 1)],
      ['no document', 'bad-json', Kind.parcel, withLength(parcel, 0)],
      ['half a document', 'bad-json', Kind.parcel, withLength(parcel, 100)],
      ['a document that goes on', 'bad-utf8', Kind.parcel, withLength(parcel, parcel.length - 4)],
      ['no attachment', 'bad-attachment', Kind.message, document],
      ['an empty one', 'bad-attachment', Kind.parcel, encodeParcel({ document, attachment: EMPTY })],
      ['a shorter one', 'bad-attachment', Kind.parcel, parcel.subarray(0, -1)],
      ['a longer one', 'bad-attachment', Kind.parcel, Buffer.concat([parcel, EMPTY, Uint8Array.of(0)])],
      ['another one', 'bad-attachment', Kind.parcel, encodeParcel({ document, attachment: other })],
      [
        'one that is not named',
        'bad-attachment',
        Kind.parcel,
        encodeParcel({ document: bare.bytes, attachment: bytes }),
      ],
      [
        'an empty one that is not named',
        'bad-attachment',
        Kind.parcel,
        encodeParcel({ document: bare.bytes, attachment: EMPTY }),
      ],
      [
        'one that is too large',
        'bad-shape',
        Kind.parcel,
        encodeParcel({ document: await forge(tooLarge, author), attachment: EMPTY }),
      ],
      ['a frame that is too large', 'frame-too-large', Kind.parcel, new Uint8Array(MAX_FRAME_BYTES)],
    ]
    for (const [name, code, kind, payload] of cases) {
      const scenery = await scene(t)
      const attacker = await scenery.attacker()
      attacker.say(kind, payload)
      t.equal(await attacker.closed(), code, name)
      t.strictSame(scenery.stage.losses, [code])
      t.strictSame(scenery.stage.shown, [])
      await isWell(t, scenery)
    }
  })

  t.test(
    'a copy with another attachment, before, after or beside it, does not silence the genuine one',
    async (t) => {
      for (const order of ['before', 'after', 'beside'] as const) {
        const scenery = await scene(t)
        const { stage, victim } = scenery
        const [honest, thief] = [await scenery.attacker(), await scenery.attacker()]
        const draft = await genuine(author, { data: 'with bytes', bytes })
        const got: unknown[] = []
        victim.on('nodeMessage', (_link, data, message) => {
          if (data === 'with bytes') got.push(message.bytes)
        })
        const steal = (): void =>
          thief.say(Kind.parcel, encodeParcel({ document: draft.bytes, attachment: other }))
        if (order !== 'after') steal()
        if (order === 'before') await thief.closed()
        sendDraft(honest, draft)
        await stage.until(() => got.length === 1)
        if (order === 'after') steal()
        await isWell(t, scenery)
        t.strictSame(got, [bytes], order)
        t.ok(stage.linkTo(honest)?.isUp)
        // Afterwards it is a copy of what is known, which nobody looks into.
        if (order !== 'after') t.equal(await thief.closed(), 'bad-attachment')
      }
    },
  )

  t.test(
    'of the largest size, one after the other, are taken from one link, and others are heard',
    async (t) => {
      const scenery = await scene(t)
      const { stage } = scenery
      const attacker = await scenery.attacker()
      const large = new Uint8Array(MAX_ATTACHMENT_BYTES)
      for (let data = 0; data < 20; data++) await speak(attacker, { data, bytes: large })
      await isWell(t, scenery)
      await stage.until(() => stage.shown.length === 20)
      t.strictSame(stage.losses, [])
    },
  )
})
