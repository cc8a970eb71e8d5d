// Peers that ask too much, answer for others, repeat what was said, or say what nobody wants to know.
import t, { type Test } from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { MAX_VERIFICATIONS } from '../../lib/limits/limits.ts'
import {
  ALL_QUESTIONS_BURST,
  ALL_QUESTIONS_RATE,
  ANSWER_BYTES_BURST,
  MAX_ANSWER_BYTES,
  MAX_ANSWERS,
  MAX_QUESTION_BYTES,
  MAX_WAITING_BYTES,
  QUESTION_BURST,
} from '../../lib/limits/network-limits.ts'
import type { DiscoveryRefusal } from '../../lib/discovery/discovery-port.ts'
import { type Frame, Kind } from '../../lib/wire/frame.ts'
import { DiscoveryNet, FakeSigner, type NetLink, type NetNode } from '../fixtures/discovery-net.ts'
import { ANSWER, answerBody, idOf, QUESTION, questionBody, state, UNKNOWN } from '../fixtures/questions.ts'

let nonces = 0
const nonce = (): string => (nonces++).toString(16).padStart(32, '0')
const mallory = new FakeSigner('mallory')

/** The victim in the middle of a line of three, and peers of it that say what the test wants and only listen. */
class Scene {
  readonly net = DiscoveryNet.line(3)
  readonly left = this.net.nodes[0]!
  readonly victim = this.net.nodes[1]!
  readonly right = this.net.nodes[2]!
  readonly heard: Frame[] = []

  /** A peer of the victim; returns the victim's end of the link. */
  attacker(to: NetNode = this.victim): NetLink {
    const attacker = this.net.add()
    attacker.discovery.receive = (_link, { kind, payload }) => {
      this.heard.push({ kind, payload: payload.slice() })
    }
    return this.net.connect(to, attacker)
  }

  say(link: NetLink, kind: number, payload: Uint8Array): void {
    link.from.discovery.receive(link, { kind, payload })
  }

  /** A genuine question of mallory's. */
  question(changes: Record<string, unknown> = {}, signer = mallory): Promise<Uint8Array> {
    const time = this.net.clock.now()
    return state(QUESTION, questionBody(mallory.id, { nonce: nonce(), time, ...changes }), signer)
  }

  /** A question of mallory's that the victim has taken, over this link. */
  async asked(link: NetLink): Promise<string> {
    const body = questionBody(mallory.id, { nonce: nonce(), time: this.net.clock.now() })
    this.say(link, Kind.question, await state(QUESTION, body, mallory))
    await this.net.pass(1)
    return idOf(body)
  }

  /** An answer, genuine if the signer is who it names. */
  answer(re: string, signer: FakeSigner, changes: Record<string, unknown> = {}): Promise<Uint8Array> {
    return state(ANSWER, answerBody(signer.id, { re, ...changes }), signer)
  }

  /** The question that the victim has sent to its peers. */
  get lastQuestion(): string {
    const { payload } = this.heard.filter(({ kind }) => kind === Kind.question).at(-1)!
    return idOf((JSON.parse(Buffer.from(payload).toString()) as { body: Record<string, unknown> }).body)
  }

  get refused(): Partial<Record<DiscoveryRefusal, number>> {
    return this.victim.discovery.stats().refused
  }

  /** Frames of a kind that all honest nodes have written. */
  written(kind: number): number {
    return [this.left, this.victim, this.right].reduce(
      (sum, { written }) => sum + (written.get(kind) ?? 0),
      0,
    )
  }

  /** Honest nodes blame nobody but liars, and still find each other. */
  async isUnharmed(t: Test): Promise<void> {
    t.same([...this.left.rejected, ...this.right.rejected], [])
    await this.net.pass(120_000)
    const map = await this.net.run(this.left.discovery.search({ timeout: 1_000 }))
    for (const { id } of [this.left, this.victim, this.right]) t.equal(map.nodes.has(id), true)
    await this.net.pass(120_000)
    t.equal(this.net.clock.pendingTimers, 0, 'nothing is left of it')
  }
}

