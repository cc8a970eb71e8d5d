import t from 'tap'
import { defaultEngine, type Engine } from '../../lib/identity/ed25519.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { encodeBatch } from '../../lib/message/batch-frame.ts'
import {
  type BatchedDraft,
  type Draft,
  type MessageFields,
  prepare,
  signTogether,
} from '../../lib/message/draft.ts'
import type { SignedMessage } from '../../lib/message/message.ts'
import { encodeParcel } from '../../lib/message/parcel.ts'
import { isReject, type RejectCode, type VerdictCode } from '../../lib/message/verdict.ts'
import { Relay } from '../../lib/relay/relay.ts'
import type { KeptMessage, Refusal, RelayHistory, RelayOptions } from '../../lib/relay/relay-port.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { encodeFrame, framePayload, Kind } from '../../lib/wire/frame.ts'
import { bodyWith, bytesOf, forge, genuine, textOf, withBrokenSignature } from '../fixtures/documents.ts'
import { eventually, Happenings } from '../fixtures/happenings.ts'

const self = Identity.generate()
const alice = Identity.generate()
const bob = Identity.generate()
const PAST = 300_000
const FUTURE = 60_000

/** Never at once: several copies can be under way. */
const later: Engine = {
  name: 'node',
  signer: (seed) => defaultEngine().signer(seed),
  verify: async (...asked) => defaultEngine().verify(...asked),
}

class Link {
  readonly id: string
  isPaused = false
  isBacklogged = false

  constructor(id: string = Identity.generate().id) {
    this.id = id
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }
}

/** A relay between links that only remember. */
class Bench extends Happenings {
  readonly clock = new ManualClock()
  readonly relay: Relay<Link>
  readonly one = new Link()
  readonly two = new Link()
  readonly three = new Link()
  readonly links = new Set([this.one, this.two, this.three])
  /** Links over which nothing is relayed but what is for the other end. */
  readonly visitors = new Set<Link>()
  readonly writes: { links: readonly Link[]; document: string }[] = []
  /** What was written, byte for byte, as it is by now. */
  readonly frames: Uint8Array[] = []
  readonly delivered: { link: Link; message: SignedMessage }[] = []
  readonly refusals: { link: Link; refusal: Refusal }[] = []
  readonly expelled: { link: Link; code: RejectCode }[] = []
  isBacklogged = false

  constructor(options: Partial<RelayOptions> = {}, history?: RelayHistory) {
    super()
    this.relay = new Relay<Link>(
      {
        self: self.id,
        clock: this.clock,
        history: () => history,
        linkTo: (id) => [...this.visitors].find((link) => link.id === id),
        links: () => this.links,
        isBacklogged: () => this.isBacklogged,
        write: (links, frame) => {
          this.frames.push(frame)
          this.#log(this.writes, { links, document: textOf(framePayload(frame)) })
        },
        deliver: (link, message) => this.#log(this.delivered, { link, message }),
        refuse: (link, refusal) => this.#log(this.refusals, { link, refusal }),
        expel: (link, code) => this.#log(this.expelled, { link, code }),
      },
      {
        net: 'default',
        windowPast: PAST,
        windowFuture: FUTURE,
        maxMessageIds: 1_000,
        maxTraces: 100,
        maxVerifications: 64,
        messageRate: 1_000,
        floodLinks: 4,
        engine: later,
        ...options,
      },
    )
    this.relay.start()
    this.clock.advance(PAST)
  }

  /** A genuine message of this moment. */
  draft(author: Identity, fields: Partial<MessageFields> = {}): ReturnType<typeof genuine> {
    return genuine(author, { time: this.clock.now(), ...fields })
  }

  receive(link: Link, payload: Uint8Array, kind: number = Kind.message): void {
    this.relay.receive(link, { kind, payload })
  }

  /** Brings a document and waits for what comes of it. */
  async bring(link: Link, bytes: Uint8Array): Promise<void> {
    const before = this.#outcomes
    this.receive(link, bytes)
    await this.until(() => this.#outcomes > before)
  }

  /** What every document ends as: one of these. */
  get #outcomes(): number {
    const { duplicates } = this.relay.stats
    const relayedOnly = this.writes.filter(({ links }) => links.length > 0).length
    return this.delivered.length + this.refusals.length + duplicates + relayedOnly
  }

  #log<T>(log: T[], entry: T): void {
    log.push(entry)
    this.tell()
  }
}

