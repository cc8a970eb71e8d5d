import { readFileSync, writeFileSync } from 'node:fs'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t, { type Test } from 'tap'
import { Handshake } from '../../lib/connections/handshake.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { engine, type EngineName, verifySignature } from '../../lib/identity/ed25519.ts'
import { MAX_FRAME_BYTES, MAX_HELLO_BYTES } from '../../lib/limits/limits.ts'
import { MAX_RECORD_BYTES, MAX_RECORDS_PER_ANSWER } from '../../lib/limits/network-limits.ts'
import { decodeExchange } from '../../lib/history/exchange-frame.ts'
import { decodeFind, decodeFound } from '../../lib/lookup/find-frame.ts'
import { judgeTime, openMessage, verifyDraft } from '../../lib/message/message.ts'
import { decodeParcel } from '../../lib/message/parcel.ts'
import { readStatement, readStatements } from '../../lib/message/statement.ts'
import { isGenuineAnswer, readAnswer } from '../../lib/discovery/answer.ts'
import { readRecord, verifyRecord } from '../../lib/book/peer-record.ts'
import { isGenuineQuestion, readQuestion } from '../../lib/discovery/question.ts'
import { entriesOf, readIncoming } from '../../lib/relay/incoming.ts'
import { SecureNode } from '../../lib/secure-node.ts'
import { MemoryNetwork } from '../../lib/transport/memory.ts'
import { formatAddress } from '../../lib/wire/address.ts'
import { readCloseReason } from '../../lib/wire/close-code.ts'
import { encodeFrame, type Frame, FrameDecoder, Kind } from '../../lib/wire/frame.ts'
import { decodeHello, encodeHello, proofBytes, type Role } from '../../lib/wire/hello.ts'
import type { NodeId } from '../../lib/wire/ids.ts'
import { decodePayload, encodePayload, type PlainData } from '../../lib/wire/payload.ts'
import {
  COMPRESSED_TEXT,
  type FrameFile,
  type WrittenHandshake,
  writeFrameFile,
} from '../fixtures/frame-file.ts'
import { ALICE, type Author, BOB, NET } from '../fixtures/hand-signed.ts'
import { RawPeer } from '../fixtures/raw-peer.ts'

const FILE = new URL('../vectors/frames.json', import.meta.url)
// To write the file anew after a change: UPDATE_VECTORS=1 npx tap run test/unit/frame-vectors.test.ts
if (process.env.UPDATE_VECTORS !== undefined) writeFileSync(FILE, writeFrameFile())
const TEXT = readFileSync(FILE, 'utf8')
const { kinds, frames, batches, handshakes, goodHellos, badFrames, badHellos, ...bad } = JSON.parse(
  TEXT,
) as FrameFile

const frameNamed = (name: string): Frame => {
  const { kind, payload } = frames.find((frame) => frame.name === name)!
  return { kind, payload: hexToBytes(payload) }
}
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

t.test('the file is the one that the fixtures make', (t) => {
  t.equal(TEXT, writeFrameFile())
  t.same(kinds, Kind, 'every kind is in it, and no other')
  const used = new Set([...frames.map(({ kind }) => kind), Kind.hello, Kind.proof])
  t.same(used, new Set(Object.values(Kind)), 'each is shown')
  t.end()
})

t.test('frames are encoded as they are written, and decoded, whole or byte by byte', (t) => {
  for (const { name, kind, payload, frame } of frames) {
    t.equal(bytesToHex(encodeFrame(kind, hexToBytes(payload))), frame, name)
    for (const step of [1, 7, 1_000]) {
      const found: string[] = []
      const decoder = new FrameDecoder(MAX_FRAME_BYTES)
      const bytes = hexToBytes(frame)
      for (let at = 0; at < bytes.length; at += step) {
        const fault = decoder.push(bytes.subarray(at, at + step), (one) => {
          found.push(`${one.kind} ${bytesToHex(one.payload)}`)
        })
        t.equal(fault, undefined)
      }
      t.same(found, [`${kind} ${payload}`], `${name}, in steps of ${step}`)
    }
  }
  t.end()
})