t.test('questions', async (t) => {
  t.test('one that names somebody else costs the link that brought it', async (t) => {
    const scene = new Scene()
    const link = scene.attacker()
    scene.say(link, Kind.question, await scene.question({ from: scene.left.id }))
    await scene.net.pass(50)
    t.same(scene.victim.rejected, ['bad-question bad-signature'])
    t.equal(scene.written(Kind.question), 0)
    scene.say(link, Kind.question, await scene.question())
    await scene.net.pass(50)
    t.equal(scene.victim.discovery.stats().questions, 0, 'nothing more is taken from it')
    await scene.isUnharmed(t)
  })

  t.test('bytes that are none cost the link as well', async (t) => {
    const scene = new Scene()
    const bad = [
      new Uint8Array(MAX_QUESTION_BYTES + 1),
      new Uint8Array(0),
      await scene.question({ net: 'other' }),
    ]
    for (const payload of bad) scene.say(scene.attacker(), Kind.question, payload)
    t.same(scene.victim.rejected, [
      'bad-question too-large',
      'bad-question bad-json',
      'bad-question wrong-net',
    ])
    t.equal(scene.victim.engine.verified, 0)
    await scene.isUnharmed(t)
  })

  t.test('one in the name of the victim is not answered, nor passed on', async (t) => {
    const scene = new Scene()
    scene.say(scene.attacker(), Kind.question, await scene.question({ from: scene.victim.id }))
    await scene.net.pass(50)
    t.same(scene.refused, { own: 1 })
    t.equal(scene.written(Kind.question), 0)
    await scene.isUnharmed(t)
  })

  t.test('old and future ones are left alone, unverified', async (t) => {
    const scene = new Scene()
    const link = scene.attacker()
    const now = scene.net.clock.now()
    scene.say(link, Kind.question, await scene.question({ time: now - 30_001 }))
    scene.say(link, Kind.question, await scene.question({ time: now + 60_001 }))
    t.same(scene.refused, { stale: 1, early: 1 })
    t.equal(scene.victim.engine.verified, 0)
    t.same(scene.victim.rejected, [])
    await scene.isUnharmed(t)
  })

  t.test('a replay never starts a second wave, however long it is tried', async (t) => {
    const scene = new Scene()
    const [one, other] = [scene.attacker(), scene.attacker()]
    const ages = [0, -29_000, 60_000]
    const questions = await Promise.all(
      ages.map((age) => scene.question({ time: scene.net.clock.now() + age })),
    )
    for (const question of questions) scene.say(one, Kind.question, question)
    await scene.net.pass(50)
    const before = scene.written(Kind.question)
    // To the two others of the line, and to the other attacker.
    t.equal(before, 3 * 3)
    for (let second = 0; second < 100; second++) {
      for (const question of questions)
        for (const link of [one, other]) scene.say(link, Kind.question, question)
      await scene.net.pass(1_000)
    }
    t.equal(scene.written(Kind.question), before)
    t.equal(scene.victim.discovery.stats().answered, 3)
    t.same(scene.victim.rejected, [], 'copies are what a flood is made of')
    await scene.isUnharmed(t)
  })

  t.test('a thousand new ones from one link are read, but not passed on', async (t) => {
    const scene = new Scene()
    const link = scene.attacker()
    for (let count = 0; count < 1_000; count++) scene.say(link, Kind.question, await scene.question())
    await scene.net.pass(50)
    t.equal(scene.victim.discovery.stats().questions, QUESTION_BURST)
    t.equal(
      scene.victim.engine.verified,
      QUESTION_BURST + 2 * QUESTION_BURST,
      'and the answers of the two others',
    )
    t.equal(scene.refused.rate, 1_000 - QUESTION_BURST)
    t.same(scene.victim.rejected, [])
    // The link that the flood came over has brought its share; another way is as good.
    scene.net.connect(scene.left, scene.right)
    const map = await scene.net.run(scene.right.discovery.search({ timeout: 1_000 }))
    t.equal(map.nodes.has(scene.left.id), true, 'others can ask meanwhile')
    t.equal(map.nodes.has(scene.victim.id), true)
    await scene.isUnharmed(t)
  })

  t.test('a minute of new ones from a hundred identities', async (t) => {
    const scene = new Scene()
    const links = Array.from({ length: 100 }, () => scene.attacker())
    for (let second = 0; second < 60; second++) {
      for (const link of links) scene.say(link, Kind.question, await scene.question())
      await scene.net.pass(1_000)
    }
    const { questions } = scene.victim.discovery.stats()
    t.ok(questions <= ALL_QUESTIONS_BURST + 60 * ALL_QUESTIONS_RATE, `${questions} were passed on`)
    t.equal((scene.refused.overload ?? 0) + (scene.refused.rate ?? 0), 6_000 - questions)
    t.ok(scene.left.discovery.stats().questions <= questions)
    t.ok(scene.left.engine.verified <= questions)
    await scene.isUnharmed(t)
  })

  t.test('a forged copy that comes first does not silence the genuine one', async (t) => {
    const scene = new Scene()
    const [liar, honest] = [scene.attacker(), scene.attacker()]
    const genuine = await scene.question()
    const text = Buffer.from(genuine).toString()
    const forged = Buffer.from(
      text.replace(/.{4}"}$/, (end) => (end.startsWith('0000') ? '1000"}' : '0000"}')),
    )
    const gate = new Deferred<void>()
    scene.victim.engine.gate = gate.promise
    scene.say(liar, Kind.question, forged)
    scene.say(honest, Kind.question, genuine)
    gate.resolve()
    await scene.net.pass(50)
    t.same(scene.victim.rejected, ['bad-question bad-signature'])
    t.equal(scene.victim.discovery.stats().questions, 1)
    await scene.isUnharmed(t)
  })

  t.test(
    'all who bring the same forgery while it is verified are rejected, and nobody is asked',
    async (t) => {
      const scene = new Scene()
      const forged = await scene.question({ from: scene.left.id })
      const gate = new Deferred<void>()
      scene.victim.engine.gate = gate.promise
      for (let count = 0; count < 5; count++) scene.say(scene.attacker(), Kind.question, forged)
      gate.resolve()
      await scene.net.pass(50)
      t.equal(scene.victim.rejected.length, 5)
      t.equal(scene.victim.engine.verified, 1)
      await scene.isUnharmed(t)
    },
  )
})