t.test('a good message', async (t) => {
  t.test('is delivered, and relayed byte for byte to everybody else', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(alice, { data: { greeting: 'hé' }, type: 'chat' })
    await bench.bring(bench.one, draft.bytes)
    t.match(bench.delivered, [{ link: bench.one, message: { id: draft.id, from: alice.id, type: 'chat' } }])
    t.same(bench.delivered[0]?.message.data, { greeting: 'hé' })
    t.equal(bench.delivered[0]?.message.document, textOf(draft.bytes))
    t.same(bench.writes, [{ links: [bench.two, bench.three], document: textOf(draft.bytes) }])
    t.same(bench.refusals, [])
    t.match(bench.relay.stats, { relayed: 1, duplicates: 0, refused: {}, messageIds: 1 })
  })

  t.test('is written before it is delivered: a handler that answers does not overtake it', async (t) => {
    const bench = new Bench()
    const order: string[] = []
    const { writes, delivered } = bench
    writes.push = (entry) => order.push('write') && Array.prototype.push.call(writes, entry)
    delivered.push = (entry) => order.push('deliver') && Array.prototype.push.call(delivered, entry)
    await bench.bring(bench.one, (await bench.draft(alice)).bytes)
    t.same(order, ['write', 'deliver'])
  })

  t.test('is the same for whoever keeps the buffer it came in', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(alice)
    const buffer = draft.bytes.slice()
    const done = bench.bring(bench.one, buffer)
    buffer.fill(0x20)
    await done
    t.equal(bench.delivered[0]?.message.document, textOf(draft.bytes))
    t.equal(bench.writes[0]?.document, textOf(draft.bytes))
  })

  t.test('is a duplicate ever after, over whatever link', async (t) => {
    const bench = new Bench()
    const { bytes, id } = await bench.draft(alice)
    await bench.bring(bench.one, bytes)
    for (const link of [bench.one, bench.two, bench.three]) bench.receive(link, bytes)
    t.equal(bench.delivered.length, 1)
    t.equal(bench.writes.length, 1)
    t.equal(bench.relay.stats.duplicates, 3)
    t.equal(bench.relay.explain(id)?.duplicates, 3)
    t.same(bench.expelled, [])
  })

  t.test(
    'is a duplicate also when its signature is broken: the ID is known, and nothing more is looked at',
    async (t) => {
      const bench = new Bench()
      const draft = await bench.draft(alice)
      await bench.bring(bench.one, draft.bytes)
      bench.receive(bench.two, withBrokenSignature(draft))
      t.equal(bench.relay.stats.duplicates, 1)
      t.same(bench.refusals, [])
    },
  )

  t.test('that comes over two links at once is delivered once and goes only to the third', async (t) => {
    const bench = new Bench()
    const { bytes } = await bench.draft(alice)
    bench.receive(bench.one, bytes)
    bench.receive(bench.two, bytes)
    await bench.until(() => bench.delivered.length > 0 && bench.relay.stats.duplicates > 0)
    t.equal(bench.delivered.length, 1)
    t.same(bench.writes, [{ links: [bench.three], document: textOf(bytes) }])
  })

  t.test('keeps the order of its link', async (t) => {
    const bench = new Bench()
    const drafts = await Promise.all(Array.from({ length: 50 }, (_, data) => bench.draft(alice, { data })))
    for (const { bytes } of drafts) bench.receive(bench.one, bytes)
    await bench.until(() => bench.delivered.length === 50)
    t.same(
      bench.delivered.map(({ message }) => message.data),
      Array.from({ length: 50 }, (_, data) => data),
    )
  })
})

t.test('addressees', async (t) => {
  t.test('a message for this node among others is delivered and relayed', async (t) => {
    const bench = new Bench()
    const { bytes, id } = await bench.draft(alice, { to: [bob.id, self.id] })
    await bench.bring(bench.one, bytes)
    t.equal(bench.delivered.length, 1)
    t.equal(bench.writes[0]?.links.length, 2)
    t.equal(bench.relay.explain(id)?.verdict, 'delivered')
  })

  t.test('a message for this node alone is delivered and goes no further', async (t) => {
    const bench = new Bench()
    const { bytes, id } = await bench.draft(alice, { to: [self.id] })
    await bench.bring(bench.one, bytes)
    t.equal(bench.delivered.length, 1)
    t.equal(bench.writes.filter(({ links }) => links.length > 0).length, 0)
    t.match(bench.relay.explain(id), { verdict: 'delivered', relays: 0 })
    t.equal(bench.relay.stats.relayed, 0)
  })

  t.test('a message for somebody who visits goes to him, too', async (t) => {
    const bench = new Bench()
    const visitor = new Link(bob.id)
    bench.visitors.add(visitor)
    const [forBob, forAll] = [await bench.draft(alice, { to: [bob.id] }), await bench.draft(alice)]
    await bench.bring(bench.one, forBob.bytes)
    await bench.bring(bench.one, forAll.bytes)
    t.strictSame(
      bench.writes.map(({ links }) => links),
      [
        [bench.two, bench.three, visitor],
        [bench.two, bench.three],
      ],
    )
  })

  t.test('a message for others is relayed and not shown', async (t) => {
    const bench = new Bench()
    const { bytes, id } = await bench.draft(alice, { to: [bob.id] })
    await bench.bring(bench.one, bytes)
    t.equal(bench.delivered.length, 0)
    t.same(bench.writes, [{ links: [bench.two, bench.three], document: textOf(bytes) }])
    t.match(bench.relay.explain(id), { verdict: 'relayed', relays: 2 })
    bench.receive(bench.two, bytes)
    t.equal(bench.relay.stats.duplicates, 1, 'and it is remembered')
  })
})

