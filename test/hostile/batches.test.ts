// Messages that were signed together, by somebody who wants them to pass for what they are not.
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import t, { type Test } from 'tap'
import { Identity } from '../../lib/identity/identity.ts'
import { MAX_BATCH_MESSAGES, MAX_FRAME_BYTES, WINDOW_PAST } from '../../lib/limits/limits.ts'
import { type OpenOptions, openMessage } from '../../lib/message/index.ts'
import { Random } from '../../lib/testing/random.ts'
import { Kind } from '../../lib/wire/frame.ts'
import * as batches from '../fixtures/hand-batched.ts'
import * as hand from '../fixtures/hand-signed.ts'
import type { RawPeer } from '../fixtures/raw-peer.ts'
import { Stage } from '../fixtures/stage.ts'

const { ALICE, BOB, canonical } = hand
const { bodyTexts, documentIn, documentWith, entry, payloadIn, payloadOf, proofIn, signTexts } = batches

/** Bodies of this moment, and not of one before a node has started that starts now. */
const fresh = (count: number, changes: Record<string, unknown> = {}, author = ALICE): string[] =>
  bodyTexts(count, { time: Date.now() + 5_000, ...changes }, author)
const oneBody = (changes: Record<string, unknown>, author = ALICE): string => fresh(1, changes, author)[0]!
const judge = async (document: string, options: OpenOptions = {}): Promise<string> => {
  const verdict = await openMessage(document, { now: hand.NOW, ...options })
  return verdict.ok ? 'ok' : verdict.code
}
const path = (...hashes: readonly Uint8Array[]): string => bytesToHex(concatBytes(...hashes))

