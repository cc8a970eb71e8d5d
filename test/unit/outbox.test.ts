import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { notStarted } from '../../lib/errors.ts'
import { defaultEngine } from '../../lib/identity/ed25519.ts'
import { Identity } from '../../lib/identity/identity.ts'
import type { Draft } from '../../lib/message/draft.ts'
import { openMessage } from '../../lib/message/message.ts'
import { Outbox } from '../../lib/outbox.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { eventually } from '../fixtures/happenings.ts'

/** An outbox whose signer waits where the test says so. */
function make() {
  const clock = new ManualClock()
  const world = { isRunning: true, hasRoom: true, gate: Promise.resolve() }
  const engine = defaultEngine()
  const identity = Identity.generate({
    name: engine.name,
    verify: (signature, bytes, key) => engine.verify(signature, bytes, key),
    signer: (seed) => {
      const signer = engine.signer(seed)
      return { publicKey: signer.publicKey, sign: (bytes) => world.gate.then(() => signer.sign(bytes)) }
    },
  })
  const outbox = new Outbox(
    {
      assertRunning: (what) => {
        if (!world.isRunning) throw notStarted(what)
      },
      hasRoom: () => world.hasRoom,
      seal: () => ({ seal: { e: '', k: [], m: '', v: 1 }, data: 'sealed' }),
    },
    identity,
    { clock, net: 'test', maxMessageIds: 7 },
  )
  return { clock, world, identity, outbox }
}

t.test('a message is signed, and sent in the same turn', async (t) => {
  const { clock, identity, outbox } = make()
  const result = await outbox.post({ data: { a: 1 }, type: 'greeting' }, (draft) => {
    t.match(draft.body, { from: identity.id, net: 'test', type: 'greeting', time: clock.now() })
    return draft.bytes
  })
  const opened = await openMessage(result, { net: 'test', now: clock.now() })
  t.match(opened, { ok: true, message: { data: { a: 1 } } })
})

t.test('the time of a message is a whole number', async (t) => {
  const { clock, outbox } = make()
  clock.advance(0.75)
  await outbox.post({ data: 1 }, ({ body }) => t.ok(Number.isInteger(body.time)))
})

t.test('what `send` throws is the error of the post', async (t) => {
  const { outbox } = make()
  const failure = new Error('closed')
  await t.rejects(
    outbox.post({ data: 1 }, () => {
      throw failure
    }),
    failure,
  )
  await outbox.settled()
})

t.test('refusals', async (t) => {
  t.test('by a node that does not run', async (t) => {
    const { outbox, world } = make()
    world.isRunning = false
    await t.rejects(
      outbox.post({ data: 1 }, () => t.fail('sent')),
      { code: 'not-started', message: 'sending' },
    )
  })

  t.test('by a node that has stopped while the message was signed', async (t) => {
    const { outbox, world } = make()
    const gate = new Deferred<void>()
    world.gate = gate.promise
    const posted = outbox.post({ data: 1 }, () => t.fail('sent'))
    world.isRunning = false
    gate.resolve()
    await t.rejects(posted, { code: 'not-started' })
  })

  t.test('where no more messages can be remembered, before and after it was signed', async (t) => {
    const { outbox, world } = make()
    const gate = new Deferred<void>()
    world.gate = gate.promise
    const posted = outbox.post({ data: 1 }, () => t.fail('sent'))
    world.hasRoom = false
    gate.resolve()
    await t.rejects(posted, { code: 'overload', message: '7' })
    await t.rejects(
      outbox.post({ data: 1 }, () => t.fail('sent')),
      { code: 'overload' },
    )
  })

  t.test('of what cannot be sent', async (t) => {
    const { outbox } = make()
    await t.rejects(
      outbox.post({ data: () => 1 }, () => t.fail('sent')),
      { code: 'invalid-payload' },
    )
    await outbox.settled()
  })
})

t.test('settled', async (t) => {
  t.test('at once when nothing is signed', async (t) => {
    await t.resolves(make().outbox.settled())
  })

  t.test('after everything that is being signed is on its way', async (t) => {
    const { outbox, world } = make()
    const gate = new Deferred<void>()
    world.gate = gate.promise
    const sent: unknown[] = []
    const posts = [1, 2, 3].map((data) => outbox.post({ data }, ({ id }) => sent.push(id)))
    let isSettled = false
    const settled = outbox.settled().then(() => (isSettled = true))
    await new Promise((resolve) => setImmediate(resolve))
    t.equal(isSettled, false)
    gate.resolve()
    await settled
    await eventually(() => sent.length === 3)
    await Promise.all(posts)
  })

  t.test('also where a signature fails', async (t) => {
    const { outbox, world } = make()
    world.gate = Promise.reject(new Error('no card in the reader'))
    const posted = outbox.post({ data: 1 }, () => t.fail('sent'))
    const failed = t.rejects(posted, { message: 'no card in the reader' })
    await outbox.settled()
    await failed
  })
})

t.test('what is posted in one turn', async (t) => {
  t.test('is signed together, and sent in order', async (t) => {
    const { outbox, clock } = make()
    const sent: Draft[] = []
    await Promise.all(
      Array.from({ length: 20 }, (_, data) => outbox.post({ data }, (draft) => sent.push(draft))),
    )
    t.same(
      sent.map(({ body }) => body.data),
      Array.from({ length: 20 }, (_, data) => data),
    )
    t.equal(new Set(sent.map(({ signature }) => signature)).size, 1)
    for (const { bytes } of sent) t.match(await openMessage(bytes, { now: clock.now() }), { ok: true })
  })

  t.test('is not lost with what cannot be sent', async (t) => {
    const { outbox } = make()
    const sent: unknown[] = []
    const results = await Promise.allSettled([
      outbox.post({ data: 1 }, ({ body }) => sent.push(body.data)),
      outbox.post({ data: Symbol('x') }, () => t.fail('sent')),
      outbox.post({ data: 2 }, () => {
        throw new Error('closed')
      }),
      outbox.post({ data: 3 }, ({ body }) => sent.push(body.data)),
    ])
    t.same(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    )
    t.same(sent, [1, 3])
  })

  t.test('is refused from the moment on at which there is no more room', async (t) => {
    const { outbox, world } = make()
    const sent: unknown[] = []
    const posts = [1, 2, 3].map((data) =>
      outbox.post({ data }, ({ body }) => {
        sent.push(body.data)
        world.hasRoom = sent.length < 2
      }),
    )
    const results = await Promise.allSettled(posts)
    t.same(
      results.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected'],
    )
    t.same(sent, [1, 2])
  })

  t.test('fails together where the signature does', async (t) => {
    const { outbox, world } = make()
    world.gate = Promise.reject(new Error('no card'))
    const posts = [1, 2, 3].map((data) => outbox.post({ data }, () => t.fail('sent')))
    for (const post of posts) await t.rejects(post, { message: 'no card' })
    world.gate = Promise.resolve()
    t.equal(await outbox.post({ data: 4 }, ({ place }) => place), undefined, 'and the next one is fine')
  })
})