t.test('frames that are none end with their codes', (t) => {
  for (const { name, limit, bytes, code } of badFrames) {
    t.equal(
      new FrameDecoder(limit).push(hexToBytes(bytes), () => {}),
      code,
      name,
    )
  }
  const limits = new Set(badFrames.map(({ limit }) => limit))
  t.same(limits, new Set([MAX_HELLO_BYTES, MAX_FRAME_BYTES]))
  t.end()
})

t.test('payloads of unsigned links are what is written', (t) => {
  const cases: [string, PlainData, boolean][] = [
    ['text', 'hello, wörld', true],
    ['text without a character', '', true],
    ['json', { list: [1, 2.5, null], ok: true }, true],
    ['bytes', Uint8Array.of(0, 255, 16), true],
    ['text, deflated', COMPRESSED_TEXT, false],
    ['text, with brotli', COMPRESSED_TEXT, false],
  ]
  for (const [name, data, isUnique] of cases) {
    const frame = frameNamed(name)
    t.same(decodePayload(frame, MAX_FRAME_BYTES), { ok: true, data }, name)
    if (!isUnique) continue
    t.equal(
      bytesToHex(encodePayload(data, undefined, MAX_FRAME_BYTES)),
      bytesToHex(encodeFrame(frame.kind, frame.payload)),
    )
  }
  t.end()
})

t.test('what expands beyond the limit, and what is no payload, ends with its code', (t) => {
  const frame = frameNamed('text, with brotli')
  t.same(decodePayload(frame, COMPRESSED_TEXT.length), { ok: true, data: COMPRESSED_TEXT })
  t.same(decodePayload(frame, COMPRESSED_TEXT.length - 1), { ok: false, code: 'bad-payload' })
  for (const { name, kind, payload, code } of bad.badPayloads) {
    t.same(decodePayload({ kind, payload: hexToBytes(payload) }, MAX_FRAME_BYTES), { ok: false, code }, name)
  }
  t.end()
})

t.test('what has no place on a signed link ends it with its code', async (t) => {
  for (const { name, kind, payload, code } of bad.badSignedPayloads) {
    const network = new MemoryNetwork()
    const node = new SecureNode('127.0.0.1', 1, undefined, { transport: network.transport('127.0.0.1') })
    await node.start()
    const peer = await RawPeer.dial(t, network.transport('127.0.0.2'), '127.0.0.1', 1)
    await peer.shakeHands()
    peer.say(kind, hexToBytes(payload))
    t.equal(await peer.closed(), code, name)
    await node.stop()
  }
})

t.test('records, questions and answers are read, and found genuine', async (t) => {
  const recordsIn = (name: string) => {
    const { kind, payload } = frameNamed(name)
    const result =
      kind === Kind.record
        ? readStatement(payload, MAX_RECORD_BYTES)
        : readStatements(payload, MAX_FRAME_BYTES, MAX_RECORDS_PER_ANSWER)
    if (!result.ok) throw new Error(result.code)
    return result.statements.map((statement) => readRecord(statement, NET))
  }
  const homes: [string, string, string[]][] = [
    ['record', ALICE.id, ['192.168.0.10:8000', '[fd00::10]:8000']],
    ['record of a node that has left', ALICE.id, []],
    ['peers', BOB.id, ['10.0.0.1:80']],
  ]
  for (const [name, id, expected] of homes) {
    const result = recordsIn(name).at(-1)!
    if (!result.ok) throw new Error(result.code)
    const record = await verifyRecord(result.draft)
    t.equal(record?.id, id, name)
    t.same(
      record?.addresses.map(({ host, port }) => formatAddress(host, port)),
      expected,
    )
  }
  t.same(recordsIn('peers').length, 2)
  t.same(recordsIn('peers, of one that knows nobody'), [])
  const question = readQuestion(frameNamed('question').payload, NET)
  const answer = readAnswer(frameNamed('answer').payload, NET)
  if (!question.ok || !answer.ok) throw new Error('not read')
  t.equal(await isGenuineQuestion(question.question), true)
  t.equal(await isGenuineAnswer(answer.answer), true)
  t.equal(answer.answer.body.re, question.question.id, 'the answer is one to this question')
  for (const name of ['getPeers', 'enough']) t.equal(frameNamed(name).payload.length, 0)
})

