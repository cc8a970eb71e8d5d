import t from 'tap'
import { Deferred } from '../../lib/deferred.ts'
import { notStarted } from '../../lib/errors.ts'
import { defaultEngine } from '../../lib/identity/ed25519.ts'
import { Identity } from '../../lib/identity/identity.ts'
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
