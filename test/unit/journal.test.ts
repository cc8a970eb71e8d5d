import t from 'tap'
import { Deferred } from '../../lib/ground/deferred.ts'
import { Journal } from '../../lib/history/journal.ts'
import { MemoryStore } from '../../lib/history/memory-store.ts'
import type { Batch, Change, Entry, HistoryStore } from '../../lib/history/store.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { nodeId, numbered } from '../fixtures/history-net.ts'

const OWNER = { id: nodeId('owner'), net: 'default' }

/** A disk that writes when it is told to, or fails. */
class SlowStore implements HistoryStore {
  readonly batches: Batch[] = []
  readonly writes: Deferred<void>[] = []
  isFull = false
  readonly memory = new MemoryStore()

  open = (): ReturnType<HistoryStore['open']> => this.memory.open()
  read = (entry: Entry): Promise<Uint8Array | undefined> =>
    this.isFull ? Promise.reject(new Error('EIO')) : this.memory.read(entry)
  close = async (): Promise<void> => {}

  write(batch: Batch): Promise<void> {
    if (this.isFull)
      return Promise.reject(Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' }))
    this.batches.push(batch)
    const write = new Deferred<void>()
    this.writes.push(write)
    return write.promise.then(() => this.memory.write(batch))
  }
}

function change(number: number): Change & { readonly parcel: Uint8Array } {
  const { id, time, from, parcel } = numbered(number, 1_000)
  const entry = { id, time, from, exp: undefined, hasAttachment: false, size: parcel.length, isPending: true }
  return { entry, parcel }
}

function stage(): { store: SlowStore; journal: Journal; clock: ManualClock; reports: string[] } {
  const [store, clock, reports] = [new SlowStore(), new ManualClock(), [] as string[]]
  const journal = new Journal({ clock, report: (text) => reports.push(text) }, store)
  void journal.open(OWNER)
  return { store, clock, reports, journal }
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('what comes while a write is under way shares the next one', async (t) => {
  const { store, journal } = stage()
  const done: number[] = []
  for (let at = 0; at < 10; at++) {
    journal.put(change(at))
    void journal.commit()!.then(() => done.push(at))
  }
  t.equal(store.batches.length, 1)
  store.writes[0]!.resolve()
  await settle()
  t.strictSame(done, [0])
  t.strictSame(
    store.batches.map(({ changes }) => changes.length),
    [1, 9],
  )
  t.equal(journal.unwritten, 9)
  store.writes[1]!.resolve()
  await settle()
  t.strictSame(done, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.equal(journal.unwritten, 0)
})

t.test('a delivery that is noted before its message is written goes with it', async (t) => {
  const { store, journal } = stage()
  journal.put(change(0))
  void journal.commit()
  const later = change(1)
  journal.put(later)
  void journal.commit()
  later.entry.isPending = false
  journal.put({ entry: later.entry })
  store.writes[0]!.resolve()
  await settle()
  t.strictSame(store.batches[1]!.changes, [{ entry: later.entry, parcel: later.parcel }])
  t.strictSame(await journal.read(later.entry), later.parcel)
})

t.test('a full disk keeps nobody waiting, and is tried again with all that it refused', async (t) => {
  const { store, journal, clock, reports } = stage()
  store.isFull = true
  const first = change(0)
  journal.put(first)
  journal.raise(17)
  await journal.commit()
  for (let at = 1; at < 5; at++) {
    journal.put(change(at))
    t.equal(journal.commit(), undefined)
  }
  t.strictSame(reports.length, 1)
  t.match(reports[0], /ENOSPC/)
  await clock.advanceAsync(60_000)
  t.equal(reports.length, 1, 'reported once')
  t.strictSame(await journal.read(first.entry), first.parcel)
  t.equal(await journal.read(change(77).entry), undefined)
  t.match(reports[1], /could not be read: EIO/)
  store.isFull = false
  await clock.advanceAsync(60_000)
  t.equal(store.batches[0]!.changes.length, 5)
  t.equal(store.batches[0]!.floor, 17)
  store.writes[0]!.resolve()
  await settle()
  t.match(reports[2], /written again/)
  t.equal(journal.unwritten, 0)
  t.equal(clock.pendingTimers, 0)
})

t.test('closing writes what is left, or says what is lost', async (t) => {
  const { store, journal } = stage()
  journal.put(change(0))
  void journal.commit()
  journal.put(change(1))
  const closed = journal.close()
  store.writes[0]!.resolve()
  await settle()
  store.writes[1]!.resolve()
  await closed
  t.equal(store.batches.length, 2)
  const full = stage()
  full.store.isFull = true
  full.journal.put(change(0))
  await full.journal.commit()
  await full.journal.close()
  t.match(full.reports.at(-1), /1 entries of the history are lost/)
  t.equal(full.clock.pendingTimers, 0)
})

t.test('what comes after the end touches no store, and is written when it is opened again', async (t) => {
  const { store, journal } = stage()
  await journal.close()
  const { entry, parcel } = change(0)
  journal.put({ entry, parcel })
  t.equal(journal.commit(), undefined)
  t.equal(store.batches.length, 0)
  t.strictSame(await journal.read(entry), parcel)
  await journal.open(OWNER)
  void journal.commit()
  t.equal(store.batches.length, 1)
})
