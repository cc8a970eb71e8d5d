import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { type ErrorCode, SecureNodeError } from '../../lib/errors.ts'
import { JOIN_TIMEOUT, MAX_DIALS } from '../../lib/limits/network-limits.ts'
import { joinNetwork, type JoinOptions } from '../../lib/overlay/joining.ts'
import type { DialTerms } from '../../lib/overlay/neighbourhood-port.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import type { Address } from '../../lib/wire/address.ts'
import { upTo } from '../fixtures/surroundings.ts'

const A = { host: 'a.example', port: 1 }
const B = { host: '2a00::b', port: 2 }
const C = { host: 'c.example', port: 3 }

/** A node that joins; the test answers its dials, and says when the neighbourhood is known. */
function make() {
  const clock = new ManualClock()
  const dials: { address: Address; terms: DialTerms; answer(): void; refuse(code: ErrorCode): void }[] = []
  const settled = new Deferred<void>()
  const world = { peers: 0, settledAsked: 0 }
  const join = (addresses: readonly Address[], options: JoinOptions = {}) =>
    joinNetwork(addresses, options, {
      clock,
      dial: (address, terms) => {
        const waiting = new Deferred<void>()
        // As a real dial does: it is over with its time, or its signal.
        const timer = clock.setTimer(() => dial.refuse('connect-timeout'), terms.timeout!)
        const onAbort = (): void => dial.refuse('aborted')
        const dial = {
          ...{ address, terms },
          answer: () => end(() => waiting.resolve()),
          refuse: (code: ErrorCode) => end(() => waiting.reject(new SecureNodeError(code, `why: ${code}`))),
        }
        const end = (settle: () => void): void => {
          timer.cancel()
          terms.signal?.removeEventListener('abort', onAbort)
          settle()
        }
        terms.signal?.addEventListener('abort', onAbort)
        dials.push(dial)
        return waiting.promise
      },
      peers: () => world.peers,
      settled: () => {
        world.settledAsked++
        return settled.promise
      },
    })
  return { clock, dials, settled, world, join, turns: () => clock.advanceAsync(0) }
}

t.test('one address that answers is enough', async (t) => {
  const { join, dials, settled, world, clock, turns } = make()
  const joined = join([A, B, C])
  t.same(
    dials.map(({ address }) => address),
    [A, B, C],
    'all at once',
  )
  dials[0]!.refuse('connect-failed')
  dials[1]!.answer()
  await turns()
  t.equal(world.settledAsked, 1)
  world.peers = 5
  settled.resolve()
  t.match(await joined, { peers: 5, failures: [{ address: A, error: { code: 'connect-failed' } }] })
  dials[2]!.answer()
  t.equal(clock.pendingTimers, 0)
})

t.test('it waits until the neighbourhood is known, and no longer than its time', async (t) => {
  const { join, dials, clock, world } = make()
  const joined = join([A], { timeout: 3_000 })
  dials[0]!.answer()
  world.peers = 1
  let isOver = false
  void joined.then(() => (isOver = true))
  await clock.advanceAsync(2_999)
  t.equal(isOver, false)
  await clock.advanceAsync(1)
  t.match(await joined, { peers: 1, failures: [] })
  t.equal(clock.pendingTimers, 0)
})

t.test('every address fails', async (t) => {
  t.test('one error with each address and its reason', async (t) => {
    const { join, dials, clock } = make()
    const joined = join([A, B])
    joined.catch(() => {})
    dials[0]!.refuse('connect-failed')
    dials[1]!.refuse('refused-by-peer')
    const error = (await joined.catch((failure: unknown) => failure)) as SecureNodeError
    t.equal(error.code, 'join-failed')
    t.match(error.message, 'any of the 2 addresses')
    t.match(error.message, 'a.example:1: why: connect-failed')
    t.match(error.message, '[2a00::b]:2: why: refused-by-peer')
    t.match(
      (error.cause as AggregateError).errors.map(({ code }: SecureNodeError) => code),
      ['connect-failed', 'refused-by-peer'],
    )
    t.equal(clock.pendingTimers, 0)
  })

  t.test('within the time, however many they are', async (t) => {
    const { join, dials, clock } = make()
    const start = clock.now()
    const addresses = upTo(50).map((number) => ({ host: `h${number}.example`, port: 1 }))
    const joined = join(addresses, { timeout: 10_000 })
    const failed = t.rejects(joined, { code: 'join-failed', message: 'h49.example:1' })
    while (clock.pendingTimers > 0) await clock.advanceAsync(clock.nextTimer! - clock.now())
    await failed
    t.ok(clock.now() - start <= 10_000, `${clock.now() - start} ms`)
    t.ok(dials.length >= 40, 'and nearly all of them were dialled')
  })

  t.test('no more than four are dialled at once', async (t) => {
    const { join, dials, turns } = make()
    const addresses = upTo(9).map((number) => ({ host: `h${number}.example`, port: 1 }))
    const joined = join(addresses)
    t.equal(dials.length, MAX_DIALS)
    joined.catch(() => {})
    dials[2]!.refuse('connect-failed')
    await turns()
    t.equal(dials.length, MAX_DIALS + 1)
    t.same(dials.at(-1)?.address, addresses[4])
    for (let at = 0; at < addresses.length; at++) {
      dials[at]?.refuse('connect-failed')
      await turns()
    }
    await t.rejects(joined, { code: 'join-failed' })
  })

  t.test('a few that swallow everything leave time for the others', async (t) => {
    const { join, dials, clock, settled } = make()
    const joined = join(upTo(8).map((number) => ({ host: `h${number}.example`, port: 1 })))
    await clock.advanceAsync(JOIN_TIMEOUT / 2)
    t.equal(dials.length, 8)
    dials[7]!.answer()
    settled.resolve()
    t.match(await joined, { failures: { length: 4 } })
  })
})

