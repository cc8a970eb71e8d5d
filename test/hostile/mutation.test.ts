// What can be done to a signed document on its way without its ID or its body changing: nothing. The one thing
// that may change is the signature, into another good one of the same author, and that takes the author's key.
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import t, { type Test } from 'tap'
import { openMessage } from '../../lib/message/index.ts'
import type { VerdictCode } from '../../lib/message/verdict.ts'
import { BOB, bodyTextOf, idOfBody, NOW, signBody } from '../fixtures/hand-signed.ts'

const DOCUMENT = signBody({
  data: { a: [1, -2.5e30, true, null], é: 'x\n😀"' },
  to: [BOB.id],
  exp: NOW + 9,
  re: 'cd'.repeat(32),
})
const BYTES = utf8ToBytes(DOCUMENT)
const ID = bytesToHex(idOfBody(bodyTextOf(DOCUMENT)))
const RANGE = BYTES.length
/** Bytes that mean something somewhere: in JSON, in UTF-8, in hexadecimal, in C. */
const INSERTED = [
  0x00, 0x09, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x2e, 0x30, 0x31, 0x41, 0x5c, 0x5d, 0x61, 0x7d, 0x7f, 0xbf, 0xef,
  0xff,
]

/** Everything that came out, by verdict; accepted ones only if they are the same message. */
class Tally {
  readonly counts = new Map<VerdictCode | 'accepted', number>()
  readonly wrong: string[] = []

  async judge(bytes: Uint8Array): Promise<void> {
    // Without a window: a time that was changed must be found by the signature.
    const verdict = await openMessage(bytes, { now: NOW, window: false })
    const key = verdict.ok ? 'accepted' : verdict.code
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1)
    if (verdict.ok) this.wrong.push(`${verdict.message.id}: ${Buffer.from(bytes).toString()}`)
  }

  report(t: Test, atLeast: number): void {
    const total = [...this.counts.values()].reduce((sum, count) => sum + count, 0)
    t.ok(total >= atLeast, `${total} mutations: ${JSON.stringify(Object.fromEntries(this.counts))}`)
    t.same(this.wrong, [], 'none is accepted')
  }
}

t.test('the document itself is accepted', async (t) => {
  const verdict = await openMessage(BYTES, { now: NOW })
  t.ok(verdict.ok && verdict.message.id === ID)
})

function changed(at: number, value: number): Uint8Array {
  const copy = BYTES.slice()
  copy[at] = value
  return copy
}

t.test('one bit of any byte changed', async (t) => {
  const tally = new Tally()
  for (let at = 0; at < RANGE; at++) {
    for (let bit = 0; bit < 8; bit++) await tally.judge(changed(at, BYTES[at]! ^ (1 << bit)))
  }
  tally.report(t, 8 * RANGE)
})

t.test('every third byte changed to each of the 255 others', async (t) => {
  const tally = new Tally()
  for (let at = 0; at < RANGE; at += 3) {
    for (let value = 0; value < 256; value++) if (value !== BYTES[at]) await tally.judge(changed(at, value))
  }
  tally.report(t, 40_000)
})

t.test('any byte dropped, or doubled', async (t) => {
  const tally = new Tally()
  for (let at = 0; at < RANGE; at++) {
    await tally.judge(Buffer.concat([BYTES.subarray(0, at), BYTES.subarray(at + 1)]))
    await tally.judge(Buffer.concat([BYTES.subarray(0, at + 1), BYTES.subarray(at)]))
  }
  tally.report(t, 2 * RANGE)
})

t.test('a byte inserted at any place', async (t) => {
  const tally = new Tally()
  for (let at = 0; at <= RANGE; at++) {
    for (const value of INSERTED) {
      await tally.judge(Buffer.concat([BYTES.subarray(0, at), Uint8Array.of(value), BYTES.subarray(at)]))
    }
  }
  tally.report(t, INSERTED.length * RANGE)
})

t.test('any two neighbours exchanged, and any part cut off', async (t) => {
  const tally = new Tally()
  for (let at = 0; at < RANGE - 1; at++) {
    const copy = BYTES.slice()
    copy.set([BYTES[at + 1]!, BYTES[at]!], at)
    if (BYTES[at] !== BYTES[at + 1]) await tally.judge(copy)
    await tally.judge(BYTES.subarray(0, at))
    await tally.judge(BYTES.subarray(at + 1))
  }
  tally.report(t, 2 * RANGE)
})

t.test('any member of the body left out, renamed, or given the value of another', async (t) => {
  const tally = new Tally()
  const body = JSON.parse(bodyTextOf(DOCUMENT)) as Record<string, unknown>
  const sig = DOCUMENT.slice(-130, -2)
  const written = (other: Record<string, unknown>): Uint8Array => {
    const sorted = Object.fromEntries(Object.entries(other).sort(([a], [b]) => (a < b ? -1 : 1)))
    return utf8ToBytes(`{"body":${JSON.stringify(sorted)},"sig":"${sig}"}`)
  }
  for (const key of Object.keys(body)) {
    const { [key]: value, ...rest } = body
    await tally.judge(written(rest))
    await tally.judge(written({ ...rest, [`${key}_`]: value }))
    for (const other of Object.keys(rest)) await tally.judge(written({ ...body, [key]: rest[other] }))
  }
  tally.report(t, 100)
})
