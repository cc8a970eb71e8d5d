import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs' // prettier-ignore
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import type { Clock } from '../../lib/ground/clock.ts'
import type { FileRequest } from '../../lib/files/file-port.ts'
import {
  type DownloadOptions,
  FileExchange,
  type FileExchangeOptions,
} from '../../lib/files/file-exchange.ts'
import type { FileProgress } from '../../lib/files/progress.ts'
import { FILE_CHUNK_BYTES as CHUNK } from '../../lib/limits/direct-limits.ts'
import { ManualClock } from '../../lib/testing/manual-clock.ts'
import { answered, FileNet, nodeId, someBytes } from '../fixtures/file-net.ts'

const [ALICE, BOB, CAROL, DAVE] = ['a', 'b', 'c', 'd'].map(nodeId) as [string, string, string, string]

function start(t: Test, options: FileExchangeOptions = {}) {
  const net = new FileNet()
  const folder = t.testdir({})
  const join = (id: string): FileExchange => {
    const exchange = new FileExchange(net.port(id), options)
    t.teardown(() => exchange.close())
    return exchange
  }
  return { net, folder, join }
}

/** A clock by which every look at it takes so long that the next progress is reported. */
function steppingClock(clock: ManualClock): Clock {
  let looks = 0
  return { now: () => clock.now() + 100 * looks++, setTimer: (callback, ms) => clock.setTimer(callback, ms) }
}

/** Moves the clock until the promise is settled. */
async function settled<T>(clock: ManualClock, promise: Promise<T>): Promise<T> {
  const tick = setInterval(() => clock.advance(250), 1)
  try {
    return await promise
  } finally {
    clearInterval(tick)
  }
}

t.test('a file of any size arrives as it was', async (t) => {
  for (const size of [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 10 * CHUNK + 7]) {
    const { folder, join: joinNet } = start(t)
    const [alice, bob] = [joinNet(ALICE), joinNet(BOB)]
    const bytes = someBytes(size)
    writeFileSync(join(folder, 'original'), bytes)
    const file = await alice.share(join(folder, 'original'))
    t.strictSame(file, { id: file.id, name: 'original', size, chunks: Math.ceil(size / CHUNK) })
    const to = join(folder, 'copy')
    t.strictSame(await bob.download(file.id, { from: [ALICE], to }), { id: file.id, path: to, size })
    t.ok(readFileSync(to).equals(bytes), `${size} bytes`)
    t.strictSame(readdirSync(folder).sort(), ['copy', 'original'], 'and nothing is left beside it')
  }
})

t.test('bytes and URLs may be shared, and equal content has one ID whatever it is called', async (t) => {
  const { folder, join: joinNet } = start(t)
  const alice = joinNet(ALICE)
  const bytes = someBytes(CHUNK + 5)
  writeFileSync(join(folder, 'x'), bytes)
  const first = await alice.share(bytes, { name: 'holiday' })
  t.equal(first.name, 'holiday')
  t.equal((await alice.share(bytes)).name, 'file')
  const second = await alice.share(pathToFileURL(join(folder, 'x')))
  t.equal(second.id, first.id)
  t.strictSame([...alice.shared.values()], [second])
  t.equal(alice.unshare(first.id), true)
  t.equal(alice.unshare(first.id), false)
  t.equal(alice.shared.size, 0)
})

t.test('the ID is the documented one', async (t) => {
  const { join: joinNet } = start(t)
  const alice = joinNet(ALICE)
  t.equal(
    (await alice.share(new Uint8Array())).id,
    '8b57e9bee87281286d91289f11859c74a14d99bbac3b50f87a21f43bcad01b0e',
  )
  t.equal(
    (await alice.share(new TextEncoder().encode('hello'))).id,
    '57d73ec0553db921cd8405c601a1f6a10f5d6d9ef07203f5760d2a50c8a9ae94',
  )
})

t.test('several sources give parts of one file', async (t) => {
  const { net, folder, join: joinNet } = start(t)
  const bytes = someBytes(60 * CHUNK + 1)
  const ids = [ALICE, BOB, CAROL]
  const files = await Promise.all(ids.map((id) => joinNet(id).share(bytes)))
  const to = join(folder, 'copy')
  const seen: FileProgress[] = []
  const onProgress = (progress: FileProgress): void => void seen.push(progress)
  await joinNet(DAVE).download(files[0]!.id, { from: ids, to, onProgress })
  t.ok(readFileSync(to).equals(bytes))
  for (const id of ids)
    t.ok(net.asked.filter(({ to, type }) => to === id && type === 'file/chunks').length > 1)
  t.strictSame(seen[0], { bytes: 0, size: bytes.length, sources: 3 })
  t.strictSame(seen.at(-1), { bytes: bytes.length, size: bytes.length, sources: 3 })
  t.equal(net.open, 0, 'no answer is left under way')
  t.ok(net.mostParts <= 3 * 2 * 8, 'bounded, whatever the size')
})