/** What becomes of a payload with messages that were signed together: their documents, or a code. */
async function openBatch(payload: string, name: EngineName): Promise<readonly string[] | string> {
  const entries = entriesOf({ kind: Kind.batch, payload: hexToBytes(payload) })
  if (entries === undefined) return 'bad-shape'
  const results = entries.map((entry) => readIncoming(entry, NET))
  const documents: string[] = []
  for (const result of results) {
    if (!result.ok) return result.code
    const code = judgeTime(result.incoming.body, batches.now, {})
    if (code !== undefined) return code
  }
  for (const result of results) {
    const verdict = result.ok && (await verifyDraft(result.incoming.draft, engine(name)))
    if (!verdict || !verdict.ok) return 'bad-signature'
    documents.push(verdict.message.document)
  }
  return documents
}

t.test('messages that were signed together are read, and found genuine, by all engines', async (t) => {
  const { valid, invalid } = batches
  for (const name of ['node', 'webcrypto', 'tweetnacl'] as const) {
    for (const { documents, ...vector } of valid) {
      t.same(await openBatch(vector.payload, name), documents, `${vector.name}, ${name}`)
    }
    for (const { code, ...vector } of invalid) {
      t.equal(await openBatch(vector.payload, name), code, `${vector.name}, ${name}`)
    }
  }
  for (const { documents, name } of valid) {
    for (const document of documents) {
      t.match(
        await openMessage(document, { now: batches.now, net: NET }),
        { ok: true },
        `${name}, one by one`,
      )
    }
  }
})

t.test('closes are read', (t) => {
  const read = (name: string): unknown => readCloseReason(JSON.parse(textOf(frameNamed(name).payload)))
  t.same(read('close'), { code: 'goodbye', text: '', by: 'peer' })
  t.same(read('close with a text'), { code: 'too-many-connections', text: 'the limit is 1024', by: 'peer' })
  t.end()
})

