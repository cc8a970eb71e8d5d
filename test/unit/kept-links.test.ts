import t, { type Test } from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { type KeptConnection, KeptLinks } from '../../lib/services/kept-links.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { turns } from '../fixtures/channel-recorder.ts'

interface Fake extends KeptConnection {
  isUp: boolean
}

/** Links to be kept, whose dials the test answers one by one. */
function make() {
  const clock = new ManualClock(0)
  const up = new Map<string, Fake>()
  const backOff = { min: 500, max: 30_000, random: Math.random }
  const links = new KeptLinks<Fake>({ clock, backOff, byId: (id) => up.get(id) })
  const dials: (Deferred<Fake> & { signal: AbortSignal })[] = []
  const reports: string[] = []
  let isWanted = true
  const keep = (signal?: AbortSignal): Promise<Fake> =>
    links.keep({
      address: 'host:1',
      signal,
      dial: (ended) => {
        const dial = Object.assign(new Deferred<Fake>(), { signal: ended })
        dials.push(dial)
        return dial.promise
      },
      shouldReconnect: (trials, error) => {
        reports.push(`${trials} ${(error as Error).message}`)
        return isWanted
      },
    })
  const connection = (id = 'bob'): Fake => ({ id, isUp: true })
  const giveUp = (): void => {
    isWanted = false
  }
  return { clock, up, links, dials, reports, keep, connection, giveUp }
}

/** A link whose first connection is up. */
async function makeUp(t: Test, signal?: AbortSignal) {
  const link = make()
  const kept = link.keep(signal)
  const first = link.connection()
  link.dials[0]!.resolve(first)
  t.equal(await kept, first)
  const lose = (connection = first): void => {
    connection.isUp = false
    link.links.onDown(connection)
  }
  return { ...link, first, lose }
}

t.test('the promise resolves with the first connection, also when that took some dials', async (t) => {
  const { clock, dials, keep, connection, reports } = make()
  const kept = keep()
  dials[0]!.reject(new Error('refused'))
  await clock.advanceAsync(1_000)
  dials[1]!.reject(new Error('refused again'))
  await clock.advanceAsync(2_000)
  const bob = connection()
  dials[2]!.resolve(bob)
  t.equal(await kept, bob)
  t.strictSame(reports, ['1 refused', '2 refused again'])
  t.equal(clock.pendingTimers, 0)
})

t.test('a connection that ended before anybody saw it counts as a failure', async (t) => {
  const { clock, dials, keep, reports } = make()
  const kept = keep()
  dials[0]!.resolve({ id: 'bob', isUp: false })
  await clock.advanceAsync(1_000)
  t.strictSame(reports, ['1 the connection is closed: it ended at once'])
  const bob = { id: 'bob', isUp: true }
  dials[1]!.resolve(bob)
  t.equal(await kept, bob)
})

t.test('a lost connection is dialled again', async (t) => {
  const { clock, dials, lose, connection, links } = await makeUp(t)
  lose()
  await clock.advanceAsync(500)
  t.equal(dials.length, 2)
  const second = connection()
  dials[1]!.resolve(second)
  await turns()
  lose(second)
  links.onDown(second)
  await clock.advanceAsync(500)
  t.equal(dials.length, 3)
})

t.test('the end of another connection, or of an old one, means nothing', async (t) => {
  const { clock, dials, lose, first, connection, links } = await makeUp(t)
  links.onDown(connection('carol'))
  lose()
  await clock.advanceAsync(500)
  dials[1]!.resolve(connection())
  await turns()
  links.onDown(first)
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 2)
})

t.test('a peer that has come back by itself is not dialled, and that connection is kept', async (t) => {
  const { clock, dials, lose, connection, up } = await makeUp(t)
  lose()
  const inbound = connection()
  up.set('bob', inbound)
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 1)
  up.delete('bob')
  lose(inbound)
  await clock.advanceAsync(500)
  t.equal(dials.length, 2)
})

t.test('who gives up gets the reason, and nothing is dialled any more', async (t) => {
  const { clock, dials, keep, giveUp } = make()
  const kept = keep()
  giveUp()
  const cause = new Error('refused')
  dials[0]!.reject(cause)
  await t.rejects(kept, {
    code: 'reconnect-stopped',
    message: 'gave up on host:1 after 1 trials, as nodeReconnectionError asked',
    cause,
  })
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 1)
})

t.test('a connection that is released is not dialled again', async (t) => {
  const { clock, dials, lose, links, first } = await makeUp(t)
  links.release(first)
  lose()
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 1)
  t.equal(clock.pendingTimers, 0)
})

t.test('a connection that is released before its link knows it is not dialled again', async (t) => {
  const { clock, dials, links, keep, connection } = make()
  const kept = keep()
  const bob = connection()
  dials[0]!.resolve(bob)
  // In a handler of the event that says that it is up.
  links.release(bob)
  bob.isUp = false
  links.onDown(bob)
  await t.rejects(kept, { code: 'connection-closed' })
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 1)
})

t.test('a lost connection that is released while it is dialled again ends that dial', async (t) => {
  const { clock, dials, lose, links, first } = await makeUp(t)
  lose()
  await clock.advanceAsync(500)
  t.equal(dials[1]!.signal.aborted, false)
  links.release(first)
  t.equal(dials[1]!.signal.aborted, true)
  dials[1]!.reject(new Error('aborted'))
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 2)
})

t.test('the release of another connection means nothing', async (t) => {
  const { clock, dials, lose, links, connection } = await makeUp(t)
  links.release(connection('carol'))
  lose()
  await clock.advanceAsync(500)
  t.equal(dials.length, 2)
})

t.test('a signal ends it before the first connection', async (t) => {
  const { clock, dials, keep } = make()
  const controller = new AbortController()
  const kept = keep(controller.signal)
  dials[0]!.reject(new Error('refused'))
  await turns()
  const reason = new Error('changed my mind')
  controller.abort(reason)
  await t.rejects(kept, { code: 'aborted', cause: reason })
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 1)
})

t.test('a signal ends it after the first connection, which stays', async (t) => {
  const controller = new AbortController()
  const { clock, dials, lose, first } = await makeUp(t, controller.signal)
  controller.abort()
  t.equal(first.isUp, true)
  lose()
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 1)
})

t.test('a signal that was aborted before lets nothing begin', async (t) => {
  const { clock, dials, keep } = make()
  await t.rejects(keep(AbortSignal.abort(new Error('no'))), { code: 'aborted' })
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 0)
})

t.test('stop ends them all, and what is kept after it is kept', async (t) => {
  const { clock, dials, keep, links, connection } = make()
  const kept = [keep(), keep()]
  dials[0]!.reject(new Error('refused'))
  await turns()
  links.stop()
  for (const promise of kept) await t.rejects(promise, { code: 'aborted' })
  t.equal(dials[1]!.signal.aborted, true)
  t.equal(clock.pendingTimers, 0)
  const again = keep()
  dials[2]!.resolve(connection())
  t.match(await again, { id: 'bob' })
})

t.test('two links over one connection are both dialled again, and both released', async (t) => {
  const { clock, dials, keep, links, first, lose, connection } = await makeUp(t)
  const second = keep()
  dials[1]!.resolve(first)
  t.equal(await second, first)
  lose()
  await clock.advanceAsync(500)
  t.equal(dials.length, 4)
  const bob = connection()
  dials[2]!.resolve(bob)
  dials[3]!.resolve(bob)
  await turns()
  links.release(bob)
  lose(bob)
  await clock.advanceAsync(100_000)
  t.equal(dials.length, 4)
})