t.test('every correct node refuses these, so the link that brings one is expelled', async (t) => {
  const bench = new Bench()
  const time = bench.clock.now()
  const draft = await bench.draft(alice)
  const text = textOf(draft.bytes)
  const smallOrder = `01${'00'.repeat(31)}`
  const deep = `${'['.repeat(40)}${']'.repeat(40)}`
  const forged = (members: Record<string, unknown>, signer = alice): Promise<Uint8Array> =>
    bodyWith(alice, members, { time }).then((body) => forge(body, signer))
  const cases: [VerdictCode, string, Uint8Array | Promise<Uint8Array>][] = [
    ['too-large', 'more than 256 KiB', bytesOf(`{"body":"${'x'.repeat(256 * 1_024)}"}`)],
    ['too-deep', 'nested too deep', bytesOf(text.replace('"hello"', deep))],
    [
      'bad-utf8',
      'no UTF-8',
      Uint8Array.of(...draft.bytes.subarray(0, 20), 0xff, ...draft.bytes.subarray(21)),
    ],
    ['bad-json', 'no JSON', draft.bytes.subarray(0, -1)],
    ['bad-json', 'nothing at all', new Uint8Array(0)],
    ['not-canonical', 'a space', bytesOf(text.replace('"data":', '"data": '))],
    ['not-canonical', 'a second spelling of a number', bytesOf(text.replace('"v":1', '"v":1.0'))],
    ['not-canonical', 'a key twice', bytesOf(text.replace('"v":1', '"v":1,"v":1'))],
    ['bad-shape', 'another version', forged({ v: 2 })],
    ['bad-shape', 'a key that is not known', forged({ hops: 1 })],
    ['bad-shape', 'no author', forged({ from: undefined })],
    ['bad-shape', 'a name that begins with a dot', forged({ type: '.hidden' })],
    ['bad-shape', 'an addressee twice', forged({ to: [bob.id, bob.id] })],
    ['bad-shape', 'only a body', bytesOf('{"body":1}')],
    ['bad-shape', 'some other JSON', bytesOf('"hello"')],
    ['bad-key', 'an author whom everybody can sign for', forged({ from: smallOrder })],
    ['bad-key', 'an addressee whom everybody can sign for', forged({ to: [smallOrder] })],
    ['wrong-net', 'another network', genuine(alice, { time, net: 'elsewhere' }).then(({ bytes }) => bytes)],
    ['bad-signature', 'a signature that is not good', withBrokenSignature(draft)],
    ['bad-signature', 'a signature of somebody else', forged({}, bob)],
    ['bad-signature', 'an S that is not below L', bytesOf(text.replace(/[0-9a-f]{2}"\}$/, 'ff"}'))],
  ]
  for (const [code, title, document] of cases) {
    t.test(`${code}: ${title}`, async (t) => {
      const bench = new Bench()
      await bench.bring(bench.one, await document)
      await bench.until(() => bench.expelled.length > 0)
      t.equal(isReject(code), true)
      t.match(bench.refusals, [{ link: bench.one, refusal: { code } }])
      t.same(bench.expelled, [{ link: bench.one, code }])
      t.same(bench.delivered, [])
      t.same(bench.writes, [])
      t.match(bench.relay.stats, { refused: { [code]: 1 }, messageIds: 0, relayed: 0 })
    })
  }

  t.test('forged-author: the peer signed in the name of somebody else', async (t) => {
    const bench = new Bench()
    const link = new Link(bob.id)
    await bench.bring(link, await forged({}, bob))
    await bench.until(() => bench.expelled.length > 0)
    t.match(bench.refusals, [{ link, refusal: { code: 'forged-author', from: alice.id, type: 'message' } }])
    t.same(bench.expelled, [{ link, code: 'forged-author' }])
  })

  t.test('bad-signature: the author itself brings a broken message', async (t) => {
    const bench = new Bench()
    const link = new Link(alice.id)
    await bench.bring(link, withBrokenSignature(draft))
    await bench.until(() => bench.expelled.length > 0)
    t.same(bench.expelled, [{ link, code: 'bad-signature' }])
  })
})

t.test('what is refused without blame', async (t) => {
  const refused = async (bench: Bench, link: Link, bytes: Uint8Array): Promise<VerdictCode | undefined> => {
    await bench.bring(link, bytes)
    return bench.refusals.at(-1)?.refusal.code
  }

  t.test('stale: older than the window, to the millisecond', async (t) => {
    const bench = new Bench()
    const now = bench.clock.now()
    const [tooOld, oldest] = [
      await genuine(alice, { time: now - PAST - 1 }),
      await genuine(alice, { time: now - PAST }),
    ]
    t.equal(await refused(bench, bench.one, tooOld.bytes), 'stale')
    t.match(bench.relay.explain(tooOld.id), { verdict: 'stale', from: alice.id, via: bench.one.id })
    await bench.bring(bench.one, oldest.bytes)
    t.equal(bench.delivered.length, 1)
    t.same(bench.expelled, [])
  })

  t.test('early: further ahead than the window, to the millisecond', async (t) => {
    const bench = new Bench()
    const now = bench.clock.now()
    const [tooEarly, earliest] = [
      await genuine(alice, { time: now + FUTURE + 1 }),
      await genuine(alice, { time: now + FUTURE }),
    ]
    t.equal(await refused(bench, bench.one, tooEarly.bytes), 'early')
    await bench.bring(bench.one, earliest.bytes)
    t.equal(bench.delivered.length, 1)
    bench.clock.advance(1)
    await bench.bring(bench.one, tooEarly.bytes)
    t.equal(bench.delivered.length, 2, 'it was not remembered, so it is good when its time has come')
    t.equal(bench.relay.explain(tooEarly.id)?.verdict, 'delivered')
  })

  t.test('expired: past the end that its author set', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(alice, { exp: bench.clock.now() + 10 })
    bench.clock.advance(10)
    t.equal(await refused(bench, bench.one, draft.bytes), 'expired')
    t.same(bench.expelled, [])
  })

  t.test('before-start: it could be a replay of what an earlier run has delivered', async (t) => {
    const bench = new Bench()
    const before = await bench.draft(alice)
    bench.clock.advance(1_000)
    const after = await bench.draft(alice)
    bench.relay.start()
    t.equal(await refused(bench, bench.one, before.bytes), 'before-start')
    await bench.bring(bench.one, after.bytes)
    t.equal(bench.delivered.length, 1)
  })

  t.test('cloned-key: signed with the key of this node, but not by this node', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(self)
    t.equal(await refused(bench, bench.one, draft.bytes), 'cloned-key')
    t.match(bench.relay.explain(draft.id), { verdict: 'cloned-key', from: self.id })
    t.same(bench.expelled, [])
    t.equal(bench.relay.stats.messageIds, 1, 'it is told once')
  })

  t.test('overload: the cache is full, and nothing in it is given up', async (t) => {
    const bench = new Bench({ maxMessageIds: 4 })
    const drafts = await Promise.all(Array.from({ length: 5 }, () => bench.draft(alice)))
    for (const { bytes } of drafts.slice(0, 4)) await bench.bring(bench.one, bytes)
    // One of three links may hold 2 * 4 / 3 of them.
    t.equal(bench.refusals.length, 1)
    t.equal(await refused(bench, bench.two, drafts[3]!.bytes), 'overload')
    t.equal(await refused(bench, bench.two, drafts[4]!.bytes), 'overload')
    t.equal(bench.relay.explain(drafts[4]!.id)?.verdict, 'overload')
    for (const { bytes } of drafts.slice(0, 3)) bench.receive(bench.two, bytes)
    t.equal(bench.relay.stats.duplicates, 3)
  })

  t.test('overload: a link over its share, while others have room', async (t) => {
    const bench = new Bench({ maxMessageIds: 12 })
    for (let count = 0; count < 8; count++) await bench.bring(bench.one, (await bench.draft(alice)).bytes)
    t.equal(bench.delivered.length, 8)
    const late = await bench.draft(alice)
    t.equal(await refused(bench, bench.one, late.bytes), 'overload')
    await bench.bring(bench.two, late.bytes)
    t.equal(bench.delivered.length, 9, 'another link can still bring it')
    t.equal(bench.relay.explain(late.id)?.verdict, 'delivered')
    t.equal(bench.relay.explain(late.id)?.via, bench.two.id)
  })

  t.test('overload: the cache stays within its limit however many are verified at once', async (t) => {
    const bench = new Bench({ maxMessageIds: 4 })
    bench.links.delete(bench.two)
    bench.links.delete(bench.three)
    const drafts = await Promise.all(Array.from({ length: 20 }, () => bench.draft(alice)))
    for (const { bytes } of drafts) bench.receive(bench.one, bytes)
    await bench.until(() => bench.delivered.length + bench.refusals.length === 20)
    t.equal(bench.relay.stats.messageIds, 4)
    t.equal(bench.delivered.length, 4)
    t.same(bench.relay.stats.refused, { overload: 16 })
  })

  t.test('stale: it became too old while it was being verified', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(alice)
    bench.clock.advance(PAST)
    bench.receive(bench.one, draft.bytes)
    // Its ID would be forgotten with the next message, and the next copy delivered again.
    bench.clock.advance(PAST)
    await bench.until(() => bench.delivered.length + bench.refusals.length > 0)
    t.same(bench.delivered, [])
    t.equal(bench.refusals[0]?.refusal.code, 'stale')
    t.same(bench.expelled, [])
  })

  t.test('refusals are told with what could be read', async (t) => {
    const bench = new Bench()
    const draft = await genuine(alice, { time: bench.clock.now() - PAST - 1, type: 'chat' })
    await bench.bring(bench.one, draft.bytes)
    await bench.bring(bench.two, bytesOf('garbage'))
    t.same(
      bench.refusals.map(({ refusal }) => refusal),
      [
        { code: 'stale', id: draft.id, from: alice.id, type: 'chat' },
        { code: 'bad-json', id: undefined, from: undefined, type: undefined },
      ],
    )
    t.same(bench.relay.stats.refused, { stale: 1, 'bad-json': 1 })
  })
})