t.test('a source that dies is replaced by the others, and one may come later', async (t) => {
  const clock = new ManualClock()
  const { net, folder, join: joinNet } = start(t, { clock: steppingClock(clock) })
  const bytes = someBytes(40 * CHUNK)
  const { id } = await joinNet(ALICE).share(bytes)
  await joinNet(BOB).share(bytes)
  let isDead = false
  const to = join(folder, 'copy')
  const download = joinNet(CAROL).download(id, {
    from: [ALICE],
    to,
    onProgress: ({ bytes }) => {
      if (isDead || bytes < 5 * CHUNK) return
      isDead = true
      t.equal(download.addSource(BOB), true)
      t.equal(download.addSource(BOB), false, 'it is asked already')
      t.equal(download.addSource('nobody'), false)
      net.kill(ALICE)
    },
  })
  await settled(clock, download)
  t.ok(isDead)
  t.ok(readFileSync(to).equals(bytes))
  t.equal(download.addSource(DAVE), false, 'it is over')
  t.equal(clock.pendingTimers, 0)
})

t.test('what was there before the last source died is used by the next download', async (t) => {
  const clock = new ManualClock()
  const { net, folder, join: joinNet } = start(t, { clock: steppingClock(clock) })
  const bytes = someBytes(40 * CHUNK + 11)
  const { id } = await joinNet(ALICE).share(bytes)
  const to = join(folder, 'copy')
  const carol = joinNet(CAROL)
  const onProgress = ({ bytes }: FileProgress): void => {
    if (bytes >= 20 * CHUNK) net.kill(ALICE)
  }
  const failed = carol.download(id, { from: [ALICE], to, onProgress })
  await t.rejects(settled(clock, failed), { code: 'file-not-found', message: /aaaaaaaa there is no way/ })
  t.notOk(existsSync(to))
  const size = statSync(`${to}.part`).size
  t.ok(size >= 20 * CHUNK)
  // A part of it is damaged meanwhile.
  const part = readFileSync(`${to}.part`)
  part[3 * CHUNK + 1]! ^= 1
  writeFileSync(`${to}.part`, part)
  await joinNet(BOB).share(bytes)
  const seen: number[] = []
  await carol.download(id, { from: [ALICE, BOB], to, onProgress: ({ bytes }) => seen.push(bytes) })
  t.ok(readFileSync(to).equals(bytes))
  t.ok(seen.some((bytes) => bytes >= 19 * CHUNK && bytes < 40 * CHUNK))
  const again = net.asked.filter(({ to, type }) => to === BOB && type === 'file/chunks')
  const chunks = again.flatMap(({ data }) => (data as { chunks: number[] }).chunks)
  t.ok(chunks.includes(3), 'the damaged chunk is fetched again')
  t.ok(!chunks.includes(2) && chunks.length <= 22, 'and what is good is not')
  t.notOk(existsSync(`${to}.part`))
})

t.test('a slow source does not hold up the end: its chunks are asked of another', async (t) => {
  const clock = new ManualClock()
  const { net, folder, join: joinNet } = start(t, { clock })
  const bytes = someBytes(6 * CHUNK)
  const { id } = await joinNet(BOB).share(bytes)
  net.port(ALICE).handle('file/chunks', () => new Promise(() => {}))
  const to = join(folder, 'copy')
  await settled(clock, joinNet(CAROL).download(id, { from: [ALICE, BOB], to }))
  t.ok(readFileSync(to).equals(bytes))
})

t.test('a source that falls silent is left after the timeout', async (t) => {
  const clock = new ManualClock()
  const { net, folder, join: joinNet } = start(t, { clock })
  const { id } = await joinNet(BOB).share(someBytes(CHUNK))
  net.port(ALICE).handle('file/info', () => new Promise(() => {}))
  const before = clock.now()
  const download = joinNet(CAROL).download(id, { from: [ALICE], to: join(folder, 'copy'), timeout: 2_000 })
  await t.rejects(settled(clock, download), { code: 'file-not-found', message: /within 2000 ms/ })
  t.ok(clock.now() - before < 12_000)
  t.strictSame(readdirSync(folder), [], 'nothing is left of a download that has brought nothing')
  t.equal(net.open, 0)
})