t.test('addresses of its own', async (t) => {
  t.test('are no failures', async (t) => {
    const { join, dials, settled, world } = make()
    const joined = join([A, B])
    dials[0]!.refuse('self-connection')
    dials[1]!.answer()
    world.peers = 1
    settled.resolve()
    t.same(await joined, { peers: 1, failures: [] })
  })

  t.test('where nobody else is there, it is the first of its network', async (t) => {
    const { join, dials, settled } = make()
    const joined = join([A, B])
    dials[0]!.refuse('self-connection')
    dials[1]!.refuse('connect-failed')
    settled.resolve()
    t.match(await joined, { peers: 0, failures: [{ address: B }] })
  })

  t.test('all of them its own', async (t) => {
    const { join, dials, settled } = make()
    const joined = join([A, B])
    for (const dial of [...dials]) dial.refuse('self-connection')
    settled.resolve()
    t.same(await joined, { peers: 0, failures: [] })
  })
})

t.test('no addresses: only the neighbourhood is waited for', async (t) => {
  const { join, dials, settled, world } = make()
  world.peers = 3
  settled.resolve()
  t.same(await join([]), { peers: 3, failures: [] })
  t.equal(dials.length, 0)
})

t.test('an abort', async (t) => {
  t.test('ends it while it dials, and the dials with it', async (t) => {
    const { join, dials, clock, turns } = make()
    const controller = new AbortController()
    const joined = join(
      upTo(9).map((number) => ({ host: `h${number}.example`, port: 1 })),
      { signal: controller.signal },
    )
    const failed = t.rejects(joined, { code: 'aborted', cause: { message: 'enough of this' } })
    controller.abort(new Error('enough of this'))
    await failed
    await turns()
    t.equal(dials.length, MAX_DIALS, 'the others are not begun')
    t.equal(clock.pendingTimers, 0)
  })

  t.test('ends it while it waits for the neighbourhood', async (t) => {
    const { join, dials, clock, turns } = make()
    const controller = new AbortController()
    const joined = join([A], { signal: controller.signal })
    const failed = t.rejects(joined, { code: 'aborted' })
    dials[0]!.answer()
    await turns()
    controller.abort()
    await failed
    t.equal(clock.pendingTimers, 0)
  })

  t.test('that came before', async (t) => {
    const { join, clock, turns } = make()
    const joined = join([A], { signal: AbortSignal.abort() })
    await t.rejects(joined, { code: 'aborted' })
    await clock.advanceAsync(JOIN_TIMEOUT)
    await turns()
    t.equal(clock.pendingTimers, 0)
  })

  t.test('that comes too late changes nothing, and the signal is let go', async (t) => {
    const { join, dials, settled } = make()
    const controller = new AbortController()
    let listeners = 0
    const { signal } = controller
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)]
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const joined = join([A], { signal })
    dials[0]!.answer()
    settled.resolve()
    await joined
    controller.abort()
    t.equal(listeners, 0)
  })
})

t.test('late successes', async (t) => {
  t.test('after the join, no more addresses are dialled: enough is enough', async (t) => {
    const { join, dials, settled, turns } = make()
    const joined = join(upTo(50).map((number) => ({ host: `h${number}.example`, port: 1 })))
    dials[0]!.answer()
    settled.resolve()
    await joined
    const { length } = dials
    for (const dial of [...dials]) dial.answer()
    await turns()
    t.equal(dials.length, length)
  })

  t.test('failures that come after it are not in its result', async (t) => {
    const { join, dials, settled, turns } = make()
    const joined = join([A, B])
    dials[0]!.answer()
    settled.resolve()
    const { failures } = await joined
    dials[1]!.refuse('connect-failed')
    await turns()
    t.same(failures, [])
  })
})