t.test('time', async (t) => {
  t.test(
    'an ID lives as long as its message is valid; a replay is a duplicate first and stale then',
    async (t) => {
      const bench = new Bench()
      const { bytes, id } = await bench.draft(alice)
      await bench.bring(bench.one, bytes)
      for (const step of [1, PAST / 2, PAST / 2 - 2, 1]) {
        bench.clock.advance(step)
        bench.receive(bench.two, bytes)
      }
      t.equal(bench.relay.stats.duplicates, 4)
      for (const step of [1, PAST / 16, PAST]) {
        bench.clock.advance(step)
        await bench.bring(bench.two, bytes)
      }
      t.equal(bench.delivered.length, 1)
      t.equal(bench.relay.stats.messageIds, 0)
      t.match(
        bench.relay.explain(id),
        { verdict: 'delivered', relays: 2 },
        'a replay does not rewrite history',
      )
    },
  )

  t.test('a clock that is set back opens no door for a replay', async (t) => {
    const bench = new Bench()
    let offset = 0
    const now = bench.clock.now.bind(bench.clock)
    bench.clock.now = () => now() + offset
    const { bytes } = await bench.draft(alice)
    await bench.bring(bench.one, bytes)
    bench.clock.advance(2 * PAST)
    await bench.bring(bench.one, (await bench.draft(alice)).bytes)
    t.equal(bench.relay.stats.messageIds, 1, 'the first one is forgotten')
    offset = -2 * PAST
    await bench.bring(bench.two, bytes)
    t.equal(bench.delivered.length, 2)
    t.equal(bench.refusals[0]?.refusal.code, 'stale')
  })
})

