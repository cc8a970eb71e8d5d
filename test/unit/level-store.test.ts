import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { Journal } from '../../lib/history/journal.ts'
import { LevelStore } from '../../lib/history/level-store.ts'
import type { Entry } from '../../lib/history/store.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { HistoryNet, nodeId, numbered, post } from '../fixtures/history-net.ts'

const OWNER = { id: nodeId('owner'), net: 'default' }
const root = t.testdir()
let folders = 0
const newFolder = (): string => join(root, `store-${folders++}`)

const entry = (number: number, rest: Partial<Entry> = {}): { entry: Entry; parcel: Uint8Array } => {
  const { id, time, from, parcel } = numbered(number, 1_000_000 + number)
  const made = { id, time, from, exp: undefined, hasAttachment: false, size: parcel.length, isPending: true }
  return { entry: { ...made, ...rest }, parcel }
}

t.test('what was written is there when it is opened again', async (t) => {
  const folder = newFolder()
  const store = new LevelStore(folder)
  t.strictSame(await store.open(OWNER), { entries: [], floor: 0 })
  const changes = [
    entry(2, { exp: 5_000_000 }),
    entry(1, { hasAttachment: true, isPending: false }),
    entry(3),
  ]
  await store.write({ changes, floor: 77 })
  await store.write({ changes: [{ entry: changes[2]!.entry, isDropped: true }] })
  t.strictSame(
    await store.read(changes[0]!.entry).then((bytes) => Buffer.from(bytes!)),
    Buffer.from(changes[0]!.parcel),
  )
  await store.close()
  const again = new LevelStore(folder)
  t.strictSame(await again.open(OWNER), { entries: [changes[1]!.entry, changes[0]!.entry], floor: 77 })
  t.equal(await again.read(changes[2]!.entry), undefined)
  await again.write({ changes: [{ entry: { ...changes[0]!.entry, size: 0 }, parcel: null }] })
  t.equal(await again.read(changes[0]!.entry), undefined)
  await again.close()
  t.equal(statSync(folder).mode & 0o077, 0, 'nobody else may look')
})

t.test('a store is for one node and one network', async (t) => {
  const folder = newFolder()
  const store = new LevelStore(folder)
  await store.open(OWNER)
  await t.rejects(new LevelStore(folder).open(OWNER), { code: 'history-unreadable', message: /in use/ })
  await store.close()
  for (const other of [
    { ...OWNER, net: 'other' },
    { ...OWNER, id: nodeId('other') },
  ]) {
    await t.rejects(new LevelStore(folder).open(other), {
      code: 'history-unreadable',
      message: /belongs to another/,
    })
  }
  await new LevelStore(folder).open(OWNER).then(() => t.pass('still usable'))
})

t.test('without the package the error says how to get it', async (t) => {
  const store = new LevelStore(newFolder(), () => Promise.reject(new Error('Cannot find package')))
  await t.rejects(store.open(OWNER), { code: 'history-unavailable', message: /npm install classic-level/ })
})

t.test('what is no history is refused and left as it is', async (t) => {
  const folder = newFolder()
  mkdirSync(folder)
  writeFileSync(join(folder, 'holiday.jpg'), 'x')
  await t.rejects(new LevelStore(folder).open(OWNER), { code: 'history-unreadable', message: /other files/ })
  t.strictSame(readdirSync(folder), ['holiday.jpg'])
  await t.rejects(new LevelStore(join(folder, 'holiday.jpg')).open(OWNER), { code: 'history-unreadable' })
  await t.rejects(new LevelStore('/dev/null/none').open(OWNER), { code: /^history-un/ })
})

t.test('a damaged store is refused, not replaced by an empty one', async (t) => {
  const folder = newFolder()
  const store = new LevelStore(folder)
  await store.open(OWNER)
  await store.write({ changes: [entry(1)] })
  await store.close()
  // The tables instead of the log alone.
  const again = new LevelStore(folder)
  await again.open(OWNER)
  await again.close()
  const copy = (name: string): string => {
    const path = newFolder()
    cpSync(folder, path, { recursive: true })
    return join(path, name)
  }
  const current = copy('CURRENT')
  rmSync(current)
  await t.rejects(new LevelStore(join(current, '..')).open(OWNER), { code: 'history-unreadable' })
  const manifest = copy(readdirSync(folder).find((name) => name.startsWith('MANIFEST'))!)
  truncateSync(manifest, 10)
  await t.rejects(new LevelStore(join(manifest, '..')).open(OWNER), { code: 'history-unreadable' })
  const odd = new LevelStore(newFolder(), async () => ({ ClassicLevel: OddLevel }))
  await t.rejects(odd.open(OWNER), { code: 'history-unreadable', message: /damaged/ })
})

/** A database whose one entry makes no sense. */
class OddLevel {
  async open(): Promise<void> {}
  async close(): Promise<void> {}
  async batch(): Promise<void> {}
  async get(): Promise<Uint8Array> {
    return new TextEncoder().encode(JSON.stringify({ ...OWNER, v: 1 }))
  }
  async *iterator(): AsyncIterable<[Uint8Array, Uint8Array]> {
    yield [new Uint8Array(3), new Uint8Array(4)]
  }
}