t.test('a file that was changed is served no more', async (t) => {
  const { net, folder, join: joinNet } = start(t)
  const [alice, bob] = [joinNet(ALICE), joinNet(BOB)]
  const path = join(folder, 'x')
  const changes: (() => void)[] = [
    () => writeFileSync(path, someBytes(3 * CHUNK, 2)),
    () => truncateSync(path, CHUNK / 2),
    () => (truncateSync(path, 0), symlinkSync('nowhere', join(folder, 'y'))),
  ]
  for (const [index, change] of changes.entries()) {
    writeFileSync(path, someBytes(3 * CHUNK))
    const { id } = await alice.share(path)
    change()
    const download = bob.download(id, { from: [ALICE], to: join(folder, `copy${index}`) })
    await t.rejects(download, { code: 'file-not-found', message: /this file is not here/ })
    t.equal(alice.shared.size, 0)
  }
  const shared = someBytes(CHUNK)
  const { id } = await alice.share(shared)
  shared[0]! ^= 1
  await t.rejects(bob.download(id, { from: [ALICE], to: join(folder, 'c') }), { code: 'file-not-found' })
  t.strictSame(net.errors, [])
})

t.test('an existing file is replaced only on demand', async (t) => {
  const { folder, join: joinNet } = start(t)
  const [alice, bob] = [joinNet(ALICE), joinNet(BOB)]
  const { id } = await alice.share(someBytes(9))
  const to = join(folder, 'copy')
  writeFileSync(to, 'precious')
  const options: DownloadOptions = { from: [ALICE], to }
  await t.rejects(bob.download(id, options), { code: 'file-unwritable', message: /exists already/ })
  t.equal(readFileSync(to, 'utf8'), 'precious')
  await bob.download(id, { ...options, overwrite: true })
  t.equal(statSync(to).size, 9)
  mkdirSync(join(folder, 'sub'))
  const folderTo = { from: [ALICE], to: join(folder, 'sub'), overwrite: true }
  await t.rejects(bob.download(id, folderTo), { code: 'file-unwritable', message: /is a folder/ })
  const nowhere = { from: [ALICE], to: join(folder, 'none/x') }
  await t.rejects(bob.download(id, nowhere), { code: 'file-unwritable', message: /folder does not exist/ })
  // Somebody else puts a file there while it is under way.
  const late = join(folder, 'late')
  const onProgress = (): void => writeFileSync(late, 'precious')
  await t.rejects(bob.download(id, { from: [ALICE], to: late, onProgress }), { code: 'file-unwritable' })
  t.equal(readFileSync(late, 'utf8'), 'precious')
})

t.test(
  'a link in the place of the part is not followed',
  { skip: process.platform === 'win32' },
  async (t) => {
    const { folder, join: joinNet } = start(t)
    const { id } = await joinNet(ALICE).share(someBytes(9))
    writeFileSync(join(folder, 'precious'), 'precious')
    symlinkSync(join(folder, 'precious'), join(folder, 'copy.part'))
    const to = join(folder, 'copy')
    await t.rejects(joinNet(BOB).download(id, { from: [ALICE], to }), { code: 'file-unwritable' })
    t.equal(readFileSync(join(folder, 'precious'), 'utf8'), 'precious')
  },
)

t.test(
  'a disk that is full ends the download, and keeps what is there',
  { skip: !existsSync('/dev/full') },
  async (t) => {
    const { folder, join: joinNet } = start(t)
    const { id } = await joinNet(ALICE).share(someBytes(3 * CHUNK))
    const { FileHandle } = { FileHandle: await handleClass(join(folder, 'any')) }
    const write = FileHandle.write
    let count = 0
    t.teardown(() => void (FileHandle.write = write))
    FileHandle.write = function (this: unknown, ...args: unknown[]) {
      if (++count > 1) return Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }))
      return write.apply(this, args)
    }
    const to = join(folder, 'copy')
    const bob = joinNet(BOB)
    await t.rejects(bob.download(id, { from: [ALICE], to }), {
      code: 'file-unwritable',
      message: /disk is full/,
    })
    t.ok(statSync(`${to}.part`).size > 0)
    FileHandle.write = write
    await bob.download(id, { from: [ALICE], to })
    t.equal(statSync(to).size, 3 * CHUNK)
  },
)