t.test('hellos have the keys that this implementation writes, in its order', (t) => {
  const { initiator } = handshakes[0]!
  const result = decodeHello(utf8ToBytes(initiator))
  if (!result.ok) throw new Error(result.code)
  const { id, net, mode, time, nonce, listen, caps } = result.hello
  const written = textOf(encodeHello({ id, net, mode, time, listen, caps }))
  t.equal(written.replace(/[0-9a-f]{64}(?="\})/, nonce), initiator)
  t.same(result.hello, { ...(JSON.parse(initiator) as object), seen: undefined })
  const seen = { host: '10.0.0.2', port: 40_000 }
  const keys = Object.keys(
    JSON.parse(textOf(encodeHello({ id, net, mode, time, listen, seen, caps }))) as object,
  )
  t.same(
    keys,
    ['id', 'net', 'mode', 'time', 'listen', 'seen', 'caps', 'v', 'nonce'],
    'with what may be missing',
  )
  t.end()
})

t.test('proofs are signatures over both hellos and the role', async (t) => {
  for (const { initiator, responder, proofs } of handshakes) {
    const hellos = [utf8ToBytes(initiator), utf8ToBytes(responder)] as const
    for (const { role, signed, signature } of proofs) {
      t.equal(bytesToHex(proofBytes(role as Role, ...hellos)), signed, role)
      const author = role === 'initiator' ? ALICE : BOB
      t.ok(await verifySignature(hexToBytes(signature), hexToBytes(signed), hexToBytes(author.id)))
      t.equal(bytesToHex(await Identity.fromSeed(author.seed).sign(hexToBytes(signed))), signature)
    }
  }
})

/** An end of a handshake: what it says goes into the record and, at once, to the other end. */
class End {
  readonly handshake: Handshake
  readonly outcome: string[] = []
  peer: End | undefined
  readonly #record: Record<string, string[]>

  constructor(
    author: Author,
    role: Role,
    hello: string,
    provenId: string | undefined,
    record: Record<string, string[]>,
  ) {
    this.#record = record
    const self = { id: author.id, net: 'default', mode: 'signed' } as const
    this.handshake = new Handshake({
      role,
      self,
      hello: utf8ToBytes(hello),
      provenId: provenId as NodeId | undefined,
      expectedId: undefined,
      send: (kind, payload) => {
        this.#record[role]!.push(bytesToHex(encodeFrame(kind, payload)))
        this.peer?.handshake.receive({ kind, payload })
      },
      sign: async (bytes) => author.sign(bytes),
      verify: (signature, bytes, id) => verifySignature(signature, bytes, hexToBytes(id)),
      admit: () => undefined,
      done: () => this.outcome.push('up'),
      fail: (code) => this.outcome.push(code),
    })
  }
}

async function run(
  t: Test,
  { name, initiator, responder, proofs, frames: expected }: WrittenHandshake,
): Promise<void> {
  const isProven = proofs.length === 0
  const record: Record<string, string[]> = { initiator: [], responder: [] }
  const first = new End(ALICE, 'initiator', initiator, isProven ? BOB.id : undefined, record)
  const second = new End(BOB, 'responder', responder, isProven ? ALICE.id : undefined, record)
  // Each speaks before it hears: nothing is delivered until both have said hello.
  first.handshake.start()
  second.handshake.start()
  const [hello, answer] = [record['initiator']![0]!, record['responder']![0]!]
  first.peer = second
  second.peer = first
  second.handshake.receive({ kind: Kind.hello, payload: hexToBytes(hello).subarray(5) })
  first.handshake.receive({ kind: Kind.hello, payload: hexToBytes(answer).subarray(5) })
  while (first.outcome.length + second.outcome.length < 2)
    await new Promise((resolve) => setImmediate(resolve))
  t.same([first.outcome, second.outcome], [['up'], ['up']], name)
  for (const role of ['initiator', 'responder']) {
    const said = expected.filter(({ by }) => by === role).map(({ frame }) => frame)
    t.same(record[role], said, `${name}: all that the ${role} says`)
  }
}

t.test('two ends say to each other what is written', async (t) => {
  t.equal(handshakes.length, 2)
  for (const handshake of handshakes) await run(t, handshake)
})

t.test('hellos are read without what is not in order', (t) => {
  for (const { name, hello, listen, seen, caps } of goodHellos) {
    const result = decodeHello(utf8ToBytes(hello))
    if (!result.ok) throw new Error(`${name}: ${result.code}`)
    const found = { listen: result.hello.listen, seen: result.hello.seen ?? null, caps: result.hello.caps }
    t.same(found, { listen, seen, caps }, name)
  }
  t.end()
})

t.test('hellos that are refused end with their codes', async (t) => {
  for (const { name, hello, code } of badHellos) {
    const record = { initiator: [], responder: [] }
    const bob = new End(BOB, 'responder', handshakes[0]!.responder, ALICE.id, record)
    bob.handshake.receive({ kind: Kind.hello, payload: utf8ToBytes(hello) })
    t.same(bob.outcome, [code], name)
  }
  const carol = new End(BOB, 'responder', handshakes[0]!.responder, BOB.id, { initiator: [], responder: [] })
  carol.handshake.receive({ kind: Kind.hello, payload: utf8ToBytes(handshakes[0]!.initiator) })
  t.same(carol.outcome, ['bad-proof'], 'another key than the transport has proven')
})

t.test('what two nodes say to each other alone is read', (t) => {
  const find = decodeFind(frameNamed('find').payload)
  t.match(find, { number: 7 })
  t.equal(find!.place.length, 32)
  const found = decodeFound(frameNamed('found').payload)
  t.equal(found?.number, 7)
  t.ok(readStatements(found!.list, MAX_FRAME_BYTES, MAX_RECORDS_PER_ANSWER).ok)
  t.match(decodeParcel(frameNamed('message with an attachment').payload), {
    attachment: Uint8Array.of(1, 2, 3),
  })
  const opening = decodeExchange(frameNamed('ranges: nothing to compare').payload)
  t.match(opening, { kind: 'comparison', isOpener: true, isBusy: false, session: 7, round: 0 })
  t.match(opening, { floor: 1_700_000_000_000, items: [{ kind: 'skip' }] })
  t.match(decodeExchange(frameNamed('ranges: send me one').payload), { kind: 'ask', ids: [/^[0-9a-f]{64}$/] })
  t.match(decodeExchange(frameNamed('ranges: that was all').payload), { kind: 'served' })
  t.end()
})