t.test('documents whose proof does not lead to what was signed', async (t) => {
  const batch = signTexts(bodyTexts(8))
  const [a, b, c, d] = batch.ids as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
  const hashes = batches.naivePath(2, batch.ids)
  t.equal(await judge(documentIn(batch, 2)), 'ok')

  t.test('another path, place or size', async (t) => {
    const other = signTexts(bodyTexts(8, { data: 'x' }))
    const cases: Record<string, string> = {
      'the path of another place': documentIn(batch, 2, { path: proofIn(batch, 3).path }),
      'the path of another batch': documentIn(batch, 2, { path: proofIn(other, 2).path }),
      'the hashes in another order': documentIn(batch, 2, { path: path(...hashes.toReversed()) }),
      'one digit changed': documentIn(batch, 2, { path: `${'0'.repeat(1)}${path(...hashes).slice(1)}` }),
      'the other side': documentIn(batch, 2, { index: 3 }),
      'the place of another message, whole': documentWith(
        batch.bodies[2]!,
        proofIn(batch, 5),
        batch.signature,
      ),
      'one more message than was signed': documentIn(batch, 2, { size: 7 }),
      'the signature of another batch': documentWith(batch.bodies[2]!, proofIn(batch, 2), other.signature),
      'no proof': hand.documentOf(batch.bodies[2]!, batch.signature),
    }
    if (path(...hashes).startsWith('0')) delete cases['one digit changed']
    for (const [name, document] of Object.entries(cases))
      t.equal(await judge(document), 'bad-signature', name)
    for (const index of [0, 1, 3, 4, 5, 6, 7]) {
      t.equal(await judge(documentIn(batch, 2, { index })), 'bad-signature', `at ${index}`)
    }
  })

  t.test('a path of another length', async (t) => {
    const cases: Record<string, unknown> = {
      'one hash too few': path(...hashes.slice(1)),
      'one hash too many': path(...hashes, new Uint8Array(32)),
      'half a hash too many': `${path(...hashes)}${'00'.repeat(16)}`,
      none: '',
    }
    for (const [name, given] of Object.entries(cases)) {
      t.equal(await judge(documentIn(batch, 2, { path: given })), 'bad-shape', name)
    }
    t.equal(await judge(documentIn(batch, 2, { size: 9 })), 'bad-shape', 'a size that asks for more')
    t.equal(await judge(documentIn(batch, 2, { size: 4 })), 'bad-shape', 'one that asks for less')
  })

  t.test('a message that was never signed has no place in the tree', async (t) => {
    const [never] = bodyTexts(1, { data: 'never signed' })
    for (const index of [0, 2, 7]) {
      t.equal(await judge(documentWith(never!, proofIn(batch, index), batch.signature)), 'bad-signature')
    }
  })

  t.test('a node is no leaf, and a leaf is no node', async (t) => {
    // Four leaves as two: the nodes above them in the place of messages.
    const four = signTexts(bodyTexts(4))
    const [left, right] = [four.ids.slice(0, 2), four.ids.slice(2)].map(batches.naiveRoot) as [
      Uint8Array,
      Uint8Array,
    ]
    t.same(batches.nodeHash(left, right), four.root)
    const twoOfFour = batches.signedRootOf(four.root, 2)
    const signature = ALICE.sign(twoOfFour)
    t.equal(
      await judge(documentWith(four.bodies[0]!, { index: 0, path: bytesToHex(right), size: 2 }, signature)),
      'bad-signature',
    )
    // A tree whose leaf is hashed as a node would be: signed by an author who wants receivers to disagree.
    const posed = batches.nodeHash(batches.nodeHash(a, b), batches.nodeHash(c, d))
    const odd = ALICE.sign(batches.signedRootOf(posed, 4))
    const proof = { index: 0, path: path(b, batches.nodeHash(c, d)), size: 4 }
    t.equal(await judge(documentWith(batch.bodies[0]!, proof, odd)), 'bad-signature')
    const unlabelled = sha256(concatBytes(a, b))
    const bare = ALICE.sign(batches.signedRootOf(unlabelled, 2))
    t.equal(
      await judge(documentWith(batch.bodies[0]!, { index: 0, path: bytesToHex(b), size: 2 }, bare)),
      'bad-signature',
    )
  })

  t.test('the number of messages is signed with the root', async (t) => {
    for (const size of [7, 9, 8 + 256]) {
      const signature = ALICE.sign(batches.signedRootOf(batch.root, size))
      t.equal(
        await judge(documentWith(batch.bodies[2]!, proofIn(batch, 2), signature)),
        'bad-signature',
        `${size}`,
      )
    }
    // Of 5 and of 6 leaves: the first four are under the same node, and their paths are as long.
    const [five, six] = [signTexts(bodyTexts(5)), signTexts(bodyTexts(6))]
    t.equal(await judge(documentIn(five, 0, { size: 6 })), 'bad-signature')
    t.equal(await judge(documentIn(six, 0, { size: 5 })), 'bad-signature')
  })

  t.test('a signature for one message is none for a batch, and the other way round', async (t) => {
    const [body] = bodyTexts(1)
    const alone = ALICE.sign(hand.signedBytesOf(body!))
    t.equal(await judge(documentWith(batch.bodies[0]!, proofIn(batch, 0), alone)), 'bad-signature')
    t.equal(
      await judge(hand.documentOf(body!, ALICE.sign(batches.signedRootOf(hand.idOfBody(body!), 1)))),
      'bad-signature',
    )
    t.equal(
      await judge(
        hand.documentOf(
          body!,
          ALICE.sign(batches.signedRootOf(batches.naiveRoot([hand.idOfBody(body!)]), 1)),
        ),
      ),
      'bad-signature',
    )
    const asMessage = ALICE.sign(concatBytes(utf8ToBytes('secure-node/1 message-sig\0'), batch.root))
    t.equal(await judge(documentWith(batch.bodies[0]!, proofIn(batch, 0), asMessage)), 'bad-signature')
  })

  t.test('what somebody else has signed is nothing in the name of the author', async (t) => {
    const stolen = signTexts(bodyTexts(4), BOB)
    for (const index of [0, 3]) t.equal(await judge(documentIn(stolen, index)), 'bad-signature')
    const mixed = signTexts([...bodyTexts(2), ...bodyTexts(2, {}, BOB)])
    t.equal(await judge(documentIn(mixed, 0)), 'ok', 'what ALICE signed of her own')
    t.equal(await judge(documentIn(mixed, 2)), 'bad-signature', 'and what she signed as BOB')
  })
})

/** A stage, and a peer that is up. */
async function scene(t: Test): Promise<{ stage: Stage; attacker: RawPeer }> {
  const stage = await Stage.start(t)
  return { stage, attacker: await stage.attacker(t) }
}

/** Brings a frame that costs the link, and harms nobody else. */
async function isRefused(
  t: Test,
  payload: Uint8Array,
  code: string,
  shown: readonly unknown[] = [],
): Promise<void> {
  const { stage, attacker } = await scene(t)
  attacker.say(Kind.batch, payload)
  t.equal(await attacker.closed(), code)
  t.same(stage.shown, shown)
  await stage.isUnharmed(t)
}