async function handleClass(path: string) {
  const { open } = await import('node:fs/promises')
  const handle = await open(path, 'w')
  await handle.close()
  return Object.getPrototypeOf(handle) as { write: (...args: unknown[]) => Promise<unknown> }
}

t.test('a download is ended by its signal, by close, and by whoever hears of its progress', async (t) => {
  const { net, folder, join: joinNet } = start(t, { clock: steppingClock(new ManualClock()) })
  const { id } = await joinNet(ALICE).share(someBytes(30 * CHUNK))
  const bob = joinNet(BOB)
  const to = join(folder, 'copy')
  const controller = new AbortController()
  const stopAt = (stop: () => void) => ({
    from: [ALICE],
    to,
    onProgress: ({ bytes }: FileProgress) => {
      if (bytes > 2 * CHUNK) stop()
    },
  })
  const signal = controller.signal
  await t.rejects(bob.download(id, { ...stopAt(() => controller.abort()), signal }), { code: 'aborted' })
  await t.rejects(bob.download(id, { from: [ALICE], to, signal }), { code: 'aborted' }, 'before it begins')
  const broken = stopAt(() => {
    throw new Error('my own fault')
  })
  await t.rejects(bob.download(id, broken), { message: 'my own fault' })
  const first = bob.download(id, { from: [ALICE], to })
  await t.rejects(bob.download(id, { from: [ALICE], to }), { code: 'file-unwritable', message: /already/ })
  await first
  const last = { ...stopAt(() => bob.close()), to: join(folder, 'other') }
  await t.rejects(bob.download(id, last), { code: 'aborted' })
  await t.rejects(bob.download(id, { from: [ALICE], to: 'x' }), { code: 'aborted' })
  t.equal(net.open, 0)
})

t.test('a file that is offered is taken where its taker says', async (t) => {
  const { net, folder, join: joinNet } = start(t)
  const [alice, bob] = [joinNet(ALICE), joinNet(BOB)]
  const bytes = someBytes(4 * CHUNK + 3)
  const path = join(folder, 'gift')
  writeFileSync(path, bytes)
  await t.rejects(alice.offer(BOB, path), answered('no-handler'))
  const received: unknown[] = []
  bob.receive((offer) => join(folder, `from-${offer.from.slice(0, 2)}-${offer.name}-${offer.size}`), {
    onReceived: (offer, { path }) => received.push(offer.name, path),
  })
  const seen: FileProgress[] = []
  const file = await alice.offer(BOB, path, {
    name: '../../gift',
    onProgress: (progress) => seen.push(progress),
  })
  const to = join(folder, `from-aa-_.._gift-${bytes.length}`)
  t.ok(readFileSync(to).equals(bytes))
  t.strictSame(received, ['_.._gift', to])
  t.strictSame(seen.at(-1), { bytes: bytes.length, size: bytes.length, sources: 1 })
  t.equal(alice.shared.size, 0)
  await t.rejects(joinNet(CAROL).download(file.id, { from: [ALICE], to: join(folder, 'x') }), {
    code: 'file-not-found',
  })
  // By its ID, if it is shared; then it stays so.
  await t.rejects(alice.offer(BOB, file.id), { code: 'file-not-found' })
  const { id } = await alice.share(path)
  bob.receive(async () => join(folder, 'again'))
  await alice.offer(BOB, id)
  t.ok(readFileSync(join(folder, 'again')).equals(bytes))
  t.equal(alice.shared.size, 1)
  t.strictSame(net.errors, [])
})