t.test('whatever is torn off its last log, all whole batches before are there', async (t) => {
  const folder = newFolder()
  const store = new LevelStore(folder)
  await store.open(OWNER)
  for (let at = 0; at < 50; at++) await store.write({ changes: [entry(2 * at), entry(2 * at + 1)] })
  await store.close()
  const log = readdirSync(folder).find((name) => name.endsWith('.log'))!
  const { size } = statSync(join(folder, log))
  for (const torn of [1, 7, 100, 500, 2_000, Math.floor(size / 2)]) {
    const path = newFolder()
    cpSync(folder, path, { recursive: true })
    truncateSync(join(path, log), size - torn)
    const reader = new LevelStore(path)
    const { entries } = await reader.open(OWNER)
    t.ok(entries.length < 100)
    t.ok(entries.length >= 98 - Math.ceil((torn / size) * 102))
    t.equal(entries.length % 2, 0, 'no half of a batch')
    t.strictSame(
      entries.map(({ time }) => time),
      entries.map((_, at) => 1_000_000 + at),
    )
    for (const kept of entries) t.equal((await reader.read(kept))?.length, kept.size)
    await reader.write({ changes: [entry(500)] })
    await reader.close()
  }
})

t.test('a full disk ends nothing, and what it refused is written when there is room', async (t) => {
  const folder = newFolder()
  mkdirSync(folder)
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', folder])
  if (status !== 0) return t.comment('a file system cannot be mounted here: skipped')
  t.teardown(() => spawnSync('umount', ['-l', folder]))
  const clock = new ManualClock()
  const reports: string[] = []
  const journal = new Journal({ clock, report: (text) => reports.push(text) }, new LevelStore(folder))
  await journal.open(OWNER)
  const made = Array.from({ length: 60 }, (_, at) => {
    const change = entry(at)
    // Nothing that could be made smaller.
    const parcel = Uint8Array.from({ length: 65_536 }, () => Math.random() * 256)
    return { entry: { ...change.entry, size: parcel.length }, parcel }
  })
  for (const change of made) {
    journal.put(change)
    await journal.commit()
  }
  t.match(reports, [/kept in memory for now/])
  t.ok(journal.unwritten > 0)
  for (const { entry, parcel } of made.slice(-5))
    t.strictSame(await journal.read(entry), parcel, 'from memory')
  spawnSync('mount', ['-o', 'remount,size=64m', folder])
  clock.advance(60_000)
  for (let turn = 0; journal.unwritten > 0 && turn < 1_000; turn++) await new Promise(setImmediate)
  for (let wait = 0; journal.unwritten > 0 && wait < 200; wait++)
    await new Promise((done) => setTimeout(done, 10))
  t.equal(journal.unwritten, 0)
  t.match(reports.at(-1), /written again/)
  await journal.close()
  const reader = new LevelStore(folder)
  t.equal((await reader.open(OWNER)).entries.length, 60)
  await reader.close()
})

t.test('a history on disk serves what an earlier run kept, and never goes back', async (t) => {
  const folder = newFolder()
  const net = new HistoryNet(1)
  const [peer] = net.nodes
  const first = net.add({ folder })
  await first.history.open()
  const messages = Array.from({ length: 30 }, (_, at) => post(net.now - 60_000 * at))
  for (const message of messages) first.take(message)
  const old = post(net.now - 23 * 3_600_000)
  first.take(old)
  await first.history.close()
  await net.pass(2 * 3_600_000)
  const second = net.add({ folder, self: first.id })
  await second.history.open()
  t.notOk(second.history.has(old.id))
  const floor = second.history.floor(net.now)
  await second.history.close()
  // The clock is set back.
  const third = new HistoryNet().add({ folder, self: first.id })
  await third.history.open()
  t.ok(third.history.floor(third.net.now) >= floor - 10_000, 'the floor stays')
  t.ok(third.history.floor(third.net.now) > old.time)
  await third.history.close()
  const fourth = net.add({ folder, self: first.id })
  await fourth.history.open()
  net.connect(fourth, peer!)
  // The disk takes its own time: the network's must not run away from it.
  for (let wait = 0; peer!.delivered.length < 30 && wait < 500; wait++) {
    await net.pass(50)
    await new Promise((done) => setTimeout(done, 5))
  }
  t.equal(peer!.delivered.length, 30)
  await fourth.history.close()
})

/** Runs the process until it is killed after so many messages; returns its lines. */
async function runAndKill(t: Test, folder: string, first: number, count: number): Promise<string[]> {
  const script = join(import.meta.dirname, '../fixtures/history-process.ts')
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import=./test/typescript.js', script, folder, String(first)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const ended = once(child, 'close') as Promise<[number | null, string | null]>
  const lines: string[] = []
  let kept = 0
  for await (const line of createInterface({ input: child.stdout! })) {
    lines.push(line)
    if (line.startsWith('kept') && ++kept === count) child.kill('SIGKILL')
  }
  t.equal((await ended)[1], 'SIGKILL')
  t.ok(lines.includes('ready'))
  return lines
}

t.test('killed ten times, it has lost nothing that it said was kept', { timeout: 60_000 }, async (t) => {
  const folder = newFolder()
  const kept = new Set<number>()
  let [first, again] = [0, 0]
  for (let run = 0; run < 10; run++) {
    const lines = await runAndKill(t, folder, first, 150 + 37 * run)
    const numbers = (word: string): number[] =>
      lines.filter((line) => line.startsWith(`${word} `)).map((line) => Number(line.slice(word.length + 1)))
    const lost = numbers('lacks').filter((number) => kept.has(number))
    t.strictSame(lost, [], 'nothing is lost')
    t.strictSame(numbers('report'), [])
    const pending = numbers('again')
    // Written and not told, or told and the delivery not written: all of the end of the last run.
    t.ok(pending.every((number) => number < first))
    t.ok(pending.length < 2_000)
    again += pending.length
    for (const number of numbers('kept')) kept.add(number)
    first = Math.max(...kept) + 1_000
  }
  t.comment(`${kept.size} kept, ${again} handed out again`)
})