t.test('copies that disagree', async (t) => {
  t.test('a broken copy that comes first does not silence the genuine one', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(alice)
    await bench.bring(bench.one, withBrokenSignature(draft))
    await bench.until(() => bench.expelled.length > 0)
    await bench.bring(bench.two, draft.bytes)
    t.match(bench.delivered, [{ link: bench.two, message: { id: draft.id } }])
    t.same(bench.expelled, [{ link: bench.one, code: 'bad-signature' }])
    t.match(bench.relay.explain(draft.id), { verdict: 'delivered', via: bench.two.id })
  })

  for (const [title, isBrokenFirst] of [
    ['first', true],
    ['second', false],
  ] as const) {
    t.test(`two at once, the broken one ${title}: the genuine one is delivered and not echoed`, async (t) => {
      const bench = new Bench()
      const draft = await bench.draft(alice)
      const copies: [Link, Uint8Array][] = [
        [bench.one, withBrokenSignature(draft)],
        [bench.two, draft.bytes],
      ]
      if (!isBrokenFirst) copies.reverse()
      for (const [link, bytes] of copies) bench.receive(link, bytes)
      await bench.until(() => bench.expelled.length > 0 && bench.delivered.length > 0)
      t.match(bench.delivered, [{ link: bench.two, message: { id: draft.id } }])
      t.same(bench.expelled, [{ link: bench.one, code: 'bad-signature' }])
      t.equal(bench.writes.length, 1)
      t.notOk(bench.writes[0]?.links.includes(bench.two), 'who brought it does not get it back')
      t.ok(bench.writes[0]?.links.includes(bench.three))
      t.equal(bench.relay.explain(draft.id)?.verdict, 'delivered')
    })
  }

  t.test('a copy over a link that is caught cheating does not send others an echo', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(alice)
    bench.receive(bench.one, draft.bytes)
    bench.receive(bench.two, draft.bytes)
    bench.receive(bench.one, bytesOf('garbage'))
    await bench.until(() => bench.delivered.length > 0)
    t.match(bench.delivered, [{ link: bench.two }], 'what the cheat brought is not concluded')
    t.notOk(bench.writes[0]?.links.includes(bench.two))
    t.same(bench.expelled, [{ link: bench.one, code: 'bad-json' }])
  })
})

t.test('a link that is caught', async (t) => {
  t.test('is expelled once, and nothing that came behind is shown', async (t) => {
    const bench = new Bench()
    const good = await Promise.all(Array.from({ length: 4 }, (_, data) => bench.draft(alice, { data })))
    const broken = await Promise.all([bench.draft(alice), bench.draft(alice)])
    bench.receive(bench.one, good[0]!.bytes)
    for (const draft of broken) bench.receive(bench.one, withBrokenSignature(draft))
    bench.receive(bench.one, good[1]!.bytes)
    bench.receive(bench.two, good[2]!.bytes)
    await bench.until(() => bench.expelled.length > 0 && bench.delivered.length === 2)
    bench.receive(bench.one, good[3]!.bytes)
    await bench.bring(bench.two, (await bench.draft(alice, { data: 'last' })).bytes)
    t.same(bench.delivered.map(({ message }) => message.data).sort(), [0, 2, 'last'])
    t.equal(bench.expelled.length, 1)
    t.same(bench.relay.stats.refused, { 'bad-signature': 1 })
  })

  t.test('what it brought and others bring too is delivered through them', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(alice)
    bench.receive(bench.one, draft.bytes)
    bench.receive(bench.one, bytesOf('garbage'))
    await bench.bring(bench.two, draft.bytes)
    t.match(bench.delivered, [{ link: bench.two }])
    t.same(bench.writes, [{ links: [bench.one, bench.three], document: textOf(draft.bytes) }])
  })
})

t.test('messages of its own', async (t) => {
  t.test('go to the links that are named, and their echo is a duplicate', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(self, { type: 'chat' })
    bench.relay.send(draft, [bench.one, bench.two])
    t.same(bench.writes, [{ links: [bench.one, bench.two], document: textOf(draft.bytes) }])
    bench.receive(bench.one, draft.bytes)
    t.same(bench.delivered, [])
    t.same(bench.refusals, [])
    t.match(bench.relay.explain(draft.id), {
      verdict: 'sent',
      via: self.id,
      from: self.id,
      type: 'chat',
      firstSeen: bench.clock.now(),
      relayedTo: [bench.one.id, bench.two.id],
      relays: 2,
      duplicates: 1,
    })
    t.match(bench.relay.stats, { relayed: 0, duplicates: 1, refused: {}, messageIds: 1 })
  })

  t.test('need room in the cache, which time makes again', async (t) => {
    const bench = new Bench({ maxMessageIds: 2 })
    for (let count = 0; count < 2; count++) {
      t.equal(bench.relay.hasRoom, true)
      bench.relay.send(await bench.draft(self), [])
    }
    t.equal(bench.relay.hasRoom, false)
    bench.clock.advance(2 * PAST)
    t.equal(bench.relay.hasRoom, true)
  })
})

