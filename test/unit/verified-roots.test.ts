import { bytesToHex } from '@noble/hashes/utils.js'
import t from 'tap'
import { defaultEngine, type Engine } from '../../lib/identity/ed25519.ts'
import { tweetnaclEngine } from '../../lib/identity/engine-tweetnacl.ts'
import { type Place, ProvenPlace } from '../../lib/message/batch.ts'
import type { Proof } from '../../lib/message/merkle.ts'
import { VerifiedRoots } from '../../lib/message/verified-roots.ts'
import type { MessageId, NodeId } from '../../lib/wire/ids.ts'
import { bodyTexts, type HandBatch, proofIn, signTexts } from '../fixtures/hand-batched.ts'
import { ALICE, type Author, BOB, signAgain } from '../fixtures/hand-signed.ts'

/** An engine that counts what it is asked, and answers at once or later. */
function counting(isAtOnce = false): Engine & { count: number } {
  const engine = defaultEngine()
  const counter = {
    name: engine.name,
    count: 0,
    signer: (seed: Uint8Array) => engine.signer(seed),
    verify: (...args: Parameters<Engine['verify']>) => {
      counter.count++
      const isGood = tweetnaclEngine.verify(...args) as boolean
      return isAtOnce ? isGood : Promise.resolve(isGood)
    },
  }
  return counter
}

const batchOf = (seq: number, author = ALICE): HandBatch =>
  signTexts(bodyTexts(2, { data: seq }, author), author)
const placeOf = (hand: HandBatch, size = hand.ids.length): Place =>
  new ProvenPlace(bytesToHex(hand.ids[0]!) as MessageId, { ...(proofIn(hand, 0) as Proof), size })
const idOf = ({ id }: Author): NodeId => id as NodeId

t.test('a signature is verified once, and known at once from then on', async (t) => {
  const [roots, engine, hand] = [new VerifiedRoots(), counting(), batchOf(1)]
  const signature = bytesToHex(hand.signature)
  const first = roots.verify(idOf(ALICE), placeOf(hand), signature, engine)
  t.not(first, true, 'not before it was verified')
  t.equal(await first, true)
  for (let again = 0; again < 5; again++) {
    t.equal(roots.verify(idOf(ALICE), placeOf(hand), signature, engine), true)
  }
  t.equal(engine.count, 1)
  t.equal(roots.size, 1)
})

t.test('an engine that answers at once is asked once as well', (t) => {
  const [roots, engine, hand] = [new VerifiedRoots(), counting(true), batchOf(1)]
  const signature = bytesToHex(hand.signature)
  for (let again = 0; again < 3; again++) {
    t.equal(roots.verify(idOf(ALICE), placeOf(hand), signature, engine), true)
  }
  t.equal(engine.count, 1)
  t.equal(roots.verify(idOf(BOB), placeOf(hand), signature, engine), false)
  t.equal(roots.size, 1, 'only what is good is remembered')
  t.end()
})

t.test('while it is verified, all wait for the same verdict', async (t) => {
  const [roots, engine, hand] = [new VerifiedRoots(), counting(), batchOf(1)]
  const asked = Array.from({ length: 256 }, async () =>
    roots.verify(idOf(ALICE), placeOf(hand), bytesToHex(hand.signature), engine),
  )
  t.same(new Set(await Promise.all(asked)), new Set([true]))
  t.equal(engine.count, 1)
})

t.test('what is not good is not remembered', async (t) => {
  const [roots, engine, hand] = [new VerifiedRoots(), counting(), batchOf(1)]
  const signature = bytesToHex(batchOf(2).signature)
  for (let again = 0; again < 3; again++) {
    t.equal(await roots.verify(idOf(ALICE), placeOf(hand), signature, engine), false)
    t.equal(roots.size, 0)
  }
  t.equal(engine.count, 3)
})

t.test('a root that is known with one signature is not known with another', async (t) => {
  const [roots, hand] = [new VerifiedRoots(), batchOf(1)]
  const good = bytesToHex(hand.signature)
  t.equal(await roots.verify(idOf(ALICE), placeOf(hand), good), true)
  for (let at = 0; at < good.length; at += 7) {
    const other = good.slice(0, at) + (good[at] === '0' ? '1' : '0') + good.slice(at + 1)
    t.equal(await roots.verify(idOf(ALICE), placeOf(hand), other), false, `digit ${at}`)
  }
  const second = bytesToHex(signAgain(ALICE, hand.signed))
  const verdict = roots.verify(idOf(ALICE), placeOf(hand), second, counting())
  t.not(verdict, true, 'a second good signature is verified')
  t.equal(await verdict, true)
  t.equal(roots.size, 2)
})

t.test(
  'a root that one author has signed is nothing from another, and nothing with another size',
  async (t) => {
    const [roots, hand] = [new VerifiedRoots(), batchOf(1)]
    const signature = bytesToHex(hand.signature)
    t.equal(await roots.verify(idOf(ALICE), placeOf(hand), signature), true)
    t.equal(await roots.verify(idOf(BOB), placeOf(hand), signature), false)
    for (const size of [3, 256, 258, 512]) {
      t.equal(await roots.verify(idOf(ALICE), placeOf(hand, size), signature), false, `${size}`)
    }
  },
)

t.test('only so many are remembered, and those that are used stay', async (t) => {
  const roots = new VerifiedRoots(8)
  const hands = Array.from({ length: 20 }, (_, seq) => batchOf(seq))
  const first = hands[0]!
  for (const hand of hands) {
    await roots.verify(idOf(ALICE), placeOf(hand), bytesToHex(hand.signature))
    t.equal(roots.verify(idOf(ALICE), placeOf(first), bytesToHex(first.signature)), true)
    t.ok(roots.size <= 8, `${roots.size}`)
  }
  const forgotten = hands[2]!
  t.equal(
    await roots.verify(idOf(ALICE), placeOf(forgotten), bytesToHex(forgotten.signature)),
    true,
    'once more',
  )
})

t.test('an engine that fails says no, and nothing is left of it', async (t) => {
  const [roots, hand] = [new VerifiedRoots(), batchOf(1)]
  const engine = defaultEngine()
  const failing: Engine = {
    name: engine.name,
    signer: (seed) => engine.signer(seed),
    verify: () => Promise.reject(new Error('the card was pulled')),
  }
  t.equal(await roots.verify(idOf(ALICE), placeOf(hand), bytesToHex(hand.signature), failing), false)
  t.equal(roots.size, 0)
  t.equal(await roots.verify(idOf(ALICE), placeOf(hand), bytesToHex(hand.signature)), true)
})
