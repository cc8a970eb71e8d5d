import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t from 'tap'
import { MAX_BATCH_MESSAGES, MAX_FRAME_BYTES, MAX_MESSAGE_BYTES } from '../../lib/limits/limits.ts'
import { decodeBatch, encodeBatch } from '../../lib/message/batch-frame.ts'
import { documentLength } from '../../lib/message/document.ts'
import { Random } from '../../lib/testing/random.ts'
import {
  bodyTexts,
  entry,
  type HandBatch,
  payloadIn,
  payloadOf,
  signTexts,
} from '../fixtures/hand-batched.ts'

const SIGNATURE = new Uint8Array(64).fill(0x5a)
const HEADER = 66

/** A batch of `count` short messages. */
const batchOf = (count: number): HandBatch => signTexts(bodyTexts(count))
const rootOf = (payload: Uint8Array): string | undefined => decodeBatch(payload)?.batch.tree.root

t.test('a frame is what an implementation by hand makes of it, whole or in parts', (t) => {
  for (const count of [2, 3, 17, 256]) {
    const hand = batchOf(count)
    for (const isThere of [() => true, (at: number) => at === count - 1, (at: number) => at % 2 === 0]) {
      const payload = payloadIn(hand, isThere)
      const parcel = decodeBatch(payload)!
      t.equal(parcel.batch.tree.root, bytesToHex(hand.root), `${count}`)
      t.equal(parcel.batch.signature, bytesToHex(hand.signature))
      t.equal(parcel.batch.size, count)
      t.same(
        parcel.batch.ids,
        hand.ids.map((id) => bytesToHex(id)),
      )
      const texts = parcel.bodies.map((body) => body && Buffer.from(body).toString())
      t.same(
        texts,
        hand.bodies.map((body, at) => (isThere(at) ? body : undefined)),
      )
      t.equal(bytesToHex(encodeBatch(parcel)), bytesToHex(payload), 'and back')
    }
  }
  t.end()
})

t.test('bodies are views: nothing is copied', (t) => {
  const payload = payloadIn(batchOf(3))
  for (const body of decodeBatch(payload)!.bodies) t.equal(body!.buffer, payload.buffer)
  t.end()
})

t.test('every truncation, and every byte too many, is no frame', (t) => {
  const payload = payloadIn(batchOf(3), (at) => at !== 1)
  for (let length = 0; length < payload.length; length++) {
    if (decodeBatch(payload.subarray(0, length)) !== undefined) t.fail(`${length} of ${payload.length} bytes`)
  }
  t.equal(decodeBatch(concatBytes(payload, Uint8Array.of(0))), undefined, 'a byte behind it')
  t.equal(decodeBatch(concatBytes(payload, entry(batchOf(2).bodies[0]!))), undefined, 'an entry behind it')
  t.ok(decodeBatch(payload))
  t.end()
})

t.test('lengths that lead beyond the end are no lengths', (t) => {
  const { bodies } = batchOf(2)
  for (const length of [2 ** 32 - 1, 2 ** 31, 2 ** 31 - 1, 2 ** 24, bodies[0]!.length + 1]) {
    t.equal(
      decodeBatch(payloadOf(SIGNATURE, [entry(bodies[1]!), entry(bodies[0]!, length)])),
      undefined,
      `${length}`,
    )
  }
  const short = payloadOf(SIGNATURE, [entry(bodies[0]!), entry(new Uint8Array(31))])
  t.equal(decodeBatch(short), undefined, 'an ID of 31 bytes')
  t.end()
})

t.test('there are 2 to 256 messages', (t) => {
  const { bodies } = batchOf(257)
  const entries = bodies.map((body) => entry(body))
  t.equal(decodeBatch(payloadOf(SIGNATURE, [])), undefined, 'none')
  t.equal(decodeBatch(payloadOf(SIGNATURE, entries.slice(0, 1))), undefined, 'one: it was signed alone')
  t.ok(decodeBatch(payloadOf(SIGNATURE, entries.slice(0, 2))))
  t.ok(decodeBatch(payloadOf(SIGNATURE, entries.slice(0, MAX_BATCH_MESSAGES))))
  t.equal(decodeBatch(payloadOf(SIGNATURE, entries)), undefined, 'one too many')
  t.equal(decodeBatch(payloadOf(SIGNATURE, entries.slice(0, 2), 65_535)), undefined)
  for (const size of [0, 1, 2, 4, 256, 257]) {
    t.equal(
      decodeBatch(payloadOf(SIGNATURE, entries.slice(0, 3), size)),
      undefined,
      `3 that are called ${size}`,
    )
  }
  t.end()
})