t.test('frames that are none', async (t) => {
  const batch = signTexts(fresh(3))
  const good = payloadIn(batch)
  const entries = batch.bodies.map((body) => entry(body))
  const cases: Record<string, Uint8Array> = {
    'an empty one': new Uint8Array(0),
    'half of one': good.subarray(0, good.length >>> 1),
    'with a byte behind it': concatBytes(good, Uint8Array.of(0)),
    'without a body': payloadIn(batch, () => false),
    'of one message': payloadOf(batch.signature, entries.slice(0, 1)),
    'of more messages than it has': payloadOf(batch.signature, entries, 4),
    'with a length beyond the end': payloadOf(batch.signature, [
      entry(batch.bodies[0]!, 2 ** 32 - 1),
      ...entries,
    ]),
  }
  for (const [name, payload] of Object.entries(cases)) {
    t.test(name, (t) => isRefused(t, payload, 'bad-shape'))
  }
})

t.test('frames that were not signed as they are', async (t) => {
  const batch = signTexts(fresh(4))
  const [first, second] = [batch.bodies[0]!, batch.bodies[1]!]
  const alone = ALICE.sign(hand.signedBytesOf(first))
  const entries = batch.bodies.map((body) => entry(body))
  const cases: Record<string, Uint8Array> = {
    'with the signature of a single message': payloadOf(alone, entries),
    'in another order': payloadOf(batch.signature, entries.toReversed()),
    'with one message less': payloadOf(batch.signature, entries.slice(1)),
    'with one message more': payloadOf(batch.signature, [...entries, entry(oneBody({ data: 'more' }))]),
    'with one message in the place of another': payloadOf(batch.signature, [
      entry(second),
      ...entries.slice(1),
    ]),
    'with another ID among those that are not there': payloadOf(batch.signature, [
      ...entries.slice(1),
      entry(new Uint8Array(32)),
    ]),
    'with leaf hashes in the place of IDs': payloadOf(batch.signature, [
      entry(first),
      ...batch.ids.slice(1).map((id) => entry(batches.leafHash(id))),
    ]),
    'with the nodes of a tree in the place of its leaves': payloadOf(batch.signature, [
      entry(first),
      entry(batch.ids[1]!),
      entry(batches.naiveRoot(batch.ids.slice(2))),
    ]),
  }
  for (const [name, payload] of Object.entries(cases)) {
    t.test(name, (t) => isRefused(t, payload, 'bad-signature'))
  }

  t.test('by the peer that brings it, in the name of somebody else', async (t) => {
    const { stage, attacker } = await scene(t)
    const signed = batches.signedRootOf(batch.root, 4)
    attacker.say(Kind.batch, payloadOf(await attacker.identity.sign(signed), entries))
    t.equal(await attacker.closed(), 'forged-author')
    t.same(stage.shown, [])
    await stage.isUnharmed(t)
  })

  t.test('a message of one author under the signature of another', async (t) => {
    const mixed = signTexts([...fresh(1, { data: 'of bob' }, BOB), ...fresh(2)])
    await isRefused(
      t,
      payloadIn(mixed, (at) => at === 0),
      'bad-signature',
    )
  })
})

t.test('one message in a frame of many is none', async (t) => {
  const bodies: Record<string, string> = {
    'not-canonical': oneBody({}).replace('"v":1', '"v":1.0'),
    'bad-json': '{',
    'bad-shape': oneBody({ hops: 1 }),
    'bad-key': oneBody({ from: `01${'00'.repeat(31)}` }),
    'wrong-net': oneBody({ net: 'elsewhere' }),
    'bad-attachment': oneBody({ bytes: { sha256: 'ab'.repeat(32), size: 3 } }),
    'too-deep': oneBody({ data: hand.nested(33) }),
  }
  for (const [code, body] of Object.entries(bodies)) {
    t.test(`${code}: the link is closed, and nothing behind it is shown`, async (t) => {
      const { stage, attacker } = await scene(t)
      const others = fresh(4)
      const batch = signTexts([...others.slice(0, 2), body, ...others.slice(2)])
      attacker.say(Kind.batch, payloadIn(batch))
      t.equal(await attacker.closed(), code)
      t.same(stage.refused, [code])
      // As if they had come one by one: what was verified before it counts.
      t.notOk(stage.shown.includes(2) || stage.shown.includes(3))
      await stage.isUnharmed(t)
    })

    t.test(`${code}: without it, the others are good`, async (t) => {
      const { stage, attacker } = await scene(t)
      const others = fresh(4)
      const batch = signTexts([...others.slice(0, 2), body, ...others.slice(2)])
      attacker.say(
        Kind.batch,
        payloadIn(batch, (at) => at !== 2),
      )
      await stage.until(() => stage.shown.length === 4)
      t.same(stage.shown, [0, 1, 2, 3])
      t.equal(stage.linkTo(attacker)?.isUp, true)
      await stage.isUnharmed(t)
    })
  }
})

