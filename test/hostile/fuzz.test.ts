// Thousands of frames that are random, or almost right, at live nodes. Whatever they are, the node that gets them
// answers with codes that are documented, forgets the sender, and goes on; nothing is thrown, and memory stays.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { encodeExchange, type Exchange } from '../../lib/history/exchange-frame.ts'
import { encodeFind, encodeFound } from '../../lib/lookup/find-frame.ts'
import type { Json } from '../../lib/message/canonical.ts'
import { sha256Hex } from '../../lib/message/digest.ts'
import { encodeParcel } from '../../lib/message/parcel.ts'
import { seal } from '../../lib/seal/sealed.ts'
import type { CloseCode } from '../../lib/wire/close-code.ts'
import { encodeFrame, Kind } from '../../lib/wire/frame.ts'
import { encodeHello } from '../../lib/wire/hello.ts'
import type { MessageId } from '../../lib/wire/ids.ts'
import { Random } from '../../lib/testing/random.ts'
import { bodyWith, forge, genuine } from '../fixtures/documents.ts'
import type { RawPeer, RawPeerOptions } from '../fixtures/raw-peer.ts'
import { Stage, type StageOptions } from '../fixtures/stage.ts'

const SEED = 20_260_101
/** Frames that a connection is given before the attacker tries another one. */
const PATIENCE = 20
/** As a record, so that the compiler sees when one is missing. `none`: reset before anybody could answer. */
const CODES: Record<CloseCode | 'none', true> = {
  'too-large': true,
  'too-deep': true,
  'bad-utf8': true,
  'bad-json': true,
  'not-canonical': true,
  'bad-shape': true,
  'bad-key': true,
  'wrong-net': true,
  'bad-signature': true,
  'forged-author': true,
  'bad-attachment': true,
  goodbye: true,
  lost: true,
  timeout: true,
  'handshake-timeout': true,
  'frame-timeout': true,
  'slow-peer': true,
  duplicate: true,
  'self-connection': true,
  enough: true,
  'bad-record': true,
  unsolicited: true,
  'too-many-connections': true,
  banned: true,
  'wrong-version': true,
  'wrong-mode': true,
  'bad-hello': true,
  'bad-proof': true,
  'identity-mismatch': true,
  'frame-too-large': true,
  'frame-empty': true,
  'unexpected-frame': true,
  'bad-payload': true,
  'bad-question': true,
  'bad-answer': true,
  'bad-lookup': true,
  'bad-history': true,
  'bad-relay': true,
  idle: true,
  closed: true,
  none: true,
}
const IGNORED = [
  'stale',
  'early',
  'expired',
  'before-start',
  'cloned-key',
  'overload',
  'unreadable',
  'invalid-content',
]
/** A victim that keeps a history, and peers that say that they do as well. */
const HISTORY: StageOptions = { victim: { history: { maxAge: 3_600_000 } } }
const HAS_HISTORY: RawPeerOptions = { hello: { caps: ['history'] } }

/** Frames that are right, or right but for their content: what is mutated. */
async function makeCorpus(): Promise<Uint8Array[]> {
  const author = Identity.generate()
  const data = { list: [1, 2.5, 'ü😀', null, true], nested: { a: { b: {} } }, text: 'x'.repeat(200) }
  const documents = [
    (await genuine(author, { data })).bytes,
    (await genuine(author, { data: 'short', type: 'error', to: [author.id], exp: Date.now() + 1_000 })).bytes,
    (await genuine(author, { time: Date.now() - 1_000_000 })).bytes,
    await forge(await bodyWith(author, { v: 2 }), author),
    await forge(null, author),
  ]
  const messages = documents.map((document) => encodeFrame(Kind.message, document))
  const parcels = await makeParcels(author)
  const hello = encodeHello({ mode: 'signed', net: 'default', id: author.id, time: 0, listen: [], caps: [] })
  const text = new TextEncoder().encode('{"a":[1,{"b":"c"}]}')
  return [
    // Most of all: what is read furthest before it is refused.
    ...[...messages, ...messages, ...messages, ...messages],
    ...[...parcels, ...parcels],
    ...makeQuestions(),
    ...makeExchanges(),
    encodeFrame(Kind.late, documents[0]!),
    encodeFrame(Kind.lateParcel, parcels[0]!.subarray(5)),
    encodeFrame(Kind.hello, hello),
    encodeFrame(Kind.proof, new Uint8Array(64)),
    encodeFrame(Kind.welcome, new Uint8Array(0)),
    encodeFrame(Kind.ping, new Uint8Array(8)),
    encodeFrame(Kind.pong, new Uint8Array(8)),
    encodeFrame(Kind.close, new TextEncoder().encode('{"code":"goodbye","text":"bye"}')),
    ...[Kind.text, Kind.json, Kind.bytes, Kind.compressed].map((kind) => encodeFrame(kind, text)),
  ]
}

