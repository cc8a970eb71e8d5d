import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import type { Engine } from '../../lib/identity/engine.ts'
import { BookFile } from '../../lib/book/book-file.ts'
import type { SavedPeer } from '../../lib/book/known-peer.ts'
import { PeerBook } from '../../lib/book/peer-book.ts'
import { DAY, NET, NOW, paperId, paperRecord, publicHost, realNode, realRecord } from '../fixtures/records.ts'

const isWindows = process.platform === 'win32'
const posix = isWindows ? { skip: 'Windows has no such files' } : {}
const posixUser =
  process.getuid?.() === 0 ? { skip: 'root may open everything, so nothing is refused' } : posix
const systemError = (code: string) => Object.assign(new Error(`${code}: injected`), { code })

const makeBook = () => new PeerBook({ self: paperId(0), random: () => 0.3 })
const source = (number: number) => ({ id: paperId(1_000 + number), host: publicHost(number) })
const read = (file: string) => fs.readFileSync(file, 'utf8')

/** An engine that finds every signature good, and counts. */
function countingEngine(): Engine & { count: number } {
  const signer = () => {
    throw new Error('it signs nothing')
  }
  return { name: 'node', count: 0, signer, verify() { return ++this.count > 0 } } // prettier-ignore
}

/** A book of three real nodes: one reached, one that came to us, one only heard of. */
async function realBook(): Promise<PeerBook> {
  const book = makeBook()
  for (const number of [1, 2, 3]) {
    const record = await realRecord(realNode(number), [{ host: publicHost(number), port: 7_000 }])
    book.add(record, source(number), NOW)
  }
  book.connected(realNode(1).id, { host: publicHost(1), port: 7_000 }, NOW + 5)
  book.connected(realNode(2).id, undefined, NOW)
  return book
}

async function load(file: string, now = NOW, net = NET): Promise<PeerBook> {
  const book = makeBook()
  const count = await new BookFile(file, net).load(book, { now })
  if (count !== book.size) throw new Error(`${count} of ${book.size}`)
  return book
}

t.test('what was saved is read again, by path and by URL', async (t) => {
  const dir = t.testdir({})
  const book = await realBook()
  await new BookFile(`${dir}/a.json`, NET).save(book)
  await new BookFile(pathToFileURL(`${dir}/b c.json`), NET).save(book)
  t.equal(read(`${dir}/a.json`), read(`${dir}/b c.json`))
  const again = await load(`${dir}/a.json`, NOW + 5)
  const byId = (peers: PeerBook) => [...peers].sort((one, other) => (one.id < other.id ? -1 : 1))
  t.strictSame(byId(again), byId(book))
  if (!isWindows) t.equal(fs.statSync(`${dir}/a.json`).mode & 0o777, 0o600)
  t.strictSame(fs.readdirSync(dir).sort(), ['a.json', 'b c.json'], 'and nothing is left beside')
})

t.test('the file is JSON, one peer in a line', async (t) => {
  const dir = t.testdir({})
  const record = await realRecord(realNode(1))
  const peers: SavedPeer[] = [{ record, source: source(1), lastConnected: NOW + 0.5, isTried: true }]
  await new BookFile(`${dir}/book`, NET).save(peers)
  const text = read(`${dir}/book`)
  t.strictSame(JSON.parse(text), {
    net: NET,
    peers: [{ lastConnected: NOW, record: record.document, source: source(1), tried: true }],
    v: 1,
  })
  t.equal(text.split('\n').length, 4)
  await new BookFile(`${dir}/book`, NET).save([])
  t.strictSame(JSON.parse(read(`${dir}/book`)), { net: NET, peers: [], v: 1 })
  t.equal((await load(`${dir}/book`)).size, 0)
})

t.test('a file that does not exist is an empty book', async (t) => {
  const dir = t.testdir({})
  t.equal((await load(`${dir}/none`)).size, 0)
  t.equal((await load(`${dir}/no/folder/none`)).size, 0)
})

t.test('a relative path is that of the folder at the time of construction', async (t) => {
  const dir = t.testdir({ a: {}, b: {} })
  const before = process.cwd()
  t.teardown(() => process.chdir(before))
  process.chdir(`${dir}/a`)
  const file = new BookFile('book', NET)
  process.chdir(`${dir}/b`)
  await file.save([])
  t.strictSame(fs.readdirSync(`${dir}/a`), ['book'])
})

t.test('what is no path is refused', async (t) => {
  for (const path of ['', 'a\0b', new URL('https://example.org/book')]) {
    t.throws(() => new BookFile(path, NET), { code: 'invalid-option' }, String(path))
  }
})