t.test(
  'a body that has an attachment cannot travel in a frame of many, though it is signed with them',
  async (t) => {
    const attachment = Uint8Array.of(1, 2, 3)
    const named = { bytes: { sha256: bytesToHex(sha256(attachment)), size: 3 } }
    const batch = signTexts([oneBody(named), ...fresh(2)])
    await isRefused(
      t,
      payloadIn(batch, (at) => at === 0),
      'bad-attachment',
    )
    const { stage, attacker } = await scene(t)
    attacker.say(
      Kind.batch,
      payloadIn(batch, (at) => at > 0),
    )
    const document = utf8ToBytes(documentIn(batch, 0))
    attacker.say(
      Kind.parcel,
      concatBytes(Uint8Array.of(0, 0, document.length >>> 8, document.length), document, attachment),
    )
    await stage.until(() => stage.shown.length === 3)
    t.same(stage.refused, [])
    await stage.isUnharmed(t)
  },
)

t.test('what was good once', async (t) => {
  t.test('is not shown again, together or alone', async (t) => {
    const { stage, attacker } = await scene(t)
    const batch = signTexts(fresh(5))
    for (let again = 0; again < 3; again++) attacker.say(Kind.batch, payloadIn(batch))
    for (let at = 0; at < 5; at++) {
      attacker.say(
        Kind.batch,
        payloadIn(batch, (other) => other === at),
      )
      attacker.say(Kind.message, documentIn(batch, at))
    }
    await stage.until(() => stage.shown.length >= 5)
    await stage.isUnharmed(t)
    t.same(stage.shown, [0, 1, 2, 3, 4])
    t.equal(stage.linkTo(attacker)?.isUp, true)
  })

  t.test('is shown once, although it stands in the batch twice', async (t) => {
    const { stage, attacker } = await scene(t)
    const [one, two] = fresh(2)
    attacker.say(Kind.batch, payloadIn(signTexts([one!, one!, two!, one!])))
    await stage.until(() => stage.shown.length >= 2)
    await stage.isUnharmed(t)
    t.same(stage.shown, [0, 1])
    t.equal(stage.linkTo(attacker)?.isUp, true)
  })

  t.test('is shown once, whatever batches it was signed in', async (t) => {
    const { stage, attacker } = await scene(t)
    const bodies = fresh(3)
    for (const list of [bodies, bodies.toReversed(), [...bodies, oneBody({ data: 'last' })]]) {
      attacker.say(Kind.batch, payloadIn(signTexts(list)))
    }
    attacker.say(Kind.message, hand.signText(bodies[0]!))
    await stage.until(() => stage.shown.includes('last'))
    await stage.isUnharmed(t)
    t.same(stage.shown, [0, 1, 2, 'last'])
  })

  t.test('is stale after the window, and costs nobody a link', async (t) => {
    const { stage, attacker } = await scene(t)
    const old = fresh(2, { time: Date.now() - WINDOW_PAST - 60_000 })
    attacker.say(Kind.batch, payloadIn(signTexts([...old, ...fresh(2, { data: 'new' })])))
    await stage.until(() => stage.shown.length === 2)
    t.same(stage.refused, ['stale', 'stale'])
    t.same(stage.shown, ['new', 'new'])
    t.equal(stage.linkTo(attacker)?.isUp, true)
    await stage.isUnharmed(t)
  })

  t.test('a root that is known does not make another signature good', async (t) => {
    const { stage, attacker } = await scene(t)
    const batch = signTexts(fresh(3))
    attacker.say(
      Kind.batch,
      payloadIn(batch, (at) => at === 0),
    )
    await stage.until(() => stage.shown.length === 1)
    const other = { ...batch, signature: ALICE.sign(batches.signedRootOf(batch.root, 2)) }
    attacker.say(
      Kind.batch,
      payloadIn(other, (at) => at === 1),
    )
    t.equal(await attacker.closed(), 'bad-signature')
    t.same(stage.shown, [0])
    await stage.isUnharmed(t)
  })
})