t.test('the rate of a link, and what piles up, slow it down', async (t) => {
  t.test('a link that is too fast is read more slowly, and nothing is lost', async (t) => {
    const bench = new Bench({ messageRate: 10 })
    const drafts = await Promise.all(Array.from({ length: 12 }, () => bench.draft(alice)))
    for (const { bytes } of drafts) bench.receive(bench.one, bytes)
    t.equal(bench.one.isPaused, true)
    await bench.until(() => bench.delivered.length === 10)
    bench.clock.advance(200)
    await bench.until(() => bench.delivered.length === 12)
    t.equal(bench.one.isPaused, false)
  })

  t.test('while most peers are behind, links are read again when those have read', async (t) => {
    const bench = new Bench()
    bench.isBacklogged = true
    const text = 'x'.repeat(40_000)
    for (let n = 0; n < 3; n++) bench.receive(bench.one, (await bench.draft(alice, { data: text })).bytes)
    t.equal(bench.one.isPaused, true)
    bench.isBacklogged = false
    bench.relay.wake()
    t.equal(bench.one.isPaused, false)
    await bench.until(() => bench.delivered.length === 3)
  })
})

t.test('an attachment', async (t) => {
  const bytes = Uint8Array.of(1, 2, 3)
  const parcelOf = (draft: Draft, attachment = draft.attachment!): Uint8Array =>
    encodeParcel({ document: draft.bytes, attachment })

  t.test('is delivered with its message, and relayed with it', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(alice, { bytes })
    bench.receive(bench.one, parcelOf(draft), Kind.parcel)
    await bench.until(() => bench.delivered.length > 0)
    t.strictSame(bench.delivered[0]!.message.bytes, bytes)
    t.strictSame(bench.writes, [{ links: [bench.two, bench.three], document: textOf(parcelOf(draft)) }])
  })

  t.test('of this node goes out in a parcel', async (t) => {
    const bench = new Bench()
    const draft = await bench.draft(self, { bytes })
    bench.relay.send(draft, [bench.one])
    t.strictSame(bench.writes, [{ links: [bench.one], document: textOf(parcelOf(draft)) }])
  })

  t.test('that is another, or missing, or not asked for, costs the link that brought it', async (t) => {
    const other = Uint8Array.of(1, 2, 4)
    const cases: [string, (draft: Draft) => [Uint8Array, number]][] = [
      ['others of the same length', (draft) => [parcelOf(draft, other), Kind.parcel]],
      ['fewer', (draft) => [parcelOf(draft, bytes.subarray(1)), Kind.parcel]],
      ['none in a parcel', (draft) => [parcelOf(draft, new Uint8Array(0)), Kind.parcel]],
      ['none', (draft) => [draft.bytes, Kind.message]],
      ['a parcel that is cut', (draft) => [parcelOf(draft).subarray(0, 20), Kind.parcel]],
      ['no parcel', () => [Uint8Array.of(0, 1), Kind.parcel]],
    ]
    for (const [title, make] of cases) {
      const bench = new Bench()
      const draft = await bench.draft(alice, { bytes })
      const [payload, kind] = make(draft)
      bench.receive(bench.one, payload, kind)
      await bench.until(() => bench.expelled.length > 0)
      t.strictSame(bench.expelled, [{ link: bench.one, code: 'bad-attachment' }], title)
      bench.receive(bench.two, parcelOf(draft), Kind.parcel)
      await bench.until(() => bench.delivered.length > 0)
      t.strictSame(bench.delivered[0]!.message.bytes, bytes, 'and the genuine one comes through')
    }
    const bench = new Bench()
    const plain = await bench.draft(alice)
    bench.receive(bench.one, parcelOf(plain, bytes), Kind.parcel)
    await bench.until(() => bench.expelled.length > 0)
    t.equal(bench.expelled[0]!.code, 'bad-attachment', 'one that the document does not name')
  })

  t.test(
    'that is broken and comes first, in the same moment, does not silence the genuine one',
    async (t) => {
      const bench = new Bench()
      const draft = await bench.draft(alice, { bytes })
      bench.receive(bench.one, parcelOf(draft, Uint8Array.of(9, 9, 9)), Kind.parcel)
      bench.receive(bench.two, parcelOf(draft), Kind.parcel)
      await bench.until(() => bench.expelled.length > 0 && bench.delivered.length > 0)
      t.strictSame(bench.delivered[0]!.message.bytes, bytes)
    },
  )
})

