import { readFileSync, writeFileSync } from 'node:fs'
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { engine, type EngineName } from '../../lib/identity/ed25519.ts'
import { Identity } from '../../lib/identity/identity.ts'
import { MAX_FRAME_BYTES } from '../../lib/limits/limits.ts'
import { MAX_RECORD_BYTES, MAX_RECORDS_PER_ANSWER } from '../../lib/limits/network-limits.ts'
import type { Json } from '../../lib/message/canonical.ts'
import { makeStatement, readStatement, readStatements, type Statement } from '../../lib/message/statement.ts'
import { isGenuineAnswer, readAnswer } from '../../lib/discovery/answer.ts'
import { isGenuineBeacon, readBeacon } from '../../lib/lan/beacon.ts'
import { judgeRecordTime, readRecord, verifyRecord } from '../../lib/book/peer-record.ts'
import { isGenuineQuestion, readQuestion } from '../../lib/discovery/question.ts'
import { parseAddress, reachOf } from '../../lib/wire/address.ts'
import { Kind } from '../../lib/wire/frame.ts'
import { bytesOf, type WrittenDocument } from '../fixtures/forged-documents.ts'
import { ALICE, BOB, CAROL, NET, NOW } from '../fixtures/hand-signed.ts'
import {
  type StatementFile,
  type WrittenBadStatement,
  type WrittenStatement,
  writeStatementFile,
} from '../fixtures/statement-file.ts'
import { Exchanger, Passer } from '../fixtures/statement-receiver.ts'

const FILE = new URL('../vectors/statements.json', import.meta.url)
// To write the file anew after a change: UPDATE_VECTORS=1 npx tap run test/unit/statement-vectors.test.ts
if (process.env.UPDATE_VECTORS !== undefined) writeFileSync(FILE, writeStatementFile())
const TEXT = readFileSync(FILE, 'utf8')
const { labels, receiver, valid, invalid, histories, addresses } = JSON.parse(TEXT) as StatementFile
const ENGINES: readonly EngineName[] = ['node', 'webcrypto', 'tweetnacl']
type Vector = WrittenStatement | WrittenBadStatement

function read(written: WrittenDocument): Uint8Array {
  if ('document' in written) return utf8ToBytes(written.document)
  if ('documentHex' in written) return hexToBytes(written.documentHex)
  return bytesOf(written.documentParts)
}

t.test('the file is the one that the fixtures make', (t) => {
  t.equal(TEXT, writeStatementFile())
  const names = [...valid, ...invalid].map(({ name }) => name)
  t.equal(new Set(names).size, names.length, 'every vector has a name of its own')
  t.ok(valid.length >= 30 && invalid.length >= 150, `${valid.length} valid, ${invalid.length} invalid`)
  t.equal(receiver.id, CAROL.id)
  t.end()
})

/** What judges a statement without its circumstances, up to the signature. Each returns what is wrong with it. */
async function judgeRecord(statement: Statement, { net, now }: Vector, name?: EngineName): Promise<string> {
  const result = readRecord(statement, net)
  if (!result.ok) return result.code
  const isGood = (await verifyRecord(result.draft, name && engine(name))) !== undefined
  return judgeRecordTime(result.draft, now) ?? (isGood ? 'good' : 'bad-signature')
}