t.test('a file that is something else is an error, and is never overwritten', async (t) => {
  const other = { net: 'other', peers: [], v: 1 }
  const files: Record<string, string> = {
    key: 'secure-node identity\n-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----\n',
    empty: '',
    text: 'hello',
    list: '[]',
    nothing: 'null',
    object: '{}',
    package: '{"name":"app","version":"1.0.0"}',
    'no list': JSON.stringify({ net: NET, peers: {}, v: 1 }),
    'no network': JSON.stringify({ peers: [], v: 1 }),
    newer: JSON.stringify({ net: NET, peers: [], v: 2 }),
    foreign: JSON.stringify(other),
    cut: JSON.stringify({ net: NET, peers: [], v: 1 }).slice(0, -1),
    deep: `{"net":"${NET}","peers":${'['.repeat(50_000)}${']'.repeat(50_000)},"v":1}`,
  }
  const dir = t.testdir({ ...files, binary: Buffer.from([0xff, 0xfe, 0, 1]), folder: {} })
  for (const name of [...Object.keys(files), 'binary', 'folder']) {
    const file = new BookFile(`${dir}/${name}`, NET)
    await t.rejects(file.load(makeBook(), { now: NOW }), { code: 'peer-book-unreadable' }, name)
    await t.rejects(file.save(await realBook()), { code: 'peer-book-unreadable' }, name)
    if (Object.hasOwn(files, name)) t.equal(read(`${dir}/${name}`), files[name], name)
  }
  const message = (name: string) => new BookFile(`${dir}/${name}`, NET).load(makeBook(), { now: NOW })
  await t.rejects(message('key'), { message: /it is not a peer book$/ })
  await t.rejects(message('foreign'), { message: /it is that of the network "other"$/ })
  await t.rejects(message('newer'), { message: /another version/ })
  await t.rejects(message('folder'), { message: /EISDIR|not a regular file/ })
  t.strictSame(fs.readdirSync(dir).sort(), [...Object.keys(files), 'binary', 'folder'].sort())
})

t.test('a file that is too large is not read', async (t) => {
  const dir = t.testdir({})
  fs.writeFileSync(`${dir}/large`, '')
  fs.truncateSync(`${dir}/large`, 8 * 1_024 * 1_024 + 1)
  await t.rejects(load(`${dir}/large`), {
    code: 'peer-book-unreadable',
    message: /larger than 8388608 bytes/,
  })
})

t.test('a pipe is not waited for', posix, async (t) => {
  const dir = t.testdir({})
  t.equal(spawnSync('mkfifo', [`${dir}/pipe`]).status, 0)
  await t.rejects(load(`${dir}/pipe`), { code: 'peer-book-unreadable', message: /not a regular file/ })
  await t.rejects(load('/dev/zero'), { code: 'peer-book-unreadable', message: /not a regular file/ })
})

t.test('a file that may not be read is an error', posixUser, async (t) => {
  const dir = t.testdir({ book: '{}' })
  fs.chmodSync(`${dir}/book`, 0)
  await t.rejects(load(`${dir}/book`), { code: 'peer-book-unreadable', cause: { code: 'EACCES' } })
})

t.test(
  'peers that are damaged, forged, stale or of another network are left out, the others stay',
  async (t) => {
    const dir = t.testdir({})
    const book = await realBook()
    await new BookFile(`${dir}/book`, NET).save(book)
    const saved = JSON.parse(read(`${dir}/book`)) as { peers: Record<string, unknown>[] }
    const good = saved.peers[0]!
    const record = good['record'] as string
    const forgedTime = record.replace(`"time":${NOW}`, `"time":${NOW + 1}`)
    const paper = await paperRecord(77)
    const foreign = await realRecord(realNode(9), undefined, NOW, 'other')
    const bad: unknown[] = [
    null, 5, 'text', [], {}, { ...good, record: undefined }, { ...good, record: JSON.parse(record) },
    { ...good, record: '' }, { ...good, record: `${record} ` }, { ...good, record: '\ud800' },
    { ...good, record: record.slice(1) }, { ...good, record: `[${record}]` }, { ...good, record: 'x'.repeat(2_000) },
    { ...good, record: forgedTime }, { ...good, record: paper.document }, { ...good, record: foreign.document },
    { ...good, record: (await realRecord(realNode(9), undefined, NOW - 8 * DAY)).document },
    { ...good, record: (await realRecord(realNode(9), undefined, NOW + DAY)).document },
    { ...good, record: (await realRecord(realNode(9), [])).document },
    { ...good, lastConnected: '1' }, { ...good, lastConnected: -1 }, { ...good, lastConnected: undefined },
    { ...good, tried: 1 }, { ...good, tried: undefined },
    { ...good, source: null }, { ...good, source: {} }, { ...good, source: { id: 1, host: 'a' } },
  ] // prettier-ignore
    fs.writeFileSync(`${dir}/book`, JSON.stringify({ ...saved, peers: [...bad, ...saved.peers, ...bad] }))
    t.strictSame(
      [...(await load(`${dir}/book`))].map(({ id }) => id).sort(),
      [...book].map(({ id }) => id).sort(),
    )
  },
)