t.test('answers', async (t) => {
  t.test('one in another name costs the link, and the genuine one gets through', async (t) => {
    const scene = new Scene()
    const link = scene.attacker()
    const search = scene.left.discovery.search({ timeout: 1_000 })
    await scene.net.pass(11)
    const links = [[scene.victim.id, 1]]
    const forged = await state(ANSWER, answerBody(scene.right.id, { re: scene.lastQuestion, links }), mallory)
    scene.say(link, Kind.answer, forged)
    const map = await scene.net.run(search)
    t.same(scene.victim.rejected, ['bad-answer bad-signature'])
    t.same(map.nodes.get(scene.right.id)?.links, [{ id: scene.victim.id, latency: 10 }])
    await scene.isUnharmed(t)
  })

  t.test('bytes that are none cost the link', async (t) => {
    const scene = new Scene()
    const links = Array.from({ length: 3 }, () => scene.attacker())
    const re = await scene.asked(scene.attacker())
    const bad = [
      new Uint8Array(MAX_ANSWER_BYTES + 1),
      new Uint8Array(9),
      await scene.answer(re, mallory, { v: 2 }),
    ]
    for (const [index, payload] of bad.entries()) scene.say(links[index]!, Kind.answer, payload)
    t.same(scene.victim.rejected, ['bad-answer too-large', 'bad-answer bad-json', 'bad-answer bad-shape'])
    t.equal(scene.victim.engine.verified, 1, 'the question')
    await scene.isUnharmed(t)
  })

  t.test('thousands to questions that nobody asked are not even read', async (t) => {
    const scene = new Scene()
    const link = scene.attacker()
    const answer = await scene.answer(UNKNOWN, mallory)
    for (let count = 0; count < 10_000; count++) scene.say(link, Kind.answer, answer)
    t.same(scene.refused, { unasked: 10_000 })
    t.equal(scene.victim.engine.verified, 0)
    t.same(scene.victim.rejected, [])
    await scene.isUnharmed(t)
  })

  t.test('one from a link that was not asked goes nowhere', async (t) => {
    const scene = new Scene()
    const link = scene.attacker()
    const re = await scene.asked(link)
    await scene.net.pass(50)
    const before = scene.victim.engine.verified
    // Back to whoever asked, and from one that came later.
    scene.say(link, Kind.answer, await scene.answer(re, mallory))
    scene.say(scene.attacker(), Kind.answer, await scene.answer(re, mallory))
    await scene.net.pass(50)
    t.same(scene.refused, { unasked: 2 })
    t.equal(scene.victim.engine.verified, before)
    await scene.isUnharmed(t)
  })

  t.test('an answer that is repeated is passed back once', async (t) => {
    const scene = new Scene()
    const [asker, peer] = [scene.attacker(), scene.attacker()]
    const re = await scene.asked(asker)
    await scene.net.pass(50)
    const before = scene.victim.engine.verified
    const [one, other] = [new FakeSigner('one'), mallory]
    const gate = new Deferred<void>()
    scene.victim.engine.gate = gate.promise
    for (let count = 0; count < 100; count++) scene.say(peer, Kind.answer, await scene.answer(re, one))
    t.equal(scene.victim.engine.verified, before + 1, 'what is under verification is known')
    gate.resolve()
    await scene.net.pass(50)
    for (let count = 0; count < 100; count++) scene.say(peer, Kind.answer, await scene.answer(re, one))
    const links = [[scene.victim.id, 1]]
    scene.say(peer, Kind.answer, await scene.answer(re, one, { links }))
    scene.say(peer, Kind.answer, await scene.answer(re, other))
    await scene.net.pass(50)
    t.equal(scene.victim.engine.verified, before + 1, 'and whoever asks has said so')
    t.equal(scene.refused.repeated, 201)
    t.equal(scene.victim.discovery.stats().relayedAnswers, 3)
    t.same(scene.victim.rejected, [])
    await scene.isUnharmed(t)
  })

  t.test('thousands of invented nodes: the map is bounded, and the search ends in time', async (t) => {
    const scene = new Scene()
    const link = scene.attacker()
    const search = scene.victim.discovery.search({ timeout: 20_000 })
    await scene.net.pass(11)
    const re = scene.lastQuestion
    for (let batch = 0; batch < 12; batch++) {
      for (let at = 0; at < 1_000; at++) {
        scene.say(link, Kind.answer, await scene.answer(re, new FakeSigner(`invented ${batch} ${at}`)))
      }
      await scene.net.pass(500)
    }
    await scene.net.pass(20_000)
    const map = await search
    t.equal(map.size, MAX_ANSWERS)
    t.ok((scene.refused.overload ?? 0) > 0)
    t.equal(map.nodes.has(scene.left.id), true, 'who answered in time is there')
    await scene.isUnharmed(t)
  })

  t.test('a network flooding somebody by one small question', async (t) => {
    const scene = new Scene()
    const [asker, peer] = [scene.attacker(), scene.attacker()]
    const re = await scene.asked(asker)
    const links = Array.from({ length: 64 }, (_, at) => new FakeSigner(`named ${at}`).id)
    const told = links.sort().map((id) => [id, null])
    let sent = 0
    for (let at = 0; at < 1_500; at++) {
      const answer = await scene.answer(re, new FakeSigner(`large ${at}`), { links: told })
      sent += answer.length
      scene.say(peer, Kind.answer, answer)
    }
    await scene.net.pass(1)
    t.ok(sent > 1.5 * ANSWER_BYTES_BURST)
    await scene.net.pass(100)
    const passed = scene.heard.filter(({ kind }) => kind === Kind.answer)
    const bytes = passed.reduce((sum, { payload }) => sum + payload.length, 0)
    t.ok(bytes <= ANSWER_BYTES_BURST * 1.1, `${bytes} bytes`)
    t.ok((scene.refused.rate ?? 0) > 0)
    await scene.isUnharmed(t)
  })

  t.test('more than can be verified waits within bounds, and is then dropped', async (t) => {
    const scene = new Scene()
    const [asker, peer] = [scene.attacker(), scene.attacker()]
    const re = await scene.asked(asker)
    await scene.net.pass(50)
    const before = scene.victim.engine.verified
    const gate = new Deferred<void>()
    scene.victim.engine.gate = gate.promise
    const count = 8_000
    let size = 0
    for (let at = 0; at < count; at++) {
      const answer = await scene.answer(re, new FakeSigner(`invented ${at}`))
      size = answer.length
      scene.say(peer, Kind.answer, answer)
    }
    t.equal(scene.victim.engine.verified - before, MAX_VERIFICATIONS)
    const waiting = count - MAX_VERIFICATIONS - (scene.refused.overload ?? 0)
    t.ok(waiting * size <= MAX_WAITING_BYTES / 2, 'of one link, half of what may wait')
    t.ok(waiting > 1_000)
    scene.victim.engine.gate = undefined
    gate.resolve()
    await scene.net.pass(100)
    t.equal(scene.victim.discovery.stats().relayedAnswers, 2 + waiting + MAX_VERIFICATIONS)
    await scene.isUnharmed(t)
  })

  t.test('what a liar has brought besides is not verified any more', async (t) => {
    const scene = new Scene()
    const [asker, peer] = [scene.attacker(), scene.attacker()]
    const re = await scene.asked(asker)
    await scene.net.pass(50)
    const before = scene.victim.engine.verified
    const gate = new Deferred<void>()
    scene.victim.engine.gate = gate.promise
    for (let at = 0; at < 2_000; at++) {
      const body = answerBody(new FakeSigner(`invented ${at}`).id, { re })
      scene.say(peer, Kind.answer, await state(ANSWER, body, mallory))
    }
    gate.resolve()
    await scene.net.pass(50)
    t.same(scene.victim.rejected, ['bad-answer bad-signature'])
    t.ok(scene.victim.engine.verified - before < 2 * MAX_VERIFICATIONS)
    await scene.isUnharmed(t)
  })
})

t.test('broken bits of good frames end in a verdict, and never in an error', async (t) => {
  const scene = new Scene()
  const asker = scene.attacker()
  const re = await scene.asked(asker)
  const { random } = scene.net
  const good = [await scene.question(), await scene.answer(re, mallory, { links: [[scene.left.id, 1]] })]
  for (let round = 0; round < 600; round++) {
    // Each on a link of its own: most cost it.
    const link = scene.attacker()
    if (round % 100 === 0) await scene.asked(asker)
    const bytes = good[round % 2]!.slice()
    for (let change = 0; change <= random.below(3); change++)
      bytes[random.below(bytes.length)] = random.below(256)
    const payload = random.below(4) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes
    scene.say(link, round % 2 === 0 ? Kind.question : Kind.answer, payload)
    if (round % 20 === 0) await scene.net.pass(1_000)
    scene.net.cut(link)
  }
  t.ok(scene.victim.rejected.length > 250)
  t.equal(scene.victim.discovery.stats().relayedAnswers <= 2 * 7, true)
  await scene.isUnharmed(t)
})