async function judge(vector: Vector, name?: EngineName): Promise<string> {
  const { kind, net, now } = vector
  const bytes = read(vector)
  const by = name && engine(name)
  const verdict = (isGenuine: boolean): string => (isGenuine ? 'good' : 'bad-signature')
  if (kind === 'question') {
    const result = readQuestion(bytes, net)
    return result.ok ? verdict(await isGenuineQuestion(result.question, by)) : result.code
  }
  if (kind === 'answer') {
    const result = readAnswer(bytes, net)
    return result.ok ? verdict(await isGenuineAnswer(result.answer, by)) : result.code
  }
  if (kind === 'beacon') {
    const result = readBeacon(bytes, net, now)
    return result.ok ? verdict(await isGenuineBeacon(result.draft, by)) : result.code
  }
  const result =
    kind === 'record'
      ? readStatement(bytes, MAX_RECORD_BYTES)
      : readStatements(bytes, MAX_RECORDS_PER_ANSWER * (MAX_RECORD_BYTES + 1) + 1, MAX_RECORDS_PER_ANSWER)
  if (!result.ok) return result.code
  const codes = await Promise.all(result.statements.map((statement) => judgeRecord(statement, vector, name)))
  // The stale one of a list is left out, and the others count.
  const faults = codes.filter((code) => code !== 'good' && !(kind === 'peers' && code === 'stale'))
  return faults[0] ?? 'good'
}

/** Reasons that lie in the circumstances. The question's time is judged by who remembers questions. */
const OUTSIDE = ['other-owner', 'unsolicited', 'own', 'unasked', 'repeated']
const isOutside = ({ kind, code }: WrittenBadStatement): boolean =>
  OUTSIDE.includes(code) || (kind === 'question' && ['stale', 'early'].includes(code))

/** A question or an answer with a weak key has the wrong shape for this program; what follows is the same. */
const expectedCode = ({ kind, code }: WrittenBadStatement): string =>
  code === 'bad-key' && ['question', 'answer'].includes(kind) ? 'bad-shape' : code

t.test('the three engines agree on every vector', async (t) => {
  for (const name of ENGINES) {
    const wrong: string[] = []
    const check = async (vector: Vector, expected: string): Promise<void> => {
      const found = await judge(vector, name)
      if (found !== expected) wrong.push(`${vector.name}: ${found} instead of ${expected}`)
    }
    // The slow one looks at those alone that it could judge in another way.
    const isCheap = (vector: WrittenBadStatement): boolean =>
      name !== 'tweetnacl' || /^bad-(sig|key)/.test(vector.code)
    for (const vector of valid) await check(vector, 'good')
    for (const vector of invalid.filter(isCheap))
      await check(vector, isOutside(vector) ? 'good' : expectedCode(vector))
    t.same(wrong, [], name)
  }
})

t.test('what the package signs is what is written', async (t) => {
  const authors = [ALICE, BOB, CAROL]
  let count = 0
  for (const vector of valid) {
    if (vector.digest === undefined) continue
    const document = Buffer.from(read(vector)).toString()
    const { body } = JSON.parse(document) as { body: Record<string, Json> }
    const author = authors.find(({ id }) => id === (body['id'] ?? body['from']))!
    const label = Buffer.from(labels[vector.kind]!, 'hex').toString()
    const identity = Identity.fromSeed(author.seed)
    const signed: string[] = []
    const made = await makeStatement(label, body, (bytes) => {
      signed.push(bytesToHex(bytes))
      return identity.sign(bytes)
    })
    t.same(signed, [vector.signed], vector.name)
    t.equal(bytesToHex(made.digest), vector.digest)
    const text = vector.body === undefined ? undefined : Buffer.from(vector.body, 'hex').toString()
    t.equal(text ?? document.slice(8, -138), document.slice(8, -138))
    if (vector.name.includes('another good signature')) continue
    count++
    t.equal(made.text, document)
    t.equal(made.signature, vector.signature)
  }
  t.ok(count >= 25, `${count} documents`)
})

t.test('beacons of one network have one size', (t) => {
  const sizes = valid
    .filter(({ kind, net }) => kind === 'beacon' && net === NET)
    .map((vector) => read(vector).length)
  t.equal(sizes.length, 6)
  t.equal(new Set(sizes).size, 1)
  t.end()
})