t.test('addresses that their source may not tell are not smuggled in by a restart', async (t) => {
  const dir = t.testdir({})
  const record = await realRecord(realNode(1), [
    { host: '20.1.1.1', port: 1 },
    { host: '192.168.1.1', port: 80 },
  ])
  const book = makeBook()
  book.add(record, source(1), NOW)
  await new BookFile(`${dir}/book`, NET).save(book)
  t.strictSame((await load(`${dir}/book`)).get(record.id)!.addresses, [{ host: '20.1.1.1', port: 1 }])
})

t.test('no more peers are looked at than a book holds, and the event loop goes on meanwhile', async (t) => {
  const dir = t.testdir({})
  const book = makeBook()
  for (let number = 1; number <= 4_096; number++) book.add(await paperRecord(number), source(number), NOW)
  const file = new BookFile(`${dir}/book`, NET)
  await file.save(book)
  const saved = JSON.parse(read(`${dir}/book`)) as { peers: unknown[] }
  t.ok(fs.statSync(`${dir}/book`).size < 3_000_000)
  fs.writeFileSync(`${dir}/book`, JSON.stringify({ ...saved, peers: [...saved.peers, ...saved.peers] }))
  const engine = countingEngine()
  let turns = 0
  let isLoading = true
  const turn = () => {
    turns++
    if (isLoading) setImmediate(turn)
  }
  turn()
  t.equal(await file.load(makeBook(), { now: NOW, engine }), 4_096)
  isLoading = false
  t.equal(engine.count, 4_096)
  t.ok(turns >= 64, `${turns} turns`)
})

t.test('saves never overlap, and those that wait become one with the newest book', async (t) => {
  const dir = t.testdir({})
  const { rename } = fs.promises
  const file = new BookFile(`${dir}/book`, NET)
  let under = 0
  const written: number[] = []
  t.intercept(fs.promises, 'rename', {
    value: async (from: string, to: string) => {
      t.equal(++under, 1, 'one at a time')
      written.push((JSON.parse(read(from)) as { peers: unknown[] }).peers.length)
      // More of them come while this one is under way.
      if (written.length === 1) later = [2, 3, 4].map((count) => file.save(peers.slice(0, count)))
      await rename(from, to)
      under--
    },
  })
  const peers = [...(await realBook())]
  peers.push(peers[0]!)
  let later: Promise<void>[] = []
  await file.save(peers.slice(0, 1))
  await Promise.all(later)
  t.strictSame(written, [1, 4])
  t.equal((JSON.parse(read(`${dir}/book`)) as { peers: unknown[] }).peers.length, 4)
})

t.test('what is saved is the book at the time of the call', async (t) => {
  const dir = t.testdir({})
  const book = await realBook()
  const saving = new BookFile(`${dir}/book`, NET).save(book)
  book.forget(realNode(1).id)
  await saving
  t.equal((await load(`${dir}/book`)).size, 3)
})

t.test('a write that fails is told, leaves the old file, and does not stop the next', async (t) => {
  const dir = t.testdir({})
  const file = new BookFile(`${dir}/book`, NET)
  await file.save([])
  const before = read(`${dir}/book`)
  const { rename } = fs.promises
  let failures = 1
  t.intercept(fs.promises, 'rename', {
    value: (from: string, to: string) =>
      failures-- > 0 ? Promise.reject(systemError('ENOSPC')) : rename(from, to),
  })
  const book = await realBook()
  const failing = file.save(book)
  await t.rejects(failing, { code: 'peer-book-unwritable', message: /ENOSPC/, cause: { code: 'ENOSPC' } })
  t.equal(read(`${dir}/book`), before)
  t.strictSame(fs.readdirSync(dir), ['book'])
  await file.save(book)
  t.equal((await load(`${dir}/book`)).size, 3)
})

t.test('a folder that does not exist is named', async (t) => {
  const dir = t.testdir({})
  const message = /the folder ".*none" does not exist; make it first/
  await t.rejects(new BookFile(`${dir}/none/book`, NET).save([]), { code: 'peer-book-unwritable', message })
})