t.test(
  'an offer is declined, fails, or is taken back, and the other node hears no more than it needs',
  async (t) => {
    const clock = new ManualClock()
    const { net, folder, join: joinNet } = start(t, { clock })
    const [alice, bob] = [joinNet(ALICE), joinNet(BOB)]
    const bytes = someBytes(CHUNK)
    bob.receive(() => false)
    await t.rejects(alice.offer(BOB, bytes), answered('declined'))
    bob.receive(() => undefined)
    await t.rejects(alice.offer(BOB, bytes), answered('declined'))
    const failures: unknown[] = []
    bob.receive(() => join(folder, 'none/secret'), { onFailed: (_offer, error) => failures.push(error) })
    await t.rejects(alice.offer(BOB, bytes), {
      code: 'request-failed',
      answer: { code: 'file-unwritable', text: 'the file could not be taken' },
    })
    t.match(failures, [{ code: 'file-unwritable', message: /none.secret/ }])
    bob.receive(() => Promise.reject(new Error('my own fault')))
    await t.rejects(alice.offer(BOB, bytes), { code: 'request-failed' })
    t.match(net.errors, [{ message: 'my own fault' }])
    // Somebody is asked, and takes his time.
    let decide!: (to: string) => void
    bob.receive(() => new Promise((resolve) => (decide = resolve)))
    const patient = alice.offer(BOB, bytes, { timeout: 3_000 })
    for (let second = 0; second < 20; second++) await clock.advanceAsync(1_000)
    decide(join(folder, 'late'))
    await patient
    t.equal(statSync(join(folder, 'late')).size, CHUNK)
    const controller = new AbortController()
    const offer = alice.offer(BOB, bytes, { signal: controller.signal })
    await clock.advanceAsync(1_000)
    controller.abort()
    await t.rejects(offer, { code: 'aborted' })
    decide(join(folder, 'never'))
    await clock.advanceAsync(1_000)
    t.notOk(existsSync(join(folder, 'never')))
    t.equal(net.open, 0)
    t.equal(clock.pendingTimers, 0)
  },
)

t.test('what makes no sense is refused', async (t) => {
  const net = new FileNet()
  for (const options of [{ maxUploads: 0 }, { maxUploadsPerNode: 1.5 }, { max: 1 }]) {
    t.throws(() => new FileExchange(net.port(BOB), options), { code: 'invalid-option' })
  }
  const { folder, join: joinNet } = start(t)
  const bob = joinNet(BOB)
  const id = '0'.repeat(64)
  const good = { from: [ALICE], to: join(folder, 'x') }
  const wrong: [string, object, string][] = [
    ['x', good, 'invalid-argument'],
    [id, { ...good, from: [] }, 'invalid-argument'],
    [id, { ...good, from: 'a' }, 'invalid-argument'],
    [id, { ...good, from: ['alice'] }, 'invalid-argument'],
    [id, { ...good, from: Array(33).fill(ALICE) }, 'invalid-argument'],
    [id, { ...good, to: '' }, 'invalid-argument'],
    [id, { ...good, to: new URL('https://example.org/x') }, 'invalid-argument'],
    [id, { ...good, overwrite: 1 }, 'invalid-option'],
    [id, { ...good, maxSize: -1 }, 'invalid-option'],
    [id, { ...good, timeout: 0 }, 'invalid-option'],
    [id, { ...good, unknown: 1 }, 'invalid-option'],
  ]
  for (const [file, options, code] of wrong) {
    await t.rejects(
      bob.download(file, options as unknown as DownloadOptions),
      { code },
      JSON.stringify(options),
    )
  }
  await t.rejects(bob.share(5 as never), { code: 'invalid-argument' })
  await t.rejects(bob.share('x', { name: 5 as never }), { code: 'invalid-argument' })
  await t.rejects(bob.share(join(folder, 'none')), { code: 'file-unreadable' })
  await t.rejects(bob.share(folder), { code: 'file-unreadable' })
  await t.rejects(bob.share(new Uint8Array(5), { signal: AbortSignal.abort() }), { code: 'aborted' })
  await t.rejects(bob.offer(ALICE, 'x', { timeout: -1 }), { code: 'invalid-option' })
  t.throws(() => bob.receive(5 as never), { code: 'invalid-argument' })
})

t.test('closing takes the handlers from the node', async (t) => {
  const { net, join: joinNet } = start(t)
  const bob = joinNet(BOB)
  await bob.share(someBytes(5))
  bob.close()
  t.equal(bob.shared.size, 0)
  const asking = net.port(ALICE).requestStream(BOB, 'file/info', { id: '0'.repeat(64) })
  const read = async (): Promise<void> => {
    for await (const _ of asking) t.fail('an answer')
  }
  await t.rejects(read(), answered('no-handler'))
})

t.test('a plain message of these types is no question', async (t) => {
  const handlers: ((incoming: FileRequest) => unknown)[] = []
  const port = { ...new FileNet().port(ALICE), handle: (_: string, handler: (typeof handlers)[0]) => void handlers.push(handler) } // prettier-ignore
  new FileExchange(port)
  t.equal(handlers.length, 3)
  for (const handler of handlers) await handler({ isRequest: false } as FileRequest)
})