t.test('a history', async (t) => {
  /** One that remembers IDs. */
  const makeHistory = (
    floor: number,
  ): RelayHistory & { kept: (KeptMessage & { needsDelivery: boolean })[] } => {
    const kept: (KeptMessage & { needsDelivery: boolean })[] = []
    return {
      kept,
      floor: () => floor,
      has: (id) => kept.some((message) => message.id === id),
      add: (message, needsDelivery) => void kept.push({ ...message, needsDelivery }),
    }
  }

  t.test('keeps what is accepted and what is sent, but no requests', async (t) => {
    const history = makeHistory(0)
    const bench = new Bench({}, history)
    const mine = await bench.draft(self, { data: 1 })
    bench.relay.send(mine, [bench.one])
    const [plain, foreign, ask] = await Promise.all([
      bench.draft(alice, { bytes: Uint8Array.of(1) }),
      bench.draft(alice, { to: [bob.id] }),
      bench.draft(alice, { to: [self.id], op: 'ask' }),
    ])
    bench.receive(
      bench.one,
      encodeParcel({ document: plain.bytes, attachment: plain.attachment! }),
      Kind.parcel,
    )
    bench.receive(bench.one, foreign.bytes)
    bench.receive(bench.one, ask.bytes)
    await bench.until(() => bench.delivered.length === 2)
    t.match(history.kept, [
      { id: mine.id, needsDelivery: false, hasAttachment: false },
      { id: plain.id, needsDelivery: true, hasAttachment: true, from: alice.id },
      { id: foreign.id, needsDelivery: false },
    ])
    t.equal(history.kept.length, 3)
  })

  t.test(
    'and the other nodes get an attachment as it came, whatever the application does with it',
    async (t) => {
      const history = makeHistory(0)
      const bench = new Bench({}, history)
      const { bytes: document, attachment } = await bench.draft(alice, { bytes: Uint8Array.of(1, 2, 3) })
      const parcel = encodeParcel({ document, attachment: attachment! })
      bench.receive(bench.one, parcel, Kind.parcel)
      await bench.until(() => bench.delivered.length > 0)
      bench.delivered[0]!.message.bytes!.fill(9)
      t.strictSame(bench.frames, [encodeFrame(Kind.parcel, parcel)])
      t.strictSame(history.kept[0]!.parcel, parcel)
    },
  )

  t.test('lets in what is older than the window, marked as late, and relays it to nobody', async (t) => {
    const bench = new Bench({}, makeHistory(0))
    const time = bench.clock.now() - 10 * PAST
    const draft = await bench.draft(alice, { time })
    bench.receive(bench.one, draft.bytes, Kind.late)
    await bench.until(() => bench.delivered.length > 0)
    t.match(bench.delivered, [{ message: { id: draft.id, late: true } }])
    t.strictSame(
      bench.writes.filter(({ links }) => links.length > 0),
      [],
    )
    for (const kind of [Kind.late, Kind.message]) bench.receive(bench.two, draft.bytes, kind)
    t.equal(bench.relay.stats.duplicates, 2, 'once, whichever way it comes again')
  })

  t.test('is no way round the window for what is live, nor for what is behind its floor', async (t) => {
    const bench = new Bench()
    const floor = bench.clock.now() - 2 * PAST
    const limited = new Bench({}, makeHistory(floor))
    const old = await bench.draft(alice, { time: floor + 1 })
    limited.receive(limited.one, old.bytes)
    t.equal(limited.refusals[0]?.refusal.code, 'stale')
    const older = await bench.draft(alice, { time: floor - 1 })
    limited.receive(limited.one, older.bytes, Kind.late)
    t.equal(limited.refusals[1]?.refusal.code, 'stale')
    const early = await bench.draft(alice, { time: bench.clock.now() + FUTURE + 1 })
    limited.receive(limited.one, early.bytes, Kind.late)
    t.equal(limited.refusals[2]?.refusal.code, 'early')
    t.strictSame(limited.expelled, [])
  })

  t.test('tells a node what it has said itself: it is kept, and not shown', async (t) => {
    const history = makeHistory(0)
    const bench = new Bench({}, history)
    const mine = await bench.draft(self)
    bench.receive(bench.one, mine.bytes, Kind.late)
    await eventually(() => history.kept.length > 0)
    t.match(history.kept, [{ id: mine.id, needsDelivery: false }])
    t.strictSame([bench.delivered, bench.refusals], [[], []])
  })

  t.test(
    'knows what an earlier run has had, so that what was signed before the start may come',
    async (t) => {
      const history = makeHistory(0)
      const clock = new ManualClock()
      const bench = new Bench({}, history)
      t.ok(clock.now() <= bench.clock.now())
      bench.relay.start()
      const before = await bench.draft(alice, { time: bench.clock.now() - 1_000 })
      await bench.bring(bench.one, before.bytes)
      t.equal(bench.delivered.length, 1)
      const fresh = new Bench({}, makeHistory(bench.clock.now() - 500))
      fresh.relay.start()
      fresh.receive(fresh.one, before.bytes)
      t.equal(fresh.refusals[0]?.refusal.code, 'before-start', 'but not what it may have forgotten')
    },
  )

  t.test('of a peer brings no forgeries', async (t) => {
    const bench = new Bench({}, makeHistory(0))
    const draft = await bench.draft(alice, { time: bench.clock.now() - 2 * PAST })
    bench.receive(bench.one, withBrokenSignature(draft), Kind.late)
    await bench.until(() => bench.expelled.length > 0)
    t.match(bench.expelled, [{ link: bench.one, code: 'bad-signature' }])
  })

  t.test('hands out again what was being delivered when the process was killed', async (t) => {
    const bench = new Bench({}, makeHistory(0))
    const draft = await bench.draft(alice, { time: bench.clock.now() - 2 * PAST })
    await bench.relay.redeliver(bench.one, { parcel: draft.bytes, hasAttachment: false })
    t.match(bench.delivered, [{ link: bench.one, message: { id: draft.id, late: true, redelivered: true } }])
    await bench.relay.redeliver(bench.one, { parcel: withBrokenSignature(draft), hasAttachment: false })
    t.equal(bench.delivered.length, 1, 'a damaged one is nothing')
  })
})

t.test('content that is nothing for the application is told, and the link is not blamed', async (t) => {
  const bench = new Bench()
  const draft = await bench.draft(alice)
  await bench.bring(bench.one, draft.bytes)
  bench.relay.refuseContent(
    bench.one,
    bench.delivered[0]!.message,
    'invalid-content',
    'text: expected a string',
  )
  t.match(bench.refusals, [
    { refusal: { code: 'invalid-content', id: draft.id, text: 'text: expected a string' } },
  ])
  t.match(bench.relay.explain(draft.id), { verdict: 'invalid-content', relays: 2 })
  t.strictSame(bench.relay.stats.refused, { 'invalid-content': 1 })
  t.strictSame(bench.expelled, [])
})