t.test('the largest frames', async (t) => {
  t.test('256 messages that fill a frame', async (t) => {
    const { stage, attacker } = await scene(t)
    const room = Math.floor((MAX_FRAME_BYTES - 67) / MAX_BATCH_MESSAGES) - 4
    const rest = oneBody({ data: '', seq: hand.NOW * 1_000 }).length
    const batch = signTexts(fresh(MAX_BATCH_MESSAGES, { data: 'a'.repeat(room - rest) }))
    const payload = payloadIn(batch)
    t.ok(
      payload.length > MAX_FRAME_BYTES - 2_000 && payload.length < MAX_FRAME_BYTES,
      `${payload.length} bytes`,
    )
    attacker.say(Kind.batch, payload)
    await stage.until(() => stage.shown.length === MAX_BATCH_MESSAGES)
    t.same(stage.refused, [])
    await stage.isUnharmed(t)
  })

  t.test('one byte more than a frame may have', async (t) => {
    const { stage, attacker } = await scene(t)
    attacker.say(Kind.batch, new Uint8Array(MAX_FRAME_BYTES))
    t.equal(await attacker.closed(), 'frame-too-large')
    await stage.isUnharmed(t)
  })

  t.test('one message, and 255 IDs that nobody knows', async (t) => {
    const { stage, attacker } = await scene(t)
    const batch = signTexts(fresh(MAX_BATCH_MESSAGES))
    for (let at = 0; at < 20; at++)
      attacker.say(
        Kind.batch,
        payloadIn(batch, (other) => other === at),
      )
    await stage.until(() => stage.shown.length === 20)
    t.same(stage.refused, [])
    await stage.isUnharmed(t)
  })
})

t.test('a flood of batches, each of an author of its own', async (t) => {
  const { stage, attacker } = await scene(t)
  const count = 200
  for (let number = 0; number < count; number++) {
    const author = hand.authorOf('', number % 200)
    attacker.say(Kind.batch, payloadIn(signTexts(fresh(2, { data: number, from: author.id }), author)))
  }
  await stage.until(() => stage.shown.length + stage.refused.length >= 2 * count)
  t.equal(stage.linkTo(attacker)?.isUp, true)
  await stage.isUnharmed(t)
})

/** Codes that a frame of bytes may end the link with. */
const CODES = new Set([
  ...['bad-shape', 'bad-signature', 'forged-author', 'bad-json', 'bad-utf8', 'not-canonical', 'bad-key'],
  ...['too-deep', 'wrong-net', 'bad-attachment', 'none'],
])

t.test('mutations: only verdicts with codes come out', async (t) => {
  const random = new Random(20_260_102)
  const stage = await Stage.start(t)
  for (let round = 0; round < 120; round++) {
    const batch = signTexts(fresh(1 + random.below(5) + 1, { data: `round ${round}` }))
    const payload = payloadIn(batch, (at) => at === 0 || random.below(3) > 0)
    const bytes = payload.slice(0, random.below(6) === 0 ? random.below(payload.length) : payload.length)
    for (let change = 1 + random.below(3); change > 0 && bytes.length > 0; change--) {
      bytes[random.below(bytes.length)]! ^= 1 + random.below(255)
    }
    const attacker = await stage.attacker(t, { identity: Identity.generate() })
    attacker.say(Kind.batch, bytes)
    const code = await attacker.closed()
    t.ok(CODES.has(code), code)
  }
  t.same(
    stage.shown.filter((data) => typeof data !== 'string' || !data.startsWith('round ')),
    [],
  )
  await stage.isUnharmed(t)
})

t.test('mutations of documents: none is taken for another', async (t) => {
  const random = new Random(20_260_103)
  const batch = signTexts(bodyTexts(11))
  let refused = 0
  for (let round = 0; round < 2_000; round++) {
    const document = utf8ToBytes(documentIn(batch, random.below(11)))
    for (let change = 1 + random.below(2); change > 0; change--) {
      const at =
        random.below(2) === 0 ? random.below(document.length) : document.length - 1 - random.below(420)
      document[at] = 0x20 + random.below(0x5f)
    }
    const verdict = await openMessage(document, { now: hand.NOW })
    if (!verdict.ok) refused++
    // The same bytes again, by chance.
    else if (!batch.bodies.some((_, at) => verdict.message.document === documentIn(batch, at)))
      t.fail('taken')
  }
  t.ok(refused > 1_900, `${refused} of 2000`)
  t.equal(canonical(JSON.parse(documentIn(batch, 1))), documentIn(batch, 1))
})