/** What the receiver does with a record or a list of them, and whom it knows then. */
async function exchange(vector: Vector): Promise<readonly [effect: string, learns: unknown[]]> {
  const { kind, net, now, peer, host } = vector
  const exchanger = new Exchanger(net, now, { id: peer!, remoteHost: host! })
  if (!('code' in vector && vector.code === 'unsolicited')) exchanger.ask()
  const effect = await exchanger.receive(kind === 'record' ? Kind.record : Kind.peers, read(vector))
  return [effect, exchanger.learns]
}

const isOfExchange = ({ kind }: Vector): boolean => kind === 'record' || kind === 'peers'

t.test('records end up in the book, or end the link', async (t) => {
  for (const vector of valid.filter(isOfExchange)) {
    t.same(await exchange(vector), ['ignore', vector.learns], vector.name)
  }
  for (const vector of invalid.filter(isOfExchange)) {
    const [effect, learns] = await exchange(vector)
    t.equal(effect, vector.effect, vector.name)
    // What came before the fault has been learnt.
    t.ok(learns.length <= (vector.kind === 'peers' ? 1 : 0), vector.name)
  }
})

t.test('the newest record counts', async (t) => {
  for (const { name, documents, learns } of histories) {
    const exchanger = new Exchanger(NET, NOW, { id: ALICE.id, remoteHost: '192.168.0.10' })
    for (const document of documents)
      t.equal(await exchanger.receive(Kind.record, utf8ToBytes(document)), 'ignore')
    t.same(exchanger.learns, learns, name)
  }
})

const question = valid.find(({ name }) => name === 'a question')!

t.test('questions are passed on and answered, or ignored, or end the link', async (t) => {
  for (const vector of [...valid, ...invalid].filter(({ kind }) => kind === 'question')) {
    const passer = new Passer(vector.net, vector.now)
    const effect = await passer.receive(passer.alice, Kind.question, read(vector))
    t.equal(effect, 'effect' in vector ? vector.effect : 'ignore', vector.name)
    const [passed, answered, ...rest] = passer.sent
    t.same(rest, [])
    if ('effect' in vector) {
      t.equal(passed, undefined, vector.name)
      continue
    }
    const asked = Buffer.from(read(vector)).toString()
    const ways = [passed!, answered!].map(([id, kind]) => [id, kind])
    t.same(new Set(ways.map(String)), new Set([`${BOB.id},${Kind.question}`, `${ALICE.id},${Kind.answer}`]))
    const [, , text] = passer.sent.find(([, kind]) => kind === Kind.answer)!
    t.same(passer.sent.find(([id]) => id === BOB.id)![2], asked, 'byte for byte')
    t.equal((JSON.parse(text) as { body: { re: string } }).body.re, vector.digest)
  }
})

t.test('answers go back the way the question came, or are ignored, or end the link', async (t) => {
  for (const vector of [...valid, ...invalid].filter(({ kind }) => kind === 'answer')) {
    const passer = new Passer(NET, NOW)
    await passer.receive(passer.alice, Kind.question, read(question))
    passer.sent.length = 0
    const effect = await passer.receive(passer.bob, Kind.answer, read(vector))
    t.equal(effect, 'effect' in vector ? vector.effect : 'ignore', vector.name)
    const text = Buffer.from(read(vector)).toString()
    t.same(passer.sent, 'effect' in vector ? [] : [[ALICE.id, Kind.answer, text]], vector.name)
  }
})

t.test('addresses have one spelling, and a reach', async (t) => {
  const identity = Identity.fromSeed(ALICE.seed)
  for (const { address, reach } of addresses) {
    const body = { addresses: [address], id: ALICE.id, net: NET, time: NOW, v: 1 }
    const { text } = await makeStatement('secure-node/1 peer-record\0', body, (bytes) => identity.sign(bytes))
    const result = readStatement(utf8ToBytes(text), MAX_FRAME_BYTES)
    if (!result.ok) throw new Error(result.code)
    const record = readRecord(result.statements[0]!, NET)
    t.equal(record.ok ? reachOf(parseAddress(address)!.host) : null, reach, JSON.stringify(address))
  }
})