t.test('messages that were signed together', async (t) => {
  const some = (bench: Bench, count: number, author = alice): Promise<BatchedDraft[]> => {
    const time = bench.clock.now()
    const messages = Array.from({ length: count }, (_, data) => prepare({ data, time }, author))
    return signTogether(messages, author)
  }
  const payloadOf = (drafts: readonly BatchedDraft[]): Uint8Array => {
    const { batch } = drafts[0]!.place
    const bodies = batch.ids.map((id) => drafts.find((draft) => draft.id === id)?.bodyBytes)
    return encodeBatch({ batch, bodies })
  }
  const framesOf = ({ frames }: Bench): number[] => frames.map((frame) => frame[4]!)

  t.test('are delivered in order, and go on in one frame', async (t) => {
    const bench = new Bench()
    const drafts = await some(bench, 10)
    const payload = payloadOf(drafts)
    bench.receive(bench.one, payload, Kind.batch)
    await bench.until(() => bench.delivered.length === 10 && bench.frames.length > 0)
    t.same(
      bench.delivered.map(({ message }) => message.id),
      drafts.map(({ id }) => id),
    )
    for (const [index, { message }] of bench.delivered.entries()) {
      t.equal(message.document, textOf(drafts[index]!.bytes))
    }
    // A first one may have been verified before the others were looked at.
    const last = bench.frames.at(-1)!
    t.equal(last[4], Kind.batch)
    t.ok(bench.frames.length <= 2)
    t.same(
      bench.writes.map(({ links }) => links),
      bench.frames.map(() => [bench.two, bench.three]),
    )
    t.equal(bench.relay.stats.relayed, 10)
  })

  t.test('are not changed by whoever keeps the buffer', async (t) => {
    const bench = new Bench()
    const drafts = await some(bench, 4)
    const payload = payloadOf(drafts)
    bench.receive(bench.one, payload, Kind.batch)
    payload.fill(0)
    await bench.until(() => bench.delivered.length === 4)
    t.same(bench.expelled, [])
  })

  t.test('go on without those that were here before', async (t) => {
    const bench = new Bench()
    const drafts = await some(bench, 4)
    await bench.bring(bench.two, drafts[1]!.bytes)
    bench.receive(bench.one, payloadOf(drafts), Kind.batch)
    await bench.until(() => bench.delivered.length === 4)
    t.equal(bench.relay.stats.duplicates, 1)
    t.same(
      bench.delivered.map(({ message }) => message.data),
      [1, 0, 2, 3],
    )
  })

  t.test('of this node leave in one frame', async (t) => {
    const bench = new Bench()
    const drafts = await some(bench, 5, self)
    for (const draft of drafts) void bench.relay.send(draft, [bench.one, bench.two])
    await bench.until(() => bench.frames.length > 0)
    t.same(framesOf(bench), [Kind.batch])
    t.same(framePayload(bench.frames[0]!), payloadOf(drafts))
  })

  t.test('end the link where one of them is forged, and the author is not blamed', async (t) => {
    const bench = new Bench()
    const [mine, theirs] = [await some(bench, 2), await some(bench, 2, bob)]
    const { batch } = mine[0]!.place
    const other = { batch, bodies: [mine[0]!.bodyBytes, theirs[1]!.bodyBytes] }
    bench.receive(bench.one, encodeBatch(other), Kind.batch)
    await bench.until(() => bench.expelled.length > 0)
    t.match(bench.expelled, [{ link: bench.one, code: 'bad-signature' }])
    t.same(bench.delivered, [])
    bench.receive(bench.two, payloadOf(mine), Kind.batch)
    await bench.until(() => bench.delivered.length === 2)
    t.equal(bench.expelled.length, 1, 'who brings them as they are is heard')
  })

  t.test('that are no frame end the link', (t) => {
    const bench = new Bench()
    bench.receive(bench.one, new Uint8Array(66), Kind.batch)
    t.match(bench.expelled, [{ link: bench.one, code: 'bad-shape' }])
    t.end()
  })

  t.test('are explained one by one', async (t) => {
    const bench = new Bench()
    const drafts = await some(bench, 3)
    bench.receive(bench.one, payloadOf(drafts), Kind.batch)
    await bench.until(() => bench.delivered.length === 3)
    for (const { id } of drafts)
      t.match(bench.relay.explain(id), { verdict: 'delivered', via: bench.one.id, relays: 2 })
  })

  t.test('are kept as documents', async (t) => {
    const kept: KeptMessage[] = []
    const history: RelayHistory = {
      has: (id) => kept.some((one) => one.id === id),
      floor: () => 0,
      add: (message) => {
        kept.push(message)
        return Promise.resolve()
      },
    }
    const bench = new Bench({}, history)
    const drafts = await some(bench, 3)
    bench.receive(bench.one, payloadOf(drafts), Kind.batch)
    await bench.until(() => bench.delivered.length === 3)
    t.same(
      kept.map(({ parcel }) => textOf(parcel)),
      drafts.map(({ bytes }) => textOf(bytes)),
    )
    const reborn = new Bench()
    await reborn.relay.redeliver(reborn.one, { parcel: kept[1]!.parcel, hasAttachment: false })
    t.match(reborn.delivered, [{ message: { id: drafts[1]!.id, redelivered: true } }])
  })
})
