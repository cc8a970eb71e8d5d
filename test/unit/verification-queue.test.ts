import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { MAX_VERIFICATIONS } from '../../lib/limits/limits.ts'
import { MAX_WAITING_BYTES } from '../../lib/limits/network-limits.ts'
import { VerificationQueue } from '../../lib/discovery/verification-queue.ts'
import { turns } from '../fixtures/channel-recorder.ts'

/** Jobs that end when they are told to, in the order of their beginning. */
class Jobs {
  readonly queue = new VerificationQueue()
  readonly begun: string[] = []
  readonly #ends: Deferred<void>[] = []

  offer(name: string, link: object = this, bytes = 1): boolean {
    const run = (): Promise<void> => {
      this.begun.push(name)
      const end = new Deferred<void>()
      this.#ends.push(end)
      return end.promise
    }
    return this.queue.offer({ link, bytes, run })
  }

  /** Fills all places. */
  fill(): void {
    for (let at = 0; at < MAX_VERIFICATIONS; at++) this.offer('first')
    this.begun.length = 0
  }

  async end(count = 1): Promise<void> {
    for (const end of this.#ends.splice(0, count)) end.resolve()
    await turns(1)
  }
}

t.test('so many begin at once, and the next when one has ended', async (t) => {
  const jobs = new Jobs()
  jobs.fill()
  t.equal(jobs.queue.running, MAX_VERIFICATIONS)
  t.equal(jobs.offer('next'), true)
  t.same(jobs.begun, [])
  await jobs.end()
  t.same(jobs.begun, ['next'])
  await jobs.end(MAX_VERIFICATIONS)
  t.equal(jobs.queue.running, 0)
})

t.test('what waits is taken in the order of its arrival', async (t) => {
  const jobs = new Jobs()
  jobs.fill()
  const names = Array.from({ length: 500 }, (_, at) => `${at}`)
  for (const name of names) jobs.offer(name)
  while (jobs.queue.running > 0) await jobs.end(7)
  t.same(jobs.begun, names)
  t.equal(jobs.queue.bytes, 0)
})

t.test('one link may have half of what waits, and all together no more than all', async (t) => {
  const jobs = new Jobs()
  jobs.fill()
  const half = MAX_WAITING_BYTES / 2
  const [one, two, three] = [{}, {}, {}]
  t.equal(jobs.offer('one', one, half), true)
  t.equal(jobs.offer('one', one, 1), false)
  t.equal(jobs.offer('two', two, half - 1), true)
  t.equal(jobs.offer('three', three, 2), false)
  t.equal(jobs.offer('three', three, 1), true)
  t.equal(jobs.queue.bytes, MAX_WAITING_BYTES)
  await jobs.end()
  t.equal(jobs.offer('one', one, half), true, 'its place is free again')
})