t.test('a frame without a single message is none', (t) => {
  const hand = batchOf(4)
  t.equal(decodeBatch(payloadIn(hand, () => false)), undefined)
  t.ok(decodeBatch(payloadIn(hand, (at) => at === 2)))
  t.end()
})

t.test('a body that would be too large in a document of its own is too large here', (t) => {
  const place = { index: 0, size: 2 }
  const most = MAX_MESSAGE_BYTES - documentLength(0, place)
  const [other] = batchOf(2).bodies
  const framed = (length: number): Uint8Array =>
    payloadOf(SIGNATURE, [entry('x'.repeat(length)), entry(other!)])
  t.ok(decodeBatch(framed(most)))
  t.equal(decodeBatch(framed(most + 1)), undefined)
  const deep = payloadOf(SIGNATURE, [
    entry('x'.repeat(most)),
    ...batchOf(255).bodies.map((body) => entry(body)),
  ])
  t.equal(decodeBatch(deep), undefined, 'with a longer proof there is less room')
  t.end()
})

t.test('the largest frame that is sent fits into a frame', (t) => {
  // A batch has at most 256 KiB of bodies.
  const size = MAX_BATCH_MESSAGES
  const bodies = Array.from({ length: size }, (_, at) => utf8ToBytes(`${at}`.padStart(1_024, 'x')))
  const ids = decodeBatch(
    payloadOf(
      SIGNATURE,
      bodies.map((body) => entry(Buffer.from(body).toString())),
    ),
  )!.batch
  t.ok(encodeBatch({ batch: ids, bodies }).length < MAX_FRAME_BYTES)
  t.end()
})

t.test('whatever byte is changed: it is no frame, or leads to another root or another signature', (t) => {
  const hand = signTexts(bodyTexts(5, { data: 'x' }))
  const payload = payloadIn(hand, (at) => at !== 3)
  const { signature, tree } = decodeBatch(payload)!.batch
  for (let at = 0; at < payload.length; at++) {
    for (const mask of [0x01, 0x80, 0xff]) {
      const changed = payload.slice()
      changed[at]! ^= mask
      const batch = decodeBatch(changed)?.batch
      const isOther = batch === undefined || batch.tree.root !== tree.root || batch.signature !== signature
      if (!isOther) t.fail(`byte ${at}`)
      if (batch !== undefined && at >= HEADER && batch.tree.root === tree.root) t.fail(`byte ${at}: the root`)
    }
  }
  t.end()
})

t.test('nothing is thrown, whatever the bytes are', (t) => {
  const random = new Random(11)
  const good = payloadIn(batchOf(6))
  let count = 0
  for (let round = 0; round < 3_000; round++) {
    const payload = good.slice(0, random.below(4) === 0 ? random.below(good.length) : good.length)
    for (let change = random.below(6); change >= 0; change--) {
      if (payload.length > 0) payload[random.below(payload.length)] = random.below(256)
    }
    if (rootOf(payload) !== undefined) count++
  }
  t.ok(count > 0, `${count} of them are frames`)
  for (let round = 0; round < 500; round++) {
    const noise = Uint8Array.from({ length: random.below(300) }, () => random.below(256))
    if (noise.length > 65) noise[64] = 0
    rootOf(noise)
  }
  t.end()
})

t.test('two places for the same message are read: what they are worth is not decided here', (t) => {
  const [body] = bodyTexts(1)
  const hand = signTexts([body!, body!])
  const parcel = decodeBatch(payloadIn(hand))!
  t.equal(parcel.batch.ids[0], parcel.batch.ids[1])
  t.equal(parcel.batch.tree.root, bytesToHex(hand.root))
  t.end()
})