/** Documents with something beside them: what they name, something else, and a sealed one. */
async function makeParcels(author: Identity): Promise<Uint8Array[]> {
  const bytes = new Random(SEED).bytes(300)
  const named = await genuine(author, { data: 'with bytes', bytes })
  const plain = await genuine(author, { data: 'without' })
  const head = {
    from: author.id,
    net: 'default',
    seq: 1,
    time: Date.now(),
    to: [author.id],
    type: 'x',
    v: 1,
  } as const
  const sealed = seal(head, 'hush', bytes)
  const attachment = sealed.bytes!
  const body = {
    ...head,
    data: sealed.data,
    seal: sealed.seal,
    bytes: { sha256: sha256Hex(attachment), size: attachment.length },
  }
  return [
    { document: named.bytes, attachment: bytes },
    { document: plain.bytes, attachment: bytes },
    { document: await forge(body as unknown as Json, author), attachment },
  ].map((parcel) => encodeFrame(Kind.parcel, encodeParcel(parcel)))
}

/** What is said about temporary links and lookups. */
function makeQuestions(): Uint8Array[] {
  return [
    encodeFrame(Kind.stay, new Uint8Array(0)),
    encodeFrame(Kind.find, encodeFind({ number: 1, place: new Uint8Array(32) })),
    encodeFrame(Kind.found, encodeFound(1, ['{"body":{"a":1},"sig":"00"}', '{"body":{"a":2},"sig":"00"}'])),
  ]
}

/** What is said about the history: each kind of exchange, and of range. */
function makeExchanges(): Uint8Array[] {
  const ids = ['ab', 'cd'].map((byte) => byte.repeat(32) as MessageId)
  const end = (time: number): { time: number; id: string } => ({ time, id: '0102' })
  const now = Date.now()
  const exchanges: Exchange[] = [
    { kind: 'ask', ids },
    { kind: 'served' },
    {
      ...{ kind: 'comparison', isOpener: true, isBusy: false, session: 1, round: 0, floor: 0 },
      items: [
        { kind: 'skip', end: end(now - 50_000) },
        { kind: 'print', end: end(now - 40_000), print: '00'.repeat(16) },
        { kind: 'list', end: end(now - 30_000), ids },
        { kind: 'offer', end: end(now - 20_000), ids },
      ],
    },
  ]
  return exchanges.map((exchange) => encodeFrame(Kind.ranges, encodeExchange(exchange)))
}

/** One frame, or what was one. */
function mutate(random: Random, corpus: readonly Uint8Array[]): Uint8Array {
  const pick = (): Uint8Array => corpus[random.below(corpus.length)]!.slice()
  const frame = pick()
  const at = random.below(frame.length)
  switch (random.below(12)) {
    case 0:
      return random.bytes(1 + random.below(64))
    case 1:
      return encodeFrame(
        random.below(2) === 0 ? frame[4]! : random.below(256),
        random.bytes(random.below(300)),
      )
    case 2:
      frame[at] = random.below(256)
      return frame
    case 3:
      // Somewhere behind the header: the length stays right.
      for (let count = 1 + random.below(5); count > 0; count--) {
        frame[5 + random.below(Math.max(1, frame.length - 5))] = random.below(256)
      }
      return frame
    case 4:
      return frame.subarray(0, at)
    case 5:
      return encodeFrame(frame[4]!, Buffer.concat([frame.subarray(5), random.bytes(1 + random.below(9))]))
    case 6:
      return encodeFrame(frame[4]!, Buffer.concat([frame.subarray(5, 5 + at), pick().subarray(at)]))
    case 7:
    case 8:
    case 9:
      return exchangeDigits(random, frame)
    default:
      return frame
  }
}

/** Other digits where there are some: still canonical JSON, and a document of the right shape. */
function exchangeDigits(random: Random, frame: Uint8Array): Uint8Array {
  for (
    let at = 5 + random.below(Math.max(1, frame.length - 5));
    at < frame.length;
    at += 1 + random.below(200)
  ) {
    const isDigit = frame[at]! >= 0x31 && frame[at]! <= 0x39
    if (isDigit) frame[at] = 0x31 + random.below(9)
  }
  return frame
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void
setFlagsFromString('--no-expose-gc')

function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** Sends frames over one connection after the other: a new one whenever the last was closed. */
async function fuzz(
  t: Test,
  frames: number,
  options: StageOptions,
  isPeer: boolean,
  peerOptions: RawPeerOptions = {},
): Promise<void> {
  const stage = await Stage.start(t, options)
  const random = new Random(SEED)
  const corpus = await makeCorpus()
  const codes = new Map<string, number>()
  let heapBefore = 0
  for (let sent = 0; sent < frames;) {
    const peer = await (isPeer ? stage.attacker(t, peerOptions) : stage.stranger(t, peerOptions))
    const start = sent
    // Also frames that are never finished: after some of them the attacker gives up.
    while (!peer.isClosed && sent < start + PATIENCE) {
      peer.channel.write(mutate(random, corpus))
      sent++
      await new Promise((resolve) => setImmediate(resolve))
    }
    if (!peer.isClosed) peer.channel.destroy()
    await settled(stage, peer)
    codes.set(peer.closeCode, (codes.get(peer.closeCode) ?? 0) + 1)
    if (heapBefore === 0 && sent > frames / 4) heapBefore = heapUsed()
  }
  await stage.isUnharmed(t)
  t.comment(Object.fromEntries(codes), new Set(stage.refused))
  for (const code of codes.keys()) t.ok(Object.hasOwn(CODES, code), code)
  for (const code of stage.refused) if (!(code in CODES || IGNORED.includes(code))) t.fail(code)
  t.equal(stage.victim.allNodes.size, 1, 'only the friend is left')
  t.equal(stage.victim.stats().pending, 0)
  const growth = heapUsed() - heapBefore
  t.ok(growth < 8 * 1_024 * 1_024, `${Math.round(growth / 1_024)} KiB more than after a quarter of it`)
}

/** Resolves when an attacker is gone at both ends. */
async function settled(stage: Stage, peer: RawPeer): Promise<void> {
  await peer.closed()
  while (stage.linkTo(peer) !== undefined || stage.victim.stats().pending > 0) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

t.test('a peer of a SecureNode', (t) => fuzz(t, 2_000, {}, true))
t.test('a peer of one with a history', (t) => fuzz(t, 2_000, HISTORY, true, HAS_HISTORY))
t.test('a visitor of a SecureNode', (t) => fuzz(t, 500, {}, true, { hello: { caps: ['temporary'] } }))
t.test('a stranger to a SecureNode', (t) => fuzz(t, 500, {}, false))
t.test('a peer of a plain Node', (t) => fuzz(t, 500, { kind: 'plain' }, true))
t.test('a stranger to a plain Node', (t) => fuzz(t, 500, { kind: 'plain' }, false))
